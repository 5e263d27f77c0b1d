//! `Select`: arms known only at run time.

use greenthread::channel::{
    RecvError, Select, SelectTimeoutError, SendError, TrySelectError, bounded,
};
use greenthread::{sleep, spawn, time};

use crate::support::{Counted, panic_text};
use crate::{SECOND, virtual_time};

#[test]
#[apply(on_workers)]
fn any_number_of_arms_is_waited_for() {
    virtual_time(|| {
        for count in [1, 5, 100] {
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| bounded(0)).unzip();
            let selecting = spawn(move || {
                let mut select = Select::new();
                for receiver in &receivers {
                    select.recv(receiver);
                }
                (0..count)
                    .map(|_| {
                        let chosen = select.select();
                        let index = chosen.index();
                        (index, chosen.recv(&receivers[index]).unwrap())
                    })
                    .collect::<Vec<_>>()
            });
            for (n, sender) in senders.iter().enumerate() {
                sender.send(n).unwrap();
            }
            let all: Vec<_> = (0..count).map(|n| (n, n)).collect();
            assert_eq!(selecting.join().unwrap(), all);
        }
    });
}

#[test]
#[apply(on_workers)]
fn an_unsent_message_is_given_back() {
    virtual_time(|| {
        let (sender, _receiver) = bounded(0);
        let mut select = Select::new();
        let counted = Counted::new();
        let index = select.send(&sender, counted.clone());
        assert_eq!(select.try_select().unwrap_err(), TrySelectError);
        let back = select.unsent(index, &sender);
        assert_eq!((counted.alive(), back.alive()), (2, 2));
        assert!(panic_text(|| select.remove(index)).contains("no arm 0"));
    });
}

#[test]
#[apply(on_workers)]
fn a_send_arm_is_gone_once_it_has_sent() {
    let (sender, receiver) = bounded(1);
    let (_other, from_other) = bounded::<u32>(1);
    let mut select = Select::new();
    let index = select.send(&sender, 5);
    select.recv(&from_other);
    let chosen = select.select();
    assert_eq!(chosen.index(), index);
    assert_eq!(chosen.send(&sender), Ok(()));
    assert_eq!(receiver.recv(), Ok(5));
    assert!(select.try_select().is_err());
}

#[test]
#[apply(on_roots)]
fn a_selection_ends_at_its_limit() {
    virtual_time(|| {
        let (sender, receiver) = bounded(1);
        let start = time::now();
        let mut select = Select::new();
        select.recv(&receiver);
        assert_eq!(
            select.select_timeout(SECOND).unwrap_err(),
            SelectTimeoutError
        );
        assert_eq!(time::now() - start, SECOND);
        spawn(move || {
            sleep(SECOND);
            sender.send(1).unwrap();
        });
        let chosen = select.select_timeout(SECOND * 2).unwrap();
        assert_eq!(chosen.recv(&receiver), Ok(1));
    });
}

#[test]
#[apply(on_workers)]
fn closed_channels_are_ready_with_their_errors() {
    let (sender, receiver) = bounded::<u32>(0);
    drop(sender);
    let mut select = Select::new();
    select.recv(&receiver);
    assert_eq!(select.select().recv(&receiver), Err(RecvError));
    let (sender, receiver) = bounded(0);
    drop(receiver);
    let mut select = Select::new();
    select.send(&sender, 1);
    assert_eq!(select.select().send(&sender), Err(SendError(1)));
}

#[test]
#[apply(on_workers)]
fn misuse_is_a_panic_that_says_what_is_wrong() {
    let (sender, receiver) = bounded(2);
    let (other, from_other) = bounded::<u32>(1);
    assert!(panic_text(|| drop(Select::new().select())).contains("without arms"));
    let mut select = Select::new();
    select.recv(&receiver);
    sender.send(1).unwrap();
    let text = panic_text(|| select.select().recv(&from_other));
    assert!(text.contains("does not receive from this channel"));
    sender.send(1).unwrap();
    let text = panic_text(|| select.select().send(&sender));
    assert!(text.contains("does not send into this channel"));
    let index = select.send(&sender, 1);
    assert!(panic_text(|| select.unsent(index, &other)).contains("does not send"));
}
