//! Seeing what runs: timelines, dumps, numbers, a live view.
//!
//! The first thing that people draw when they explain green threads is a diagram: a column for each of them, a column for the OS thread, time running down.
//! [`trace`](crate::trace) draws it from
//! the real run.
//!
//! # Recording
//!
//! Between [`Recording::start`](crate::trace::Recording::start) and [`finish`](crate::trace::Recording::finish) everything is kept that green threads do, on every OS
//! thread, and the marks that the program puts there:
//!
//! ```
//! use greenthread::{Builder, Runtime, channel::bounded, trace::{Recording, mark}};
//!
//! let runtime = Runtime::builder().virtual_time().build().unwrap();
//! let timeline = runtime.run(|| {
//!     let recording = Recording::start();
//!     let (sender, receiver) = bounded(1);
//!     let cook = Builder::new().name("cook".into());
//!     let cook = cook.spawn(move || ["soup", "pie"].map(|dish| sender.send(dish).unwrap())).unwrap();
//!     for dish in receiver {
//!         mark(format_args!("ate the {dish}"));
//!     }
//!     cook.join().unwrap();
//!     recording.finish()
//! });
//! # assert!(timeline.to_text().contains("• ate the soup"));
//! print!("{}", timeline.to_text());
//! ```
//!
//! ```text
//!    time  OS thread  root                 cook               marks
//! ─────────────────────────────────────────────────────────────────
//! 0.000 s  root       ┃
//!          │          ┃─ spawns ──────────▶·
//!                     ┊ Receiver::recv (1) ·
//!          cook       ┊                    ┃
//!          │          │◀─ wakes ───────────┃
//!                     │                    ┊ Sender::send (1)
//!          root       ┃                    ┊
//!          │          ┃─ wakes ───────────▶│
//!          │          ┃                    │                  • ate the soup
//!                     ┊ Receiver::recv (1) │
//!          cook       ┊                    ┃
//!          │          │◀─ wakes ───────────┃
//!                     │                    ╹ ends
//!          root       ┃                                       • ate the pie
//!
//! ┃ runs   │ ready   ┊ waits   · has not begun   ║ drives a generator
//! ```
//!
//! Read it line by line. The column of the OS thread names whoever gets it. In the column of a green thread a thick line is running, a thin one is being ready, a dotted
//! one is waiting, and where
//! it begins stands for what. Lines with heads lead from who did something to whom it was done.
//!
//! Give green threads names ([`Builder::name`](crate::Builder::name)): the others are told by their ids. What is waited for has a number in brackets, the same wherever
//! it appears. Under virtual time the same
//! program draws the same timeline, so that a test may compare it; a test records its own OS thread, by [`start_here`](crate::trace::Recording::start_here), because others run beside it.
//!
//! # The four outputs
//!
//! | method | for |
//! |---|---|
//! | [`to_text`](crate::trace::Timeline::to_text) | the terminal, a bug report, the message of a failed test |
//! | [`to_svg`](crate::trace::Timeline::to_svg) | documents, light or dark |
//! | [`to_html`](crate::trace::Timeline::to_html) | looking around in long recordings: zoom, details under the pointer, search |
//! | [`to_chrome_json`](crate::trace::Timeline::to_chrome_json) | Perfetto, beside traces of other programs |
//!
//! The example `timeline` writes all four. [`events`](crate::trace::Timeline::events) gives what they are drawn from, for questions of your own:
//!
//! ```
//! use greenthread::{spawn, trace::{Recording, What}, yield_now};
//!
//! let recording = Recording::start();
//! spawn(|| (0..3).for_each(|_| yield_now())).join().unwrap();
//! let timeline = recording.finish();
//! let yields = timeline.events().filter(|event| matches!(event.what, What::Yield { .. }));
//! assert_eq!(yields.count(), 3);
//! ```
//!
//! # When something goes wrong
//!
//! A [`FlightRecorder`](crate::trace::FlightRecorder) records for as long as it lives, and keeps the last moments. When a green thread panics, and at a deadlock, it
//! writes them to a file or hands them to a function; on request it does so at any time:
//!
//! ```no_run
//! use greenthread::trace::FlightRecorder;
//! use std::time::Duration;
//!
//! let recorder = FlightRecorder::start(Duration::from_secs(10)).to_file("last-moments.html");
//! // the server runs
//! recorder.write("asked-for.html").unwrap();
//! ```
//!
//! # Who waits for what, now
//!
//! [`dump`](crate::dump()) tells what every green thread of the process does, where it stands and since when, as text in Go's manner or as JSON;
//! [`RuntimeBuilder::dump_on_signal`](crate::RuntimeBuilder::dump_on_signal) writes it when a signal comes. The page about programs that are [stuck](super::stuck) goes on from there.
//!
//! # Looking at a running program
//!
//! A program that calls [`trace::serve`](crate::trace::serve()) answers others through a Unix socket, and the example `top` shows what it says, over and over:
//!
//! ```text
//! $ cargo run --manifest-path examples/top/Cargo.toml -- /run/user/1000/my-server.sock
//! alive 3  ready 0  parked 4  timers 1  sources 1  stacks 5
//! since the last look: spawned 12  switches 96  yields 0  wakes local 71  wakes remote 0  polls 40
//! ID      NAME                   STATE       WAITS IN                   FOR       STACK         THREAD   SPAWNED AT
//! 1       main (root)            parked      JoinHandle::join           2.1 s                   4711
//! 2       acceptor               parked      TcpListener::accept        12 ms     1912/240K     4711     src/main.rs:14
//! ```
//!
//! With `--once` it writes one picture and goes. Who runs without letting others run is seen too: OS threads of the crate answer.
//!
//! # Numbers
//!
//! [`stats`](crate::stats()) is always on: how many green threads there are and in line, switches, yields, parks by operation, wakes, polls, timers, sources, stacks, the
//! blocking pool, and each worker.
//! [`to_prometheus`](crate::Stats::to_prometheus) writes them for a page that Prometheus reads:
//!
//! ```
//! let page = greenthread::stats().to_prometheus();
//! assert!(page.contains("# TYPE greenthread_parks_total counter"));
//! ```
//!
//! # What it costs
//!
//! Nothing where nobody records: `yield_now` and channels take within one per cent the instructions that they would take without. Recording, an event takes about as
//! long as two looks at the
//! clock, and each OS thread keeps its last 65,536 of them.
//!
//! What is not seen: time that a green thread spends in a system call is time that it runs; an OS thread that has no green threads is seen only by its wakes and marks;
//! and an OS thread that is in the middle of a long computation when
//! a recording begins is seen from its next wait point on.
