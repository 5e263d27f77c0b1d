//! Values between processes, both ways; what needs no second process stays in this one.

use std::fs::File;
use std::rc::Rc;
use std::time::Duration;

use greenthread::process::{Channel, RecvError, SendError};
use greenthread::{Runtime, spawn, timeout, yield_now};

use crate::pool::{pool, result};
use crate::pool_values::{Picky, Shy};
use crate::support::child;
use crate::{LONG, until_gone};

/// Squares what comes until no more does; returns how much that was.
pub(crate) fn square(work: Channel<u64>) -> usize {
    work.iter()
        .map(|n| work.send(&n.unwrap().pow(2)).unwrap())
        .count()
}

/// Sends the numbers below `to`.
pub(crate) fn count((numbers, to): (Channel<u64>, u64)) {
    (0..to).for_each(|n| numbers.send(&n).unwrap());
}

/// Takes one value, gives its end up, and stays until the second channel ends.
pub(crate) fn hang_up((channel, stay): (Channel<u32>, Channel<()>)) {
    channel.recv().unwrap();
    channel.send(&std::process::id()).unwrap();
    drop(channel);
    assert!(matches!(stay.recv(), Err(RecvError::Closed)));
}

/// Answers through the channel that comes through the channel.
pub(crate) fn answer_through(channels: Channel<Channel<String>>) {
    channels
        .recv()
        .unwrap()
        .send(&"through both".into())
        .unwrap();
}

#[test]
#[apply(once)]
fn values_go_both_ways() {
    let (ours, theirs) = Channel::pair().unwrap();
    let call = pool(1).spawn(square, theirs);
    for n in 0..100 {
        ours.send(&n).unwrap();
        assert_eq!(ours.recv().unwrap(), n * n);
    }
    drop(ours);
    assert_eq!(result(call).unwrap(), 100);
}

#[test]
#[apply(once)]
fn several_processes_share_one_end() {
    const EACH: u64 = 500;
    let (ours, theirs) = Channel::pair().unwrap();
    let pool = pool(3);
    let calls = [(); 3].map(|()| {
        let end = theirs.try_clone().unwrap();
        pool.spawn(count, (end, EACH))
    });
    drop(theirs);
    let sum: u64 = ours.iter().map(Result::unwrap).sum();
    assert_eq!(sum, 3 * EACH * (EACH - 1) / 2);
    calls.into_iter().for_each(|call| result(call).unwrap());
}

#[test]
#[apply(once)]
fn work_is_shared_out_among_processes() {
    let (ours, theirs) = Channel::pair().unwrap();
    let pool = pool(2);
    let calls = [(); 2].map(|()| pool.spawn(square, theirs.try_clone().unwrap()));
    drop(theirs);
    let ours = Rc::new(ours);
    let feeds = Rc::clone(&ours);
    let feeding = spawn(move || (0..200).for_each(|n| feeds.send(&n).unwrap()));
    let mut squares: Vec<u64> = ours.iter().take(200).map(Result::unwrap).collect();
    feeding.join().unwrap();
    drop(ours);
    squares.sort_unstable();
    assert!(squares.into_iter().eq((0..200).map(|n| n * n)));
    let done: usize = calls.into_iter().map(|call| result(call).unwrap()).sum();
    assert_eq!(done, 200);
}

#[test]
#[apply(once)]
fn an_end_is_closed_when_its_process_gives_it_up() {
    let (ours, theirs) = Channel::pair().unwrap();
    let (stay, stays) = Channel::pair().unwrap();
    let call = pool(1).spawn(hang_up, (theirs, stays));
    ours.send(&0).unwrap();
    ours.send(&0).unwrap(); // is never received
    let id = ours.recv().unwrap();
    let ended = ours.recv_timeout(LONG);
    assert!(matches!(ended, Err(RecvError::Closed)), "{ended:?}");
    assert!(crate::exists(id));
    assert!(matches!(ours.send(&0), Err(SendError::Closed)));
    drop(stay);
    result(call).unwrap();
}

#[test]
#[apply(once)]
fn an_end_is_closed_when_its_process_is_killed() {
    let (ours, theirs) = Channel::pair().unwrap();
    let (stay, stays) = Channel::pair().unwrap();
    let call = pool(1).spawn(hang_up, (theirs, stays));
    ours.send(&0).unwrap();
    let id = ours.recv().unwrap();
    call.cancel();
    let ended = stay.recv_timeout(LONG);
    assert!(matches!(ended, Err(RecvError::Closed)), "{ended:?}");
    until_gone(id);
}

#[test]
#[apply(once)]
fn a_channel_goes_through_a_channel() {
    let (outer, theirs) = Channel::pair().unwrap();
    let call = pool(1).spawn(answer_through, theirs);
    let (ours, inner) = Channel::pair().unwrap();
    outer.send(&inner).unwrap();
    drop(inner);
    assert_eq!(ours.recv().unwrap(), "through both");
    assert!(matches!(ours.recv(), Err(RecvError::Closed)));
    result(call).unwrap();
}

