//! Schedules that come again: from a test that fails once in a thousand runs to one that fails whenever it is asked to.
//!
//! # Many schedules
//!
//! Green threads run in the order in which they became ready, so a test meets one schedule, always the same. [`explore`](crate::explore()) runs it under as many others as it is told,
//! with [virtual time](crate::RuntimeBuilder::virtual_time), each chosen by a seed:
//!
//! ```
//! use greenthread::{explore, scope, sync::{Event, Mutex}, yield_now};
//!
//! explore(200, |_seed| {
//!     let (items, filled) = (Mutex::new(Vec::new()), Event::new());
//!     scope(|s| {
//!         s.spawn(|| { items.lock().push(1); filled.set() });
//!         s.spawn(|| { filled.wait(); assert_eq!(items.lock().pop(), Some(1)) });
//!     });
//! });
//! ```
//!
//! Everything that the test uses is made inside the closure, anew for each schedule. A panic, a [deadlock](super::stuck) and the panic of a green thread that nobody joined are failures.
//!
//! # What it finds
//!
//! A flag that one waits for, made by hand. In the order in which they become ready all goes well. Where the setter comes between the look at the flag and the `park`, it finds
//! nobody to wake, and the waiter waits for ever:
//!
//! ```
//! use std::cell::{Cell, RefCell};
//! use greenthread::{Builder, GreenThread, current, explore, park, yield_now};
//!
//! #[derive(Default)]
//! struct Flag { is_set: Cell<bool>, waiter: RefCell<Option<GreenThread>> }
//!
//! fn lost_wakeup() {
//!     let flag = std::rc::Rc::new(Flag::default());
//!     let own = std::rc::Rc::clone(&flag);
//!     let waiter = Builder::new().name("waiter".into()).spawn(move || {
//!         if !own.is_set.get() {
//!             yield_now(); // another could come between here, were it on another core
//!             *own.waiter.borrow_mut() = Some(current());
//!             park();
//!         }
//!     });
//!     let setter = Builder::new().name("setter".into()).spawn(move || {
//!         yield_now();
//!         yield_now();
//!         flag.is_set.set(true);
//!         if let Some(waiter) = flag.waiter.take() { waiter.unpark() }
//!     });
//!     waiter.unwrap().join().unwrap();
//!     setter.unwrap().join().unwrap();
//! }
//!
//! greenthread::run(lost_wakeup); // shows nothing
//! let failure = explore::search(1000, |_seed| lost_wakeup()).unwrap_err();
//! assert!(failure.message().contains("deadlock"));
//! let again = explore::replay(failure.seed(), |_seed| lost_wakeup()).unwrap_err();
//! assert_eq!(again.timeline().to_text(), failure.timeline().to_text());
//! ```
//!
//! [`search`](crate::explore::search) and [`replay`](crate::explore::replay) return what `explore` prints on stderr before it panics: the seed, what went wrong, and the last rows of the
//! [timeline](super::seeing):
//!
//! ```text
//!    time  OS thread  root                      waiter   setter   marks
//! ─────────────────────────────────────────────────────────────────────
//! 0.000 s  root       ┃
//!          │          ┃─ spawns ───────────────▶·
//!          │          ┃─ spawns ────────────────·───────▶·
//!                     ┊ JoinHandle::join waiter ·        ·
//!          setter     ┊                         ·        ┃
//!                     ┊                         ·        │ yields
//!          waiter     ┊                         ┃        │
//!                     ┊                         │ yields │
//!          setter     ┊                         │        ┃
//!                     ┊                         │        │ yields
//!          setter     ┊                         │        ┃
//!                     ┊                         │        ╹ ends
//!          waiter     ┊                         ┃
//!                     ┊                         ┊ park
//!                     │ interrupted             ┊
//!          root       ┃                         ┊
//!
//! The same seed makes the same schedule: GREENTHREAD_SEED=0 cargo test lost_wakeup
//! ```
//!
//! With that variable `explore` runs this one schedule, as often as you like: with more [marks](crate::trace::mark), with prints, in a debugger. After the repair, give it a range,
//! `GREENTHREAD_SEED=1000..100000`, and go for a coffee; stderr says every ten seconds how far it is, and [`search_with`](crate::explore::search_with) tells a progress bar.
//!
//! # What is chosen, and what is not
//!
//! | | |
//! |---|---|
//! | who of those that are ready runs next | chosen |
//! | in which order timers of one moment fire, and who runs between them | chosen |
//! | with which arm [`select!`](crate::select) begins | chosen |
//! | who gets a lock or a message of those who wait for it | kept: first come, first served |
//! | where a green thread is interrupted | nowhere: it runs to its next wait that parks, so put a [`yield_now`](crate::yield_now) where another core could come between |
//! | what other OS threads, child processes and the kernel do; the order of a `HashMap`; the machine's clock | not chosen: keep them out, or the same seed may do something else, and the report says so |
//!
//! [`shuffle`](crate::RuntimeBuilder::shuffle) is the same for a runtime of your own.
//!
//! # Networks that misbehave
//!
//! [`net::Faults`](crate::net::Faults) has sockets read and write less than they were asked for, come late and break off, by a seed. Crates on top need no change, and their bugs come again
//! with the seed:
//!
//! ```
//! use greenthread::{explore, net::{Faults, UnixStream}, scope};
//! use std::io::{BufRead, BufReader, Write};
//! use std::time::Duration;
//!
//! explore(50, |seed| {
//!     let faults = Faults::new(seed).short_reads(0.5).short_writes(0.5).delays(0.2, Duration::from_secs(1));
//!     faults.inject(|| {
//!         let (mut near, far) = UnixStream::pair().unwrap();
//!         scope(|s| {
//!             s.spawn(|| near.write_all(b"a line, in pieces\n").unwrap());
//!             let mut line = String::new();
//!             BufReader::new(&far).read_line(&mut line).unwrap();
//!             assert_eq!(line, "a line, in pieces\n");
//!         });
//!     });
//! });
//! ```
