//! Channels: messages from many senders to many receivers, by crossbeam's method names and std's error names.
//!
//! They serve green threads on one OS thread, on several, and plain OS threads (a blocking call there runs that OS thread's event loop). Each message is
//! received once. When the last end on one side is dropped, everybody on the other side who waits is woken and told.
//!
//! ```text
//!   bounded(n), unbounded   state    what both ends share         sender, receiver   the ends        rendezvous, slot   bounded(0)
//!   after, tick, never      after, moments  receivers without a sender
//!   oneshot                 one message, one cell of its own
//!   select!, Select         arm      one receive or send among several          choose   which, and waiting for all     sched::choice   the wait itself
//!   broadcast, watch        every message, or the newest, to every receiver
//! ```
//!
//! # Examples
//! ```
//! let (sender, receiver) = greenthread::channel::bounded(1);
//! greenthread::spawn(move || for n in 1..=3 { sender.send(n).unwrap() });
//! assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3]);
//! ```

use std::sync::Arc;

use state::{Channel, State};

pub use after::{after, never, tick};
#[doc(hidden)]
pub use arm::{RecvArm as __RecvArm, SendArm as __SendArm};
pub use broadcast::broadcast;
#[doc(hidden)]
pub use choose::{Patience as __Patience, choose as __choose};
pub use error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use iter::{IntoIter, Iter, TryIter};
pub use oneshot::oneshot;
pub use receiver::Receiver;
pub use select::{Select, SelectTimeoutError, Selected, TrySelectError};
pub use sender::Sender;
pub use watch::watch;

mod after;
mod arm;
pub mod broadcast;
mod choose;
mod error;
mod iter;
mod messages;
mod moments;
mod nook;
pub mod oneshot;
mod receiver;
mod rendezvous;
mod select;
mod select_macro;
mod selected;
mod sender;
mod slot;
mod state;
pub mod watch;

/// Makes a channel that holds at most `capacity` messages.
///
/// With a capacity of 0 it holds none: a send waits until a receiver has taken the message.
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    ends(capacity)
}

/// Makes a channel that holds any number of messages: sending never blocks.
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    ends(usize::MAX)
}

fn ends<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Channel::new(State::new(capacity));
    (Sender::of(Arc::clone(&shared)), Receiver::of(shared))
}
