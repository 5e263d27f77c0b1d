//! What is raised at a generator's yield: the payload of the unwind, and a value for those who ask for it.

use std::any::Any;
use std::fmt;
use std::panic;

use super::payload::Payload;

/// What the driver raised at a yield: an error that it threw, or the wish to close.
///
/// [`Yielder::yield_caught`](super::Yielder::yield_caught) returns it as a value. From the other yields it comes as an unwind with this
/// type as the payload, so a `catch_unwind` in the body finds it too.
pub struct Raised(Option<Payload>);

impl Raised {
    /// The wish to close.
    pub(super) fn close() -> Self {
        Raised(None)
    }

    /// A thrown error.
    pub(super) fn thrown(error: Payload) -> Self {
        Raised(Some(error))
    }

    /// Returns whether the generator is being closed.
    pub fn is_close(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the thrown error if it is an `E`.
    ///
    /// # Errors
    /// Itself, when it is another error or a close.
    pub fn downcast<E: Any>(self) -> Result<E, Raised> {
        match self.0.map(Payload::downcast::<E>) {
            Some(Ok(error)) => Ok(*error),
            Some(Err(other)) => Err(Raised(Some(other))),
            None => Err(Raised(None)),
        }
    }

    /// Raises it, or raises it again: it goes on as if it had never been caught.
    pub fn resume(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }

    /// What came out of a body, without the wrapping of a thrown error.
    pub(super) fn unwrap(payload: Payload) -> Payload {
        match payload.downcast::<Raised>() {
            Ok(raised) => match *raised {
                Raised(Some(error)) => error,
                close => Box::new(close),
            },
            Err(other) => other,
        }
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_close() {
            "Close"
        } else {
            "Thrown(..)"
        })
    }
}
