//! An HTTP server: hyper on green threads, with plain closures as handlers. One OS thread serves all.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin http_server -- 127.0.0.1:8080
//! curl http://127.0.0.1:8080/
//! curl http://127.0.0.1:8080/slow
//! curl --data-binary @Cargo.toml http://127.0.0.1:8080/count
//! ```

use std::cell::Cell;
use std::io::{self, Read};
use std::time::Duration;

use greenthread::net::Server;
use greenthread::sleep;
use greenthread_ecosystem::http::{Answer, Body, Method, Request, StatusCode, respond, serve};

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:8080"))?;
    println!("listening on {}", server.stopper().local_addr()?);
    let visits = Cell::new(0_u64);
    serve(server, move |request| {
        visits.set(visits.get() + 1);
        answer(request, visits.get())
    })
}

fn answer(mut request: Request<Body>, visit: u64) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => respond(StatusCode::OK, "hello\n"),
        (&Method::GET, "/visit") => respond(StatusCode::OK, format!("visit {visit}\n")),
        (&Method::GET, "/slow") => {
            sleep(Duration::from_millis(100)); // parks this request only
            respond(StatusCode::OK, "slow\n")
        }
        (&Method::GET, "/panic") => panic!("a request for a panic"),
        (&Method::POST, "/count") => count(request.body_mut()),
        (&Method::POST, "/echo") => echo(request.body_mut()),
        _ => respond(StatusCode::NOT_FOUND, "no such page\n"),
    }
}

/// Reads the body as it comes, and keeps none of it.
fn count(body: &mut Body) -> Answer {
    match io::copy(body, &mut io::sink()) {
        Ok(bytes) => respond(StatusCode::OK, format!("{bytes} bytes\n")),
        Err(_) => respond(StatusCode::BAD_REQUEST, "the body broke off\n"),
    }
}

fn echo(body: &mut Body) -> Answer {
    let mut bytes = Vec::new();
    match body.read_to_end(&mut bytes) {
        Ok(_) => respond(StatusCode::OK, bytes),
        Err(_) => respond(StatusCode::BAD_REQUEST, "the body broke off\n"),
    }
}
