//! Stackful green threads that read like `std::thread`: no `async`, no `.await`, no coloured functions.
//!
//! ```
//! let hello = greenthread::spawn(|| {
//!     greenthread::sleep(std::time::Duration::from_millis(1)); // parks this green thread only
//!     "hello"
//! });
//! assert_eq!(hello.join().unwrap(), "hello");
//! ```
//!
//! A green thread is a closure that runs on a stack of its own and is switched in user space. Many of them share an OS thread; a call that would block parks its
//! green thread, and the others go on. Each OS thread has a scheduler, made when it is first used, so nothing has to be started: everything works in `main`, in
//! a test and on any OS thread. Whoever comes from asyncio, `std::thread` or Go finds what he knows in the [guide].
//!
//! # The map
//!
//! | for | see |
//! |---|---|
//! | beginning work, and its end | [`spawn`], [`Builder`], [`JoinHandle`], [`JoinError`], [`Spawner`], [`scope()`], [`try_scope`], [`run`], [`Runtime`] |
//! | all the cores | [`spawn_anywhere`], [`Scope::spawn_anywhere`], [`RuntimeBuilder::workers`], [`Runtime::run_on_each`] |
//! | results of many | [`gather`], [`try_gather`], [`wait`], [`wait_until`], [`as_completed`], [`JoinSet`], [`join!`], [`race()`], [`race!`] |
//! | cutting work short | [`timeout`], [`timeout_with`], [`JoinHandle::cancel`], [`catch_cancel`], [`shield`], [`checkpoint`], [`resume_if_cancelled`] |
//! | oneself | [`current`], [`yield_now`], [`sleep()`], [`park()`], [`is_cancelled`], [`green_local!`] |
//! | work that blocks its OS thread | [`spawn_blocking`], [`blocking::Pool`] |
//! | values in turn, both ways | [`generator`], which needs no scheduler |
//! | locks, events, queues | [`sync`] |
//! | messages | [`channel`], [`select!`] |
//! | sockets: TCP, UDP, Unix; a server; names | [`net`], [`net::Server`], [`net::lookup_host`] |
//! | standard streams, pipes, copies | [`io`] |
//! | files and folders | [`fs`] |
//! | child processes, functions in other processes | [`process`] |
//! | signals | [`signal`] |
//! | `async` code, and libraries that are written with it | [`future`] |
//! | clocks | [`time`] |
//! | seeing what runs | [`trace`]: timelines as text, SVG, page and for Perfetto; the last moments before a panic or a deadlock; [`trace::serve`](trace::serve()) for other programs |
//! | a test under many schedules, and the failing one again | [`explore()`], [`RuntimeBuilder::shuffle`], [`net::Faults`], [the page on it](guide::replay) |
//! | what is stuck | [`dump()`], [`Dump`], [`RuntimeBuilder::watchdog`], [`RuntimeBuilder::dump_on_signal`], [`RuntimeBuilder::report_stuck`], [the page on it](guide::stuck) |
//! | stacks and memory | [`grow`], [`stats()`], [`release_memory`] |
//! | numbers: switches, timers, sources, the blocking pool | [`stats()`] |
//! | pages to read | [`guide`] |
//!
//! A program needs no Cargo feature. `symbols` and `process-pool` are on by default and may be left out: source lines in dumps, and functions called in other processes; `futures-io`, `tokio` and `hyper` put the streams of [`net`] under the traits of those crates
//! ([`future`]); `ureq` adds `bridge::ureq`, HTTP and HTTPS by ureq over our sockets. `tracing` keeps the
//! spans of the crate of that name right: a green thread that switches away leaves the spans that it has entered, and enters them again when it is back; the subscriber must not wait through
//! this crate while it is told. `sanitizer` is for builds with the address sanitizer. The crate needs `panic = "unwind"`, and does not
//! compile without, because a cancellation is an unwind. Linux is the platform that is tested.
//!
//! # Rules of green threads
//!
//! - **Pinned.** A green thread stays on one OS thread from its first run to its end. So [`spawn`] needs no `Send`, and green threads of one OS thread may share `Rc` and `Cell`.
//!   Other cores work by [`spawn_anywhere`], which needs `Send`.
//! - **Nobody is preempted.** Between two wait points a green thread has its OS thread to itself: [`yield_now`] in long computations.
//! - **Cancellation is an unwind.** It is raised at a wait point that would park, at [`checkpoint`] and at [`yield_now`], and again at each later one.
//!   [`catch_cancel`] consumes it; code that uses `catch_unwind` passes it on with [`resume_if_cancelled`].
//! - **Dropping a handle detaches.** What must have ended belongs into a [`scope()`] or into [`run`].
//! - **Stacks have a fixed size**, 256 KiB of address space with the guard, unless [`Builder::stack_size`] says otherwise; only touched pages take memory.
//!
//! What blocks what:
//!
//! | call | on a green thread it holds up | on the root or a plain OS thread |
//! |---|---|---|
//! | any wait of this crate | itself | its OS thread, which runs its green threads meanwhile |
//! | the same, inside a generator | whoever drives the generator | likewise |
//! | `std::thread::sleep`, `std::fs`, `std::net`, `std::io::stdin`, C libraries that wait | its OS thread, with everybody on it | the same |
//! | `std::sync::Mutex` held across a wait point | everybody on its OS thread who locks it, for ever | the same |
//! | `greenthread::sync::Mutex` held across a wait point | those who want it | those who want it |
//! | a borrowed `RefCell` across a wait point | nobody: the next `borrow_mut` panics | the same |
//! | a computation | its OS thread | the same |
//!
//! # When a stack overflows
//!
//! Every stack has a guard of at least 16 KiB below it. Whoever runs into it is named on stderr, with the place of its spawn, the ways to a bigger stack and a
//! backtrace, and the process aborts. For this the crate handles SIGSEGV and SIGBUS; what is not an overflow of its stacks goes to the handler that was there before.
//! [`Builder::stack_size`], [`RuntimeBuilder::stack_size`] and [`generator::Builder::stack_size`] set the size, [`grow`] lends a bigger stack for a while.
//!
//! # After a `fork`
//!
//! The child has the OS thread that forked, and no other. The green threads and generators of that OS thread, parked ones too, go on in both processes, each
//! with its own copy of the memory, and guards stand in both. Green threads of other OS threads are not run in the child: waiting for one there is for ever, and the process's workers are not there either. Sockets that
//! the parent has waited for share the kernel's interest list with it: in the child, use those that are made after the fork.
//!
//! # Known holes
//!
//! No library of this kind can close these. Each has a program that shows how far it goes.
//!
//! ## 1. Code that trusts calls to nest
//!
//! What saves a thread-local, sets it, calls out and restores it (`scoped-tls` for one) assumes that what is entered last is left first. Green threads interleave:
//!
//! ```
//! use std::cell::Cell;
//! use greenthread::{spawn, yield_now};
//!
//! thread_local! { static CURRENT: Cell<u32> = const { Cell::new(0) }; }
//!
//! fn with_current(value: u32) -> u32 {
//!     let before = CURRENT.replace(value);
//!     yield_now(); // calls out
//!     let seen = CURRENT.get();
//!     CURRENT.set(before);
//!     seen
//! }
//!
//! let (first, second) = (spawn(|| with_current(1)), spawn(|| with_current(2)));
//! assert_eq!(first.join().unwrap(), 2); // another's value
//! assert_eq!(second.join().unwrap(), 0); // nobody's
//! assert_eq!(CURRENT.get(), 1); // left behind; were it a pointer, it would dangle
//! ```
//!
//! ## 2. Thread-locals at the end of an OS thread
//!
//! A `thread_local!` is destroyed when its OS thread exits, although a stack is suspended inside its `with`. Such a stack is not resumed any more, so the reference on it is not used:
//!
//! ```
//! use std::cell::Cell;
//! use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
//! use greenthread::{park, spawn, yield_now};
//!
//! struct Kept(Cell<Option<Arc<AtomicBool>>>);
//!
//! impl Drop for Kept {
//!     fn drop(&mut self) {
//!         self.0.take().unwrap().store(true, Ordering::Relaxed);
//!     }
//! }
//!
//! thread_local! { static KEPT: Kept = const { Kept(Cell::new(None)) }; }
//!
//! let dropped = Arc::new(AtomicBool::new(false));
//! let flag = Arc::clone(&dropped);
//! std::thread::spawn(move || {
//!     spawn(|| KEPT.with(|kept| {
//!         kept.0.set(Some(flag));
//!         park();
//!         unreachable!("abandoned with its OS thread: `kept` is not used again");
//!     }));
//!     yield_now();
//! }).join().unwrap();
//! assert!(dropped.load(Ordering::Relaxed));
//! ```
//!
//! It is used all the same when a generator inside another thread-local owns the stack, because that one's destructor closes it. This program reads a freed string:
//!
//! ```no_run
//! use std::cell::RefCell;
//! use greenthread::generator::Generator;
//!
//! struct Farewell<'a>(&'a str);
//!
//! impl Drop for Farewell<'_> {
//!     fn drop(&mut self) {
//!         println!("{}", self.0);
//!     }
//! }
//!
//! thread_local! {
//!     static NAME: String = String::from("gone before it is printed");
//!     static OWNER: RefCell<Option<Generator<(), (), ()>>> = const { RefCell::new(None) };
//! }
//!
//! std::thread::spawn(|| OWNER.with_borrow_mut(|owner| {
//!     let generator = Generator::new(|y| NAME.with(|name| {
//!         let _farewell = Farewell(name);
//!         y.yield_(());
//!     }));
//!     generator.start();
//!     *owner = Some(generator);
//! })).join().unwrap();
//! ```
//!
//! The same goes for a value that the suspended stack lent to another OS thread, for a thread-local whose destructor blocks, and for a lock or channel in a thread-local that has just woken
//! somebody who does not run any more: what it granted is handed on through it. Inside [`run`] every green thread has ended before
//! the locals die, and none of this can happen to them. What it does not rule out is a wait point in a `thread_local!`'s initialiser, which lets the next one in:
//!
//! ```
//! use std::cell::Cell;
//! use greenthread::{spawn, yield_now};
//!
//! thread_local! {
//!     static MADE: Cell<u32> = const { Cell::new(0) };
//!     static ONCE: () = {
//!         MADE.set(MADE.get() + 1);
//!         yield_now();
//!     };
//! }
//!
//! let two = [(); 2].map(|()| spawn(|| ONCE.with(|()| ())));
//! two.map(|green_thread| green_thread.join().unwrap());
//! assert_eq!(MADE.get(), 2); // twice on one OS thread; the second value replaced the first
//! ```
//!
//! ## 3. The standard library's locks, and the panic hook
//!
//! Not unsound, but surprising. A standard mutex held across a wait point cannot be had by anybody on that OS thread, and waiting for it would be for ever:
//!
//! ```
//! use std::{rc::Rc, sync::Mutex};
//! use greenthread::{park, spawn, yield_now};
//!
//! let lock = Rc::new(Mutex::new(()));
//! let own = Rc::clone(&lock);
//! let holder = spawn(move || { let _guard = own.lock().unwrap(); park() });
//! yield_now();
//! assert!(lock.try_lock().is_err()); // `lock()` here would never return
//! holder.thread().unpark();
//! holder.join().unwrap();
//! ```
//!
//! Poisoning goes by the panics of the OS thread, so a guard may be poisoned by somebody else's:
//!
//! ```
//! use std::{rc::Rc, sync::Mutex};
//! use greenthread::{spawn, yield_now};
//!
//! struct WaitsInMidUnwind;
//!
//! impl Drop for WaitsInMidUnwind {
//!     fn drop(&mut self) {
//!         yield_now();
//!     }
//! }
//!
//! let lock = Rc::new(Mutex::new(()));
//! let own = Rc::clone(&lock);
//! let innocent = spawn(move || { let _guard = own.lock().unwrap(); yield_now() });
//! let panics = spawn(|| { let _waits = WaitsInMidUnwind; panic!("elsewhere") });
//! innocent.join().unwrap();
//! assert!(lock.is_poisoned());
//! assert!(panics.join().unwrap_err().is_panic());
//! ```
//!
//! A wait point inside the panic hook lets another green thread run in the middle of it; a panic there aborts the process:
//!
//! ```no_run
//! use greenthread::{spawn, yield_now};
//! std::panic::set_hook(Box::new(|_| yield_now()));
//! let both = [(); 2].map(|()| spawn(|| panic!("aborts")));
//! both.map(|green_thread| green_thread.join());
//! ```

