//! Read and write timeouts. The clock is virtual: it jumps when the kernel has nothing to say.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use greenthread::net::TcpStream;
use greenthread::{scope, sleep, time};

use crate::pair;
use crate::support::everywhere::virtual_time;

const LIMIT: Duration = Duration::from_secs(5);

#[test]
#[apply(on_roots)]
fn a_read_timeout_gives_timed_out_and_the_stream_stays_usable() {
    virtual_time(|| {
        let (near, mut far) = pair::with_std();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        let before = time::now();
        let error = (&near).read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let error = near.peek(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(time::now() - before, LIMIT * 2);
        far.write_all(b"late").unwrap();
        assert_eq!((&near).read(&mut [0; 8]).unwrap(), 4);
    });
}

#[test]
#[apply(on_roots)]
fn a_write_timeout_gives_timed_out_and_moves_nothing() {
    virtual_time(|| {
        let (near, mut far) = pair::with_std();
        near.set_write_timeout(Some(LIMIT)).unwrap();
        let mut filled = pair::fill(&near);
        // The kernel may find room once more, when it has moved what was in flight.
        let (error, waited) = loop {
            let before = time::now();
            match (&near).write(b"x") {
                Ok(n) => filled += n,
                Err(error) => break (error, time::now() - before),
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(waited, LIMIT);
        drop(near);
        let mut received = Vec::new();
        far.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), filled);
    });
}

#[test]
#[apply(on_roots)]
fn a_timed_out_write_of_much_has_moved_the_rest_once() {
    virtual_time(|| {
        let sent: Vec<u8> = (0..16 << 20).map(|i: u32| ((i * 5) >> 4) as u8).collect();
        let (near, far) = pair::ours();
        near.set_write_timeout(Some(LIMIT)).unwrap();
        let mut moved = 0;
        let error = loop {
            match (&near).write(&sent[moved..]) {
                Ok(n) => moved += n,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        scope(|s| {
            s.spawn(|| (&near).write_all(&sent[moved..]).unwrap());
            let mut received = vec![0; sent.len()];
            (&far).read_exact(&mut received).unwrap();
            assert!(received == sent);
        });
    });
}

#[test]
#[apply(on_roots)]
fn l16_bytes_that_came_before_the_timeout_was_seen_are_read() {
    virtual_time(|| {
        let (near, far) = pair::with_std();
        near.set_read_timeout(Some(LIMIT)).unwrap();
        let read = RefCell::new(None);
        scope(|s| {
            // Set first, so due first at the same moment: the read's own deadline has fired, too, before the reactor is asked again.
            s.spawn(|| {
                sleep(LIMIT);
                (&far).write_all(b"just in time").unwrap();
            });
            s.spawn(|| *read.borrow_mut() = Some((&near).read(&mut [0; 64])));
        });
        assert_eq!(read.take().unwrap().unwrap(), 12);
    });
}

#[test]
#[apply(on_workers)]
fn a_timeout_of_zero_is_invalid_input_and_changes_nothing() {
    let (near, _far) = pair::with_std();
    near.set_read_timeout(Some(LIMIT)).unwrap();
    let error = near.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(near.read_timeout().unwrap(), Some(LIMIT));
    let error = near.set_write_timeout(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(near.write_timeout().unwrap(), None);
}

#[test]
#[apply(on_workers)]
fn clones_share_their_timeouts() {
    let (near, _far) = pair::with_std();
    let clone = near.try_clone().unwrap();
    clone.set_read_timeout(Some(LIMIT)).unwrap();
    clone.set_write_timeout(Some(Duration::MAX)).unwrap();
    assert_eq!(near.read_timeout().unwrap(), Some(LIMIT));
    assert!(near.write_timeout().unwrap().is_some());
    near.set_read_timeout(None).unwrap();
    assert_eq!(clone.read_timeout().unwrap(), None);
}

#[test]
#[apply(on_workers)]
fn timeouts_go_to_std_and_back() {
    let (near, _far) = pair::with_std();
    near.set_read_timeout(Some(LIMIT)).unwrap();
    let theirs = near.into_std().unwrap();
    assert_eq!(theirs.read_timeout().unwrap(), Some(LIMIT));
    theirs.set_write_timeout(Some(LIMIT)).unwrap();
    let back = TcpStream::from_std(theirs).unwrap();
    assert_eq!(back.read_timeout().unwrap(), Some(LIMIT));
    assert_eq!(back.write_timeout().unwrap(), Some(LIMIT));
}
