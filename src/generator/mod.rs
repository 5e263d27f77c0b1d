//! Generators: closures that hand out values one at a time and are driven by their owner.
//!
//! A generator is Python's, with types: [`Yielder::yield_`] hands a value to the driver and returns what the driver sends back, from any
//! call depth, because the closure runs on a stack of its own. It needs no scheduler. A wait point inside a generator parks the
//! green thread that drives it, not the generator.
//!
//! ```
//! use greenthread::generator::Generator;
//!
//! let sums = Generator::new(|y| {
//!     let mut sum = 0;
//!     loop {
//!         sum += y.yield_(sum);
//!     }
//!     # #[allow(unreachable_code)]
//!     # ()
//! });
//! assert_eq!(sums.start().unwrap_yielded(), 0);
//! assert_eq!(sums.send(3).unwrap_yielded(), 3);
//! assert_eq!(sums.send(4).unwrap_yielded(), 7);
//! ```
//!
//! # Life
//!
//! ```text
//!                  start                    the body returns or panics
//!     UNSTARTED ──────────▶ RUNNING ──────────────────────────▶ FINISHED
//!         │                  │  ▲                                  ▲
//!         │           yield_ │  │ send, throw, close               │
//!         │                  ▼  │                                  │
//!         │                SUSPENDED                               │
//!         └────────────────────────────────────────────────────────┘
//!                   close, throw: the body is dropped and never runs
//! ```
//!
//! Free-standing generators are `'static`; one that borrows lives inside [`scope`](scope()). A generator stays on its OS thread: it is neither
//! `Send` nor `Sync`, and never pinned, since moving it moves a handle and not its stack.
//!
//! ```compile_fail,E0277
//! use greenthread::generator::Generator;
//! let g: Generator<(), u8, ()> = Generator::new(|y| y.yield_(1));
//! std::thread::spawn(move || g.start());
//! ```

mod body;
mod builder;
mod delegate;
mod drive;
mod iter;
mod payload;
mod raised;
mod scope;
mod state;
mod switch;
mod yielder;

pub use builder::Builder;
pub use drive::Generator;
pub use iter::NextInput;
pub use raised::Raised;
pub use scope::scope;
pub use state::{GeneratorState, ResumeError};
pub use yielder::Yielder;
