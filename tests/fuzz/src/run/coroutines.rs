//! What is raised in a generator, and what one does for another, as calls of the library.

use std::any::Any;
use std::panic::resume_unwind;

use greenthread::generator::{GeneratorState, Raised};

use super::steps::{Doer, end, is_running};
use super::{Planned, panicked};
use crate::history::{End, Seen};
use crate::program::Step;

impl Doer<'_, '_, '_> {
    pub(super) fn throw(self, step: &Step, number: usize) -> Seen {
        let Some(generator) = self.world.generator(number) else {
            return Seen::Missing;
        };
        if is_running(&generator) {
            return Seen::Refused;
        }
        match generator.throw(Planned(step.0)) {
            GeneratorState::Yielded(item) => Seen::Yielded(item),
            GeneratorState::Complete(returned) => Seen::Ended(end(returned)),
        }
    }

    /// The other one is nobody else's from now on.
    pub(super) fn delegate(self, number: usize) -> Seen {
        let Some(yielder) = self.yielder else {
            return Seen::Missing;
        };
        let other = self.world.take_unstarted(number);
        other.map_or(Seen::Refused, |other| {
            Seen::Ended(end(yielder.yield_from(&other)))
        })
    }
}

/// How a planned panic ended the body that this came out of, also when a generator was thrown it; any other goes on.
pub(super) fn planned(payload: Box<dyn Any + Send>) -> End {
    let payload = match payload.downcast::<Raised>() {
        Ok(raised) => match raised.downcast::<Planned>() {
            Ok(Planned(step)) => return End::Panicked(Some(step)),
            Err(raised) => raised.resume(),
        },
        Err(payload) => payload,
    };
    let end = panicked(&*payload);
    if !matches!(end, End::Panicked(Some(_))) {
        resume_unwind(payload);
    }
    end
}
