//! The workers of those who are in no runtime that has some: made when they are first needed, and there until the process ends.
//!
//! The set is never dropped, so at the end of the process its workers are stopped by the system in whatever they do. Nothing that they touch goes before: the
//! set is in a static, which is not dropped; stacks are kept; and what a child borrows from a parent lives on a stack that is not left before the child has ended (see `scope`).

use std::env;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use super::set::{MOST, Set};
use crate::sched::work::Work;

/// The variable that says how many there are to be.
const VARIABLE: &str = "GREENTHREAD_WORKERS";

/// Or why it cannot be had.
static SET: OnceLock<Result<Set, (io::ErrorKind, String)>> = OnceLock::new();

/// What the process's workers share.
///
/// # Errors
/// `InvalidInput` when the variable says something else than how many there are to be; else what kept their OS threads from being made.
pub(crate) fn work() -> io::Result<&'static Arc<Work>> {
    match SET.get_or_init(make) {
        Ok(set) => Ok(set.work()),
        Err((kind, text)) => Err(io::Error::new(*kind, text.clone())),
    }
}

/// The same, if they were made.
pub(crate) fn work_if_made() -> Option<&'static Arc<Work>> {
    SET.get()?.as_ref().ok().map(Set::work)
}

fn make() -> Result<Set, (io::ErrorKind, String)> {
    let made = count().and_then(Set::make_at_once);
    made.map_err(|error| (error.kind(), error.to_string()))
}

/// How many they are to be.
fn count() -> io::Result<usize> {
    let Some(said) = env::var_os(VARIABLE) else {
        return Ok(available_parallelism().map_or(1, usize::from));
    };
    let number = said.to_str().and_then(|text| text.parse().ok());
    number
        .filter(|count| (1..=MOST).contains(count))
        .ok_or_else(|| {
            let text =
                format!("{VARIABLE}={said:?} is no number of workers: it must be 1 to {MOST}");
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })
}
