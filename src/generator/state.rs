//! What driving a generator gives: a step, or a refusal that hands the value back.

use std::error::Error;
use std::fmt;

/// What a generator gave when it was driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeneratorState<Out, Ret> {
    /// It yielded this and is suspended.
    Yielded(Out),

    /// Its body returned this; it is finished.
    Complete(Ret),
}

impl<Out, Ret> GeneratorState<Out, Ret> {
    /// Returns what was yielded, if it was a yield.
    #[inline]
    pub fn yielded(self) -> Option<Out> {
        match self {
            GeneratorState::Yielded(out) => Some(out),
            GeneratorState::Complete(_) => None,
        }
    }

    /// Returns the body's return value, if it was the end.
    #[inline]
    pub fn complete(self) -> Option<Ret> {
        match self {
            GeneratorState::Yielded(_) => None,
            GeneratorState::Complete(ret) => Some(ret),
        }
    }

    /// Returns what was yielded.
    ///
    /// # Panics
    /// When the body returned instead.
    #[inline]
    #[track_caller]
    pub fn unwrap_yielded(self) -> Out {
        match self {
            GeneratorState::Yielded(out) => out,
            GeneratorState::Complete(_) => panic!("the generator returned; it did not yield"),
        }
    }
}

/// Says why a generator could not be resumed, and hands the value back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResumeError<In> {
    /// It has not been started, so it has no yield to receive the value.
    NotStarted(In),

    /// It has returned, panicked or been closed.
    Finished(In),

    /// It is being driven already: from its own body, or by a green thread that is parked inside it.
    Running(In),
}

impl<In> ResumeError<In> {
    /// Returns the value that was not sent.
    pub fn into_inner(self) -> In {
        match self {
            ResumeError::NotStarted(value)
            | ResumeError::Finished(value)
            | ResumeError::Running(value) => value,
        }
    }

    /// The variant's name and the reason in words.
    fn describe(&self) -> (&'static str, &'static str) {
        match self {
            ResumeError::NotStarted(_) => ("NotStarted", "the generator has not been started"),
            ResumeError::Finished(_) => ("Finished", "the generator has finished"),
            ResumeError::Running(_) => ("Running", "the generator is running already"),
        }
    }
}

impl<In> fmt::Debug for ResumeError<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, _) = self.describe();
        write!(f, "{name}(..)")
    }
}

impl<In> fmt::Display for ResumeError<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, reason) = self.describe();
        f.write_str(reason)
    }
}

impl<In> Error for ResumeError<In> {}
