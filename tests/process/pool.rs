//! Functions called in other processes, which are this test program with the test [`entry`].

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use greenthread::process::{CallError, Channel, Functions, Pool, Stdio};
use greenthread::{JoinHandle, Runtime, gather, sleep, spawn, yield_now};

use crate::support::{child, panic_text};
use crate::{LONG, pool_values, until_gone};

/// What can be called.
fn functions() -> Functions {
    pool_values::add(Functions::new())
        .with(double)
        .with(id)
        .with(abort)
        .with(exit)
        .with(panic)
        .with(never)
        .with(input_and_output)
        .with(leave_behind)
        .with(through_another_pool)
        .with(fork)
        .with(answer_twice)
        .with(crate::channel::square)
        .with(crate::channel::count)
        .with(crate::channel::hang_up)
        .with(crate::channel::answer_through)
}

/// In a process of a pool it serves; in the test program it registers.
#[test]
#[apply(once)]
fn entry() {
    functions().serve_if_child();
}

/// A pool whose processes run [`entry`] alone.
pub(crate) fn pool(most: usize) -> Pool {
    functions().serve_if_child();
    Pool::new(most).prepare(|command| {
        command.args(["pool::entry", "--exact", "--nocapture", "--test-threads=1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
    })
}

/// What a call gave.
#[track_caller]
pub(crate) fn result<R>(call: JoinHandle<Result<R, CallError>>) -> Result<R, CallError> {
    let call = call.join_timeout(LONG).expect("the call hangs");
    call.unwrap()
}

fn double(n: u64) -> u64 {
    2 * n
}

fn id((): ()) -> u32 {
    std::process::id()
}

fn abort((): ()) {
    std::process::abort();
}

fn exit(code: i32) {
    std::process::exit(code);
}

fn panic(word: String) {
    panic!("the word is {word}");
}

/// Tells its process's id, and does not return.
fn never(tell: Channel<u32>) {
    tell.send(&std::process::id()).unwrap();
    drop(tell);
    loop {
        std::thread::park();
    }
}

fn input_and_output((): ()) -> usize {
    print!("a line of its own");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap()
}

fn leave_behind((): ()) -> bool {
    spawn(|| sleep(1000 * LONG)).is_finished()
}

/// Comes back in two processes.
#[expect(unsafe_code, reason = "forks")]
fn fork(n: u64) -> u64 {
    // SAFETY: the child goes back to what served, and ends.
    match unsafe { libc::fork() } {
        -1 => panic!("no fork"),
        0 => n + 100,
        child => {
            // SAFETY: no status is asked for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            n
        }
    }
}

/// Sends an answer of its own before the true one, to whatever may be the link.
#[expect(unsafe_code, reason = "writes to a descriptor that is another's")]
fn answer_twice(n: u64) -> u64 {
    let answer = [1_u8, 1, 0, 0, 0, 1, 0, 0, 0, 7];
    for descriptor in 3..64 {
        // SAFETY: reads an array; with a length of nought for what is no socket, which has an error.
        unsafe { libc::send(descriptor, answer.as_ptr().cast(), answer.len(), 0) };
    }
    n
}

fn through_another_pool(n: u64) -> u64 {
    result(pool(1).spawn(double, n)).unwrap()
}

/// A call that does not return, and the id of its process.
fn begin_endless(pool: &Pool) -> (JoinHandle<Result<(), CallError>>, u32) {
    let (ours, theirs) = Channel::pair().unwrap();
    let call = pool.spawn(never, theirs);
    let id = ours.recv().unwrap();
    (call, id)
}

#[test]
#[apply(once)]
fn a_function_runs_in_another_process() {
    let pool = pool(2);
    assert_eq!(result(pool.spawn(double, 21)).unwrap(), 42);
    let other = result(pool.spawn(id, ())).unwrap();
    assert_ne!(other, std::process::id());
    assert_eq!(
        result(pool.spawn(id, ())).unwrap(),
        other,
        "it is used again"
    );
}

#[test]
#[apply(once)]
fn more_calls_than_processes_take_turns() {
    let pool = pool(3);
    let calls: Vec<_> = (0..60).map(|n| pool.spawn(double, n)).collect();
    let ids: Vec<_> = (0..60).map(|_| pool.spawn(id, ())).collect();
    let doubled = gather(calls).into_iter().map(|call| call.unwrap().unwrap());
    assert!(doubled.eq((0..60).map(|n| 2 * n)));
    let ids = gather(ids).into_iter().map(|call| call.unwrap().unwrap());
    let ids: BTreeSet<u32> = ids.collect();
    assert!((1..=3).contains(&ids.len()), "{ids:?}");
}

#[test]
#[apply(once)]
fn a_crash_is_an_error_of_that_call_alone() {
    let pool = pool(2);
    let calls: Vec<_> = (0..10).map(|n| pool.spawn(double, n)).collect();
    let crash = pool.spawn(abort, ());
    let later: Vec<_> = (0..10).map(|n| pool.spawn(double, n)).collect();
    let error = result(crash).unwrap_err();
    assert!(
        matches!(&error, CallError::Crashed { function, status }
        if function.ends_with("abort") && status.signal() == Some(libc::SIGABRT)),
        "{error}"
    );
    for call in calls.into_iter().chain(later) {
        result(call).unwrap();
    }
}

#[test]
#[apply(once)]
fn a_crashed_process_is_replaced() {
    let pool = pool(1);
    for code in [0, 3] {
        let before = result(pool.spawn(id, ())).unwrap();
        match result(pool.spawn(exit, code)) {
            Err(CallError::Crashed { status, .. }) => assert_eq!(status.code(), Some(code)),
            other => panic!("{other:?}"),
        }
        assert_ne!(result(pool.spawn(id, ())).unwrap(), before);
        until_gone(before);
    }
}

#[test]
#[apply(once)]
fn an_idle_process_that_was_killed_is_replaced() {
    let pool = pool(1);
    let before = result(pool.spawn(id, ())).unwrap();
    let kill = format!("kill -KILL {before}");
    assert!(crate::shell(&kill).status().unwrap().success());
    // The kernel takes a moment; a call that meets it is one that crashed.
    let after = loop {
        match result(pool.spawn(id, ())) {
            Ok(id) if id == before => yield_now(),
            Ok(id) => break id,
            Err(CallError::Crashed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_ne!(after, before);
}

#[test]
#[apply(once)]
fn a_panic_is_carried_back_and_the_process_goes_on() {
    let pool = pool(1);
    let before = result(pool.spawn(id, ())).unwrap();
    let error = result(pool.spawn(panic, String::from("mum"))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("panicked in its process: the word is mum"),
        "{error}"
    );
    assert_eq!(result(pool.spawn(id, ())).unwrap(), before);
}

#[test]
#[apply(once)]
fn a_fork_that_comes_back_out_of_a_function_answers_nothing() {
    let pool = pool(1);
    // So that the process has waited for a call before, and its link is in the reactor that the fork shares.
    for n in 0..8 {
        assert_eq!(result(pool.spawn(double, n)).unwrap(), 2 * n);
    }
    assert_eq!(result(pool.spawn(fork, 1)).unwrap(), 1);
    for n in 0..3 {
        assert_eq!(result(pool.spawn(double, n)).unwrap(), 2 * n);
    }
}

#[test]
#[apply(once)]
fn an_answer_too_many_is_taken_for_no_other_calls_answer() {
    let pool = pool(1);
    // The first of the two is as good as the true one.
    assert_eq!(result(pool.spawn(answer_twice, 1)).unwrap(), 7);
    let crashed = result(pool.spawn(double, 2)).unwrap_err();
    assert!(matches!(crashed, CallError::Crashed { .. }), "{crashed}");
    assert_eq!(result(pool.spawn(double, 3)).unwrap(), 6);
}

#[test]
#[apply(once)]
fn cancelling_a_call_kills_its_process_alone() {
    let pool = pool(2);
    let (first, first_id) = begin_endless(&pool);
    let (second, second_id) = begin_endless(&pool);
    let waiting = pool.spawn(double, 4);
    first.cancel();
    assert!(first.join().unwrap_err().is_cancelled());
    until_gone(first_id);
    assert_eq!(result(waiting).unwrap(), 8, "its place is free");
    assert!(crate::exists(second_id) && !second.is_finished());
    second.cancel();
    until_gone(second_id);
}

#[test]
#[apply(once)]
fn cancelling_a_call_that_waits_for_a_process_gives_its_place_up() {
    let pool = pool(1);
    let (endless, id) = begin_endless(&pool);
    let (waits, unstarted) = (pool.spawn(double, 1), pool.spawn(double, 2));
    yield_now();
    let last = pool.spawn(double, 3);
    unstarted.cancel();
    waits.cancel();
    assert!(waits.join().unwrap_err().is_cancelled());
    assert!(unstarted.join().unwrap_err().is_cancelled());
    assert!(crate::exists(id));
    endless.cancel();
    assert_eq!(result(last).unwrap(), 6);
}

#[test]
#[apply(once)]
fn a_process_that_does_not_serve_is_a_crash() {
    functions().serve_if_child();
    let lost = Pool::new(1).prepare(|command| {
        command.args(["no test has this name", "--exact"]);
        command.stdout(Stdio::null());
    });
    match result(lost.spawn(double, 1)) {
        Err(CallError::Crashed { status, .. }) => assert!(status.success()),
        other => panic!("{other:?}"),
    }
}

#[test]
#[apply(once)]
fn a_process_that_cannot_be_started_is_an_error() {
    functions().serve_if_child();
    let lost = Pool::new(1).prepare(|command| {
        command.current_dir("/no/such/folder");
    });
    let error = result(lost.spawn(double, 1)).unwrap_err();
    assert!(matches!(error, CallError::NotStarted { .. }), "{error}");
    assert!(
        error.to_string().starts_with("there is no process for `"),
        "{error}"
    );
}

#[test]
#[apply(once)]
fn what_is_not_registered_is_refused_by_name() {
    fn stranger(n: u8) -> u8 {
        n
    }
    let pool = pool(1);
    let text = panic_text(|| drop(pool.spawn(stranger, 1)));
    assert!(text.contains("stranger` was not registered"), "{text}");
    let text = panic_text(|| Functions::new().with(|n: u8| n).with(|n: u16| n));
    assert!(text.contains("two functions are called"), "{text}");
    assert!(panic_text(|| Pool::new(0)).contains("at least 1 process"));
    drop(Functions::new().with(double).with(double));
}

#[test]
#[apply(once)]
fn dropping_the_pool_ends_idle_processes_and_no_call() {
    let pool = pool(2);
    let idle = result(pool.spawn(id, ())).unwrap();
    let (endless, busy) = begin_endless(&pool);
    let call = pool.spawn(double, 5);
    drop(pool);
    assert_eq!(result(call).unwrap(), 10);
    assert!(crate::exists(busy));
    endless.cancel();
    drop(endless);
    until_gone(idle);
    until_gone(busy);
}

#[test]
#[apply(once)]
fn standard_output_stays_the_users_and_input_is_empty() {
    functions().serve_if_child();
    let name = format!("greenthread-{}-said", std::process::id());
    let path = std::env::temp_dir().join(name);
    let file = std::fs::File::create(&path).unwrap();
    let pool = Pool::new(1).prepare(move |command| {
        command.args(["pool::entry", "--exact", "--nocapture", "--test-threads=1"]);
        command.stdout(file.try_clone().unwrap());
    });
    assert_eq!(result(pool.spawn(input_and_output, ())).unwrap(), 0);
    let said = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(said.ends_with("a line of its own"), "{said}");
}

#[test]
#[apply(once)]
fn green_threads_that_a_function_leaves_behind_are_cancelled() {
    let pool = pool(1);
    for _ in 0..2 {
        assert!(!result(pool.spawn(leave_behind, ())).unwrap());
    }
}

#[test]
#[apply(once)]
fn a_function_may_use_a_pool_of_its_own() {
    assert_eq!(result(pool(1).spawn(through_another_pool, 6)).unwrap(), 12);
}

#[test]
#[apply(once)]
fn a_pool_serves_several_os_threads() {
    let pool = std::sync::Arc::new(pool(2));
    let callers = (0..4).map(|n| {
        let pool = std::sync::Arc::clone(&pool);
        std::thread::spawn(move || {
            for k in 0..10 {
                assert_eq!(result(pool.spawn(double, n + k)).unwrap(), 2 * (n + k));
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    callers
        .into_iter()
        .for_each(|caller| caller.join().unwrap());
}

#[test]
#[apply(once)]
fn virtual_time_stands_while_a_call_runs() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let sleeper = spawn(|| sleep(Duration::from_secs(3600)));
        assert_eq!(pool(1).spawn(double, 7).join().unwrap().unwrap(), 14);
        assert!(!sleeper.is_finished());
        sleeper.cancel();
    });
}

#[test]
#[apply(once)]
fn the_processes_of_a_program_that_ends_end_with_it() {
    let test = "pool::the_processes_of_a_program_that_ends_end_with_it";
    let ended = child::run(test, || {
        let pool = pool(2);
        let calls = [(); 2].map(|()| pool.spawn(id, ()));
        let ids = calls.map(|call| result(call).unwrap().to_string());
        eprintln!("processes: {}", ids.join(" "));
        std::process::abort();
    });
    assert!(ended.aborted());
    let said = ended.stderr();
    let (_, ids) = said.rsplit_once("processes: ").unwrap();
    for id in ids.split_whitespace() {
        until_ended(id);
    }
}

/// Waits until the process of this id has ended; whoever inherits it may leave it a zombie.
fn until_ended(id: &str) {
    let stat = format!("/proc/{id}/stat");
    let lives = |stat: String| !stat.rsplit(')').next().unwrap().starts_with(" Z");
    while std::fs::read_to_string(&stat).is_ok_and(lives) {
        sleep(Duration::from_millis(1));
    }
}
