//! Channels of every kind: messages that meet deadlines, cancellations and the end of the other side.

use loom::thread;

use crate::channel::{bounded, oneshot, unbounded};
use crate::sched::model_root::{SOON, check, check_within, root};
use crate::thread::catch::catch_cancel;
use crate::thread::current::current;

#[test]
fn a_channel_of_one_delivers_all_in_order_and_then_its_end() {
    check(|| {
        let (sender, receiver) = bounded(1);
        let other = root(move || (0..2).for_each(|n| sender.send(n).unwrap()));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1]);
        other.join().unwrap();
    });
}

#[test]
fn l4_a_message_whose_sender_times_out_is_delivered_or_given_back() {
    check(|| {
        let (sender, receiver) = bounded(1);
        sender.send(0).unwrap();
        let other = root(move || sender.send_timeout(1, SOON).is_ok());
        assert_eq!(receiver.recv(), Ok(0));
        let second = receiver.recv().is_ok();
        assert_eq!(other.join().unwrap(), second);
    });
}

#[test]
fn l4_both_sides_of_a_rendezvous_agree_at_their_deadlines() {
    check(|| {
        let (sender, receiver) = bounded(0);
        let other = root(move || sender.send_timeout(1, SOON).is_ok());
        let received = receiver.recv_timeout(SOON).is_ok();
        assert_eq!(other.join().unwrap(), received);
    });
}

#[test]
fn l4_both_sides_of_a_rendezvous_agree_when_the_receiver_is_cancelled() {
    check(|| {
        let (sender, receiver) = bounded(0);
        let me = current();
        let other = root(move || {
            me.cancel();
            sender.send_timeout(1, SOON).is_ok()
        });
        let received = catch_cancel(|| receiver.recv()).is_ok_and(|message| message.is_ok());
        assert_eq!(other.join().unwrap(), received);
    });
}

#[test]
fn a_rendezvous_whose_receiver_goes_gives_the_message_back() {
    check(|| {
        let (sender, receiver) = bounded(0);
        let other = thread::spawn(move || drop(receiver));
        assert_eq!(sender.send(1).unwrap_err().0, 1);
        other.join().unwrap();
    });
}

#[test]
fn l4_a_message_whose_wake_goes_to_a_cancelled_receiver_reaches_the_next() {
    check(|| {
        let (sender, receiver) = unbounded();
        let (me, next) = (current(), receiver.clone());
        let sends = sender.clone();
        let other = root(move || next.recv().ok());
        let third = root(move || {
            me.cancel();
            sends.send(1).unwrap();
        });
        let mine = catch_cancel(|| receiver.recv());
        if mine.is_ok() {
            sender.send(1).unwrap();
        }
        assert_eq!(other.join().unwrap(), Some(1));
        third.join().unwrap();
        assert!(receiver.is_empty());
    });
}

#[test]
fn l4_room_whose_wake_goes_to_a_cancelled_sender_reaches_the_next() {
    check_within(1, || {
        let (sender, receiver) = bounded(1);
        sender.send(0).unwrap();
        let (me, next, takes) = (current(), sender.clone(), receiver.clone());
        let other = root(move || next.send(2).is_ok());
        let third = root(move || {
            me.cancel();
            takes.recv().is_ok()
        });
        if catch_cancel(|| sender.send(1)).is_ok() {
            receiver.recv().unwrap();
        }
        assert!(other.join().unwrap());
        assert!(third.join().unwrap());
        assert_eq!(receiver.len(), 1);
    });
}

#[test]
fn a_receiver_hears_that_the_last_of_two_senders_has_gone() {
    check(|| {
        let (sender, receiver) = unbounded::<()>();
        let senders = [sender.clone(), sender];
        let others = senders.map(|sender| thread::spawn(move || drop(sender)));
        assert!(receiver.recv().is_err());
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn l4_a_oneshot_that_meets_a_deadline_is_delivered_once() {
    check(|| {
        let (sender, receiver) = oneshot();
        let other = thread::spawn(move || sender.send(1).unwrap());
        let first = receiver.recv_timeout(SOON).is_ok();
        other.join().unwrap();
        assert_eq!(receiver.try_recv().is_ok(), !first);
    });
}

#[test]
fn l4_a_oneshot_that_meets_a_cancellation_is_delivered_once() {
    check(|| {
        let (sender, receiver) = oneshot();
        let me = current();
        let cancels = thread::spawn(move || me.cancel());
        let other = thread::spawn(move || sender.send(1).unwrap());
        let first = catch_cancel(|| receiver.recv()).is_ok();
        other.join().unwrap();
        cancels.join().unwrap();
        assert_eq!(receiver.try_recv().is_ok(), !first);
    });
}

#[test]
fn a_oneshot_hears_that_its_sender_has_gone() {
    check(|| {
        let (sender, receiver) = oneshot::<()>();
        let other = thread::spawn(move || drop(sender));
        assert!(receiver.recv().is_err());
        other.join().unwrap();
    });
}

#[test]
fn a_oneshot_for_a_receiver_that_goes_is_given_back_or_dropped_once() {
    check(|| {
        let (sender, receiver) = oneshot();
        let count = std::sync::Arc::new(());
        let value = std::sync::Arc::clone(&count);
        let other = thread::spawn(move || drop(receiver));
        drop(sender.send(value));
        other.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&count), 1);
    });
}
