//! Why a call in another process gave no value.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitStatus;

/// Why a call in a process of a [`Pool`](super::Pool) gave no value. Each concerns that call alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The function panicked; its process goes on.
    Panicked {
        /// The function's path.
        function: &'static str,

        /// What it said.
        message: String,
    },

    /// The process ended before the function had returned; another takes its place.
    Crashed {
        /// The function's path.
        function: &'static str,

        /// How the process ended.
        status: ExitStatus,
    },

    /// The argument could not be carried over: it could not be encoded here, or decoded there.
    Argument {
        /// The function's path.
        function: &'static str,

        /// Which type, and why.
        reason: String,
    },

    /// The result could not be carried back: it could not be encoded there, or decoded here.
    Result {
        /// The function's path.
        function: &'static str,

        /// Which type, and why.
        reason: String,
    },

    /// There was no process to call it in.
    NotStarted {
        /// The function's path.
        function: &'static str,

        /// Why there was none.
        error: io::Error,
    },

    /// The process of the pool does not know the function, although this one does: what they register hangs on something that differs between them.
    Unknown {
        /// The function's path.
        function: &'static str,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Panicked { function, message } => {
                write!(f, "`{function}` panicked in its process: {message}")
            }
            CallError::Crashed { function, status } => {
                write!(
                    f,
                    "the process of `{function}` ended before it returned: {status}"
                )
            }
            CallError::Argument { function, reason } => {
                write!(
                    f,
                    "the argument of `{function}` was not carried over: {reason}"
                )
            }
            CallError::Result { function, reason } => {
                write!(
                    f,
                    "the result of `{function}` was not carried back: {reason}"
                )
            }
            CallError::NotStarted { function, error } => {
                write!(f, "there is no process for `{function}`: {error}")
            }
            CallError::Unknown { function } => {
                write!(f, "the process of the pool does not know `{function}`")
            }
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CallError::NotStarted { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<CallError> for io::Error {
    fn from(error: CallError) -> Self {
        io::Error::other(error)
    }
}
