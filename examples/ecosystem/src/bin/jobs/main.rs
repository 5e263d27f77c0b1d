//! Past one machine: producers and workers in separate processes share work through a Redis Stream. Without a server the same program works on a queue of its own.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin jobs
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin jobs -- --server 127.0.0.1:6379
//! ```
//!
//! With a server it starts two producers and three workers, each a process, and shows how far they are. They can be started by hand too, on any machine that reaches the server:
//!
//! ```text
//! jobs --server 127.0.0.1:6379 --jobs 1000 produce 0
//! jobs --server 127.0.0.1:6379 --jobs 1000 work first
//! ```
//!
//! A worker that is killed in the middle loses no job: another one takes it over. Every worker does eight jobs at once, on one OS thread.

mod options;

use std::process::{Child, Command, ExitCode};
use std::time::Duration;

use greenthread::{JoinHandle, gather, sleep, spawn, spawn_blocking};
use greenthread_ecosystem::jobs::{Error, Here, Jobs, Stream};
use indicatif::ProgressBar;
use options::{Options, Role};

/// Jobs that one worker does at once.
const HANDS: usize = 8;

/// Processes that a program with a server starts.
const PRODUCERS: u64 = 2;

/// See above.
const WORKERS: u64 = 3;

fn main() -> ExitCode {
    let done = Options::parse(std::env::args().skip(1)).and_then(|options| run(&options));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("jobs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    match (&options.role, &options.server) {
        (Role::All, None) => all_here(options),
        (Role::All, Some(_)) => all_processes(options),
        (Role::Produce(from), Some(_)) => {
            produce(&mut stream(options, "producer")?, *from, options.jobs)
        }
        (Role::Work(name), Some(_)) => work(options, name),
        (_, None) => {
            Err("a part of the work without a server for the rest: --server is missing".into())
        }
    }
}

fn stream(options: &Options, worker: &str) -> Result<Jobs, Error> {
    let stream = Stream::connect(&options.terms(), worker)?;
    Ok(Jobs::Stream(Box::new(stream)))
}

fn produce(jobs: &mut Jobs, from: u64, count: u64) -> Result<(), Error> {
    (from..from + count).try_for_each(|job| jobs.put(job))
}

/// A worker: many hands, each with a connection of its own.
fn work(options: &Options, name: &str) -> Result<(), Error> {
    let hands: Vec<_> = (0..HANDS)
        .map(|hand| {
            let jobs = stream(options, &format!("{name}-{hand}"));
            hire(jobs, options.time)
        })
        .collect();
    all_succeed(hands)
}

fn hire(jobs: Result<Jobs, Error>, time: Duration) -> JoinHandle<Result<(), Error>> {
    spawn(move || jobs?.work(time))
}

fn all_succeed(parts: Vec<JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
    gather(parts).into_iter().try_for_each(|part| part?)
}

/// Everything on one OS thread.
fn all_here(options: &Options) -> Result<(), Error> {
    let here = Here::new();
    let (own, count, time) = (here.clone(), options.jobs, options.time);
    let mut parts = vec![spawn(move || {
        produce(&mut Jobs::Here(own.clone()), 0, count)?;
        own.close();
        Ok(())
    })];
    for _ in 0..HANDS {
        parts.push(hire(Ok(Jobs::Here(here.clone())), time));
    }
    watch(&mut Jobs::Here(here), options)?;
    all_succeed(parts)
}

/// Everything in processes of its own.
fn all_processes(options: &Options) -> Result<(), Error> {
    let mut jobs = stream(options, "watcher")?;
    let parts = processes(options)?;
    watch(&mut jobs, options)?;
    all_succeed(parts)?;
    match jobs {
        Jobs::Stream(mut stream) => stream.remove(),
        Jobs::Here(_) => Ok(()),
    }
}

fn processes(options: &Options) -> Result<Vec<JoinHandle<Result<(), Error>>>, Error> {
    let share =
        |part: u64| (part * options.jobs / PRODUCERS)..((part + 1) * options.jobs / PRODUCERS);
    let mut parts = Vec::new();
    for part in 0..PRODUCERS {
        let share = share(part);
        let mut command = options.command(share.end - share.start)?;
        command.args(["produce", &share.start.to_string()]);
        parts.push(start(command)?);
    }
    for worker in 0..WORKERS {
        let mut command = options.command(options.jobs)?;
        command.args(["work", &format!("worker-{worker}")]);
        parts.push(start(command)?);
    }
    Ok(parts)
}

fn start(mut command: Command) -> Result<JoinHandle<Result<(), Error>>, Error> {
    let child: Child = command.spawn()?;
    Ok(spawn_blocking(move || end(child)))
}

fn end(mut child: Child) -> Result<(), Error> {
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("a part of the work ended with {status}").into())
    }
}

/// Shows how far the work is until it is done, then what came of it.
fn watch(jobs: &mut Jobs, options: &Options) -> Result<(), Error> {
    let bar = ProgressBar::new(options.jobs);
    loop {
        let done = jobs.done()?;
        bar.set_position(done);
        if done >= options.jobs {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    bar.finish_and_clear();
    println!("{} jobs done, {} steps in all", jobs.done()?, jobs.total()?);
    Ok(())
}
