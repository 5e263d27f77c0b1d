//! Runs a future to its end.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use super::wake::Signal;

/// Runs `future` to its end, and parks while it waits.
///
/// Blocks the green thread only; others of its OS thread run meanwhile. The future stays where it is: it may borrow, and needs no `Send`. One that wakes itself while it
/// is polled lets the others go first. A cancellation while waiting is raised here, and the future is dropped by the unwinding. On the root and on a plain
/// OS thread the wait runs the event loop. It may be called inside of a future that another `block_on` runs, which then waits too.
///
/// # Examples
/// ```
/// use greenthread::{future::{block_on, sleep}, spawn, time::Duration};
/// let waiting = spawn(|| block_on(async {
///     sleep(Duration::from_millis(1)).await;
///     "waited"
/// }));
/// let name = String::from("borrowed");
/// assert_eq!(block_on(async { name.len() }), 8);
/// assert_eq!(waiting.join().unwrap(), "waited");
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let signal = Signal::new();
    let waker = signal.waker();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => signal.wait(),
        }
    }
}
