//! Which libraries work, and how.
//!
//! A library runs on green threads when it waits through greenthread, or when somebody else wakes it. Four questions tell which it does:
//!
//! 1. **Does it take anything that is `Read + Write`?** Then give it a stream of [`net`](crate::net), and it works as it is.
//! 2. **Is it written with `async`, without a runtime of its own?** Then run it in [`future::block_on`](crate::future::block_on()), with our streams under its traits.
//! 3. **Does it bring OS threads of its own that do the waiting?** Then `block_on` serves too: the wake comes from there.
//! 4. **Does it block?** Then it holds up its OS thread, with every green thread there; [`spawn_blocking`](crate::spawn_blocking) gives it another.
//!
//! What has a program or a test to its name was tried with it: they are in the package `examples/ecosystem`, and its `Cargo.lock` has the versions. What says "by hand" was
//! tried in a program of its own, in a release build. No crate was changed.
//!
//! # What works
//!
//! | crate | for | how |
//! |---|---|---|
//! | `rustls` 0.23 | TLS, both ends | `StreamOwned` around our `TcpStream`, as around std's; one green thread for each connection, since both directions take `&mut` (`src/tls.rs`, program `tls_echo`) |
//! | `native-tls` 0.2 with OpenSSL | TLS, both ends | The same. A cancellation unwinds to the callback that OpenSSL calls, and goes on behind OpenSSL (by hand) |
//! | `ureq` 3.5 | HTTP and HTTPS, the client | Feature `ureq`: `bridge::ureq::agent` makes its `Agent` over our sockets; its pool serves all green threads (the example `gallery`, `tests/https.rs`, `tests/gallery.rs`) |
//! | `httparse` 1 | heads of HTTP/1 | As it is; it never waits (program `http_by_hand`, and `gallery`) |
//! | `tungstenite` 0.30 | WebSocket, both ends | `accept` and `client` take our stream. For reading and writing at once: two `WebSocket`s around one socket, and a lock that keeps frames whole (`src/bin/chat/line.rs`, program `chat`) |
//! | `csv`, `serde_json`, `tar`, `flate2` | formats | Over our stream as over any `Read` or `Write`; a `BufReader` under `serde_json`. In a debug build `flate2` puts its compressor together on the stack, and overflows one of 256 KiB: [`grow`](crate::grow) around `GzEncoder::new`; a release build needs nothing (`tests/tried`) |
//! | `async-channel`, `flume` with `.await` | channels | In `block_on`; they may lead to other OS threads and to executors (`tests/tried`) |
//! | `tower` 0.5 | services and layers | In `block_on`, with the layers that know no runtime, such as `concurrency_limit` (`tests/tried`); `timeout` and `buffer` want tokio's (by their documentation) |
//! | `hyper` 1 | an HTTP server | Feature `hyper`: connections in `block_on`, [`Timer`](crate::future::Timer) as its timer; handlers are plain closures, each on a green thread whose handle is awaited (`src/http.rs`, program `http_server`) |
//! | `hyper` 1, HTTP/2 and clients | the same, and requests of one's own | [`Executor`](crate::future::Executor) besides, for the futures that it wants to run beside a connection (`tests/http_server.rs`) |
//! | `tokio-postgres` 0.7 | PostgreSQL | Feature `tokio`; its own feature `runtime` stays off, `Config::connect_raw` takes our stream, and the connection's future has a green thread of its own (`src/postgres.rs`, program `postgres`) |
//! | `redis` 1 | Redis | Its `ConnectionLike` is implemented for our stream and its `Parser` in 30 lines; all its commands, pipelines and transactions follow (`src/redis.rs`, program `jobs`) |
//! | `redis` 1, `async` | the same, one connection for many | Feature `tokio`; its own feature `smol-comp`, because it wants the timer of some runtime: `MultiplexedConnection::new_with_config` takes our stream (`tests/libraries.rs`) |
//! | `futures-util`, `http-body-util`, `tokio::sync` | what is `async` and knows no runtime | In `block_on` as they are (`tests/libraries.rs`) |
//! | `async-io` | timers | In `block_on`: its own OS thread wakes (`tests/libraries.rs`) |
//! | `tokio::time` | timers | With a tokio runtime on another OS thread, entered while the timer is made (`tests/libraries.rs`); without one it panics, and says so |
//! | `indicatif` | progress | As it is; it never waits (program `jobs`) |
//!
//! # What does not, and why
//!
//! | crate | what happens | what to do |
//! |---|---|---|
//! | `postgres` 0.19, the blocking client | It brings a tokio runtime and runs that on the caller's OS thread until the answer has come: no green thread there has a turn meanwhile (`tests/libraries.rs`) | `tokio-postgres` in `block_on`, which is what it is made of; or `spawn_blocking` |
//! | `redis` 1, its own blocking `Connection` | It is made of std's sockets, so a wait for the server stops the OS thread (`tests/libraries.rs`) | The `ConnectionLike` above |
//! | sockets and files of `tokio::net`, `tokio::fs` | They want their runtime, and panic without it (`tests/libraries.rs`) | Ours, under the same traits |
//! | another executor's `block_on` on a green thread | It stops the OS thread (`tests/libraries.rs`), and nobody looks at our sockets meanwhile | [`future::block_on`](crate::future::block_on()) |
//! | `reqwest` 0.12 | Awaited, it panics without tokio's runtime, and says so; `reqwest::blocking` has one on an OS thread of its own, and stops ours while it waits for it (by hand) | `ureq` by the feature, `hyper`, or `spawn_blocking` |
//! | `minreq` (`tests/tried`), `attohttpc` (by hand), `mysql` (by its source) | Their sockets are std's, and nothing else can be put in their place: a wait stops the OS thread | `ureq` by the feature; `spawn_blocking` |
//! | `crossbeam-channel`, `flume` without `.await` | `recv` and a full `send` stop the OS thread: for ever, when the other end is on it (`tests/tried`) | [`channel`](crate::channel), with crossbeam's names and [`select!`](crate::select!); `try_recv` and `try_send` do no harm |
//! | `zip`, its `ZipArchive` | It wants `Seek`, which a socket has not (by its documentation) | The whole archive in memory first; `tar` and `flate2` need none |
//! | `parking_lot`, and std's locks | One that is held across a wait point stops its OS thread when another green thread there wants it, for ever (`tests/tried`) | Give it back before the wait; else [`sync`](crate::sync) |
//! | `rayon` | Its pool works; whoever waits for it stops his OS thread (`tests/tried`) | `spawn_blocking` around the call. Inside, on rayon's OS threads, a wait of ours is a wait of that OS thread |
//! | `tracing`, spans that are entered | The current span is the OS thread's: one that is entered across a wait point is everybody's there (`tests/tried`) | `in_scope` around what does not wait |
//! | C libraries that wait, OS-level locks and channels held across a wait | They hold up the OS thread | `spawn_blocking`; [`sync`](crate::sync) and [`channel`](crate::channel) |
//!
//! # When a call is cut off
//!
//! A cancellation, and a deadline of [`timeout`](crate::timeout) around a call, unwind through the library. Our own types are made for that. A library's value that is only dropped
//! afterwards does no harm; one that is used again may be in the middle of something. Tried in `tests/tried`, each with a read that was cut off and a message after it:
//!
//! | crate | afterwards |
//! |---|---|
//! | std's `BufReader`, `rustls`, `native-tls` (by hand) | They go on as if nothing had been. |
//! | `ureq` | The request and its connection are gone, the agent goes on. |
//! | `tungstenite` | Lost: it has made room in its buffer and not taken it back. A limit by the socket's own `set_read_timeout` is an error to it, and it goes on. |
//!
//! Where a library is not in the list: give the socket a time limit, which is an ordinary error and not an unwind, or drop the value.
//!
//! # In code
//!
//! A future, and one that is cut short:
//!
//! ```
//! use std::time::Duration;
//! use greenthread::{future::{block_on, sleep}, timeout};
//!
//! assert_eq!(block_on(async { sleep(Duration::from_millis(1)).await; 1 }), 1);
//! let forever = || block_on(std::future::pending::<()>());
//! assert!(timeout(Duration::from_millis(1), forever).is_err());
//! ```
//!
//! What wants `Read + Write`, what wants tokio's traits, and what wants hyper's, gets the same stream:
//!
//! ```
//! use greenthread::net::TcpStream;
//!
//! fn plain(stream: impl std::io::Read + std::io::Write) { /* rustls, tungstenite, httparse .. */ }
//! # #[cfg(feature = "tokio")]
//! fn tokios(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static) { /* tokio-postgres, redis .. */ }
//! # #[cfg(feature = "hyper")]
//! fn hypers(stream: impl hyper::rt::Read + hyper::rt::Write + Unpin) { /* hyper */ }
//!
//! fn each(streams: [TcpStream; 3]) {
//!     let [first, second, third] = streams;
//!     plain(first);
//!     # #[cfg(feature = "tokio")]
//!     tokios(second);
//!     # #[cfg(feature = "hyper")]
//!     hypers(third);
//! }
//! ```
//!
//! What blocks, on an OS thread where it may:
//!
//! ```
//! let rows = greenthread::spawn_blocking(|| 3); // a query of a blocking client
//! assert_eq!(rows.join().unwrap(), 3);
//! ```
