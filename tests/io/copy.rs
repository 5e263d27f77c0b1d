//! The copy: everything moves, errors come through, and progress is told.

use std::io::{Read, Write};

use greenthread::io::{self, ErrorKind, copy, copy_with, pipe};
use greenthread::spawn;

#[test]
#[apply(on_workers)]
fn everything_moves_between_pipes() {
    let (mut source, mut feed) = pipe().unwrap();
    let (mut drain, mut sink) = pipe().unwrap();
    let sent: Vec<u8> = (0..3 << 20).map(|n: u32| ((n * 7) >> 9) as u8).collect();
    let fed = sent.clone();
    let feeding = spawn(move || feed.write_all(&fed));
    let copying = spawn(move || copy(&mut source, &mut sink));
    let mut received = Vec::new();
    drain.read_to_end(&mut received).unwrap();
    assert_eq!(copying.join().unwrap().unwrap(), sent.len() as u64);
    feeding.join().unwrap().unwrap();
    assert!(received == sent);
}

/// Gives what it is told to, one answer a call.
struct Script(Vec<io::Result<&'static [u8]>>);

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.is_empty() {
            true => Ok(0),
            false => self.0.remove(0)?.read(buffer),
        }
    }
}

#[test]
#[apply(on_workers)]
fn an_interruption_is_no_error_and_progress_only_grows() {
    let interrupted = Err(ErrorKind::Interrupted.into());
    let mut script = Script(vec![Ok(b"one "), interrupted, Ok(b"two")]);
    let (mut copied, mut told) = (Vec::new(), Vec::new());
    let all = copy_with(&mut script, &mut copied, |so_far| told.push(so_far)).unwrap();
    assert_eq!((all, &*copied), (7, &b"one two"[..]));
    assert_eq!(told, [4, 7]);
}

#[test]
#[apply(on_workers)]
fn an_error_of_the_reader_comes_through_after_what_came_before() {
    let mut script = Script(vec![Ok(b"one"), Err(ErrorKind::ConnectionReset.into())]);
    let mut copied = Vec::new();
    let error = copy(&mut script, &mut copied).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(copied, b"one");
}

#[test]
#[apply(on_workers)]
fn a_writer_that_takes_no_more_is_an_error() {
    let mut room = [0; 2];
    let error = copy(&mut &b"three"[..], &mut &mut room[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WriteZero);
    assert_eq!(&room, b"th");
}

#[test]
#[apply(on_workers)]
fn nothing_to_copy_tells_no_progress() {
    let never = |_| panic!("nothing was copied");
    assert_eq!(
        copy_with(&mut io::empty(), &mut io::sink(), never).unwrap(),
        0
    );
}
