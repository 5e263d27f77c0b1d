//! Why a value did not go through a channel between processes.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a value was not sent through a [`Channel`](super::Channel).
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// Nobody holds the other end any more, or this one was closed.
    Closed,

    /// It takes more bytes than one message may.
    TooLong {
        /// So many.
        bytes: usize,

        /// The most.
        most: usize,
    },

    /// It could not be encoded: which type, and why.
    Unencodable(String),

    /// The system's.
    Io(io::Error),
}

/// Why no value was received from a [`Channel`](super::Channel).
#[derive(Debug)]
#[non_exhaustive]
pub enum RecvError {
    /// Nobody holds the other end any more and all that was sent has been received, or this end was closed.
    Closed,

    /// What came could not be decoded, and is gone: which type, and why. The channel goes on.
    Undecodable(String),

    /// The system's.
    Io(io::Error),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SendError::Closed => write!(f, "sending on a closed channel"),
            SendError::TooLong { bytes, most } => {
                write!(
                    f,
                    "a value of {bytes} bytes does not fit a message, {most} are the most"
                )
            }
            SendError::Unencodable(reason) => write!(f, "a value was not sent: {reason}"),
            SendError::Io(error) => write!(f, "a value was not sent: {error}"),
        }
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Closed => write!(f, "receiving on a closed channel"),
            RecvError::Undecodable(reason) => write!(f, "a value was lost: {reason}"),
            RecvError::Io(error) => write!(f, "no value was received: {error}"),
        }
    }
}

impl Error for SendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SendError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RecvError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Io(error) => error,
            other => io::Error::other(other),
        }
    }
}

impl From<RecvError> for io::Error {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Io(error) => error,
            other => io::Error::other(other),
        }
    }
}
