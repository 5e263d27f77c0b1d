//! What works in the child after a `fork`: the OS thread that forked goes on with its green threads; the others, and theirs, are only in the parent.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "forks")]

use std::hint::black_box;
use std::rc::Rc;

use greenthread::generator::Generator;
use greenthread::sync::Event;
use greenthread::{Builder, spawn, yield_now};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::child;

/// Forks, plays `part` in the child, and hands back the status with which it ended.
fn in_fork(part: impl FnOnce()) -> libc::c_int {
    // SAFETY: the process has one OS thread that matters here, the test's own; the child ends below.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        part();
        // SAFETY: ends the child without what belongs to the parent.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    status
}

#[expect(unconditional_recursion, reason = "overflows on purpose")]
#[inline(never)]
fn recurse_for_ever(depth: usize) -> usize {
    let frame = black_box([depth; 128]);
    recurse_for_ever(depth + 1) + black_box(frame)[depth % 128]
}

#[test]
#[apply(once)]
fn after_a_fork_parked_green_threads_go_on_in_both_processes() {
    let ended = child::run(
        "after_a_fork_parked_green_threads_go_on_in_both_processes",
        || {
            let go = Rc::new(Event::new());
            let wait = go.clone();
            let parked = spawn(move || {
                wait.wait();
                7
            });
            yield_now();
            let numbers: Generator<(), u8, ()> = Generator::new(|y| y.yield_all(1..=3));
            assert_eq!(numbers.start().yielded(), Some(1));
            let finish = || {
                go.set();
                assert_eq!(parked.join().unwrap(), 7);
                assert_eq!(numbers.send(()).yielded(), Some(2));
                let more: Vec<_> = (0..100).map(|i| spawn(move || i)).collect();
                let sum: i32 = more.into_iter().map(|one| one.join().unwrap()).sum();
                assert_eq!(sum, 4950);
            };
            // SAFETY: as in `in_fork`.
            let child = unsafe { libc::fork() };
            finish();
            if child == 0 {
                // SAFETY: ends the child.
                unsafe { libc::_exit(0) };
            }
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0);
        },
    );
    assert!(ended.succeeded(), "{}", ended.stderr());
}

#[test]
#[apply(once)]
fn l2_after_a_fork_the_guards_still_stand() {
    let ended = child::run("l2_after_a_fork_the_guards_still_stand", || {
        let deep = Builder::new().name("forked".into());
        let deep = deep.spawn(|| recurse_for_ever(0)).unwrap();
        let status = in_fork(|| drop(deep.join()));
        assert_eq!(libc::WTERMSIG(status), libc::SIGABRT);
    });
    assert!(ended.succeeded(), "{ended:?}");
    assert!(
        ended
            .stderr()
            .contains("(\"forked\") has overflowed its stack")
    );
}
