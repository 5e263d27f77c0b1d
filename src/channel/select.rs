//! Selection among arms that are known only at run time.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::arm::{AnyArm, Arm, RecvArm, SendArm};
use super::choose::{Patience, choose};
use super::error::{RecvError, SendError};
use super::receiver::Receiver;
use super::selected;
use super::sender::Sender;

/// A selection like [`select!`](crate::select), whose arms are added one by one. The shape is crossbeam's.
///
/// It may be used again and again. A receive arm stays; a send arm is gone once it was chosen, and its message with it. Messages that were not sent are given back by
/// [`unsent`](Self::unsent).
///
/// # Examples
/// ```
/// use greenthread::channel::{Select, bounded};
/// let channels: Vec<_> = (0..3).map(|_| bounded(1)).collect();
/// channels[1].0.send("one").unwrap();
/// let mut select = Select::new();
/// for (_, receiver) in &channels {
///     select.recv(receiver);
/// }
/// let chosen = select.select();
/// let index = chosen.index();
/// assert_eq!((index, chosen.recv(&channels[index].1)), (1, Ok("one")));
/// ```
#[derive(Default)]
pub struct Select<'a> {
    /// By index; those that were removed leave a gap.
    arms: Vec<Option<Box<dyn Arm + 'a>>>,
}

/// The arm that was chosen. What it received is dropped with it.
#[must_use = "what it received is dropped with it"]
pub struct Selected<'s, 'a> {
    /// The selection.
    select: &'s mut Select<'a>,

    /// The arm.
    index: usize,
}

/// No arm is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrySelectError;

/// No arm was ready in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectTimeoutError;

impl<'a> Select<'a> {
    /// Makes one without arms.
    #[must_use]
    pub fn new() -> Self {
        Select::default()
    }

    /// Adds an arm that receives from `receiver`, and returns its index: 0, 1, and so on.
    pub fn recv<T>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.add(Box::new(RecvArm::new(0, receiver)))
    }

    /// Adds an arm that sends `message` into the channel of `sender`, and returns its index.
    pub fn send<T>(&mut self, sender: &'a Sender<T>, message: T) -> usize {
        self.add(Box::new(SendArm::new(0, sender, message)))
    }

    fn add(&mut self, arm: Box<dyn Arm + 'a>) -> usize {
        self.arms.push(Some(arm));
        self.arms.len() - 1
    }

    /// Removes an arm, with the message that it has not sent. The indices of the others stay.
    ///
    /// # Panics
    /// When there is no arm `index`.
    #[track_caller]
    pub fn remove(&mut self, index: usize) {
        drop(self.take(index));
    }

    /// Removes a send arm and gives its message back.
    ///
    /// # Panics
    /// When there is no arm `index`, or it does not send into the channel of `sender`.
    #[track_caller]
    pub fn unsent<T>(&mut self, index: usize, sender: &Sender<T>) -> T {
        let mut arm = self.take(index);
        match selected::unsent(&mut *arm, sender) {
            Some(message) => message,
            None => panic!("arm {index} of the selection does not send into this channel"),
        }
    }

    #[track_caller]
    fn take(&mut self, index: usize) -> Box<dyn Arm + 'a> {
        match self.arms.get_mut(index).and_then(Option::take) {
            Some(arm) => arm,
            None => panic!("the selection has no arm {index}: it was removed, sent or never added"),
        }
    }

    /// Waits until an arm is ready, does it, and returns it.
    ///
    /// Blocks while no arm is ready. A cancellation while waiting is raised here; nothing was received or sent then, but what was handed over in a channel of
    /// capacity 0 counts, and the cancellation is raised at the next wait point. On the root and on a plain OS thread the wait runs the event loop.
    ///
    /// # Panics
    /// When there are no arms.
    #[track_caller]
    pub fn select(&mut self) -> Selected<'_, 'a> {
        assert!(
            self.arms.iter().any(Option::is_some),
            "a selection without arms would wait for ever"
        );
        match self.choose(Patience::Endless) {
            Some(index) => Selected {
                select: self,
                index,
            },
            None => unreachable!("a selection without end has ended"),
        }
    }

    /// Does an arm that is ready, if there is one, and returns it. Does not block.
    ///
    /// # Errors
    /// When no arm is ready.
    pub fn try_select(&mut self) -> Result<Selected<'_, 'a>, TrySelectError> {
        let index = self.choose(Patience::None).ok_or(TrySelectError)?;
        Ok(Selected {
            select: self,
            index,
        })
    }

    /// Waits until an arm is ready, at most for `limit`, does it, and returns it.
    ///
    /// Blocks, is cancelled and behaves on the root as [`select`](Self::select) does.
    ///
    /// # Errors
    /// When `limit` passed first.
    pub fn select_timeout(
        &mut self,
        limit: Duration,
    ) -> Result<Selected<'_, 'a>, SelectTimeoutError> {
        let patience = Patience::Until(limit);
        let index = self.choose(patience).ok_or(SelectTimeoutError)?;
        Ok(Selected {
            select: self,
            index,
        })
    }

    fn choose(&mut self, patience: Patience) -> Option<usize> {
        let (indices, mut arms): (Vec<_>, Vec<_>) = self
            .arms
            .iter_mut()
            .enumerate()
            .filter_map(|(index, arm)| arm.as_deref_mut().map(|arm| (index, AnyArm(arm))))
            .unzip();
        for (number, arm) in arms.iter_mut().enumerate() {
            arm.0.restart(number);
        }
        choose(&mut arms, patience).map(|number| indices[number])
    }
}

impl Selected<'_, '_> {
    /// Returns the index of the arm.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns what a receive arm got: what [`Receiver::recv`] would have returned.
    ///
    /// # Errors
    /// When every sender is gone.
    ///
    /// # Panics
    /// When the arm does not receive from the channel of `receiver`.
    #[track_caller]
    pub fn recv<T>(self, receiver: &Receiver<T>) -> Result<T, RecvError> {
        let index = self.index;
        let arm = self.select.arms[index].as_deref_mut();
        match arm.and_then(|arm| selected::received(arm, receiver)) {
            Some(result) => result,
            None => panic!("arm {index} of the selection does not receive from this channel"),
        }
    }

    /// Returns what became of the message of a send arm: what [`Sender::send`] would have returned.
    ///
    /// # Errors
    /// With the message, when every receiver is gone.
    ///
    /// # Panics
    /// When the arm does not send into the channel of `sender`.
    #[track_caller]
    pub fn send<T>(self, sender: &Sender<T>) -> Result<(), SendError<T>> {
        let index = self.index;
        let arm = self.select.arms[index].as_deref_mut();
        match arm.and_then(|arm| selected::sent(arm, sender)) {
            Some(result) => result,
            None => panic!("arm {index} of the selection does not send into this channel"),
        }
    }
}

impl Drop for Selected<'_, '_> {
    fn drop(&mut self) {
        let arm = &mut self.select.arms[self.index];
        if arm.as_ref().is_some_and(|arm| arm.sends()) {
            drop(arm.take());
        }
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arms = self.arms.iter().flatten().count();
        f.debug_struct("Select").field("arms", &arms).finish()
    }
}

impl fmt::Debug for Selected<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index;
        f.debug_struct("Selected").field("index", &index).finish()
    }
}

impl fmt::Display for TrySelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no arm of the selection is ready")
    }
}

impl fmt::Display for SelectTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no arm of the selection was ready in time")
    }
}

impl Error for TrySelectError {}

impl Error for SelectTimeoutError {}
