//! Work that a request from outside does not interrupt.

use crate::sched::frame::{Frame, Kind};
use crate::sched::scheduler::Scheduler;

/// Runs `f` with cancellations and outer timeouts held back; a pending one is raised at the next wait point after.
///
/// Trio's shield. (`asyncio.shield(task)` is spawn and join: a cancelled join leaves the task running.) Timeouts that are set inside `f` act as always. `f` runs
/// inline, on the caller's stack.
///
/// # Examples
/// ```
/// let saved = greenthread::spawn(|| {
///     greenthread::current().cancel();
///     greenthread::shield(|| { greenthread::yield_now(); "saved" })
/// });
/// assert_eq!(saved.join().unwrap(), "saved");
/// ```
pub fn shield<T>(f: impl FnOnce() -> T) -> T {
    Frame::enter(Scheduler::get().deadlines(), Kind::Shield, |_| f())
}
