//! Anonymous pipes: std's behaviour, closing, timeouts, children.

use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use greenthread::io::{self, PipeReader, PipeWriter, pipe};
use greenthread::{scope, spawn, yield_now};

use crate::descriptors::blocks;
use crate::support::everywhere::virtual_time;

#[test]
#[apply(on_workers)]
fn what_is_written_is_read_and_the_end_comes_with_the_last_writer() {
    let (mut reader, writer) = pipe().unwrap();
    let second = writer.try_clone().unwrap();
    (&writer).write_all(b"one ").unwrap();
    drop(writer);
    (&second).write_all(b"two").unwrap();
    let dropping = spawn(|| drop(second));
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "one two");
    assert!(dropping.is_finished());
    assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
#[apply(on_workers)]
fn a_pipe_whose_reader_has_gone_is_an_error_also_for_who_waits() {
    let (reader, writer) = pipe().unwrap();
    let writing = spawn(move || {
        let waited = (&writer).write_all(&[0; 1 << 20]);
        (waited, (&writer).write_all(b"more"))
    });
    yield_now();
    drop(reader);
    let (waited, later) = writing.join().unwrap();
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(later.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
#[apply(on_workers)]
fn buffers_of_std_work_on_both_ends() {
    let (reader, writer) = pipe().unwrap();
    let counting = spawn(move || {
        let mut writer = BufWriter::new(writer);
        for n in 0..20_000 {
            writeln!(writer, "{n}").unwrap();
        }
        writer.flush().unwrap();
    });
    let lines = BufReader::new(reader).lines().map(Result::unwrap);
    assert!(lines.eq((0..20_000).map(|n: u32| n.to_string())));
    counting.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn several_pieces_go_in_one_call() {
    let (mut reader, mut writer) = pipe().unwrap();
    let pieces = [io::IoSlice::new(b"one "), io::IoSlice::new(b"two")];
    assert_eq!(writer.write_vectored(&pieces).unwrap(), 7);
    let (mut first, mut second) = ([0; 3], [0; 8]);
    let mut parts = [
        io::IoSliceMut::new(&mut first),
        io::IoSliceMut::new(&mut second),
    ];
    assert_eq!(reader.read_vectored(&mut parts).unwrap(), 7);
    assert_eq!((&first, &second), (b"one", b" two\0\0\0\0"));
}

#[test]
#[apply(on_roots)]
fn a_read_and_a_write_time_out() {
    virtual_time(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        let limit = Some(Duration::from_secs(60));
        reader.set_read_timeout(limit).unwrap();
        writer.set_write_timeout(limit).unwrap();
        assert_eq!(
            (reader.read_timeout(), writer.write_timeout()),
            (limit, limit)
        );
        let error = reader.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let error = writer.write_all(&[0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let error = reader.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(reader.read(&mut [0; 1]).is_ok(), "still usable");
    });
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_readers_and_writers_and_later_calls_get_the_same() {
    let (reader, writer) = pipe().unwrap();
    let (reader, writer) = (Rc::new(reader), Rc::new(writer));
    let (own_reader, own_writer) = (Rc::clone(&reader), Rc::clone(&writer));
    let reading = spawn(move || (&*own_reader).read(&mut [0; 1]).unwrap_err().kind());
    yield_now();
    reader.close();
    assert_eq!(reading.join().unwrap(), ErrorKind::NotConnected);
    let error = (&*reader).read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    let error = (&*writer).write(b"x").unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::BrokenPipe,
        "the descriptor has gone"
    );

    let (_reader, writer) = pipe().unwrap();
    let writer = Rc::new(writer);
    let own_writer_2 = Rc::clone(&writer);
    let writing = spawn(move || {
        (&*own_writer_2)
            .write_all(&[0; 1 << 20])
            .unwrap_err()
            .kind()
    });
    yield_now();
    writer.close();
    assert_eq!(writing.join().unwrap(), ErrorKind::NotConnected);
    drop(own_writer);
}

#[test]
#[apply(on_workers)]
fn several_readers_share_what_comes() {
    let (reader, mut writer) = pipe().unwrap();
    let reader = &reader;
    scope(|s| {
        let reading = [(); 4].map(|()| {
            s.spawn(move || {
                let mut byte = [0];
                (&*reader).read_exact(&mut byte).unwrap();
                byte[0]
            })
        });
        yield_now();
        writer.write_all(b"abcd").unwrap();
        let mut seen = reading.map(|reading| reading.join().unwrap());
        seen.sort_unstable();
        assert_eq!(&seen, b"abcd");
    });
}

#[test]
#[apply(on_workers)]
fn a_child_process_reads_what_is_written_and_writes_what_is_read() {
    let (input, mut to_child) = pipe().unwrap();
    let (mut from_child, output) = pipe().unwrap();
    let mut child = Command::new("cat")
        .stdin(Stdio::from(OwnedFd::try_from(input).unwrap()))
        .stdout(Stdio::from(OwnedFd::try_from(output).unwrap()))
        .spawn()
        .unwrap();
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n >> 7) as u8).collect();
    let expected = sent.clone();
    let writing = spawn(move || to_child.write_all(&sent));
    let mut received = Vec::new();
    from_child.read_to_end(&mut received).unwrap();
    writing.join().unwrap().unwrap();
    assert!(received == expected);
    assert!(child.wait().unwrap().success());
}

#[test]
#[apply(on_workers)]
fn ends_of_std_come_and_go_and_block_there_and_not_here() {
    let (reader, writer) = std::io::pipe().unwrap();
    let reader = PipeReader::from_std(reader).unwrap();
    let writer = PipeWriter::try_from(OwnedFd::from(writer)).unwrap();
    assert!(!blocks(reader.as_raw_fd()) && !blocks(writer.as_fd().as_raw_fd()));
    (&writer).write_all(b"kept").unwrap();
    let mut reader = reader.into_std().unwrap();
    let writer = writer.into_std().unwrap();
    assert!(blocks(reader.as_raw_fd()) && blocks(writer.as_raw_fd()));
    drop(writer);
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "kept");
}

#[test]
#[apply(on_workers)]
fn a_closed_end_cannot_be_given_away() {
    let (reader, _writer) = pipe().unwrap();
    reader.close();
    let error = reader.into_std().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
}
