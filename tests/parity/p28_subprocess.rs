//! Running child processes: feeding stdin, reading both outputs, exit codes, and killing a child that sleeps.
//!
//! In real time: a virtual clock stands while a child is waited for. The children are small programs of the shell.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use greenthread::process::{Child, Command, ExitStatus, Stdio};
use greenthread::run;

use crate::Log;
use crate::log::say;

fn shell(code: &str, streams: [fn() -> Stdio; 3]) -> Child {
    let [stdin, stdout, stderr] = streams.map(|stream| stream());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", code]);
    shell.stdin(stdin).stdout(stdout).stderr(stderr);
    shell.spawn().unwrap()
}

/// A number as in Python: a signal is a negative one.
fn returncode(status: ExitStatus) -> i32 {
    let signal = || -status.signal().expect("no code is a signal");
    status.code().unwrap_or_else(signal)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap().trim()
}

fn line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn main(log: &Log) {
    let code = "tr a-z A-Z; echo; echo warned >&2; exit 3";
    let mut child = shell(code, [Stdio::piped; 3]);
    let running = child.try_wait().unwrap().map(returncode);
    let running = running.map_or("none yet".into(), |code| code.to_string());
    say!(log, "exit code while running: {running}");
    let said = child.communicate("some words").unwrap();
    say!(log, "stdout: {}", text(&said.stdout));
    say!(log, "stderr: {}", text(&said.stderr));
    say!(log, "exit code: {}", returncode(said.status));

    let code = r#"while read -r n && [ "$n" != stop ]; do echo $((n * 2)); done"#;
    let mut child = shell(code, [Stdio::piped, Stdio::piped, Stdio::inherit]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for n in [4, 21] {
        writeln!(stdin, "{n}").unwrap();
        say!(log, "asked {n}, answer {}", line(&mut stdout));
    }
    stdin.write_all(b"stop\n").unwrap();
    let code = returncode(child.wait().unwrap());
    let mut rest = Vec::new();
    let unread = stdout.read_to_end(&mut rest).unwrap();
    say!(log, "exit code: {code} unread bytes: {unread}");

    let code = "echo asleep; exec sleep 60";
    let mut child = shell(code, [Stdio::inherit, Stdio::piped, Stdio::inherit]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    say!(log, "child says {}", line(&mut stdout));
    if child
        .wait_timeout(Duration::from_millis(40))
        .unwrap()
        .is_none()
    {
        let gone = child.try_wait().unwrap().is_some();
        let state = if gone { "gone" } else { "running" };
        say!(log, "timed out, child is {state}");
    }
    child.kill().unwrap();
    let code = returncode(child.wait().unwrap());
    say!(log, "exit code after kill: {code}");
}

#[test]
#[apply(once)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/28_subprocess.out"));
}
