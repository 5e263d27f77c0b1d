//! Cancelling a call leaves the socket usable, with no byte lost or moved twice (L16), and never waits in an unwind (L10).

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use greenthread::net::TcpStream;
use greenthread::{Elapsed, GreenThread, catch_cancel, park, scope, spawn, timeout, yield_now};

use crate::pair;
use crate::support::everywhere::virtual_time;

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_read_takes_nothing_with_it() {
    let (near, mut far) = pair::with_std();
    let near = Rc::new(near);
    let reading = Rc::clone(&near);
    let reader = spawn(move || (&*reading).read(&mut [0; 8]));
    yield_now();
    reader.cancel();
    assert!(reader.join().unwrap_err().is_cancelled());
    far.write_all(b"all").unwrap();
    let mut got = [0; 3];
    (&*near).read_exact(&mut got).unwrap();
    assert_eq!(&got, b"all");
}

#[test]
#[apply(on_workers)]
fn l16_bytes_that_came_together_with_the_cancellation_stay() {
    let (first, mut far_first) = pair::with_std();
    let (second, mut far_second) = pair::with_std();
    let second = Rc::new(second);
    let target: Rc<RefCell<Option<GreenThread>>> = Rc::default();
    let found = Rc::clone(&target);
    // Registered first, so its event stands first in the batch: it runs when the reader has been granted and has not run.
    let canceller = spawn(move || {
        (&first).read_exact(&mut [0]).unwrap();
        assert!(found.take().unwrap().cancel());
    });
    let reading = Rc::clone(&second);
    let reader = spawn(move || (&*reading).read(&mut [0; 8]));
    target.replace(Some(reader.thread().clone()));
    yield_now();
    far_first.write_all(b"!").unwrap();
    far_second.write_all(b"kept").unwrap();
    canceller.join().unwrap();
    assert!(reader.join().unwrap_err().is_cancelled());
    let mut got = [0; 4];
    (&*second).read_exact(&mut got).unwrap();
    assert_eq!(&got, b"kept");
}

