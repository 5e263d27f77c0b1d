//! Generators that borrow: they live as long as a callback, behind `&`, and are closed before it is left (L15).

#![expect(unsafe_code, reason = "makes a generator of a body that borrows")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::drive::{Closing, Generator};
use super::payload;
use super::yielder::Yielder;

/// Makes a generator whose body may borrow, lends it to `f`, closes it, and returns what `f` returned.
///
/// The generator is closed whatever happens, also when `f` panics, and cannot be taken out from behind the `&`.
///
/// # Panics
/// With the panic of `f`, else with one that the body raises while it is closed. The process aborts when the body yields while it is closed
/// here, or stands in the middle of an unwind: its stack could be neither unwound nor leaked, since it borrows.
///
/// # Examples
/// ```
/// let words = vec!["a", "b"];
/// let seen = greenthread::generator::scope(
///     |y| words.iter().for_each(|word| y.yield_(word.len())),
///     |g| g.sum::<usize>(),
/// );
/// assert_eq!(seen, 2);
/// ```
///
/// What the body borrows cannot leave with the generator:
/// ```compile_fail,E0521
/// use greenthread::generator::{Generator, scope};
/// let mut kept: Option<&Generator<(), u8, ()>> = None;
/// scope(|y| y.yield_(1), |g| kept = Some(g));
/// kept.unwrap().start();
/// ```
/// and the generator cannot be taken out, so that it would be closed too late:
/// ```compile_fail,E0596
/// use greenthread::generator::{Generator, scope};
/// let mut longer: Generator<(), u8, ()> = Generator::new(|y| y.yield_(1));
/// scope(|y| y.yield_(2), |g| std::mem::swap(&mut *g, &mut longer));
/// ```
pub fn scope<In, Out, Ret, R, B, F>(body: B, f: F) -> R
where
    B: FnOnce(&Yielder<In, Out>) -> Ret,
    F: FnOnce(&Generator<In, Out, Ret>) -> R,
{
    // SAFETY: what `body` borrows outlives this call, and before it returns or unwinds the generator is closed, or the process ends.
    let generator = unsafe { Generator::unchecked(body) };
    let outcome = catch_unwind(AssertUnwindSafe(|| f(&generator)));
    let closing = catch_unwind(AssertUnwindSafe(|| finish(&generator)));
    if !generator.is_finished() {
        payload::abort(
            "a borrowing generator could not be closed; its borrows end here, so the process ends",
        );
    }
    match (outcome, closing.flatten()) {
        (Ok(value), Ok(())) => value,
        (Ok(_), Err(panic)) | (Err(panic), Ok(())) => resume_unwind(panic),
        (Err(panic), Err(later)) => {
            payload::report("a borrowing generator's body panicked while it was closed by a panic");
            payload::discard(later);
            resume_unwind(panic)
        }
    }
}

/// Closes the generator, or says on stderr why that cannot be.
fn finish<In, Out, Ret>(generator: &Generator<In, Out, Ret>) -> Result<(), payload::Payload> {
    match generator.close_or_say() {
        Closing::Closed(_) => Ok(()),
        Closing::Panicked(panic) => Err(panic),
        stays => {
            payload::report(&format!("a borrowing generator {stays}"));
            Ok(())
        }
    }
}
