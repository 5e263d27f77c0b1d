//! The standard input as a file, a socket, a device and a terminal.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::net::UnixStream;

use greenthread::fs::TempFile;
use greenthread::io::{self, Read, Write};
use greenthread::{Runtime, spawn, spawn_blocking, yield_now};

use crate::descriptors::{blocks, replace, terminal};
use crate::stdin::alone;

fn line() -> String {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    line
}

#[test]
#[apply(once)]
fn a_file_is_read_to_its_end() {
    alone("stdin_kinds::a_file_is_read_to_its_end", || {
        let file = TempFile::new().unwrap();
        std::fs::write(file.path(), "one\ntwo\nthree").unwrap();
        replace(0, file.file());
        assert_eq!(
            (line(), line(), line()),
            ("one\n".into(), "two\n".into(), "three".into())
        );
        assert_eq!(line(), "");
    });
}

#[test]
#[apply(once)]
fn a_file_is_read_from_where_it_stands_and_moves_on_for_those_who_share_it() {
    let name =
        "stdin_kinds::a_file_is_read_from_where_it_stands_and_moves_on_for_those_who_share_it";
    alone(name, || {
        let kept = TempFile::new().unwrap();
        std::fs::write(kept.path(), "skipped, read, left").unwrap();
        let mut file = File::open(kept.path()).unwrap();
        file.seek(SeekFrom::Start(9)).unwrap();
        replace(0, &file);
        let mut word = [0; 4];
        io::stdin().read_exact(&mut word).unwrap();
        assert_eq!(&word, b"read");
        let mut left = String::new();
        file.read_to_string(&mut left).unwrap();
        assert_eq!(left, ", left");
    });
}

#[test]
#[apply(once)]
fn a_socket_parks_one_green_thread_only_and_stays_as_it_is() {
    let name = "stdin_kinds::a_socket_parks_one_green_thread_only_and_stays_as_it_is";
    alone(name, || {
        let (near, mut far) = UnixStream::pair().unwrap();
        replace(0, near);
        let reader = spawn(line);
        yield_now();
        assert!(!reader.is_finished() && blocks(0));
        far.write_all(b"through a socket\n").unwrap();
        assert_eq!(reader.join().unwrap(), "through a socket\n");
    });
}

#[test]
#[apply(once)]
fn nothing_is_at_its_end_and_zeros_never_are() {
    alone(
        "stdin_kinds::nothing_is_at_its_end_and_zeros_never_are",
        || {
            replace(0, File::open("/dev/null").unwrap());
            assert_eq!(io::stdin().read(&mut [1; 4]).unwrap(), 0);
            replace(0, File::open("/dev/zero").unwrap());
            let mut four = [1; 4];
            assert_eq!(io::stdin().read(&mut four).unwrap(), 4);
            assert_eq!(four, [0; 4]);
        },
    );
}

#[test]
#[apply(once)]
fn a_terminal_gives_lines_and_parks_one_green_thread_only() {
    let name = "stdin_kinds::a_terminal_gives_lines_and_parks_one_green_thread_only";
    alone(name, || {
        let (mut keyboard, far) = terminal();
        replace(0, far);
        assert!(io::stdin().is_terminal());
        let reader = spawn(line);
        yield_now();
        keyboard.write_all(b"ha").unwrap();
        yield_now();
        assert!(!reader.is_finished() && blocks(0));
        keyboard.write_all(b"lf\nwhole\n").unwrap();
        assert_eq!(reader.join().unwrap(), "half\n");
        assert_eq!(line(), "whole\n");
        keyboard.write_all(b"\x04").unwrap();
        assert_eq!(line(), "", "control-D is an end");
        keyboard.write_all(b"after\n").unwrap();
        assert_eq!(line(), "after\n");
    });
}

#[test]
#[apply(once)]
fn l16_a_line_that_the_pool_reads_for_a_cancelled_reader_is_for_the_next() {
    let name = "stdin_kinds::l16_a_line_that_the_pool_reads_for_a_cancelled_reader_is_for_the_next";
    alone(name, || {
        let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
        runtime.run(|| {
            let (mut keyboard, far) = terminal();
            replace(0, far);
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let busy = spawn_blocking(move || wait.recv().unwrap_err());
            keyboard.write_all(b"typed\n").unwrap();
            let reader = spawn(line);
            // Ready at once, so it has handed the read to the pool, where it waits for its turn.
            yield_now();
            reader.cancel();
            assert!(reader.join().unwrap_err().is_cancelled());
            drop(go);
            busy.join().unwrap();
            assert_eq!(line(), "typed\n");
        });
    });
}
