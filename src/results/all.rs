//! All of several closures of different types.

use crate::sched::park;
use crate::sched::payload;
use crate::sched::scheduler::Scheduler;
use crate::thread::join_error::JoinError;
use crate::thread::scope::ScopedJoinHandle;

/// Runs closures side by side and returns a tuple of what they give, in argument order.
///
/// They run on green threads of this OS thread, in a [`scope`](crate::scope()) of their own, and may borrow. Blocks until all have ended. A panic in one cancels the
/// others, and when all have ended it goes on here. A cancellation while waiting is passed on to all and raised after their end. On the root and on a plain
/// OS thread the wait runs the event loop.
///
/// # Panics
/// With the first panic of a closure; when one was cancelled from elsewhere, or found no stack.
///
/// # Examples
/// ```
/// let mut parts = [1, 2];
/// let [left, right] = &mut parts;
/// let (a, b) = greenthread::join!(|| { *left += 10; "left" }, || { *right += 20; 2.5 });
/// assert_eq!((parts, a, b), ([11, 22], "left", 2.5));
/// ```
#[macro_export]
macro_rules! join {
    (@spawn $scope:ident [$($spawned:ident)*]) => {
        ($($crate::__claim($spawned),)*)
    };
    (@spawn $scope:ident [$($spawned:ident)*] $closure:expr $(, $more:expr)*) => {{
        let handle = $scope.spawn($closure);
        $crate::join!(@spawn $scope [$($spawned)* handle] $($more),*)
    }};
    ($($closure:expr),+ $(,)?) => {
        $crate::scope(|scope| $crate::join!(@spawn scope [] $($closure),+))
    };
}

/// The value of a `join!`'s closure, or the way out of its scope.
#[doc(hidden)]
pub fn claim<T>(child: ScopedJoinHandle<'_, T>) -> T {
    match child.join() {
        Ok(value) => value,
        Err(error) => fail(&error),
    }
}

/// One of them gave no value.
#[cold]
fn fail(error: &JoinError) -> ! {
    let scheduler = Scheduler::get();
    // When we were asked to end, so was the child: that is the cause.
    park::checkpoint(scheduler);
    if error.is_panic() {
        // The scope goes on with the panic itself.
        payload::raise_cancellation(scheduler.current_header(), None)
    }
    panic!("join! cannot give a value: {error}")
}
