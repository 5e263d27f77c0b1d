//! This OS thread's scheduler, made on first use (D2).

#![expect(unsafe_code, reason = "reads the header that a link names")]

use std::fmt;
use std::panic::Location;

use super::exit::Sentinel;
use super::header::Header;
use super::scheduler::Scheduler;
use crate::debugger;
use crate::stack::chain::{self, Owners};
use crate::watchdog::{observer, setting};

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
        chain::name_owners_with(Owners {
            name: name_owner,
            site: site_of_owner,
        });
        sentinel.arm(scheduler);
        scheduler.record_from_the_start();
        debugger::be_there();
        if let Some(limit) = setting::from_environment() {
            scheduler.watch(Some(observer::watch(limit)));
        }
        scheduler
    });
    made.unwrap_or_else(|_| {
        panic!(
            "greenthread: a wait point after the thread-locals of this OS thread are gone: its scheduler has ended, nothing can be waited for here"
        )
    })
}

/// What a message calls the green thread that a link names.
fn name_owner(owner: *const (), out: &mut dyn fmt::Write) -> fmt::Result {
    // SAFETY: S3 of `scheduler`: a link names its green thread as long as that has not ended.
    let header = unsafe { &*owner.cast::<Header>() };
    match header.name() {
        Some(name) => write!(out, "green thread {} (\"{name}\")", header.id()),
        None => write!(out, "green thread {}", header.id()),
    }
}

/// Where the green thread that a link names was spawned.
fn site_of_owner(owner: *const ()) -> &'static Location<'static> {
    // SAFETY: as in `name_owner`.
    unsafe { &*owner.cast::<Header>() }.site()
}
