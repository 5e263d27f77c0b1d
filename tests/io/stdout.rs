//! The standard output and error: full pipes, files, terminals, and what cannot be written to.

use std::fs::File;

use greenthread::io::{self, BufWriter, ErrorKind, Read, Write};
use greenthread::{park, scope, spawn, yield_now};

use crate::descriptors::{blocks, close, pipes_are_written_at_once, replace, terminal};
use crate::stdin::alone;

/// Makes the standard output a pipe that this process reads.
fn to_pipe() -> std::io::PipeReader {
    let (reader, writer) = std::io::pipe().unwrap();
    replace(1, writer);
    reader
}

#[test]
#[apply(once)]
fn a_full_pipe_parks_one_green_thread_only_and_stays_as_it_is() {
    let name = "stdout::a_full_pipe_parks_one_green_thread_only_and_stays_as_it_is";
    alone(name, || {
        let mut reader = to_pipe();
        let writing = spawn(|| io::stdout().write_all(&[b'.'; 1 << 20]));
        yield_now();
        assert!(!writing.is_finished() && blocks(1));
        let reading = std::thread::spawn(move || {
            let mut received = vec![0; 1 << 20];
            reader.read_exact(&mut received).map(|()| received)
        });
        writing.join().unwrap().unwrap();
        assert!(reading.join().unwrap().unwrap() == [b'.'; 1 << 20]);
        assert!(blocks(1));
    });
}

#[test]
#[apply(once)]
fn a_pipe_whose_reader_has_gone_is_an_error() {
    alone("stdout::a_pipe_whose_reader_has_gone_is_an_error", || {
        drop(to_pipe());
        let error = writeln!(io::stdout(), "to nobody").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
#[apply(once)]
fn a_full_disk_is_an_error() {
    alone("stdout::a_full_disk_is_an_error", || {
        let full = File::options().write(true).open("/dev/full").unwrap();
        replace(1, &full);
        let error = io::stdout().write_all(b"too much").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    });
}

#[test]
#[apply(once)]
fn one_that_is_closed_swallows_everything() {
    alone("stdout::one_that_is_closed_swallows_everything", || {
        close(1);
        io::stdout().write_all(b"into nothing").unwrap();
        writeln!(io::stdout(), "{}", 1).unwrap();
    });
}

#[test]
#[apply(once)]
fn a_file_gets_everything_in_order_without_a_flush() {
    let name = "stdout::a_file_gets_everything_in_order_without_a_flush";
    alone(name, || {
        let file = greenthread::fs::TempFile::new().unwrap();
        replace(1, file.file());
        for n in 1..=3 {
            writeln!(io::stdout(), "line {n}").unwrap();
        }
        let written = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(written, "line 1\nline 2\nline 3\n");
    });
}

#[test]
#[apply(once)]
fn a_terminal_gets_everything() {
    alone("stdout::a_terminal_gets_everything", || {
        let (mut screen, far) = terminal();
        replace(1, far);
        assert!(io::stdout().is_terminal());
        let words = ["two", "words"];
        writeln!(io::stdout(), "{} {}", words[0], words[1]).unwrap();
        let mut shown = [0; 11];
        screen.read_exact(&mut shown).unwrap();
        assert_eq!(&shown, b"two words\r\n");
        assert!(blocks(1));
    });
}

#[test]
#[apply(once)]
fn what_one_writeln_writes_comes_out_in_one_piece() {
    alone(
        "stdout::what_one_writeln_writes_comes_out_in_one_piece",
        || {
            let reader = to_pipe();
            let long = "x".repeat(3000);
            let reading = std::thread::spawn(move || io::read_to_string(reader).unwrap());
            scope(|s| {
                for n in 0..50 {
                    let long = &long;
                    s.spawn(move || writeln!(io::stdout(), "{n}{long}{n}").unwrap());
                }
            });
            close(1);
            let said = reading.join().unwrap();
            let mut lines: Vec<&str> = said.lines().collect();
            assert_eq!(lines.len(), 50);
            lines.sort_unstable();
            let mut expected: Vec<String> = (0..50).map(|n| format!("{n}{long}{n}")).collect();
            expected.sort_unstable();
            assert!(lines == expected);
        },
    );
}

#[test]
#[apply(once)]
fn a_lock_keeps_others_out_and_lets_its_owner_in() {
    alone(
        "stdout::a_lock_keeps_others_out_and_lets_its_owner_in",
        || {
            let mut reader = to_pipe();
            let mut lock = io::stdout().lock();
            let other = spawn(|| writeln!(io::stdout(), "other").unwrap());
            lock.write_all(b"one ").unwrap();
            yield_now();
            writeln!(io::stdout(), "two").unwrap();
            drop(lock);
            other.join().unwrap();
            let mut said = [0; 14];
            reader.read_exact(&mut said).unwrap();
            assert_eq!(&said, b"one two\nother\n");
        },
    );
}

#[test]
#[apply(once)]
fn l10_a_buf_writer_that_a_cancellation_drops_writes_what_needs_no_wait() {
    let name = "stdout::l10_a_buf_writer_that_a_cancellation_drops_writes_what_needs_no_wait";
    alone(name, || {
        let mut reader = to_pipe();
        let dying = spawn(|| {
            let mut buffered = BufWriter::new(io::stdout());
            buffered.write_all(b"last words").unwrap();
            park();
        });
        yield_now();
        dying.cancel();
        assert!(dying.join().unwrap_err().is_cancelled());
        replace(1, std::fs::File::open("/dev/null").unwrap());
        let mut heard = String::new();
        reader.read_to_string(&mut heard).unwrap();
        // Elsewhere a write waits for the pool, and fails at once.
        assert_eq!(heard.contains("last words"), pipes_are_written_at_once());
    });
}

#[test]
#[apply(once)]
fn the_error_output_is_the_other_one() {
    alone("stdout::the_error_output_is_the_other_one", || {
        let (mut reader, writer) = std::io::pipe().unwrap();
        replace(2, writer);
        writeln!(io::stderr(), "a complaint").unwrap();
        close(2);
        let mut heard = String::new();
        reader.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "a complaint\n");
    });
}