#[test]
#[apply(once)]
fn what_was_sent_is_received_before_the_end() {
    let (ours, theirs) = Channel::pair().unwrap();
    assert_eq!(ours.try_recv().unwrap(), None::<u8>);
    theirs.send(&1).unwrap();
    theirs.send(&2).unwrap();
    ours.send(&3).unwrap(); // left unread
    drop(theirs);
    assert_eq!(ours.try_recv().unwrap(), Some(1));
    assert_eq!(ours.recv().unwrap(), 2);
    assert!(matches!(ours.recv(), Err(RecvError::Closed)));
    assert!(matches!(ours.try_recv(), Err(RecvError::Closed)));
    assert!(matches!(ours.send(&4), Err(SendError::Closed)));
    assert!(matches!(ours.try_send(&4), Err(SendError::Closed)));
}

#[test]
#[apply(once)]
fn a_full_channel_holds_its_sender_up() {
    let (ours, theirs) = Channel::pair().unwrap();
    let mut held = 0_u32;
    while ours.try_send(&held).unwrap() {
        held += 1;
    }
    let sending = spawn(move || ours.send(&held));
    yield_now();
    assert!(!sending.is_finished());
    for n in 0..held {
        assert_eq!(theirs.recv().unwrap(), n);
    }
    assert_eq!(theirs.recv().unwrap(), held);
    sending.join().unwrap().unwrap();
}

#[test]
#[apply(once)]
fn a_value_that_is_too_long_is_refused() {
    let (ours, theirs) = Channel::pair().unwrap();
    let long = String::from_utf8(vec![b'x'; 128 * 1024]).unwrap();
    match ours.send(&long) {
        Err(SendError::TooLong { bytes, most }) => assert!(bytes > most && most == 128 * 1024),
        other => panic!("{other:?}"),
    }
    let fits = &long[..long.len() - 8];
    ours.send(&fits.into()).unwrap();
    assert_eq!(theirs.recv().unwrap(), fits);
}

#[test]
#[apply(once)]
fn a_value_that_cannot_be_carried_is_named_and_the_channel_goes_on() {
    let (ours, theirs) = Channel::pair().unwrap();
    ours.send(&Some(Picky)).unwrap();
    ours.send(&None).unwrap();
    let error = theirs.recv().unwrap_err();
    assert!(matches!(error, RecvError::Undecodable(_)));
    assert!(
        error
            .to_string()
            .contains("Picky>` cannot be decoded: not to my taste"),
        "{error}"
    );
    assert!(theirs.recv().unwrap().is_none());

    let (ours, _theirs) = Channel::pair().unwrap();
    let error = ours.send(&Shy).unwrap_err();
    assert!(matches!(error, SendError::Unencodable(_)));
    assert!(
        error
            .to_string()
            .contains("Shy` cannot be encoded: not in public"),
        "{error}"
    );
}

#[test]
#[apply(once)]
fn l16_a_cancelled_receiver_loses_no_value() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let (ours, theirs) = Channel::pair().unwrap();
        assert!(timeout(LONG, || ours.recv().map(drop)).is_err());
        assert_eq!(ours.recv_timeout(LONG).unwrap(), None);
        theirs.send(&8_u8).unwrap();
        assert_eq!(ours.recv_timeout(LONG).unwrap(), Some(8));
    });
}

#[test]
#[apply(once)]
fn l17_closing_an_end_wakes_whoever_is_parked_on_it() {
    let (ours, _theirs) = Channel::<u8>::pair().unwrap();
    let ours = Rc::new(ours);
    let own = Rc::clone(&ours);
    let receiving = spawn(move || own.recv());
    yield_now();
    ours.close();
    let received = receiving.join_timeout(LONG).expect("still parked");
    assert!(matches!(received.unwrap(), Err(RecvError::Closed)));
    assert!(matches!(ours.send(&1), Err(SendError::Closed)));
    assert_eq!(format!("{ours:?}"), "Channel(closed)");
    assert!(ours.try_clone().is_err());
    let limit = Duration::from_secs(1);
    assert!(matches!(ours.recv_timeout(limit), Err(RecvError::Closed)));
}

#[test]
#[apply(once)]
fn a_channel_that_finds_no_descriptor_is_undecodable() {
    let test = "channel::a_channel_that_finds_no_descriptor_is_undecodable";
    let ended = child::run(test, || {
        let (ours, theirs) = Channel::pair().unwrap();
        let (carried, _) = Channel::<u8>::pair().unwrap();
        theirs.send(&carried).unwrap();
        limit_descriptors(64);
        let mut all = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            all.push(file);
        }
        let error = ours.try_recv().map(drop).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("came without its descriptor"), "{text}");
        drop(all);
        theirs.send(&carried).unwrap();
        assert!(ours.try_recv().unwrap().is_some());
    });
    assert!(ended.succeeded(), "{ended:?}");
}

#[expect(unsafe_code, reason = "sets a resource limit")]
fn limit_descriptors(most: u64) {
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: reads the struct that it is given.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
}
