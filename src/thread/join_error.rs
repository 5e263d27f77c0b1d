//! Why a green thread gave no value.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sched::header::Header;
use crate::sched::request::Reason;

/// Why a green thread gave no value: it panicked, was cancelled, found no stack, or was left behind.
pub struct JoinError(Box<Failure>);

/// What is behind the error.
struct Failure {
    /// Which of the four.
    kind: Kind,

    /// The green thread's name.
    name: Option<Arc<str>>,

    /// The green thread's number.
    id: u64,
}

/// The four ways to fail.
enum Kind {
    /// A request ended it.
    Cancelled(Option<Reason>),

    /// Its closure panicked. The mutex makes the error `Sync`; it is taken by value alone.
    Panicked(Mutex<Box<dyn Any + Send>>, Box<str>),

    /// Its closure panicked, and its scope goes on with the payload: what it said.
    PanickedInScope(Box<str>),

    /// There was no stack for its first run (L3).
    Refused(io::Error),

    /// Its OS thread ended first (L19).
    Abandoned,
}

impl JoinError {
    fn new(header: &Header, kind: Kind) -> Self {
        JoinError(Box::new(Failure {
            kind,
            name: header.shared_name(),
            id: header.id(),
        }))
    }

    pub(super) fn cancelled(header: &Header, reason: Option<Reason>) -> Self {
        JoinError::new(header, Kind::Cancelled(reason))
    }

    pub(super) fn panicked(header: &Header, payload: Box<dyn Any + Send>) -> Self {
        let message = message(&*payload).into();
        JoinError::new(header, Kind::Panicked(Mutex::new(payload), message))
    }

    pub(super) fn panicked_in_scope(header: &Header, message: &str) -> Self {
        JoinError::new(header, Kind::PanickedInScope(message.into()))
    }

    pub(super) fn refused(header: &Header, error: io::Error) -> Self {
        JoinError::new(header, Kind::Refused(error))
    }

    pub(super) fn abandoned(header: &Header) -> Self {
        JoinError::new(header, Kind::Abandoned)
    }

    /// Tells whether a request ended it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.kind, Kind::Cancelled(_))
    }

    /// Tells whether its closure panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.0.kind, Kind::Panicked(..) | Kind::PanickedInScope(_))
    }

    /// Tells whether there was no stack for its first run, so that its closure did not run.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Kind::Refused(_))
    }

    /// Tells whether its OS thread ended before it did.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(self.0.kind, Kind::Abandoned)
    }

    /// Returns why it was cancelled, or which limit refused it, if that is known.
    #[must_use]
    pub fn reason(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        match &self.0.kind {
            Kind::Cancelled(reason) => reason.as_deref(),
            Kind::Refused(error) => Some(error),
            Kind::Panicked(..) | Kind::PanickedInScope(_) | Kind::Abandoned => None,
        }
    }

    /// Returns what the closure panicked with.
    ///
    /// A child of a scope leaves its payload to the scope, which goes on with it; here stands its message then, as a `String`.
    ///
    /// # Panics
    /// When it did not panic: see [`is_panic`](Self::is_panic).
    #[must_use]
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("into_panic on a JoinError that is no panic: {error}"),
        }
    }

    /// Returns what the closure panicked with, or the error itself when it did not panic.
    ///
    /// # Errors
    /// The error itself, when it is no panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        match self.0.kind {
            Kind::Panicked(payload, _) => {
                Ok(payload.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
            Kind::PanickedInScope(message) => Ok(Box::new(String::from(message))),
            _ => Err(self),
        }
    }

    /// Returns the name of the green thread, if it had one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Looks at the payload of a panic.
    pub(super) fn with_panic(&self, f: impl FnOnce(&(dyn Any + Send))) {
        if let Kind::Panicked(payload, _) = &self.0.kind {
            f(&**payload.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// What a panic said, where it said it in words.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is no string")
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.name {
            Some(name) => write!(f, "green thread \"{name}\" ")?,
            None => write!(f, "green thread {} ", self.0.id)?,
        }
        match &self.0.kind {
            Kind::Cancelled(None) => write!(f, "was cancelled"),
            Kind::Cancelled(Some(reason)) => write!(f, "was cancelled: {reason}"),
            Kind::Panicked(_, message) | Kind::PanickedInScope(message) => {
                write!(f, "panicked: {message}")
            }
            Kind::Refused(error) => write!(f, "found no stack: {error}"),
            Kind::Abandoned => write!(f, "was left behind when its OS thread ended"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl Error for JoinError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.reason().map(|reason| reason as &(dyn Error + 'static))
    }
}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        io::Error::other(error)
    }
}
