//! Waiting for a child to end.

use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use greenthread::process::Stdio;
use greenthread::{race, sleep, spawn, timeout, yield_now};

use crate::{LONG, endless, shell};

/// Passes for sure, and soon.
const SHORT: Duration = Duration::from_millis(20);

#[test]
#[apply(once)]
fn a_child_tells_how_it_ended() {
    let status = shell("exit 7").status().unwrap();
    assert_eq!(status.code(), Some(7));
    let status = shell("kill -TERM $$").status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGTERM));
    assert!(shell("true").status().unwrap().success());
}

#[test]
#[apply(once)]
fn waiting_holds_up_nobody_else() {
    let child = shell("read -r line").stdin(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let stdin = child.stdin.take();
    let waiting = spawn(move || child.wait().unwrap());
    sleep(SHORT);
    assert!(!waiting.is_finished());
    drop(stdin);
    assert_eq!(waiting.join().unwrap().code(), Some(1));
}

#[test]
#[apply(once)]
fn waiting_again_gives_the_same_at_once() {
    let child = shell("exit 3").spawn().unwrap();
    let first = child.wait().unwrap();
    assert_eq!(child.wait().unwrap(), first);
    assert_eq!(child.try_wait().unwrap(), Some(first));
    assert_eq!(child.wait_timeout(Duration::ZERO).unwrap(), Some(first));
}

#[test]
#[apply(once)]
fn a_child_that_never_exits_is_waited_for_no_longer_than_said() {
    let child = endless();
    assert_eq!(child.try_wait().unwrap(), None);
    assert_eq!(child.wait_timeout(Duration::ZERO).unwrap(), None);
    assert_eq!(child.wait_timeout(SHORT).unwrap(), None);
    assert!(timeout(SHORT, || child.wait()).is_err());
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
}

#[test]
#[apply(once)]
fn killing_one_that_has_ended_does_nothing() {
    let child = shell("exit 4").spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
#[apply(once)]
fn several_wait_for_one_child_that_another_kills() {
    let child = Rc::new(endless());
    let waiting = [(); 5].map(|()| {
        let child = Rc::clone(&child);
        spawn(move || child.wait().unwrap().signal())
    });
    yield_now();
    child.kill().unwrap();
    for one in waiting {
        let signal = one.join_timeout(LONG).expect("still waits").unwrap();
        assert_eq!(signal, Some(libc::SIGKILL));
    }
}

#[test]
#[apply(once)]
fn os_threads_wait_for_one_child() {
    let child = Arc::new(endless());
    let waiting = [(); 3].map(|()| {
        let child = Arc::clone(&child);
        thread::spawn(move || child.wait().unwrap().signal())
    });
    sleep(SHORT);
    child.kill().unwrap();
    for one in waiting {
        assert_eq!(one.join().unwrap(), Some(libc::SIGKILL));
    }
}

#[test]
#[apply(once)]
fn a_cancelled_wait_leaves_the_child_running() {
    let child = Rc::new(endless());
    let own = Rc::clone(&child);
    let waiting = spawn(move || own.wait().map(drop));
    yield_now();
    assert!(waiting.cancel());
    assert!(waiting.join().unwrap_err().is_cancelled());
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
}

#[test]
#[apply(once)]
fn the_first_of_two_children_is_waited_for() {
    let (quick, slow) = (shell("exit 1").spawn().unwrap(), endless());
    let first = race([&quick, &slow].map(|child| || child.wait().unwrap().code()));
    assert_eq!(first, Some(1));
    assert_eq!(slow.try_wait().unwrap(), None);
}

#[test]
#[apply(once)]
fn waiting_closes_the_input() {
    let child = shell("cat").stdin(Stdio::piped()).spawn().unwrap();
    assert!(child.wait().unwrap().success());
    let child = shell("cat").stdin(Stdio::piped()).spawn().unwrap();
    assert!(child.wait_timeout(LONG).unwrap().unwrap().success());
}

#[test]
#[apply(once)]
fn the_settings_of_a_command_reach_the_child() {
    let mut command = shell(r#"printf '%s %s %s' "$PWD" "$WORD" "${HOME-no home}""#);
    command
        .current_dir("/")
        .env("WORD", "said")
        .env_remove("HOME");
    assert_eq!(command.output().unwrap().stdout, b"/ said no home");
    assert_eq!(command.get_program(), "/bin/sh");
    assert_eq!(command.get_args().next().unwrap(), "-c");
    assert_eq!(command.get_envs().count(), 2);
    assert_eq!(command.get_current_dir().unwrap().as_os_str(), "/");
    command.env_clear().envs([("WORD", "again")]).arg("0");
    let output = command.output().unwrap();
    assert_eq!(
        output.stdout, b"/ again no home",
        "a command starts any number of children"
    );
}

#[test]
#[apply(once)]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn sigchld_tells_where_the_kernel_refuses_a_pidfd() {
    use crate::support::child;
    let test = "waits::sigchld_tells_where_the_kernel_refuses_a_pidfd";
    let ended = child::run(test, || {
        child::refuse(libc::SYS_pidfd_open, 0, 0, libc::ENOSYS);
        let children: Vec<_> = (0..20).map(|_| Rc::new(endless())).collect();
        let waiting: Vec<_> = children
            .iter()
            .map(|child| {
                let child = Rc::clone(child);
                spawn(move || child.wait().unwrap().signal())
            })
            .collect();
        assert_eq!(children[0].wait_timeout(SHORT).unwrap(), None);
        children.iter().for_each(|child| child.kill().unwrap());
        for one in waiting {
            let signal = one.join_timeout(LONG).expect("still waits").unwrap();
            assert_eq!(signal, Some(libc::SIGKILL));
        }
        assert_eq!(shell("exit 9").status().unwrap().code(), Some(9));
        let id = endless().id();
        crate::until_gone(id);
    });
    assert!(ended.succeeded(), "{ended:?}");
}
