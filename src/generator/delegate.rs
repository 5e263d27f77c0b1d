//! Delegation: a generator that stands in for another until that has returned.

use super::drive::Generator;
use super::raised::Raised;
use super::state::GeneratorState;
use super::yielder::{UNWINDING, Yielder};

impl<In, Out> Yielder<In, Out> {
    /// Yields all that another generator yields, passes on to it what is sent and thrown, and returns its return value.
    ///
    /// A close closes the other one first, and is then raised here. What `other` does not catch is raised here too.
    ///
    /// # Panics
    /// When `other` has been started, and as for [`yield_`](Self::yield_). A panic of `other`'s body comes out here.
    ///
    /// # Examples
    /// ```
    /// # use greenthread::generator::Generator;
    /// let outer = Generator::new(|y| {
    ///     let inner = Generator::new(|y| y.yield_(1) + y.yield_(2));
    ///     y.yield_from(&inner)
    /// });
    /// assert_eq!(outer.start().yielded(), Some(1));
    /// assert_eq!(outer.send(10).yielded(), Some(2));
    /// assert_eq!(outer.send(20).complete(), Some(30));
    /// ```
    #[track_caller]
    pub fn yield_from<R>(&self, other: &Generator<In, Out, R>) -> R {
        let mut step = other.start();
        loop {
            let out = match step {
                GeneratorState::Complete(ret) => return ret,
                GeneratorState::Yielded(out) => out,
            };
            step = match self.exchange(out, UNWINDING) {
                Ok(value) => other.send(value),
                Err(raised) => pass_on(other, raised),
            };
        }
    }
}

/// Passes what was raised at a delegating yield on to the generator delegated to.
#[cold]
#[track_caller]
fn pass_on<In, Out, R>(other: &Generator<In, Out, R>, raised: Raised) -> GeneratorState<Out, R> {
    if raised.is_close() {
        // A return value that answers the close is dropped, as in Python: the close goes on.
        drop(other.close());
        raised.resume()
    }
    match other.raise(raised) {
        Ok(step) => step,
        Err(payload) => std::panic::resume_unwind(payload),
    }
}
