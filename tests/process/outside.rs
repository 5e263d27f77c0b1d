//! A child is outside: silence while it runs is no deadlock, and virtual time stands.

use std::time::Duration;

use greenthread::process::Stdio;
use greenthread::{Runtime, sleep, spawn};

use crate::shell;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
#[apply(once)]
fn virtual_time_stands_while_a_child_is_waited_for() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let sleeper = spawn(|| sleep(HOUR));
        assert_eq!(shell("exit 5").status().unwrap().code(), Some(5));
        let mut cat = shell("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(cat.communicate("said").unwrap().stdout, b"said");
        assert!(!sleeper.is_finished());
        sleeper.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn l8_waiting_for_a_child_is_no_deadlock() {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    let mut slow = shell("sleep 0.1; exit 6");
    let status = runtime.run(|| slow.status().unwrap());
    assert_eq!(status.code(), Some(6));
}
