//! Jobs in a queue and in a real Redis.

mod support;

use std::process::Command;
use std::time::Duration;

use greenthread::future::block_on;
use greenthread::{sleep, spawn, timeout, yield_now};
use greenthread_ecosystem::jobs::{Jobs, Stream, Terms, steps_to_one};
use greenthread_ecosystem::redis::Connection;
use redis::{Commands, ConnectionLike};
use support::Program;
use support::redis::Redis;

fn jobs(arguments: &[&str]) -> Command {
    let mut jobs = Command::new(env!("CARGO_BIN_EXE_jobs"));
    jobs.args(arguments);
    jobs
}

/// What the program says in the end, when all goes well.
fn outcome(count: u64) -> String {
    let total: u64 = (0..count).map(steps_to_one).sum();
    format!("{count} jobs done, {total} steps in all")
}

#[test]
fn without_a_server_it_works_on_a_queue() {
    let mut program = Program::start(&mut jobs(&["--jobs", "500", "--time", "1"]));
    assert_eq!(program.line(), outcome(500));
    assert!(program.succeeds());
}

#[test]
fn with_a_server_processes_share_the_work() {
    let Some(redis) = Redis::start() else { return };
    let mut program = Program::start(&mut jobs(&[
        "--server",
        &redis.address(),
        "--jobs",
        "500",
        "--time",
        "1",
    ]));
    assert_eq!(program.line(), outcome(500));
    assert!(program.succeeds());
    let mut connection = Connection::connect(redis.address()).unwrap();
    let left: Vec<String> = connection.keys("*").unwrap();
    assert!(left.is_empty(), "it cleans up: {left:?}");
}

/// The victim has jobs that last for ever when it is killed; two others do the rest, and those.
#[test]
fn a_worker_that_is_killed_in_the_middle_loses_no_job() {
    const JOBS: u64 = 60;
    let Some(redis) = Redis::start() else { return };
    let terms = Terms {
        server: redis.address(),
        name: String::from("greenthread-jobs"),
        jobs: JOBS,
        patience: Duration::from_millis(200),
    };
    let common = [
        "--server",
        &redis.address(),
        "--jobs",
        "60",
        "--patience",
        "200",
    ]
    .map(String::from);
    let start = |more: &[&str]| Program::start(jobs(more).args(&common));
    assert!(start(&["produce", "0"]).succeeds());
    let mut victim = start(&["--time", "3600000", "work", "victim"]);
    let mut stream = Stream::connect(&terms, "test").unwrap();
    while stream.pending().unwrap() < 8 {
        sleep(Duration::from_millis(5));
    }
    victim.kill();
    let rescuers = ["first", "second"].map(|name| start(&["--time", "5", "work", name]));
    assert!(rescuers.into_iter().all(Program::succeeds));
    assert_eq!(stream.pending().unwrap(), 0);
    let mut jobs = Jobs::Stream(Box::new(stream));
    assert_eq!(jobs.done().unwrap(), JOBS);
    assert_eq!(jobs.total().unwrap(), (0..JOBS).map(steps_to_one).sum());
}

#[test]
fn commands_of_many_green_threads_wait_side_by_side() {
    let Some(redis) = Redis::start() else { return };
    let address = redis.address();
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let mut connection = Connection::connect(&address).unwrap();
            spawn(move || {
                let popped: (String, String) = connection.blpop(format!("list-{n}"), 0.0).unwrap();
                popped.1
            })
        })
        .collect();
    yield_now();
    let mut connection = Connection::connect(&address).unwrap();
    for n in 0..20 {
        connection
            .rpush::<_, _, ()>(format!("list-{n}"), format!("item-{n}"))
            .unwrap();
    }
    for (n, popped) in waiting.into_iter().enumerate() {
        assert_eq!(popped.join().unwrap(), format!("item-{n}"));
    }
}

#[test]
fn transactions_and_errors_come_as_the_crate_gives_them() {
    let Some(redis) = Redis::start() else { return };
    let mut connection = Connection::connect(redis.address()).unwrap();
    let mut transaction = redis::pipe();
    transaction.atomic().incr("n", 2).ignore().incr("n", 3);
    let (n,): (u64,) = transaction.query(&mut connection).unwrap();
    assert_eq!(n, 5);
    connection.lpush::<_, _, ()>("n", 1).unwrap_err();
    assert!(connection.check_connection());
}

#[test]
fn a_call_that_was_broken_off_does_not_give_its_answer_to_the_next() {
    let Some(redis) = Redis::start() else { return };
    let mut connection = Connection::connect(redis.address()).unwrap();
    let limit = Duration::from_millis(20);
    timeout(limit, || connection.blpop::<_, ()>("nothing", 0.0)).unwrap_err();
    assert!(!connection.is_open());
    assert!(!connection.check_connection());
    // A future around it changes nothing: it parks inside.
    let mut connection = Connection::connect(redis.address()).unwrap();
    assert!(block_on(async { connection.check_connection() }));
}
