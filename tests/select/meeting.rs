//! Two events meet at one selection (L4, L5, L9).

use std::cell::Cell;
use std::rc::Rc;

use greenthread::channel::{Receiver, Sender, bounded, never};
use greenthread::{catch_cancel, checkpoint, select, sleep, spawn, timeout, yield_now};

use crate::support::Counted;
use crate::{SECOND, virtual_time};

fn pair(capacity: usize) -> (Sender<u32>, Receiver<u32>) {
    bounded(capacity)
}

#[test]
#[apply(on_workers)]
fn l4_a_message_that_meets_a_cancellation_wakes_the_next_receiver() {
    virtual_time(|| {
        let (sender, receiver) = pair(1);
        let own = receiver.clone();
        let victim = spawn(move || {
            select! { recv(own) -> _ => unreachable!(), recv(never::<()>()) -> _ => {} }
        });
        yield_now();
        let next = spawn(move || receiver.recv());
        yield_now();
        sender.send(1).unwrap();
        victim.cancel();
        assert!(victim.join().unwrap_err().is_cancelled());
        assert_eq!(next.join().unwrap(), Ok(1));
    });
}

#[test]
#[apply(on_workers)]
fn l4_room_that_meets_a_cancellation_wakes_the_next_sender() {
    virtual_time(|| {
        let (sender, receiver) = pair(1);
        sender.send(0).unwrap();
        let own = sender.clone();
        let victim = spawn(move || select! { send(own, 1) -> _ => unreachable!() });
        yield_now();
        let next = spawn(move || sender.send(2));
        yield_now();
        assert_eq!(receiver.try_recv(), Ok(0));
        victim.cancel();
        assert!(victim.join().unwrap_err().is_cancelled());
        assert_eq!(next.join().unwrap(), Ok(()));
        assert_eq!(receiver.recv(), Ok(2));
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_message_that_was_handed_over_is_delivered_and_the_cancellation_comes_next() {
    virtual_time(|| {
        let (sender, receiver) = pair(0);
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let victim = spawn(move || {
            select! { recv(receiver) -> n => seen.set(n.unwrap()), recv(never::<()>()) -> _ => {} }
            checkpoint();
        });
        yield_now();
        sender.send(5).unwrap();
        victim.cancel();
        assert!(victim.join().unwrap_err().is_cancelled());
        assert_eq!(got.get(), 5);
    });
}

#[test]
#[apply(on_workers)]
fn l4_two_messages_in_one_turn_are_both_received_once() {
    virtual_time(|| {
        for capacity in [0, 1] {
            let (one, from_one) = pair(capacity);
            let (two, from_two) = pair(capacity);
            let receivers = (from_one.clone(), from_two.clone());
            let selecting = spawn(move || {
                select! { recv(from_one) -> n => n.unwrap(), recv(from_two) -> n => n.unwrap() }
            });
            yield_now();
            let sends = [
                spawn(move || one.send(1).unwrap()),
                spawn(move || two.send(2).unwrap()),
            ];
            assert_eq!(selecting.join().unwrap(), 1);
            assert_eq!(receivers.1.recv(), Ok(2));
            assert!(receivers.0.try_recv().is_err());
            for send in sends {
                send.join().unwrap();
            }
        }
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_message_for_an_arm_that_lost_goes_to_the_next_receiver() {
    virtual_time(|| {
        let (one, from_one) = pair(1);
        let (two, from_two) = pair(1);
        let plain = from_two.clone();
        let selecting = spawn(move || {
            select! { recv(from_one) -> _ => {}, recv(from_two) -> _ => unreachable!() }
        });
        yield_now();
        let next = spawn(move || plain.recv());
        yield_now();
        one.send(1).unwrap();
        two.send(2).unwrap();
        assert_eq!(next.join().unwrap(), Ok(2));
        selecting.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_deadline_before_a_message_in_one_turn_leaves_it_to_the_next() {
    virtual_time(|| {
        let (sender, receiver) = pair(1);
        let sending = spawn(move || {
            sleep(SECOND);
            sender.send(1).unwrap();
        });
        yield_now();
        let own = receiver.clone();
        let timed = spawn(move || select! { recv(own) -> _ => false, default(SECOND) => true });
        yield_now();
        let next = spawn(move || receiver.recv());
        assert!(timed.join().unwrap());
        assert_eq!(next.join().unwrap(), Ok(1));
        sending.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l5_a_timeout_around_a_selection_leaves_every_line() {
    virtual_time(|| {
        let (one, from_one) = pair(0);
        let (two, from_two) = pair(0);
        let elapsed = timeout(SECOND, || {
            select! { recv(from_one) -> _ => {}, send(two, 1) -> _ => {} }
        });
        assert!(elapsed.is_err());
        assert!(one.try_send(1).is_err());
        assert!(from_two.try_recv().is_err());
    });
}

#[test]
#[apply(on_workers)]
fn l9_a_cancelled_selection_drops_its_message_and_works_again() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        let counted = Counted::new();
        let mine = counted.clone();
        let victim = spawn(move || {
            let sent = catch_cancel(|| {
                select! { send(sender, mine.clone()) -> _ => {}, recv(never::<()>()) -> _ => {} }
            });
            assert!(sent.is_err());
            assert_eq!(mine.alive(), 2);
            select! { send(sender, mine) -> sent => sent.unwrap() }
        });
        yield_now();
        victim.cancel();
        yield_now();
        drop(receiver.recv().unwrap());
        victim.join().unwrap();
        assert_eq!(counted.alive(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn l9_a_selection_that_is_ready_is_not_cancelled() {
    virtual_time(|| {
        let (sender, receiver) = pair(1);
        sender.send(1).unwrap();
        let got = Rc::new(Cell::new(false));
        let seen = Rc::clone(&got);
        let victim = spawn(move || {
            greenthread::current().cancel();
            select! { recv(receiver) -> _ => seen.set(true), recv(never::<()>()) -> _ => {} }
            select! { recv(never::<()>()) -> _ => {} }
        });
        assert!(victim.join().unwrap_err().is_cancelled());
        assert!(got.get());
    });
}

#[test]
#[apply(on_workers)]
fn l19_a_message_for_a_selection_whose_os_thread_ends_goes_to_the_next() {
    let (sender, receiver) = pair(0);
    let own = receiver.clone();
    std::thread::spawn(move || {
        let left = spawn(move || {
            select! { recv(own) -> _ => {}, recv(never::<()>()) -> _ => {} }
        });
        yield_now();
        drop(left);
    })
    .join()
    .unwrap();
    let next = std::thread::spawn(move || receiver.recv());
    sender.send(1).unwrap();
    assert_eq!(next.join().unwrap(), Ok(1));
}
