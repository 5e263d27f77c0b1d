//! The standard input: its end, its lines, and readers that are cancelled.

use std::cell::Cell;
use std::io::PipeWriter;
use std::rc::Rc;

use greenthread::io::{self, BufRead, ErrorKind, Read, Write};
use greenthread::{spawn, yield_now};

use crate::descriptors::{blocks, close, replace};
use crate::support::child;

/// Makes the standard input a pipe that this process writes.
pub(crate) fn from_pipe() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    replace(0, reader);
    writer
}

/// Runs `part` in a child process, which must come to its end.
pub(crate) fn alone(test: &str, part: impl FnOnce()) {
    // A name that fits no test would pass.
    let here = std::thread::current();
    assert!(["main", test].contains(&here.name().unwrap()));
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{}", ended.stderr());
}

#[test]
#[apply(once)]
fn at_its_end_a_read_gives_nothing() {
    alone("stdin::at_its_end_a_read_gives_nothing", || {
        drop(from_pipe());
        assert_eq!(io::stdin().read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(io::stdin().read_line(&mut String::new()).unwrap(), 0);
        assert_eq!(io::stdin().lines().count(), 0);
        assert_eq!(io::stdin().read(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
#[apply(once)]
fn a_closed_one_is_at_its_end() {
    alone("stdin::a_closed_one_is_at_its_end", || {
        close(0);
        assert_eq!(io::stdin().read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(io::stdin().read_line(&mut String::new()).unwrap(), 0);
    });
}

#[test]
#[apply(once)]
fn one_that_is_closed_after_a_read_is_at_its_end() {
    alone(
        "stdin::one_that_is_closed_after_a_read_is_at_its_end",
        || {
            from_pipe().write_all(b"last").unwrap();
            let mut last = [0; 4];
            io::stdin().read_exact(&mut last).unwrap();
            close(0);
            assert_eq!(io::stdin().read(&mut last).unwrap(), 0);
        },
    );
}

#[test]
#[apply(once)]
fn waiting_for_it_parks_one_green_thread_only() {
    alone("stdin::waiting_for_it_parks_one_green_thread_only", || {
        let mut writer = from_pipe();
        let reader = spawn(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).unwrap();
            line
        });
        yield_now();
        assert!(!reader.is_finished());
        writer.write_all(b"hello\n").unwrap();
        assert_eq!(reader.join().unwrap(), "hello\n");
    });
}

#[test]
#[apply(once)]
fn its_open_file_is_left_as_it_is() {
    alone("stdin::its_open_file_is_left_as_it_is", || {
        let mut writer = from_pipe();
        let reader = spawn(|| io::stdin().read(&mut [0; 8]).unwrap());
        yield_now();
        assert!(!reader.is_finished() && blocks(0));
        writer.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), 1);
        assert!(blocks(0));
    });
}

#[test]
#[apply(once)]
fn l16_a_cancelled_read_line_leaves_what_has_come_of_the_line() {
    let name = "stdin::l16_a_cancelled_read_line_leaves_what_has_come_of_the_line";
    alone(name, || {
        let mut writer = from_pipe();
        writer.write_all(b"first\nhal").unwrap();
        let lines = Rc::new(Cell::new(0));
        let seen = Rc::clone(&lines);
        let reader = spawn(move || {
            loop {
                io::stdin().read_line(&mut String::new()).unwrap();
                seen.set(seen.get() + 1);
            }
        });
        while lines.get() == 0 {
            yield_now();
        }
        // It waits for the end of the second.
        yield_now();
        reader.cancel();
        assert!(reader.join().unwrap_err().is_cancelled());
        writer.write_all(b"f a line\n").unwrap();
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        assert_eq!(line, "half a line\n");
    });
}

#[test]
#[apply(once)]
fn l16_a_cancelled_read_takes_nothing_from_it() {
    let name = "stdin::l16_a_cancelled_read_takes_nothing_from_it";
    alone(name, || {
        let mut writer = from_pipe();
        let reader = spawn(|| io::stdin().read(&mut [0; 8]));
        yield_now();
        // Here before the reader has run again.
        writer.write_all(b"kept").unwrap();
        reader.cancel();
        assert!(reader.join().unwrap_err().is_cancelled());
        let mut kept = [0; 4];
        io::stdin().read_exact(&mut kept).unwrap();
        assert_eq!(&kept, b"kept");
    });
}

#[test]
#[apply(once)]
fn lines_come_without_their_ends_and_the_last_needs_none() {
    let name = "stdin::lines_come_without_their_ends_and_the_last_needs_none";
    alone(name, || {
        from_pipe().write_all(b"one\ntwo\r\n\nfour").unwrap();
        let lines: Vec<String> = io::stdin().lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["one", "two", "", "four"]);
    });
}

#[test]
#[apply(once)]
fn a_line_longer_than_the_buffer_comes_whole() {
    alone("stdin::a_line_longer_than_the_buffer_comes_whole", || {
        let mut writer = from_pipe();
        let long = "x".repeat(1 << 20) + "\n";
        let sent = long.clone();
        let writing = std::thread::spawn(move || writer.write_all(sent.as_bytes()));
        let mut line = String::new();
        assert_eq!(io::stdin().read_line(&mut line).unwrap(), long.len());
        assert!(line == long);
        writing.join().unwrap().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_line_that_is_not_utf_8_is_an_error_and_skipped() {
    let name = "stdin::a_line_that_is_not_utf_8_is_an_error_and_skipped";
    alone(name, || {
        from_pipe().write_all(b"\xff\xfe\nplain\n").unwrap();
        let mut line = String::new();
        let error = io::stdin().read_line(&mut line).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(line, "");
        io::stdin().read_line(&mut line).unwrap();
        assert_eq!(line, "plain\n");
    });
}

#[test]
#[apply(once)]
fn bytes_between_lines_are_shared_by_all_ways_to_read() {
    let name = "stdin::bytes_between_lines_are_shared_by_all_ways_to_read";
    alone(name, || {
        from_pipe().write_all(b"line\nabcdef;rest").unwrap();
        let mut line = String::new();
        io::stdin().read_line(&mut line).unwrap();
        let mut three = [0; 3];
        io::stdin().read_exact(&mut three).unwrap();
        assert_eq!(&three, b"abc");
        let mut lock = io::stdin().lock();
        let mut part = Vec::new();
        assert_eq!(lock.read_until(b';', &mut part).unwrap(), 4);
        assert_eq!(part, b"def;");
        assert_eq!(lock.fill_buf().unwrap(), b"rest");
        lock.consume(2);
        drop(lock);
        let mut rest = String::new();
        io::stdin().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "st");
    });
}
