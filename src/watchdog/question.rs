//! Asks an OS thread who runs on it, by a signal, and waits for the answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::sample::{self, Found};
use super::signal;
use crate::sched::clock::Deadline;
use crate::sched::residents::{Resident, residents};

/// Held by whoever asks: there is one sample.
static ASKING: Mutex<()> = Mutex::new(());

/// How long an OS thread has to answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The time between two looks for the answer.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// The green thread that runs on the OS thread with this number of the kernel's, and where; none when none does there, it cannot be interrupted, or `asks` says no.
#[allow(
    clippy::disallowed_methods,
    reason = "an OS thread of ours waits here for a moment, by real time"
)]
pub(crate) fn who_runs_on(number: i32, asks: impl Fn(&Resident) -> bool) -> Option<Found> {
    let _alone = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
    signal::install();
    sample::ask(number);
    let sent = send(number, asks);
    let start = Deadline::real_now();
    while sent && !sample::is_there() && Deadline::real_now().since(start) < PATIENCE {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    if !sample::is_there() && sample::take_back() {
        return None;
    }
    while !sample::is_there() {
        std::thread::sleep(BETWEEN_LOOKS);
    }
    sample::take()
}

/// Sends the signal if the OS thread is there: while the list is locked, it does not go.
fn send(number: i32, asks: impl Fn(&Resident) -> bool) -> bool {
    let residents = residents();
    let mut all = residents.iter();
    let there = all.find(|resident| resident.number() == number);
    there.is_some_and(asks) && signal::send(number)
}
