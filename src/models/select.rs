//! One wait for several channels.

use loom::thread;

use crate::channel::{Receiver, Select, Sender, bounded, unbounded};
use crate::sched::model_root::{SOON, check, check_within, root};
use crate::thread::catch::catch_cancel;
use crate::thread::current::current;

/// Receives from whichever comes first.
fn either(first: &Receiver<u32>, second: &Receiver<u32>) -> Option<u32> {
    let mut select = Select::new();
    let from_first = select.recv(first);
    select.recv(second);
    let selected = select.select();
    if selected.index() == from_first {
        selected.recv(first).ok()
    } else {
        selected.recv(second).ok()
    }
}

/// Sends 1 in another thread.
fn send_elsewhere(sender: Sender<u32>) -> thread::JoinHandle<()> {
    root(move || sender.send(1).unwrap())
}

#[test]
fn l4_two_senders_that_meet_at_one_select_lose_no_message() {
    check(|| {
        let ((one, first), (two, second)) = (unbounded(), unbounded());
        let others = [one, two].map(send_elsewhere);
        assert_eq!(either(&first, &second), Some(1));
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(first.len() + second.len(), 1);
    });
}

#[test]
fn l4_a_cancelled_select_leaves_its_message_to_the_next() {
    check(|| {
        let ((one, first), (_two, second)) = (unbounded(), unbounded());
        let (me, next) = (current(), first.clone());
        let again = one.clone();
        let other = root(move || next.recv().ok());
        let third = root(move || {
            me.cancel();
            one.send(1).unwrap();
        });
        if catch_cancel(|| either(&first, &second)).is_ok() {
            again.send(1).unwrap();
        }
        assert_eq!(other.join().unwrap(), Some(1));
        third.join().unwrap();
        assert!(first.is_empty());
    });
}

#[test]
fn a_select_hears_that_one_of_its_channels_has_ended() {
    check(|| {
        let ((one, first), (_two, second)) = (unbounded(), unbounded());
        let other = thread::spawn(move || drop(one));
        assert_eq!(either(&first, &second), None);
        other.join().unwrap();
    });
}

#[test]
fn l4_a_select_at_its_deadline_and_a_sender_agree() {
    check(|| {
        let (sender, receiver) = bounded(0);
        let other = root(move || sender.send_timeout(1, SOON).is_ok());
        let mut select = Select::new();
        select.recv(&receiver);
        let received = select
            .select_timeout(SOON)
            .is_ok_and(|selected| selected.recv(&receiver).is_ok());
        assert_eq!(other.join().unwrap(), received);
    });
}

#[test]
fn l4_two_selects_that_meet_at_a_rendezvous_agree() {
    check_within(1, || {
        let ((there, here), (back, forth)) = (bounded(0), bounded(0));
        let other = root(move || {
            let mut select = Select::new();
            let sends = select.send(&there, 1);
            select.recv(&forth);
            let selected = select.select();
            if selected.index() == sends {
                selected.send(&there).unwrap();
                true
            } else {
                selected.recv(&forth).unwrap() == 2
            }
        });
        let mut select = Select::new();
        let receives = select.recv(&here);
        select.send(&back, 2);
        let selected = select.select();
        if selected.index() == receives {
            assert_eq!(selected.recv(&here), Ok(1));
        } else {
            selected.send(&back).unwrap();
        }
        assert!(other.join().unwrap());
    });
}
