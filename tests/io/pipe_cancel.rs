//! Cancelling a call on a pipe leaves it usable, with no byte lost or doubled (L16), and never waits in an unwind (L10).

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use crate::support::everywhere::virtual_time;
use greenthread::io::{PipeWriter, pipe};
use greenthread::{Elapsed, park, scope, spawn, timeout, yield_now};

#[test]
#[apply(on_workers)]
fn l16_a_cancelled_read_of_a_pipe_takes_nothing_with_it() {
    let (reader, mut writer) = pipe().unwrap();
    let reader = Rc::new(reader);
    let own = Rc::clone(&reader);
    let reading = spawn(move || (&*own).read(&mut [0; 8]));
    yield_now();
    // Here before the reader has run again.
    writer.write_all(b"kept").unwrap();
    reading.cancel();
    assert!(reading.join().unwrap_err().is_cancelled());
    let mut kept = [0; 4];
    (&*reader).read_exact(&mut kept).unwrap();
    assert_eq!(&kept, b"kept");
}

#[test]
#[apply(on_workers)]
fn l16_a_write_to_a_pipe_that_is_cancelled_has_moved_what_it_said_and_no_more() {
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| ((n * 7) >> 5) as u8).collect();
    let (mut reader, writer) = pipe().unwrap();
    let moved = Cell::new(0);
    let write = || {
        while moved.get() < sent.len() {
            let some = (&writer).write(&sent[moved.get()..]).unwrap();
            moved.set(moved.get() + some);
        }
    };
    scope(|s| {
        let writing = s.spawn(write);
        yield_now();
        writing.cancel();
        assert!(writing.join().unwrap_err().is_cancelled());
        assert!(0 < moved.get() && moved.get() < sent.len());
        s.spawn(write);
        let mut received = vec![0; sent.len()];
        reader.read_exact(&mut received).unwrap();
        assert!(received == sent);
    });
}

#[test]
#[apply(on_roots)]
fn l16_a_timeout_around_a_read_leaves_the_pipe_usable() {
    virtual_time(|| {
        let (reader, mut writer) = pipe().unwrap();
        let read = || (&reader).read(&mut [0; 8]).unwrap();
        assert_eq!(timeout(Duration::from_secs(1), read), Err(Elapsed));
        writer.write_all(b"abc").unwrap();
        assert_eq!(timeout(Duration::from_secs(1), read), Ok(3));
    });
}

/// Writes when it is dropped, and tells what came of it.
struct LastWord {
    writer: PipeWriter,
    said: Rc<RefCell<Option<io::Result<usize>>>>,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        *self.said.borrow_mut() = Some(self.writer.write(b"last word"));
    }
}

/// Writes until the pipe takes no more; how much that was.
fn fill(writer: &PipeWriter) -> usize {
    let filled = Cell::new(0);
    scope(|s| {
        let filling = s.spawn(|| {
            loop {
                filled.set(filled.get() + (&mut &*writer).write(&[b'.'; 4096]).unwrap());
            }
        });
        yield_now();
        filling.cancel();
    });
    filled.get()
}

#[test]
#[apply(on_workers)]
fn l10_while_a_cancellation_unwinds_a_write_to_a_full_pipe_fails_at_once() {
    let (_reader, writer) = pipe().unwrap();
    fill(&writer);
    let said = Rc::default();
    let word = LastWord {
        writer,
        said: Rc::clone(&said),
    };
    let dying = spawn(move || {
        let _word = word;
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    let kind = said.take().unwrap().unwrap_err().kind();
    assert_ne!(kind, ErrorKind::Interrupted);
    assert_ne!(kind, ErrorKind::WouldBlock);
}

#[test]
#[apply(on_workers)]
fn l10_a_buf_writer_on_a_full_pipe_that_a_cancellation_drops_does_not_hang() {
    let (mut reader, writer) = pipe().unwrap();
    let filled = fill(&writer);
    let dying = spawn(move || {
        let mut buffered = BufWriter::new(writer);
        buffered.write_all(b"never sent").unwrap();
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    let mut received = Vec::new();
    reader.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), filled);
}

#[test]
#[apply(on_workers)]
fn l10_a_buf_writer_on_a_pipe_with_room_that_a_cancellation_drops_is_flushed() {
    let (mut reader, writer) = pipe().unwrap();
    let dying = spawn(move || {
        let mut buffered = BufWriter::new(writer);
        buffered.write_all(b"last words").unwrap();
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "last words");
}
