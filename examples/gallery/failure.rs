//! What can go wrong with one download, in words for people.

use crate::address::BadAddress;
use std::fmt;
use std::io;

/// Why a picture was not fetched.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The address cannot be fetched by this program.
    Address(BadAddress),

    /// No connection came about.
    Connect(io::Error),

    /// The server was silent for longer than the limit.
    Silence,

    /// The server closed the connection before it sent a byte of its answer.
    NoAnswer,

    /// The server closed the connection in the middle of its answer's head or of a chunk.
    CutOff,

    /// The body ended before the length that its head declared.
    CutShort {
        /// The bytes that came.
        came: u64,

        /// The bytes that were declared.
        declared: u64,
    },

    /// The picture has more bytes than the limit.
    TooBig(u64),

    /// The server answered with something else than the picture.
    Status {
        /// The status code.
        code: u16,

        /// The words after it.
        words: String,

        /// Where a redirect points.
        location: Option<String>,
    },

    /// The answer is not HTTP as we know it.
    Malformed(&'static str),

    /// The connection failed.
    Network(io::Error),

    /// What else went wrong over TLS, or TLS itself.
    Https(String),

    /// The picture could not be written to the folder.
    Save(io::Error),
}

impl Failure {
    /// Sorts an error of a read or a write on a connection.
    pub(crate) fn network(error: io::Error) -> Self {
        match error.kind() {
            // std names a timed-out read after the platform's word for it.
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Silence,
            _ => Failure::Network(error),
        }
    }

    /// Whether a connection that was kept looks as if the server had closed it meanwhile.
    pub(crate) fn is_stale(&self) -> bool {
        match self {
            Failure::NoAnswer => true,
            Failure::Network(error) => matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::NotConnected
            ),
            _ => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Address(bad) => write!(f, "{bad}"),
            Failure::Connect(error) => write!(f, "cannot connect: {error}"),
            Failure::Silence => f.write_str("timed out: the server is silent"),
            Failure::NoAnswer => f.write_str("the server closed the connection without an answer"),
            Failure::CutOff => f.write_str("the server closed the connection inside its answer"),
            Failure::CutShort { came, declared } => {
                write!(f, "cut short: {came} of {declared} bytes came")
            }
            Failure::TooBig(limit) => write!(f, "bigger than {limit} bytes (--max-bytes)"),
            Failure::Status {
                code,
                words,
                location: None,
            } => write!(f, "{code} {words}"),
            Failure::Status {
                code,
                words,
                location: Some(place),
            } => {
                write!(f, "{code} {words}: moved to {place}, not followed")
            }
            Failure::Malformed(what) => write!(f, "not understood: {what}"),
            Failure::Network(error) => write!(f, "connection failed: {error}"),
            Failure::Https(what) => write!(f, "https: {what}"),
            Failure::Save(error) => write!(f, "cannot save: {error}"),
        }
    }
}

impl From<BadAddress> for Failure {
    fn from(bad: BadAddress) -> Self {
        Failure::Address(bad)
    }
}
