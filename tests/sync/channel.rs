//! What channels do besides: their ends, their errors, handing over.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::{
    self, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    bounded, oneshot, unbounded,
};
use greenthread::{catch_cancel, scope, sleep, spawn, time, yield_now};

use crate::support::{Counted, Log};
use crate::virtual_time;

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[apply(on_workers)]
fn messages_arrive_in_order_and_once() {
    for capacity in [0, 1, 3, 64] {
        let (sender, receiver) = bounded(capacity);
        let sending = spawn(move || (0..500).for_each(|n| sender.send(n).unwrap()));
        assert_eq!(
            receiver.iter().collect::<Vec<_>>(),
            (0..500).collect::<Vec<_>>()
        );
        sending.join().unwrap();
    }
}

#[test]
#[apply(on_roots)]
fn errors_say_why_and_hand_the_message_back() {
    virtual_time(|| {
        let (sender, receiver) = bounded(1);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(
            receiver.recv_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
        sender.send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        assert_eq!(
            sender.send_timeout(2, SECOND),
            Err(SendTimeoutError::Timeout(2))
        );
        drop(receiver);
        assert_eq!(sender.send(2), Err(SendError(2)));
        assert_eq!(sender.try_send(2), Err(TrySendError::Disconnected(2)));
        assert_eq!(
            sender.send_timeout(2, SECOND),
            Err(SendTimeoutError::Disconnected(2))
        );
    });
}

#[test]
#[apply(on_workers)]
fn the_last_sender_takes_the_hope_of_every_receiver() {
    virtual_time(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded::<u32>(capacity);
            let receivers = [receiver.clone(), receiver];
            let waiting = receivers.map(|receiver| spawn(move || receiver.recv()));
            let second = sender.clone();
            yield_now();
            drop(sender);
            yield_now();
            assert!(!waiting[0].is_finished());
            drop(second);
            for receiver in waiting {
                assert_eq!(receiver.join().unwrap(), Err(RecvError));
            }
        }
    });
}

#[test]
#[apply(on_workers)]
fn the_last_receiver_hands_every_blocked_message_back() {
    virtual_time(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded(capacity);
            let _ = (capacity == 1).then(|| sender.send(0));
            let senders = [sender.clone(), sender];
            let waiting = senders.map(|sender| spawn(move || sender.send(7)));
            yield_now();
            drop(receiver);
            for sender in waiting {
                assert_eq!(sender.join().unwrap(), Err(SendError(7)));
            }
        }
    });
}

#[test]
#[apply(on_workers)]
fn l6_messages_that_nobody_will_receive_are_dropped_with_the_last_receiver() {
    /// Looks at the channel from its own drop.
    struct Looks {
        link: Rc<Cell<Option<channel::Sender<Looks>>>>,
        _count: Counted,
    }
    impl Drop for Looks {
        fn drop(&mut self) {
            let sender = self.link.take();
            assert!(sender.as_ref().is_none_or(channel::Sender::is_empty));
            self.link.set(sender);
        }
    }
    let (sender, receiver) = unbounded();
    let (link, count) = (Rc::new(Cell::new(None)), Counted::new());
    for _ in 0..3 {
        let looks = Looks {
            link: Rc::clone(&link),
            _count: count.clone(),
        };
        sender.send(looks).unwrap();
    }
    link.set(Some(sender));
    assert_eq!(count.alive(), 4);
    drop(receiver);
    assert_eq!(count.alive(), 1);
    link.take();
}

#[test]
#[apply(on_workers)]
fn what_is_inside_is_received_after_the_last_sender_has_gone() {
    let (sender, receiver) = unbounded();
    (0..3).for_each(|n| sender.send(n).unwrap());
    drop(sender);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(receiver.into_iter().next(), None);
}

#[test]
#[apply(on_workers)]
fn it_tells_its_length_and_its_bound() {
    let (sender, receiver) = bounded(2);
    assert!(sender.is_empty() && receiver.is_empty() && !sender.is_full());
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    assert_eq!((sender.len(), receiver.len()), (2, 2));
    assert!(sender.is_full() && receiver.is_full());
    assert_eq!(
        (sender.capacity(), unbounded::<u32>().1.capacity()),
        (Some(2), None)
    );
    assert!(bounded::<u32>(0).0.is_full() && bounded::<u32>(0).0.is_empty());
}