#[cfg(panic = "abort")]
compile_error!(
    "greenthread cancels by unwinding: it needs `panic = \"unwind\"`, but this profile sets `panic = \"abort\"`"
);

mod base;
mod debugger;
#[cfg(all(loom, test))]
mod models;
mod results;
mod sched;
mod stack;
mod stats;
mod symbols;
mod thread;
mod watchdog;
mod workers;

pub mod blocking;
#[cfg(feature = "ureq")]
pub mod bridge;
pub mod channel;
pub mod dump;
pub mod explore;
pub mod fs;
pub mod future;
pub mod generator;
pub mod guide;
pub mod io;
pub mod net;
pub mod process;
pub mod signal;
pub mod sync;
pub mod time;
pub mod trace;

pub use base::error::Elapsed;
pub use blocking::spawn::spawn_blocking;
#[doc(hidden)]
pub use channel::{__Patience, __RecvArm, __SendArm, __choose};
pub use dump::{Dump, dump};
pub use explore::explore;
#[doc(hidden)]
pub use results::all::claim as __claim;
pub use results::completed::{AsCompleted, as_completed};
pub use results::gather::{GatherError, gather, try_gather};
pub use results::join_set::JoinSet;
pub use results::race::race;
#[doc(hidden)]
pub use results::race::runner as __runner;
pub use results::wait::{WaitFor, Waited, wait, wait_until};
pub use stack::grow::grow;
pub use stats::{
    BlockingStats, OsThreadStats, ParkStats, SchedulingStats, StackStats, Stats, WorkerStats,
    release_memory, stats,
};
pub use thread::anywhere::spawn_anywhere;
pub use thread::callbacks::CallbackId;
pub use thread::catch::{Cancelled, catch_cancel};
pub use thread::caught::{is_cancellation, resume_if_cancelled};
pub use thread::current::{
    GreenThread, checkpoint, current, is_cancelled, park, park_timeout, yield_now,
};
pub use thread::join::{CancelOnDrop, JoinHandle};
pub use thread::join_error::JoinError;
pub use thread::local::LocalKey;
pub use thread::runtime::{Runtime, RuntimeBuilder, run};
pub use thread::scope::{Scope, ScopedJoinHandle, scope};
pub use thread::shared::SharedHandle;
pub use thread::shield::shield;
pub use thread::spawn::{Builder, spawn};
pub use thread::spawner::Spawner;
pub use thread::timeout::{Limit, timeout, timeout_at, timeout_with};
pub use thread::try_scope::{ScopeError, TryScope, try_scope};
pub use time::{sleep, sleep_until};

/// The programs of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
