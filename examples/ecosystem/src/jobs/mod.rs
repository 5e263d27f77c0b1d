//! Jobs for many workers: in a queue of this process, or in a Redis that many processes share. Whoever works need not know which.

mod here;
mod stream;

use std::time::Duration;

pub use here::Here;
pub use stream::{Stream, Terms};

/// What goes wrong on the way to a server.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A job: a number to begin with.
pub type Job = u64;

/// A job that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What is to be done.
    pub job: Job,

    /// What the server calls it.
    id: String,
}

/// Where jobs come from, and where results go. Each green thread has one of its own.
#[derive(Debug)]
pub enum Jobs {
    /// A queue of this process.
    Here(Here),

    /// A stream of a Redis.
    Stream(Box<Stream>),
}

impl Jobs {
    /// Adds a job; parks while there are too many, or until the server has it.
    ///
    /// # Errors
    /// The server's.
    pub fn put(&mut self, job: Job) -> Result<(), Error> {
        match self {
            Jobs::Here(here) => here.put(job),
            Jobs::Stream(stream) => stream.put(job),
        }
    }

    /// Takes a job; parks until there is one. `None` when all are done.
    ///
    /// # Errors
    /// The server's.
    pub fn take(&mut self) -> Result<Option<Taken>, Error> {
        match self {
            Jobs::Here(here) => Ok(here.take()),
            Jobs::Stream(stream) => stream.take(),
        }
    }

    /// Says what came out of a job. Of one that was done twice, the first result stands.
    ///
    /// # Errors
    /// The server's.
    pub fn finish(&mut self, taken: &Taken, result: u64) -> Result<(), Error> {
        match self {
            Jobs::Here(here) => here.finish(taken, result),
            Jobs::Stream(stream) => stream.finish(taken, result)?,
        }
        Ok(())
    }

    /// How many jobs have a result.
    ///
    /// # Errors
    /// The server's.
    pub fn done(&mut self) -> Result<u64, Error> {
        match self {
            Jobs::Here(here) => Ok(here.done()),
            Jobs::Stream(stream) => stream.done(),
        }
    }

    /// The results of all jobs, added up.
    ///
    /// # Errors
    /// The server's.
    pub fn total(&mut self) -> Result<u64, Error> {
        match self {
            Jobs::Here(here) => Ok(here.total()),
            Jobs::Stream(stream) => stream.total(),
        }
    }

    /// Does jobs until all are done; each takes so long, and more.
    ///
    /// # Errors
    /// The server's.
    pub fn work(&mut self, time: Duration) -> Result<(), Error> {
        while let Some(taken) = self.take()? {
            greenthread::sleep(time);
            self.finish(&taken, steps_to_one(taken.job))?;
        }
        Ok(())
    }
}

/// How many steps a number takes to 1, halved when even, else tripled and one added (L. Collatz).
pub fn steps_to_one(mut number: u64) -> u64 {
    let mut steps = 0;
    while number > 1 {
        number = if number.is_multiple_of(2) {
            number / 2
        } else {
            3 * number + 1
        };
        steps += 1;
    }
    steps
}
