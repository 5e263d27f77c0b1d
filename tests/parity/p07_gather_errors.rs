//! `try_gather` gives the first error at once without stopping the other jobs; `gather` makes a result of every error.

use std::fmt;

use greenthread::{
    JoinError, JoinHandle, WaitFor, catch_cancel, gather, sleep, spawn, try_gather, wait,
};

use crate::log::say;
use crate::{Log, U, run};

/// Python's exceptions, as far as the program uses them.
#[derive(Clone, Copy, Debug)]
enum Error {
    Value(&'static str),
    Key(&'static str),
}

impl Error {
    fn name(self) -> &'static str {
        match self {
            Error::Value(_) => "ValueError",
            Error::Key(_) => "KeyError",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Error::Value(text) | Error::Key(text)) = self;
        f.write_str(text)
    }
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        unreachable!("the jobs end with results of their own: {error}")
    }
}

type Outcome = Result<&'static str, Error>;

fn job(log: &Log, name: &'static str, units: u32, error: Option<Error>) -> Outcome {
    if let Err(cancelled) = catch_cancel(|| sleep(units * U)) {
        say!(log, "{name}: cancelled");
        cancelled.resume();
    }
    if let Some(error) = error {
        say!(log, "{name}: failing");
        return Err(error);
    }
    say!(log, "{name}: finished");
    Ok(name)
}

fn create_task(
    log: &Log,
    name: &'static str,
    units: u32,
    error: Option<Error>,
) -> JoinHandle<Outcome> {
    let log = log.clone();
    spawn(move || job(&log, name, units, error))
}

fn main(log: &Log) {
    let tasks = [
        create_task(log, "a", 6, None),
        create_task(log, "b", 2, Some(Error::Value("b broke"))),
        create_task(log, "c", 4, Some(Error::Key("c broke"))),
    ];
    let failed = try_gather(tasks).unwrap_err();
    say!(log, "gather raised: {}", failed.error);
    let running = failed.rest.iter().filter(|(_, task)| !task.is_finished());
    let running: Vec<&str> = running.map(|(index, _)| ["a", "b", "c"][*index]).collect();
    say!(log, "still running: {}", running.join(" "));
    let rest = failed.rest.into_iter().map(|(_, task)| task);
    let mut ended = wait(rest, WaitFor::All, None).done.into_iter();
    let mut next = || ended.next().unwrap().join().unwrap();
    say!(log, "a gave {}", next().unwrap());
    say!(log, "c gave {}", next().unwrap_err().name());
    let results = gather([
        create_task(log, "d", 4, None),
        create_task(log, "e", 2, Some(Error::Value("e broke"))),
        create_task(log, "f", 0, None),
    ]);
    for result in results {
        match result.unwrap() {
            Ok(value) => say!(log, "result: value {value}"),
            Err(error) => say!(log, "result: error {error}"),
        }
    }
}

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    run(|| main(&log));
    log.assert_says(include_str!("python/07_gather_errors.out"));
}
