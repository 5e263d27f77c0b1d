//! Waiting for a source as a future does: not by parking, but by leaving a waker.
//!
//! ```text
//!   the system call ──done──▶ Ready
//!         │WouldBlock
//!         ▼
//!   register with this OS thread's reactor ─▶ leave the waker in the watch ─▶ Pending
//!                                                      │ the next event of that direction, a close, the reactor's end
//!                                                      ▼
//!                                             it is taken out and woken, once
//! ```
//!
//! The waker lies in the watch, not on a stack: a future that is dropped leaves nothing that dangles, only a waker that is woken in vain. There is one place for
//! each direction, and who polls last has it, as with other runtimes; green threads that are parked on the same source are served beside it.
//!
//! Invariants:
//! - P1 A waker is left under the state's lock, after that showed neither a close (O2) nor an event since the system call (M2): none of the two slips between.
//! - P2 While a waker lies here the descriptor is registered, and does not move to another reactor: whoever wakes it is the reactor that it was left with.
//! - P3 Wakers are cloned, woken and dropped under no lock (`task`).

use std::io;
use std::os::fd::AsFd;
use std::task::Poll;

use super::scheduler::Scheduler;
use super::source::{Direction, Operating, closed, refuse_in_unwind};
use super::task::Task;

impl<S: AsFd> Operating<'_, S> {
    /// Runs `call`; when that says `WouldBlock`, leaves what `task` makes to be woken when it may say something else.
    #[inline]
    pub(crate) fn poll<R>(
        &self,
        direction: Direction,
        task: impl Fn() -> Task,
        is_short: impl Fn(&R) -> bool,
        mut call: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            if let Some(result) = self.attempt(direction, &is_short, &mut call) {
                return Poll::Ready(result);
            }
            match self.leave(direction, task()) {
                Ok(true) => return Poll::Pending,
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Leaves `task` for the next event; false when there was one meanwhile.
    fn leave(&self, direction: Direction, mut task: Task) -> io::Result<bool> {
        let scheduler = Scheduler::get();
        refuse_in_unwind()?;
        let watch = self.watch();
        let mut state = watch.state.lock();
        if self.is_closed() {
            return Err(closed());
        }
        // First, because its own waker does not keep a source from moving (P2).
        let earlier = state.task(direction).take();
        let registered = self.register(scheduler, &mut state, direction);
        let waits = registered.is_ok() && !watch.look().may(direction);
        if waits {
            if let Some((reactor, _)) = &state.registration {
                reactor.count(&mut task);
            }
            *state.task(direction) = Some(task);
        }
        drop(state);
        drop(earlier);
        registered.map(|()| waits)
    }
}
