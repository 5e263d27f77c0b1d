//! A dump on a signal.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use greenthread::{Builder, Runtime, park};

/// Says to a child process that it is one.
const CHILD: &str = "GREENTHREAD_DUMP_CHILD";

#[test]
#[apply(once)]
fn a_signal_brings_a_dump_to_stderr() {
    if std::env::var_os(CHILD).is_some() {
        let runtime = Runtime::builder()
            .dump_on_signal(libc::SIGUSR1)
            .build()
            .unwrap();
        runtime.run(|| {
            let _mute = Builder::new().name("mute one".into()).spawn(park).unwrap();
            eprintln!("ready");
            park();
        });
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "signal::a_signal_brings_a_dump_to_stderr",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut until = |part: &str| lines.by_ref().find(|line| line.contains(part)).is_some();
    assert!(until("ready"));
    for _ in 0..2 {
        let sent = Command::new("kill")
            .args(["-USR1", &child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        assert!(until("\"mute one\" [park"));
        assert!(until("spawned at"));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[apply(once)]
fn a_signal_that_cannot_be_handled_is_refused_by_name() {
    let error = Runtime::builder()
        .dump_on_signal(libc::SIGKILL)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("dump_on_signal(9)"), "{error}");
}
