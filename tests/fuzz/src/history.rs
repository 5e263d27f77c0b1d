//! What a run of a program was seen to do. The library's and the model's are compared.

use std::fmt;

use crate::program::Millis;

/// How a green thread, or the root, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It did all its steps.
    Done,

    /// By the step with this number, as an error.
    Failed(usize),

    /// It was asked to end.
    Cancelled(Option<Why>),

    /// By a panic: of the step with this number, if that can be seen.
    Panicked(Option<usize>),

    /// The root was told of a deadlock.
    Deadlock,

    /// The process would have been aborted: a deadlock while those who were cancelled for one do not end.
    Abort,
}

impl End {
    /// What it is, for counting.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            End::Done => "ended",
            End::Failed(_) => "ended by an error",
            End::Cancelled(_) => "ended by a request",
            End::Panicked(_) => "ended by a panic",
            End::Deadlock => "ended by a deadlock",
            End::Abort => "aborted",
        }
    }
}

/// Why a green thread was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The step with this number asked.
    Step(usize),

    /// `run` has ended.
    EndOfRun,

    /// Another part of its scope has failed.
    ScopeFailed,

    /// It returned an error, which its scope has.
    ItsError,

    /// A deadline passed.
    Elapsed,

    /// There was a deadlock.
    Deadlock,

    /// Something that nobody expects.
    Unknown,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Its green thread began, or what it does has begun and may take a while.
    Began,

    /// It was done.
    Done,

    /// It got this item.
    Got(usize),

    /// It did the arm with this number.
    Chose(usize),

    /// It saw this value, which others see too.
    Heard(usize),

    /// It has missed so many messages.
    Missed(u64),

    /// So many receivers were told.
    Told(usize),

    /// It got the moment that is so far from the beginning.
    Ticked(Millis),

    /// A generator gave this item.
    Yielded(usize),

    /// A generator was sent this item.
    Sent(usize),

    /// It came to a barrier at this place.
    Met(usize),

    /// The barrier was broken.
    Broken,

    /// Its limit passed.
    Elapsed,

    /// It would have had to wait.
    Refused,

    /// The other side has gone.
    Closed,

    /// There is no such thing (any more).
    Missing,

    /// It said so.
    Says(bool),

    /// What it waited for ended like this; or its own green thread did.
    Ended(End),

    /// It caught a request; whether that was a timeout's, and its reason.
    Caught(bool, Option<Why>),

    /// It unwinds.
    Unwound,

    /// A panic that nobody joins was reported.
    Reported,
}

impl Seen {
    /// What it is, for counting.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Seen::Began => "began",
            Seen::Done => "done",
            Seen::Got(_) => "got an item",
            Seen::Chose(_) => "chose an arm",
            Seen::Heard(_) => "saw a value",
            Seen::Missed(_) => "missed messages",
            Seen::Told(_) => "told receivers",
            Seen::Ticked(_) => "got a moment",
            Seen::Yielded(_) => "a generator yielded",
            Seen::Sent(_) => "a generator was sent",
            Seen::Met(_) => "met at a barrier",
            Seen::Broken => "barrier broken",
            Seen::Elapsed => "elapsed",
            Seen::Refused => "refused",
            Seen::Closed => "closed",
            Seen::Missing => "missing",
            Seen::Says(_) => "answered",
            Seen::Ended(end) => end.name(),
            Seen::Caught(..) => "caught a request",
            Seen::Unwound => "unwound",
            Seen::Reported => "a panic reported",
        }
    }
}

/// One line of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, since the beginning.
    pub(crate) at: Millis,

    /// The number of the green thread.
    pub(crate) who: usize,

    /// The number of the step; 0 for a green thread as a whole.
    pub(crate) step: usize,

    /// What came of it.
    pub(crate) what: Seen,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event {
            at,
            who,
            step,
            what,
        } = self;
        write!(f, "{at:>4} ms  thread {who:<2} step {step:<3} {what:?}")
    }
}

/// Everything that was seen of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// In the order in which they came.
    pub(crate) events: Vec<Event>,

    /// How `run` ended.
    pub(crate) end: End,

    /// How many green threads were left behind, which only a deadlock at the end of `run` does.
    pub(crate) left: usize,

    /// How many generators were not at their end then.
    pub(crate) open: usize,
}
