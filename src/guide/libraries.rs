//! Which libraries work, and how.
//!
//! A library runs on green threads when it waits through greenthread, or when somebody else wakes it. Four questions tell which it does:
//!
//! 1. **Does it take anything that is `Read + Write`?** Then give it a stream of [`net`](crate::net), and it works as it is.
//! 2. **Is it written with `async`, without a runtime of its own?** Then run it in [`future::block_on`](crate::future::block_on), with our streams under its traits.
//! 3. **Does it bring OS threads of its own that do the waiting?** Then `block_on` serves too: the wake comes from there.
//! 4. **Does it block?** Then it holds up its OS thread, with every green thread there; [`spawn_blocking`](crate::spawn_blocking) gives it another.
//!
//! What has a program or a test to its name was tried with it: they are in the package `examples/ecosystem`, and its `Cargo.lock` has the versions. No crate was changed.
//!
//! # What works
//!
//! | crate | for | how |
//! |---|---|---|
//! | `hyper` 1 | an HTTP server | Feature `hyper`: connections in `block_on`, [`Timer`](crate::future::Timer) as its timer; handlers are plain closures, each on a green thread whose handle is awaited (`src/http.rs`, program `http_server`) |
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
//! | another executor's `block_on` on a green thread | It stops the OS thread (`tests/libraries.rs`), and nobody looks at our sockets meanwhile | [`future::block_on`](crate::future::block_on) |
//! | C libraries that wait, OS-level locks and channels held across a wait | They hold up the OS thread | `spawn_blocking`; [`sync`](crate::sync) and [`channel`](crate::channel) |
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
