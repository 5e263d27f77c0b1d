//! hyper on tokio's current-thread runtime.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::super::RustPeer;

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "hyper",
    package: "hyper",
    rows: &[("http", |_| http())],
};

fn http() -> ! {
    super::tokio::serve(|stream| {
        let mut builder = http1::Builder::new();
        builder.auto_date_header(false).pipeline_flush(true);
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(answer)));
    })
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"Hello, World!")));
    let plain = "text/plain".parse().expect("a header's value");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}
