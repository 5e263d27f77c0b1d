//! When to use `spawn` and when `spawn_anywhere`, with pictures of where things run.
//!
//! # The short answer
//!
//! | the work | use |
//! |---|---|
//! | waits most of the time: for sockets, channels, moments | [`spawn`](crate::spawn) |
//! | holds what is not `Send`: `Rc`, `RefCell`, a guard | [`spawn`](crate::spawn) |
//! | computes, and there is more of it than one core does | [`spawn_anywhere`](crate::spawn_anywhere) |
//! | computes on what the caller has borrowed | `s.spawn_anywhere` in a [`scope`](crate::scope()) |
//! | must be on every worker, such as a listener of its own | [`Runtime::run_on_each`](crate::Runtime::run_on_each) |
//! | blocks its OS thread in a call of C or of std | [`spawn_blocking`](crate::spawn_blocking) |
//!
//! A green thread stays on the OS thread that first ran it, in all of these. What moves is work that has not begun.
//!
//! # `spawn`: the caller's OS thread
//!
//! ```text
//!   OS thread "main"
//!   ┌────────────────────────────────────────┐
//!   │ root ── spawn(a) ── spawn(b) ── join   │   one of root, a and b runs at a time,
//!   │           └─ a        └─ b             │   until it waits
//!   └────────────────────────────────────────┘
//! ```
//!
//! Nothing need be `Send`, and between two waits nobody else runs here:
//!
//! ```
//! use std::{cell::Cell, rc::Rc};
//!
//! let count = Rc::new(Cell::new(0));
//! let its = Rc::clone(&count);
//! greenthread::spawn(move || its.set(its.get() + 1)).join().unwrap();
//! assert_eq!(count.get(), 1);
//! ```
//!
//! # `spawn_anywhere`: whichever worker has time
//!
//! ```text
//!   OS thread "main"          worker 0                 worker 1
//!   ┌──────────────────┐      ┌──────────────────┐     ┌──────────────────┐
//!   │ root             │      │ a (begun: stays) │     │ idle: takes b,   │
//!   │  spawn_anywhere ─┼────▶ │ b (not begun) ───┼───▶ │ which stays then │
//!   └──────────────────┘      └──────────────────┘     └──────────────────┘
//! ```
//!
//! ```
//! use greenthread::{Runtime, spawn, spawn_anywhere};
//! use std::thread::{ThreadId, current};
//!
//! let os_thread = || -> ThreadId { current().id() };
//! let runtime = Runtime::builder().workers(2).build().unwrap();
//! runtime.run(|| {
//!     assert_eq!(spawn(os_thread).join().unwrap(), os_thread());
//!     assert_ne!(spawn_anywhere(os_thread).join().unwrap(), os_thread());
//! });
//! ```
//!
//! A `spawn` inside such work stays beside it, on that worker:
//!
//! ```text
//!   OS thread "main"          worker 0
//!   ┌──────────────────┐      ┌──────────────────────┐
//!   │ root             │      │ a ── spawn(c)        │
//!   │  spawn_anywhere ─┼────▶ │        └─ c: here too│
//!   └──────────────────┘      └──────────────────────┘
//! ```
//!
//! ```
//! use greenthread::{Runtime, spawn, spawn_anywhere};
//! use std::thread::current;
//!
//! let runtime = Runtime::builder().workers(2).build().unwrap();
//! let work = || spawn(|| current().id()).join().unwrap() == current().id();
//! assert!(runtime.run(|| spawn_anywhere(work).join().unwrap()));
//! ```
//!
//! # In a scope: workers that borrow
//!
//! ```text
//!   OS thread "main"          worker 0          worker 1
//!   ┌──────────────────┐      ┌──────────┐      ┌──────────┐
//!   │ root: numbers    │      │ left     │      │ right    │
//!   │  scope ── waits  │ ◀─── │ &numbers │ ◀─── │ &numbers │
//!   └──────────────────┘      └──────────┘      └──────────┘
//! ```
//!
//! ```
//! let numbers: Vec<u64> = (1..=100).collect();
//! let runtime = greenthread::Runtime::builder().workers(2).build().unwrap();
//! let sum = runtime.run(|| greenthread::scope(|s| {
//!     let left = s.spawn_anywhere(|| numbers[..50].iter().sum::<u64>());
//!     let right = s.spawn_anywhere(|| numbers[50..].iter().sum::<u64>());
//!     left.join().unwrap() + right.join().unwrap()
//! }));
//! assert_eq!(sum, 5050);
//! ```
//!
//! # Cores are left to you
//!
//! [`on_worker_start`](crate::RuntimeBuilder::on_worker_start) is called on each worker before it takes work, with its index. There a program pins the OS thread or
//! sets its priority, with the crate or the system call of its choice:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! let begun = Arc::new(Mutex::new(vec![]));
//! let its = Arc::clone(&begun);
//! let pin = move |index| its.lock().unwrap().push(index); // here: pin this OS thread to core `index`
//! let _runtime = greenthread::Runtime::builder().workers(2).on_worker_start(pin).build().unwrap();
//! begun.lock().unwrap().sort();
//! assert_eq!(*begun.lock().unwrap(), [0, 1]);
//! ```