#[test]
#[apply(on_workers)]
fn what_the_last_receiver_leaves_is_room() {
    for (sender, receiver) in [bounded(1), bounded(2), unbounded()] {
        sender.send([7_u8; 3]).unwrap();
        let bound = sender.capacity();
        drop(receiver);
        assert!(sender.is_empty() && !sender.is_full(), "{bound:?}");
        assert_eq!(sender.capacity(), bound);
        assert_eq!(
            sender.try_send([8; 3]),
            Err(TrySendError::Disconnected([8; 3]))
        );
    }
}

#[test]
#[apply(on_workers)]
fn a_blocked_sender_finds_its_message_taken_by_try_recv() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        let sending = spawn(move || sender.send(1));
        yield_now();
        assert!(!sending.is_finished());
        assert_eq!(receiver.try_recv(), Ok(1));
        sending.join().unwrap().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_message_handed_over_is_delivered_although_both_ends_are_cancelled() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        let count = Counted::new();
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let receiving = spawn(move || {
            let message: Result<(u32, Counted), _> = receiver.recv();
            seen.set(message.unwrap().0);
            sleep(SECOND);
        });
        yield_now();
        let own = count.clone();
        let sending = spawn(move || {
            sender.send((7, own)).unwrap();
            greenthread::current().cancel();
            sleep(SECOND);
        });
        let cancels = spawn({
            let receiving = receiving.thread().clone();
            move || assert!(receiving.cancel())
        });
        cancels.join().unwrap();
        assert!(sending.join().unwrap_err().is_cancelled());
        assert!(receiving.join().unwrap_err().is_cancelled());
        assert_eq!((got.get(), count.alive()), (7, 1));
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_cancelled_sender_of_capacity_zero_keeps_its_message_and_drops_it() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        let count = Counted::new();
        let own = count.clone();
        let sending = spawn(move || drop(sender.send(own)));
        yield_now();
        sending.cancel();
        assert_eq!(receiver.try_recv().map(drop), Err(TryRecvError::Empty));
        assert!(sending.join().unwrap_err().is_cancelled());
        assert_eq!(count.alive(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn a_cancelled_receiver_does_not_eat_the_message() {
    virtual_time(|| {
        let (sender, receiver) = bounded(1);
        let own = receiver.clone();
        let victim = spawn(move || own.recv());
        yield_now();
        sender.send(5).unwrap();
        victim.cancel();
        assert!(victim.join().unwrap_err().is_cancelled());
        assert_eq!(receiver.try_recv(), Ok(5));
    });
}

#[test]
#[apply(on_workers)]
fn oneshot_delivers_once_then_says_that_it_is_over() {
    let (sender, receiver) = oneshot();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert!(!sender.is_closed() && !receiver.is_closed());
    sender.send(3).unwrap();
    assert!(!receiver.is_closed());
    assert_eq!(receiver.recv(), Ok(3));
    assert!(receiver.is_closed());
    assert_eq!(receiver.recv(), Err(RecvError));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
#[apply(on_workers)]
fn oneshot_tells_each_end_that_the_other_has_gone() {
    virtual_time(|| {
        let (sender, receiver) = oneshot::<u32>();
        scope(|s| {
            s.spawn(|| assert_eq!(receiver.recv(), Err(RecvError)));
            yield_now();
            drop(sender);
        });
        let (sender, receiver) = oneshot();
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.send(4), Err(SendError(4)));
    });
}

#[test]
#[apply(on_roots)]
fn oneshot_waits_no_longer_than_it_is_told() {
    virtual_time(|| {
        let (sender, receiver) = oneshot();
        let start = time::now();
        assert_eq!(
            receiver.recv_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
        assert_eq!(time::now() - start, SECOND);
        sender.send(1).unwrap();
        assert_eq!(receiver.recv_timeout(SECOND), Ok(1));
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_oneshot_message_that_meets_a_cancellation_is_delivered() {
    virtual_time(|| {
        let (sender, receiver) = oneshot();
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let receiving = spawn(move || {
            seen.set(receiver.recv().unwrap());
            assert!(catch_cancel(|| sleep(SECOND)).is_err());
        });
        yield_now();
        sender.send(9).unwrap();
        receiving.cancel();
        receiving.join().unwrap();
        assert_eq!(got.get(), 9);
    });
}

#[test]
#[apply(on_workers)]
fn oneshot_crosses_os_threads() {
    let (sender, receiver) = oneshot();
    let other = std::thread::spawn(move || receiver.recv());
    sender.send(8).unwrap();
    assert_eq!(other.join().unwrap(), Ok(8));
}

#[test]
#[apply(on_workers)]
fn a_receiver_woken_in_vain_keeps_its_place_in_front() {
    virtual_time(|| {
        let (sender, receiver) = unbounded();
        let log = Log::default();
        let waiting = ["first", "second"].map(|name| {
            let (receiver, log) = (receiver.clone(), log.clone());
            spawn(move || {
                receiver.recv().unwrap();
                log.say(name);
            })
        });
        yield_now();
        sender.send(1).unwrap();
        // Taken before the first one, who was woken for it, has run.
        assert_eq!(receiver.try_recv(), Ok(1));
        yield_now();
        sender.send(2).unwrap();
        yield_now();
        assert_eq!(log.lines(), ["first"]);
        sender.send(3).unwrap();
        for receiver in waiting {
            receiver.join().unwrap();
        }
    });
}

/// So many messages each from three green threads on OS threads of their own, to this one and two more.
fn many_ends_of_a_channel_of_one<T: Send + 'static>(
    message: fn(usize) -> T,
    number: fn(T) -> usize,
) {
    const EACH: usize = 3_000;
    let (sender, receiver) = bounded(1);
    let sending: Vec<_> = (0..3)
        .map(|_| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let all = move || (0..EACH).for_each(|n| sender.send(message(n)).unwrap());
                spawn(all).join().unwrap();
            })
        })
        .collect();
    drop(sender);
    let sum = move |receiver: channel::Receiver<T>| receiver.iter().map(number).sum::<usize>();
    let others: Vec<_> = (0..2)
        .map(|_| {
            let receiver = receiver.clone();
            std::thread::spawn(move || spawn(move || sum(receiver)).join().unwrap())
        })
        .collect();
    let here = sum(receiver);
    let there = others.into_iter().map(|other| other.join().unwrap());
    assert_eq!(here + there.sum::<usize>(), 3 * EACH * (EACH - 1) / 2);
    sending.into_iter().for_each(|other| other.join().unwrap());
}

#[test]
#[apply(on_roots)]
fn l4_a_channel_of_one_brings_each_message_once_between_os_threads() {
    many_ends_of_a_channel_of_one(|n| n, |n| n);
    many_ends_of_a_channel_of_one(Box::new, |boxed| *boxed);
    many_ends_of_a_channel_of_one(|n| [n; 7], |[n, ..]| n);
}

#[test]
#[apply(on_workers)]
fn a_message_left_in_a_channel_of_one_is_dropped_with_it() {
    let value = Rc::new(());
    let (sender, receiver) = bounded(1);
    sender.send(Rc::clone(&value)).unwrap();
    assert!(sender.try_send(Rc::clone(&value)).is_err());
    assert_eq!((receiver.len(), receiver.is_full()), (1, true));
    drop(receiver);
    assert_eq!(Rc::strong_count(&value), 1);
    assert!(sender.is_empty() && sender.send(value).is_err());
}

#[test]
#[apply(on_workers)]
fn what_may_cross_os_threads_says_so() {
    fn crosses<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    crosses::<greenthread::sync::Mutex<Cell<u8>>>();
    crosses::<greenthread::sync::Queue<Cell<u8>>>();
    crosses::<channel::Sender<Cell<u8>>>();
    crosses::<channel::Receiver<Cell<u8>>>();
    crosses::<greenthread::sync::MutexGuard<'_, u8>>();
    moves::<greenthread::sync::MutexGuard<'_, Cell<u8>>>();
    moves::<greenthread::sync::OwnedMutexGuard<Cell<u8>>>();
    moves::<greenthread::sync::Permit<'_>>();
}
