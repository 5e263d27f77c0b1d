//! Layer 2: the scheduler of one OS thread.
//!
//! ```text
//!                        other OS threads
//!                               │ post                                inbox, header
//!                               ▼
//!   ┌──────────────────────── the loop ─────────────────────────┐     turn
//!   │  messages ─▶ ready ─▶ run one ─▶ ready ─▶ run one ─▶ ..    │     switch
//!   │                ▲  ▲  ▲                                     │
//!   │        sockets ┘  │  └ wakes: unlock, send, set ..         │     reactor, source      list, wait
//!   │                timers                                      │     timers, clock
//!   └────────────────────────────────────────────────────────────┘
//!            ▲                                  │
//!            │ park: one door, one judge        ▼                     park, wait
//!   green threads and the root, each with the generators that it drives   frame, request: what a wait point raises
//! ```
//!
//! The laws that live here: L4 `wait`, `park`, `choice`; L5 `park`; L6 `scheduler` (S4), `list`; L7 `inbox`; L8 `deadlock`; L9 and L10 `request`, `park`, `raises`;
//! L12 `frame`; L16 and L17 `source`; L18 `switch` (bases), `exit`, `task`; L19 `exit`. D1 for closures that may still move: `work`.
//!
//! The life of one `read` on a socket is drawn in `source`; that of one that is polled, in `poll`. `model` and `model_work` run what crosses OS threads under the model checker.

pub(crate) mod beat;
pub(crate) mod begin;
pub(crate) mod cancel;
pub(crate) mod choice;
pub(crate) mod clock;
pub(crate) mod counts;
pub(crate) mod cycle;
pub(crate) mod deadlock;
pub(crate) mod deliver;
pub(crate) mod exit;
pub(crate) mod faults;
pub(crate) mod finish;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod here;
pub(crate) mod hooks;
pub(crate) mod ids;
pub(crate) mod inbox;
pub(crate) mod ledger;
pub(crate) mod linger;
pub(crate) mod list;
pub(crate) mod local;
pub(crate) mod look;
#[cfg(all(loom, test))]
mod model;
#[cfg(loom)]
pub(crate) mod model_root;
#[cfg(all(loom, test))]
mod model_work;
mod operations;
pub(crate) mod park;
pub(crate) mod payload;
pub(crate) mod peer;
pub(crate) mod poll;
pub(crate) mod raises;
pub(crate) mod reactor;
pub(crate) mod readiness;
pub(crate) mod ready;
pub(crate) mod request;
pub(crate) mod residents;
pub(crate) mod root;
pub(crate) mod scheduler;
mod shuffle;
pub(crate) mod sight;
pub(crate) mod source;
#[cfg(feature = "tracing")]
mod spans;
#[cfg(not(feature = "tracing"))]
#[path = "spans_unknown.rs"]
mod spans;
mod standing;
mod stint;
pub(crate) mod stuck;
pub(crate) mod survey;
pub(crate) mod switch;
pub(crate) mod tally;
pub(crate) mod task;
pub(crate) mod timers;
pub(crate) mod token;
pub(crate) mod traced;
pub(crate) mod turn;
pub(crate) mod vigil;
pub(crate) mod visit;
pub(crate) mod wait;
pub(crate) mod work;
