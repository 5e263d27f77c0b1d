//! What a queue answers when it cannot take or give: states, which hand the value back.

use std::error::Error;
use std::fmt;

/// The queue is closed; with the value that it did not take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<T = ()>(pub T);

/// Why `try_put` did not take the value, which is handed back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPutError<T> {
    /// It holds as many as it may.
    Full(T),

    /// It is closed.
    Closed(T),
}

/// Why `try_get` had nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryGetError {
    /// It holds nothing now.
    Empty,

    /// It holds nothing and is closed.
    Closed,
}

/// Why `put_timeout` did not put the value, which is handed back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PutTimeoutError<T> {
    /// The time was up first.
    Elapsed(T),

    /// It is closed.
    Closed(T),
}

/// Why `get_timeout` got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetTimeoutError {
    /// The time was up first.
    Elapsed,

    /// It holds nothing and is closed.
    Closed,
}

const FULL: &str = "the queue is full";
const EMPTY: &str = "the queue is empty";
const CLOSED: &str = "the queue is closed";
const ELAPSED: &str = "the time was up";

impl<T> TryPutError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        match self {
            TryPutError::Full(value) | TryPutError::Closed(value) => value,
        }
    }
}

impl<T> PutTimeoutError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        match self {
            PutTimeoutError::Elapsed(value) | PutTimeoutError::Closed(value) => value,
        }
    }
}

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => "Full(..)",
            TryPutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Debug for PutTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PutTimeoutError::Elapsed(_) => "Elapsed(..)",
            PutTimeoutError::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryPutError::Full(_) => FULL,
            TryPutError::Closed(_) => CLOSED,
        })
    }
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryGetError::Empty => EMPTY,
            TryGetError::Closed => CLOSED,
        })
    }
}

impl<T> fmt::Display for PutTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PutTimeoutError::Elapsed(_) => ELAPSED,
            PutTimeoutError::Closed(_) => CLOSED,
        })
    }
}

impl fmt::Display for GetTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GetTimeoutError::Elapsed => ELAPSED,
            GetTimeoutError::Closed => CLOSED,
        })
    }
}

impl<T> Error for Closed<T> {}

impl<T> Error for TryPutError<T> {}

impl Error for TryGetError {}

impl<T> Error for PutTimeoutError<T> {}

impl Error for GetTimeoutError {}

impl From<Closed> for TryGetError {
    fn from(_: Closed) -> Self {
        TryGetError::Closed
    }
}

impl<T> From<Closed<T>> for TryPutError<T> {
    fn from(closed: Closed<T>) -> Self {
        TryPutError::Closed(closed.0)
    }
}
