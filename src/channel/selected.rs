//! The typed result of an arm whose type was forgotten.
//!
//! Invariants:
//! - X1 Only `RecvArm` and `SendArm` are arms, and `sends` tells them apart.
//! - X2 An arm of a channel borrows one of its ends. So the channel lives, and whoever shows an end of a channel at the same address shows one of the same channel: its
//!   messages have one type. Their lifetimes are the same too, because an end is invariant in the type of its messages (they are under a lock).

#![expect(
    unsafe_code,
    reason = "an arm is told its type again by an end of the same channel"
)]

use std::ptr;

use super::arm::{Arm, RecvArm, SendArm};
use super::error::{RecvError, SendError};
use super::receiver::Receiver;
use super::sender::Sender;

/// A receive arm, with its type.
fn recv_arm<'x, 'a, T>(
    arm: &'x mut (dyn Arm + 'a),
    receiver: &Receiver<T>,
) -> Option<&'x mut RecvArm<'a, T>> {
    let channel = ptr::from_ref(receiver.queue()).cast();
    if arm.sends() || !ptr::eq(arm.channel(), channel) {
        return None;
    }
    // SAFETY: X1, X2.
    Some(unsafe { &mut *ptr::from_mut(arm).cast::<RecvArm<'a, T>>() })
}

/// What a chosen receive arm got, if it receives from the channel of `receiver`.
pub(super) fn received<T>(
    arm: &mut (dyn Arm + '_),
    receiver: &Receiver<T>,
) -> Option<Result<T, RecvError>> {
    recv_arm(arm, receiver).map(RecvArm::take_result)
}

/// A send arm, with its type.
fn send_arm<'x, 'a, T>(
    arm: &'x mut (dyn Arm + 'a),
    sender: &Sender<T>,
) -> Option<&'x mut SendArm<'a, T>> {
    let channel = ptr::from_ref(sender.queue()).cast();
    if !arm.sends() || !ptr::eq(arm.channel(), channel) {
        return None;
    }
    // SAFETY: X1, X2.
    Some(unsafe { &mut *ptr::from_mut(arm).cast::<SendArm<'a, T>>() })
}

/// What became of the message of a chosen send arm, if it sends into the channel of `sender`.
pub(super) fn sent<T>(
    arm: &mut (dyn Arm + '_),
    sender: &Sender<T>,
) -> Option<Result<(), SendError<T>>> {
    send_arm(arm, sender).map(SendArm::take_result)
}

/// The message that a send arm has not sent, if it sends into the channel of `sender`.
pub(super) fn unsent<T>(arm: &mut (dyn Arm + '_), sender: &Sender<T>) -> Option<T> {
    send_arm(arm, sender).and_then(SendArm::take_message)
}
