//! The pipes to a child.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;
use std::time::Duration;

use greenthread::process::{Command, Stdio};
use greenthread::{sleep, spawn, timeout, yield_now};

use crate::{LONG, endless, shell};

/// More than any pipe holds.
const MUCH: usize = 4 * 1024 * 1024;

/// Bytes that differ from their neighbours.
fn much() -> Vec<u8> {
    (0..MUCH).map(|n| (n % 251) as u8).collect()
}

#[test]
#[apply(once)]
fn much_goes_through_all_three_pipes_at_once() {
    let mut command = shell("tee /dev/stderr");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let input = much();
    let output = child.communicate(&input).unwrap();
    assert!(output.status.success());
    assert!(output.stdout == input, "{} bytes", output.stdout.len());
    assert!(output.stderr == input, "{} bytes", output.stderr.len());
}

#[test]
#[apply(once)]
fn a_child_that_does_not_read_its_input_is_no_error() {
    let mut command = shell("exec <&-; echo done");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let output = child.unwrap().communicate(much()).unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(output.status.success());
}

#[test]
#[apply(once)]
fn what_is_not_piped_is_left_out() {
    let mut command = shell("echo said; exit 2");
    let output = command.stdout(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"said\n"[..], &b""[..])
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
#[apply(once)]
fn output_collects_both_streams_and_gives_no_input() {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "cat; echo out; echo err >&2"]);
    let output = command.output().unwrap();
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"out\n"[..], &b"err\n"[..])
    );
    command.stderr(Stdio::null());
    assert_eq!(command.output().unwrap().stderr, b"");
}

#[test]
#[apply(once)]
fn a_child_that_closes_its_pipes_lives_on() {
    let mut command = shell("exec >&- 2>&-; exec sleep 100000");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut said).unwrap();
    assert_eq!(said, b"", "both ended");
    let limit = Duration::from_millis(20);
    assert_eq!(child.wait_timeout(limit).unwrap(), None);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
}

#[test]
#[apply(once)]
fn questions_and_answers_go_back_and_forth() {
    let mut command = shell("while read -r n; do echo $((n * n)); done");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 0..50 {
        writeln!(stdin, "{n}").unwrap();
        let answer = answers.next().unwrap().unwrap();
        assert_eq!(answer, (n * n).to_string());
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
#[apply(once)]
fn a_cancelled_communicate_leaves_the_child_running() {
    let mut command = shell("exec sleep 100000");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let limit = Duration::from_millis(20);
    assert!(timeout(limit, || child.communicate(much())).is_err());
    assert_eq!(child.try_wait().unwrap(), None);
    assert!(child.stdin.is_none() && child.stdout.is_none());
    child.kill().unwrap();
    let output = child.communicate("nothing is piped").unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGKILL));
}

#[test]
#[apply(once)]
fn l16_a_cancelled_read_of_a_pipe_loses_nothing() {
    let mut command = shell("read -r go; echo $go");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let stdout = Rc::new(child.stdout.take().unwrap());
    let own = Rc::clone(&stdout);
    let reading = spawn(move || (&*own).read(&mut [0; 16]));
    yield_now();
    reading.cancel();
    assert!(reading.join().unwrap_err().is_cancelled());
    child.stdin.as_ref().unwrap().write_all(b"whole\n").unwrap();
    let mut said = String::new();
    (&*stdout).read_to_string(&mut said).unwrap();
    assert_eq!(said, "whole\n");
}

#[test]
#[apply(once)]
fn l17_a_closed_pipe_wakes_whoever_is_parked_on_it() {
    let mut command = shell("exec sleep 100000");
    let child = command.stdout(Stdio::piped()).stdin(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let stdout = Rc::new(child.stdout.take().unwrap());
    let stdin = Rc::new(child.stdin.take().unwrap());
    let (reads, writes) = (Rc::clone(&stdout), Rc::clone(&stdin));
    let reading = spawn(move || (&*reads).read(&mut [0; 16]).map(drop));
    let writing = spawn(move || (&*writes).write_all(&much()));
    sleep(Duration::from_millis(10));
    stdout.close();
    stdin.close();
    for parked in [reading, writing] {
        let ended = parked.join_timeout(LONG).expect("still parked").unwrap();
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::NotConnected);
    }
    assert_eq!(format!("{stdout:?}"), "ChildStdout(closed)");
    let again = (&*stdout).read(&mut [0; 16]);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::NotConnected);
}

#[test]
#[apply(once)]
fn writing_to_a_child_that_has_gone_is_a_broken_pipe() {
    let mut child = shell("true").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    child.wait().unwrap();
    let written = stdin.write(b"too late");
    assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
#[apply(once)]
fn children_are_joined_by_a_pipe() {
    let mut first = shell("seq 1 100000")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut second = shell("tail -n 1");
    second.stdin(first.stdout.take().unwrap());
    assert_eq!(second.output().unwrap().stdout, b"100000\n");
    drop(second); // it holds the pipe
    assert!(first.wait().unwrap().success());
}

#[test]
#[apply(once)]
fn a_pipe_goes_to_std_and_comes_back() {
    let mut child = shell("echo one; echo two")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let std = child.stdout.take().unwrap().into_std().unwrap();
    let mut std = BufReader::with_capacity(4, std);
    let mut line = String::new();
    std.read_line(&mut line).unwrap(); // blocks
    assert_eq!((&*line, std.buffer()), ("one\n", &b""[..]));
    let ours = greenthread::process::ChildStdout::from_std(std.into_inner());
    let mut ours = ours.unwrap();
    let _lent = ours.as_fd();
    assert!(format!("{ours:?}").starts_with("ChildStdout("));
    let mut rest = String::new();
    ours.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "two\n");
    drop(endless());
}
