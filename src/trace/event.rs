//! What a recording holds.

use std::time::Duration;

pub use crate::base::recorder::{Ending, Waking};

/// One thing that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// When, since the recording began; by the clock of its OS thread, which may be virtual.
    pub at: Duration,

    /// Where: an index into [`Timeline::os_threads`](super::Timeline::os_threads).
    pub os_thread: usize,

    /// The id of the green thread or root that ran there; `None` for the event loop, for an OS thread without green threads, and where it is not known.
    pub by: Option<u64>,

    /// What it was.
    pub what: What,
}

/// What can happen. Green threads, roots and blocking jobs are told by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A green thread was spawned.
    Spawn {
        /// The new one.
        who: u64,
    },

    /// A job was given to the pool of OS threads for blocking work.
    SpawnBlocking {
        /// The job.
        job: u64,
    },

    /// It runs from now on.
    Run {
        /// A green thread or a root.
        who: u64,
    },

    /// It lets the others go first.
    Yield {
        /// A green thread or a root.
        who: u64,
    },

    /// It waits.
    Park {
        /// A green thread or a root.
        who: u64,

        /// The wait point, as in `"Mutex::lock"`.
        operation: &'static str,

        /// What it waits for, where that is one thing.
        on: Option<Awaited>,
    },

    /// Its wait has ended, and it will run in its turn.
    Wake {
        /// The one that waited.
        who: u64,

        /// The wait point.
        operation: &'static str,

        /// What has ended the wait.
        how: Waking,
    },

    /// It was asked to end.
    Cancel {
        /// The one that is to end.
        who: u64,
    },

    /// It has panicked.
    Panic {
        /// A green thread or a job.
        who: u64,

        /// What the panic said, where it said it in words; at most 1024 bytes.
        message: String,
    },

    /// It has ended.
    End {
        /// The green thread.
        who: u64,

        /// How.
        how: Ending,
    },

    /// The event loop has looked at sockets, or has slept because nobody was ready.
    Poll {
        /// When it began to.
        began: Duration,

        /// Whether it could sleep.
        slept: bool,
    },

    /// An OS thread of a pool has begun with a job.
    BlockingBegin {
        /// The job.
        job: u64,
    },

    /// It has ended the job.
    BlockingEnd {
        /// The job.
        job: u64,

        /// How.
        how: Ending,
    },

    /// A generator was resumed, or started.
    Resume {
        /// Its number in this timeline.
        generator: u64,
    },

    /// A generator has yielded to whoever drives it.
    GeneratorYield {
        /// Its number in this timeline.
        generator: u64,
    },

    /// A generator has ended.
    GeneratorEnd {
        /// Its number in this timeline.
        generator: u64,
    },

    /// The program's own [`mark`](super::mark()).
    Mark {
        /// Its text, at most 1024 bytes.
        text: String,
    },
}

/// What a green thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Awaited {
    /// The end of the green thread or job with this id.
    GreenThread(u64),

    /// Something with a line of waiters: a lock, a channel, a socket. Numbered in the order in which they were first waited for; memory that is used again for another keeps its
    /// number.
    Object(u64),
}
