//! Children whose handle is gone.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use greenthread::process::{Child, Command, Stdio};
use greenthread::{scope, sleep, spawn, timeout};

use crate::support::child;
use crate::{endless, exists, shell, until_gone};

#[test]
#[apply(once)]
fn a_dropped_child_runs_on() {
    let mut command = shell("read -r line; echo $line");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(false).spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    drop(child);
    std::io::Write::write_all(&mut stdin.unwrap(), b"still here\n").unwrap();
    let mut line = String::new();
    BufReader::new(stdout.unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "still here\n");
}

#[test]
#[apply(once)]
fn a_dropped_child_is_no_zombie_after_its_end() {
    let mut command = shell("read -r line");
    let child = command.stdin(Stdio::piped()).kill_on_drop(false).spawn();
    let mut child = child.unwrap();
    let (id, stdin) = (child.id(), child.stdin.take());
    drop(child);
    sleep(Duration::from_millis(5));
    assert!(exists(id));
    drop(stdin);
    until_gone(id);
}

#[test]
#[apply(once)]
fn one_that_has_ended_is_reaped_by_the_drop() {
    let mut child = shell("echo").stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let stdout = child.stdout.take().unwrap();
    assert_eq!(BufReader::new(stdout).lines().count(), 1);
    drop(child);
    until_gone(id);
}

#[test]
#[apply(once)]
fn kill_on_drop_kills_and_reaps() {
    let mut child = endless();
    let id = child.id();
    child.kill_on_drop(false);
    child.kill_on_drop(true);
    drop(child);
    until_gone(id);
}

#[test]
#[apply(once)]
fn a_cancelled_status_kills_if_asked_to() {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("greenthread-{}-cancelled", std::process::id()));
    let code = format!(
        "echo $$ > {}.new; mv {0}.new {0}; exec sleep 100000",
        file.display()
    );
    let child = spawn(move || shell(&code).status());
    let id = loop {
        match std::fs::read_to_string(&file) {
            Ok(text) => break text.trim().parse().unwrap(),
            Err(_) => sleep(Duration::from_millis(1)),
        }
    };
    std::fs::remove_file(&file).unwrap();
    child.cancel();
    assert!(child.join().unwrap_err().is_cancelled());
    until_gone(id);
}

#[test]
#[apply(once)]
fn many_orphans_are_all_reaped() {
    let ids: Vec<u32> = (0..50).map(|_| endless().id()).collect();
    ids.into_iter().for_each(until_gone);
}

#[test]
#[apply(once)]
fn a_child_may_be_dropped_at_the_end_of_an_os_thread() {
    thread_local! { static KEPT: RefCell<Option<Child>> = const { RefCell::new(None) }; }
    let id = thread::spawn(|| {
        let child = endless();
        assert!(timeout(Duration::ZERO, || child.wait()).is_err());
        let id = child.id();
        KEPT.set(Some(child));
        id
    });
    until_gone(id.join().unwrap());
}

#[test]
#[apply(once)]
fn the_reaper_goes_when_nobody_is_left() {
    let test = "drops::the_reaper_goes_when_nobody_is_left";
    let ended = child::run(test, || {
        let reapers = || {
            let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
            let names = tasks
                .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
            names
                .filter(|name| name.starts_with("greenthread-rea"))
                .count()
        };
        for _ in 0..3 {
            drop([endless(), endless()]);
            while reapers() > 0 {
                sleep(Duration::from_millis(1));
            }
        }
    });
    assert!(ended.succeeded(), "{ended:?}");
}

#[test]
#[apply(once)]
fn children_leave_no_descriptor_behind() {
    let ended = child::run("drops::children_leave_no_descriptor_behind", || {
        let count = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let round = || {
            scope(|s| {
                for _ in 0..10 {
                    s.spawn(|| Command::new("true").output().unwrap());
                    s.spawn(|| shell("true").stdin(Stdio::piped()).status().unwrap());
                }
            });
        };
        round();
        let before = count();
        round();
        assert_eq!(count(), before);
    });
    assert!(ended.succeeded(), "{ended:?}");
}
