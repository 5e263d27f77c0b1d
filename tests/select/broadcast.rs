//! Every message to every receiver.

use greenthread::channel::broadcast;
use greenthread::channel::broadcast::{RecvError, RecvTimeoutError, TryRecvError};
use greenthread::{scope, spawn, yield_now};

use crate::support::{Counted, panic_text};
use crate::{SECOND, virtual_time};

#[test]
#[apply(on_workers)]
fn each_receiver_gets_every_message_since_it_subscribed() {
    let (sender, one) = broadcast(8);
    assert_eq!(sender.send(1).unwrap(), 1);
    let two = sender.subscribe();
    let three = one.resubscribe();
    assert_eq!(sender.send(2).unwrap(), 3);
    assert_eq!((one.recv(), one.recv()), (Ok(1), Ok(2)));
    assert_eq!(two.recv(), Ok(2));
    assert_eq!(three.try_recv(), Ok(2));
    assert_eq!(three.try_recv(), Err(TryRecvError::Empty));
}

#[test]
#[apply(on_workers)]
fn a_slow_receiver_is_told_how_many_it_missed() {
    let (sender, receiver) = broadcast(2);
    for n in 0..5 {
        sender.send(n).unwrap();
    }
    assert_eq!(receiver.len(), 5);
    assert_eq!(receiver.recv(), Err(RecvError::Lagged(3)));
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(3), Ok(4)));
}

#[test]
#[apply(on_workers)]
fn what_was_sent_is_received_after_the_last_sender_has_gone() {
    let (sender, receiver) = broadcast(2);
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.recv(), Ok(1));
    assert_eq!(receiver.recv(), Err(RecvError::Closed));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
#[apply(on_workers)]
fn without_receivers_a_message_comes_back_and_none_is_kept() {
    let (sender, receiver) = broadcast(2);
    let counted = Counted::new();
    sender.send(counted.clone()).unwrap();
    drop(receiver);
    assert_eq!(counted.alive(), 1);
    assert_eq!(sender.send(counted).unwrap_err().0.alive(), 1);
}

#[test]
#[apply(on_roots)]
fn one_message_wakes_everybody_who_waits() {
    virtual_time(|| {
        let (sender, receiver) = broadcast(1);
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let own = receiver.resubscribe();
                spawn(move || own.recv())
            })
            .collect();
        yield_now();
        sender.send("all").unwrap();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Ok("all"));
        }
        assert_eq!(receiver.recv(), Ok("all"));
        assert_eq!(
            receiver.recv_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_cancelled_receiver_loses_no_message() {
    virtual_time(|| {
        let (sender, receiver) = broadcast(4);
        scope(|s| {
            let victim = s.spawn(|| receiver.recv());
            yield_now();
            sender.send(1).unwrap();
            victim.cancel();
            assert!(victim.join().unwrap_err().is_cancelled());
        });
        assert_eq!(receiver.recv(), Ok(1));
    });
}

#[test]
#[apply(on_workers)]
fn of_those_who_share_a_receiver_one_who_was_woken_in_vain_keeps_its_place() {
    virtual_time(|| {
        let (sender, receiver) = broadcast(1);
        scope(|s| {
            let first = s.spawn(|| receiver.recv());
            yield_now();
            let second = s.spawn(|| receiver.recv());
            sender.send(1).unwrap();
            assert_eq!(receiver.recv(), Ok(1));
            yield_now();
            sender.send(2).unwrap();
            assert_eq!(first.join().unwrap(), Ok(2));
            sender.send(3).unwrap();
            assert_eq!(second.join().unwrap(), Ok(3));
        });
    });
}

#[test]
#[apply(on_workers)]
fn messages_cross_os_threads() {
    const MESSAGES: u64 = 10_000;
    let (sender, receiver) = broadcast(64);
    let receivers: Vec<_> = (0..3)
        .map(|_| {
            let own = receiver.resubscribe();
            std::thread::spawn(move || {
                let mut seen = 0;
                loop {
                    match own.recv() {
                        Ok(_) => seen += 1,
                        Err(RecvError::Lagged(missed)) => seen += missed,
                        Err(RecvError::Closed) => return seen,
                    }
                }
            })
        })
        .collect();
    for n in 0..MESSAGES {
        let _ = sender.send(n);
    }
    drop(sender);
    for receiver in receivers {
        assert_eq!(receiver.join().unwrap(), MESSAGES);
    }
}

#[test]
#[apply(on_workers)]
fn a_size_of_zero_is_a_panic_that_names_it() {
    assert!(panic_text(|| broadcast::<u32>(0)).contains("broadcast(0)"));
}
