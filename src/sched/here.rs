//! This OS thread's scheduler, made on first use (D2).

use super::exit::Sentinel;
use super::scheduler::Scheduler;

thread_local! {
    /// Its drop ends the scheduler.
    static SENTINEL: Sentinel = const { Sentinel::new() };
}

impl Scheduler {
    /// This OS thread's scheduler, made on first use.
    ///
    /// # Panics
    /// When this OS thread's thread-locals are gone already.
    #[inline(always)]
    pub(crate) fn get() -> &'static Scheduler {
        match Scheduler::if_made() {
            Some(scheduler) => scheduler,
            None => make(),
        }
    }
}

#[cold]
fn make() -> &'static Scheduler {
    let made = SENTINEL.try_with(|sentinel| {
        let scheduler = Scheduler::make();
        sentinel.arm(scheduler);
        scheduler
    });
    made.unwrap_or_else(|_| {
        panic!(
            "greenthread: a wait point after the thread-locals of this OS thread are gone: its scheduler has ended, nothing can be waited for here"
        )
    })
}
