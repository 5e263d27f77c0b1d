//! Generators as iterators, for those whose input has a "nothing".

use super::drive::Generator;
use super::state::GeneratorState;

mod sealed {
    /// Keeps [`NextInput`](super::NextInput) to the types below.
    #[diagnostic::on_unimplemented(message = "`{Self}` has no value that means \"nothing sent\"")]
    pub trait Sealed {}

    impl Sealed for () {}
    impl<X> Sealed for Option<X> {}
}

/// Says what `next` sends: `()`, or `None` of an `Option`, as Python's does.
pub trait NextInput: sealed::Sealed {
    /// Returns the value that stands for nothing.
    fn nothing() -> Self;
}

impl NextInput for () {
    fn nothing() -> Self {}
}

impl<X> NextInput for Option<X> {
    fn nothing() -> Self {
        None
    }
}

/// Starts the generator, then sends nothing at each step. Its return value can be had with `take_return`.
///
/// # Panics
/// `next` panics when the generator is running already, and with the body's own panic.
impl<In: NextInput, Out, Ret> Iterator for Generator<In, Out, Ret> {
    type Item = Out;

    #[inline]
    fn next(&mut self) -> Option<Out> {
        (&*self).next()
    }
}

/// As for the generator itself: it is driven through `&`.
impl<In: NextInput, Out, Ret> Iterator for &Generator<In, Out, Ret> {
    type Item = Out;

    #[inline]
    fn next(&mut self) -> Option<Out> {
        match self.advance(In::nothing)? {
            GeneratorState::Yielded(out) => Some(out),
            GeneratorState::Complete(ret) => {
                self.keep_return(ret);
                None
            }
        }
    }
}

impl<In: NextInput, Out, Ret> std::iter::FusedIterator for Generator<In, Out, Ret> {}

impl<In: NextInput, Out, Ret> std::iter::FusedIterator for &Generator<In, Out, Ret> {}