#[test]
#[apply(on_workers)]
fn l16_a_write_cancelled_in_the_middle_has_moved_what_it_said_and_no_more() {
    let sent: Vec<u8> = (0..32 << 20).map(|i: u32| ((i * 7) >> 5) as u8).collect();
    let (near, far) = pair::ours();
    let moved = Cell::new(0);
    let write = || {
        while moved.get() < sent.len() {
            let n = (&near).write(&sent[moved.get()..]).unwrap();
            moved.set(moved.get() + n);
        }
    };
    scope(|s| {
        let writer = s.spawn(write);
        yield_now();
        writer.cancel();
        assert!(writer.join().unwrap_err().is_cancelled());
        assert!(0 < moved.get() && moved.get() < sent.len());
        s.spawn(write);
        let mut received = vec![0; sent.len()];
        (&far).read_exact(&mut received).unwrap();
        assert!(received == sent);
    });
}

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_accept_loses_no_connection() {
    let (listener, address) = pair::listener();
    let listener = Rc::new(listener);
    let accepting = Rc::clone(&listener);
    let acceptor = spawn(move || accepting.accept().map(|(_, peer)| peer));
    yield_now();
    // Here before the acceptor has run again.
    let client = std::net::TcpStream::connect(address).unwrap();
    acceptor.cancel();
    assert!(acceptor.join().unwrap_err().is_cancelled());
    let (_, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
#[apply(on_roots)]
fn l16_a_timeout_around_a_read_leaves_the_stream_usable() {
    virtual_time(|| {
        let (near, mut far) = pair::with_std();
        let read = || (&near).read(&mut [0; 8]).unwrap();
        assert_eq!(timeout(Duration::from_secs(1), read), Err(Elapsed));
        far.write_all(b"abc").unwrap();
        assert_eq!(timeout(Duration::from_secs(1), read), Ok(3));
    });
}

#[test]
#[apply(on_workers)]
fn a_cancelled_connect_ends() {
    virtual_time(|| {
        let (_full, address) = crate::connect::full_listener();
        let connecting = spawn(move || TcpStream::connect(address).map(drop));
        yield_now();
        assert!(!connecting.is_finished());
        connecting.cancel();
        assert!(connecting.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_workers)]
fn a_cancelled_reader_that_catches_it_may_read_on() {
    let (near, mut far) = pair::with_std();
    let reader = spawn(move || {
        let caught = catch_cancel(|| (&near).read(&mut [0; 8])).is_err();
        (caught, (&near).read(&mut [0; 8]).unwrap())
    });
    yield_now();
    reader.cancel();
    yield_now();
    far.write_all(b"four").unwrap();
    assert_eq!(reader.join().unwrap(), (true, 4));
}

#[test]
#[apply(on_workers)]
fn l9_a_read_that_can_finish_at_once_does_so_although_cancelled() {
    let (near, mut far) = pair::with_std();
    far.write_all(b"x").unwrap();
    let finished = Rc::new(Cell::new(0));
    let seen = Rc::clone(&finished);
    let reader = spawn(move || {
        greenthread::current().cancel();
        seen.set((&near).read(&mut [0; 1]).unwrap());
        (&near).read(&mut [0; 1]).unwrap()
    });
    assert!(reader.join().unwrap_err().is_cancelled());
    assert_eq!(finished.get(), 1);
}

#[test]
#[apply(on_workers)]
fn l9_a_read_whose_bytes_came_without_an_event_yet_finishes_although_cancelled() {
    let (near, mut far) = pair::with_std();
    let finished = Rc::new(Cell::new(0));
    let seen = Rc::clone(&finished);
    let mut writer = far.try_clone().unwrap();
    let reader = spawn(move || {
        let mut buffer = [0; 8];
        // It parks, and is short: what is remembered from then on is that there is nothing.
        assert_eq!((&near).read(&mut buffer).unwrap(), 5);
        writer.write_all(b"there").unwrap();
        greenthread::current().cancel();
        seen.set((&near).read(&mut buffer).unwrap());
        (&near).read(&mut buffer).unwrap()
    });
    yield_now();
    far.write_all(b"first").unwrap();
    assert!(reader.join().unwrap_err().is_cancelled());
    assert_eq!(finished.get(), 5);
}

/// Writes when it is dropped, and tells what came of it.
struct LastWord<'a> {
    stream: &'a TcpStream,
    said: Rc<RefCell<Option<io::Result<usize>>>>,
}

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        *self.said.borrow_mut() = Some(self.stream.write(b"last word"));
    }
}

fn cancelled_with_last_word(stream: TcpStream) -> io::Result<usize> {
    let said = Rc::new(RefCell::new(None));
    let in_drop = Rc::clone(&said);
    let dying = spawn(move || {
        let _word = LastWord {
            stream: &stream,
            said: in_drop,
        };
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    said.take().unwrap()
}

#[test]
#[apply(on_workers)]
fn l10_while_a_cancellation_unwinds_a_write_that_would_park_fails_at_once() {
    let (near, _far) = pair::with_std();
    pair::fill(&near);
    let kind = cancelled_with_last_word(near).unwrap_err().kind();
    assert_ne!(kind, ErrorKind::Interrupted);
    assert_ne!(kind, ErrorKind::WouldBlock);
}

#[test]
#[apply(on_workers)]
fn l10_while_a_cancellation_unwinds_a_write_that_need_not_park_is_done() {
    let (near, mut far) = pair::with_std();
    assert_eq!(cancelled_with_last_word(near).unwrap(), 9);
    let mut heard = String::new();
    far.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "last word");
}

#[test]
#[apply(on_workers)]
fn l10_a_full_buf_writer_dropped_by_a_cancellation_does_not_hang() {
    let (near, mut far) = pair::with_std();
    let filled = pair::fill(&near);
    let dying = spawn(move || {
        let mut buffered = BufWriter::new(near);
        buffered.write_all(b"never sent").unwrap();
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    let mut received = Vec::new();
    far.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), filled);
}

#[test]
#[apply(on_workers)]
fn l10_while_a_panic_unwinds_a_write_parks_and_is_done() {
    let (near, far) = pair::ours();
    let filled = pair::fill(&near);
    let said = Rc::new(RefCell::new(None));
    let in_drop = Rc::clone(&said);
    let dying = spawn(move || {
        let _word = LastWord {
            stream: &near,
            said: in_drop,
        };
        std::panic::resume_unwind(Box::new("no word of it"));
    });
    yield_now();
    assert!(!dying.is_finished(), "it parks in the destructor");
    let mut received = vec![0; filled + 9];
    (&far).read_exact(&mut received).unwrap();
    assert!(dying.join().unwrap_err().is_panic());
    assert!(received.ends_with(b"last word"));
    assert_eq!(said.take().unwrap().unwrap(), 9);
}
