//! The arms of a selection: one receive, one send.
//!
//! An arm tries like `try_recv` and `try_send`, and waits in the same lists as `recv` and `send`; the waiting itself is `sched::choice`. In a channel of capacity 0
//! the message passes through the arm's slot, as it does for a plain `send` (`rendezvous`).

use std::fmt;

use super::error::{RecvError, SendError};
use super::moments::Moments;
use super::receiver::{Nothing, Receiver};
use super::rendezvous;
use super::sender::{Put, Sender};
use super::slot::Slot;
use super::state::{self, State};
use crate::sched::choice::{Line, Others, Place};
use crate::sched::clock::Deadline;
use crate::sched::list::WaitList;
use crate::sched::park::Grant;

/// What a selection needs of an arm.
pub(super) trait Arm {
    /// Does it if that is possible now, and keeps the result. Also looks at what came through the slot.
    fn attempt(&mut self) -> bool;

    /// Where it waits.
    fn line(&self) -> &dyn Line;

    /// When there will be something, if the clock says so.
    fn due(&self) -> Option<Deadline>;

    /// Forgets its place in line, for another selection, in which it has this number.
    fn restart(&mut self, number: usize);

    /// The channel, by address.
    fn channel(&self) -> *const ();

    /// Whether it sends.
    fn sends(&self) -> bool;
}

/// An arm of either kind.
#[doc(hidden)]
pub struct AnyArm<'x>(pub(super) &'x mut (dyn Arm + 'x));

/// Receives one message.
#[doc(hidden)]
pub struct RecvArm<'a, T> {
    /// From where.
    receiver: &'a Receiver<T>,

    /// Where a sender puts a message that no channel holds.
    slot: Slot<T>,

    /// Its place among those who receive.
    place: Place<'a, State<T>>,

    /// What it got.
    result: Option<Result<T, RecvError>>,
}

/// Sends one message.
#[doc(hidden)]
pub struct SendArm<'a, T> {
    /// Where to.
    sender: &'a Sender<T>,

    /// The message, until it is sent.
    slot: Slot<T>,

    /// Its place among those who send.
    place: Place<'a, State<T>>,

    /// What became of it.
    result: Option<Result<(), SendError<T>>>,
}

fn receiving<T>(state: &mut State<T>) -> &mut WaitList {
    &mut state.receiving
}

fn sending<T>(state: &mut State<T>) -> &mut WaitList {
    &mut state.sending
}

/// Whether a receiver need not wait.
fn has_message<T>(state: &mut State<T>, others: Others<'_>) -> bool {
    !state.messages.is_empty()
        || state.senders == 0
        || state.capacity == 0 && others.are_in(&state.sending)
}

/// Whether a sender need not wait.
fn has_taker<T>(state: &mut State<T>, others: Others<'_>) -> bool {
    state.has_room()
        || state.receivers == 0
        || state.capacity == 0 && others.are_in(&state.receiving)
}

fn place_to_receive<T>(receiver: &Receiver<T>, number: usize) -> Place<'_, State<T>> {
    let queue = receiver.queue();
    let grant = if queue.lock().capacity == 0 {
        Grant::Deliver(rendezvous::hand_on)
    } else {
        Grant::GiveBack(state::pass_message_on)
    };
    Place::new(number, queue, receiving, has_message, grant)
}

fn place_to_send<T>(sender: &Sender<T>, number: usize) -> Place<'_, State<T>> {
    let queue = sender.queue();
    let grant = if queue.lock().capacity == 0 {
        Grant::Keep
    } else {
        Grant::GiveBack(state::pass_room_on)
    };
    Place::new(number, queue, sending, has_taker, grant)
}

impl<'a, T> RecvArm<'a, T> {
    /// Arm `number`.
    pub fn new(number: usize, receiver: &'a Receiver<T>) -> Self {
        RecvArm {
            receiver,
            slot: Slot::new(None),
            place: place_to_receive(receiver, number),
            result: None,
        }
    }

    /// For a selection.
    pub fn any(&mut self) -> AnyArm<'_> {
        AnyArm(self)
    }

    /// What it got, once it was chosen.
    pub fn take_result(&mut self) -> Result<T, RecvError> {
        self.result.take().expect("a chosen arm has a result")
    }
}

impl<'a, T> SendArm<'a, T> {
    /// Arm `number`.
    pub fn new(number: usize, sender: &'a Sender<T>, message: T) -> Self {
        SendArm {
            sender,
            slot: Slot::new(Some(message)),
            place: place_to_send(sender, number),
            result: None,
        }
    }

    /// For a selection.
    pub fn any(&mut self) -> AnyArm<'_> {
        AnyArm(self)
    }

    /// What became of the message, once it was chosen.
    pub fn take_result(&mut self) -> Result<(), SendError<T>> {
        self.result.take().expect("a chosen arm has a result")
    }

    /// The message, if it was not sent.
    pub(super) fn take_message(&mut self) -> Option<T> {
        self.slot.get_mut().take()
    }
}

impl<T> Arm for RecvArm<'_, T> {
    fn attempt(&mut self) -> bool {
        if let Some(message) = self.slot.get_mut().take() {
            self.result = Some(Ok(message));
            return true;
        }
        self.result = match self.receiver.take() {
            Ok(message) => Some(Ok(message)),
            Err(Nothing::Disconnected) => Some(Err(RecvError)),
            Err(Nothing::Empty(_)) => None,
        };
        self.result.is_some()
    }

    fn line(&self) -> &dyn Line {
        self.place.set_weight(self.slot.address());
        &self.place
    }

    fn due(&self) -> Option<Deadline> {
        let state = self.receiver.queue().lock();
        state.moments.as_ref().and_then(Moments::next)
    }

    fn restart(&mut self, number: usize) {
        self.place = place_to_receive(self.receiver, number);
    }

    fn channel(&self) -> *const () {
        std::ptr::from_ref(self.receiver.queue()).cast()
    }

    fn sends(&self) -> bool {
        false
    }
}

impl<T> SendArm<'_, T> {
    /// Sends, or gives the message back.
    fn try_send(&self, message: T) -> Result<Result<(), SendError<T>>, T> {
        match self.sender.put(message) {
            Put::Done => Ok(Ok(())),
            Put::Disconnected(message) => Ok(Err(SendError(message))),
            Put::Full(state, message) => match rendezvous::give(state, message) {
                Ok(()) => Ok(Ok(())),
                Err((_, message)) => Err(message),
            },
        }
    }
}

impl<T> Arm for SendArm<'_, T> {
    fn attempt(&mut self) -> bool {
        let Some(message) = self.slot.get_mut().take() else {
            // A receiver has taken it out of the slot.
            self.result = Some(Ok(()));
            return true;
        };
        match self.try_send(message) {
            Ok(result) => self.result = Some(result),
            Err(message) => *self.slot.get_mut() = Some(message),
        }
        self.result.is_some()
    }

    fn line(&self) -> &dyn Line {
        self.place.set_weight(self.slot.address());
        &self.place
    }

    fn due(&self) -> Option<Deadline> {
        None
    }

    fn restart(&mut self, number: usize) {
        self.place = place_to_send(self.sender, number);
    }

    fn channel(&self) -> *const () {
        std::ptr::from_ref(self.sender.queue()).cast()
    }

    fn sends(&self) -> bool {
        true
    }
}

impl fmt::Debug for AnyArm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyArm").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RecvArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvArm").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SendArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendArm").finish_non_exhaustive()
    }
}
