//! hyper's HTTP/1.1 server with plain closures as handlers.
//!
//! ```text
//!   connection ──▶ a green thread: block_on(hyper's connection) ──request──▶ a green thread: handler(request) ──awaited──▶ response
//! ```
//!
//! A handler has a green thread of its own, so that it may wait for whatever it likes, the body of its request included, which its connection reads meanwhile.

use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use greenthread::future::{Timer, block_on};
use greenthread::net::{Server, TcpStream};
use greenthread::spawn;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
pub use hyper::{Method, Request, Response, StatusCode};

/// What a handler answers.
pub type Answer = Response<Full<Bytes>>;

/// Has `handler` answer the requests of whoever connects, until the server is stopped.
///
/// A handler that panics answers with status 500, and harms nobody else.
///
/// # Errors
/// As [`Server::serve`].
pub fn serve(
    server: Server,
    handler: impl Fn(Request<Body>) -> Answer + 'static,
) -> io::Result<()> {
    let handler = Rc::new(handler);
    server.serve(|stream, _| converse(stream, &handler))
}

/// One connection, to its end.
fn converse<H: Fn(Request<Body>) -> Answer + 'static>(stream: TcpStream, handler: &Rc<H>) {
    // An answer is written as a whole: it need not wait for more.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let handler = Rc::clone(handler);
        let answer = spawn(move || handler(request.map(Body::new)));
        async { Ok::<_, io::Error>(answer.await.unwrap_or_else(|_| failed())) }
    });
    let connection = http1::Builder::new()
        .timer(Timer)
        .serve_connection(stream, service);
    // A client that goes away in the middle is its own affair.
    let _ = block_on(connection);
}

fn failed() -> Answer {
    respond(StatusCode::INTERNAL_SERVER_ERROR, "the handler failed\n")
}

/// An answer of this status and body.
pub fn respond(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}

/// The body of a request, read like a file; a read parks until there is more of it.
pub struct Body {
    /// Where it comes from.
    incoming: Incoming,

    /// What has come and was not read.
    chunk: Bytes,
}

impl Body {
    fn new(incoming: Incoming) -> Self {
        let chunk = Bytes::new();
        Body { incoming, chunk }
    }

    /// The next piece that is not empty; an empty one at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        while let Some(frame) = block_on(self.incoming.frame()) {
            match frame.map_err(io::Error::other)?.into_data() {
                Ok(data) if !data.is_empty() => return Ok(data),
                _ => {}
            }
        }
        Ok(Bytes::new())
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            self.chunk = self.next()?;
        }
        let taken = self.chunk.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.chunk.split_to(taken));
        Ok(taken)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
