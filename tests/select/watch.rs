//! The newest value, for everybody.

use greenthread::channel::watch;
use greenthread::channel::watch::{RecvError, RecvTimeoutError, SendError};
use greenthread::{scope, spawn, yield_now};

use crate::{SECOND, virtual_time};

#[test]
#[apply(on_roots)]
fn the_first_value_counts_as_seen() {
    virtual_time(|| {
        let (sender, receiver) = watch(1);
        assert_eq!(*receiver.borrow(), 1);
        assert_eq!(receiver.has_changed(), Ok(false));
        assert_eq!(
            receiver.changed_timeout(SECOND),
            Err(RecvTimeoutError::Timeout)
        );
        sender.send(2).unwrap();
        assert_eq!(receiver.has_changed(), Ok(true));
        assert_eq!(receiver.get(), 2);
        assert_eq!(receiver.changed(), Ok(()));
        assert_eq!(receiver.has_changed(), Ok(false));
    });
}

#[test]
#[apply(on_workers)]
fn a_change_wakes_everybody_and_only_the_newest_is_seen() {
    virtual_time(|| {
        let (sender, receiver) = watch(0);
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let own = receiver.clone();
                spawn(move || own.changed().map(|()| own.get()))
            })
            .collect();
        yield_now();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Ok(2));
        }
    });
}

#[test]
#[apply(on_workers)]
fn of_those_who_share_a_receiver_one_who_was_woken_in_vain_keeps_its_place() {
    virtual_time(|| {
        let (sender, receiver) = watch(0);
        scope(|s| {
            let first = s.spawn(|| receiver.changed().map(|()| receiver.get()));
            yield_now();
            let second = s.spawn(|| receiver.changed().map(|()| receiver.get()));
            sender.send(1).unwrap();
            assert_eq!(receiver.changed(), Ok(()));
            yield_now();
            sender.send(2).unwrap();
            assert_eq!(first.join().unwrap(), Ok(2));
            assert!(!second.is_finished());
            sender.send(3).unwrap();
            assert_eq!(second.join().unwrap(), Ok(3));
        });
    });
}

#[test]
#[apply(on_workers)]
fn a_borrowed_value_stays_as_it_was() {
    let (sender, receiver) = watch(String::from("old"));
    let old = receiver.borrow_and_update();
    sender.send_modify(|value| value.push_str("er"));
    assert_eq!(&*old, "old");
    assert_eq!(&*sender.borrow(), "older");
    assert_eq!(receiver.has_changed(), Ok(true));
}

#[test]
#[apply(on_workers)]
fn a_modification_that_changes_nothing_tells_nobody() {
    let (sender, receiver) = watch(1);
    assert!(!sender.send_if_modified(|_| false));
    assert_eq!(receiver.has_changed(), Ok(false));
    assert_eq!(sender.send_replace(3), 1);
    assert_eq!(receiver.get(), 3);
}

#[test]
#[apply(on_workers)]
fn modifications_on_several_os_threads_add_up() {
    let (sender, receiver) = watch(0);
    let others: Vec<_> = (0..3)
        .map(|_| {
            let sender = sender.clone();
            std::thread::spawn(move || (0..1_000).for_each(|_| sender.send_modify(|n| *n += 1)))
        })
        .collect();
    assert_eq!(*receiver.wait_for(|n| *n == 3_000).unwrap(), 3_000);
    for other in others {
        other.join().unwrap();
    }
}

#[test]
#[apply(on_workers)]
fn the_last_value_is_seen_after_the_last_sender_has_gone() {
    let (sender, receiver) = watch(0);
    sender.send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.changed(), Ok(()));
    assert_eq!(receiver.changed(), Err(RecvError));
    assert_eq!(receiver.get(), 1);
}

#[test]
#[apply(on_roots)]
fn a_sender_waits_for_the_end_of_the_last_receiver() {
    virtual_time(|| {
        let (sender, receiver) = watch(0);
        assert!(sender.closed_timeout(SECOND).is_err());
        let other = sender.subscribe();
        let waiting = spawn(move || {
            sender.closed();
            sender.send(1)
        });
        yield_now();
        drop(receiver);
        yield_now();
        assert!(!waiting.is_finished());
        drop(other);
        assert_eq!(waiting.join().unwrap(), Err(SendError(1)));
    });
}

#[test]
#[apply(on_workers)]
fn l4_a_cancelled_wait_leaves_the_change_unseen() {
    virtual_time(|| {
        let (sender, receiver) = watch(0);
        greenthread::scope(|s| {
            let victim = s.spawn(|| receiver.changed());
            yield_now();
            sender.send(1).unwrap();
            victim.cancel();
            assert!(victim.join().unwrap_err().is_cancelled());
        });
        assert_eq!(receiver.has_changed(), Ok(true));
    });
}
