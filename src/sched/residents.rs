//! Every OS thread of the process that has a scheduler: for whoever wants to know what goes on in all of them.
//!
//! Invariant V1: an entry stands here while its OS thread lives. It is made and taken away on that OS thread, so as long as the lock is held, none of those that are named goes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::beat::Beat;
use super::counts::{Counts, Standing};
use super::header::Counted;
use super::peer::mail;
use super::survey::{Survey, Word};
use crate::base::os_thread;

/// V1.
static RESIDENTS: Mutex<Vec<Resident>> = Mutex::new(Vec::new());

/// An OS thread with a scheduler.
#[derive(Debug)]
pub(crate) struct Resident {
    /// Its root: what can be written to.
    root: Counted,

    /// The kernel's number for it.
    number: i32,

    /// Since when the one who runs there has run, if somebody wants to know.
    beat: Option<Arc<Beat>>,

    /// What it counts.
    counts: &'static Counts,

    /// Surveys that it has not begun to answer, oldest first.
    surveys: Vec<Arc<Survey>>,
}

impl Resident {
    /// The kernel's number for it.
    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.root.name()
    }

    /// The number of its root.
    pub(crate) fn root(&self) -> u64 {
        self.root.id()
    }

    /// How it stood when it noted that last.
    pub(crate) fn standing(&self) -> Standing {
        self.counts.read()
    }

    /// Since when the one who runs there has run, if it is watched.
    pub(crate) fn beat(&self) -> Option<&Arc<Beat>> {
        self.beat.as_ref()
    }
}

/// Has the OS thread of `root`, which calls, watched by this note, or no longer.
pub(super) fn watch(root: &Counted, beat: Option<Arc<Beat>>) {
    let mut residents = residents();
    if let Some(mine) = residents.iter_mut().find(|one| one.root.id() == root.id()) {
        mine.beat = beat;
    }
}

/// All of them; they stay while the result is held.
pub(crate) fn residents() -> MutexGuard<'static, Vec<Resident>> {
    RESIDENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The OS thread of `root`, which calls, has a scheduler now.
pub(super) fn move_in(root: &Counted, counts: &'static Counts) {
    residents().push(Resident {
        root: root.clone(),
        number: os_thread::number(),
        beat: None,
        counts,
        surveys: Vec::new(),
    });
}

/// The OS thread of `root`, which calls, is about to go; what it counted is left where `leave_counts` puts it, and is never seen twice.
pub(super) fn move_out(root: &Counted, leave_counts: impl FnOnce()) {
    let mut residents = residents();
    let place = residents.iter().position(|one| one.root.id() == root.id());
    let gone = place.map(|place| residents.swap_remove(place));
    leave_counts();
    drop(residents);
    for survey in gone.into_iter().flat_map(|gone| gone.surveys) {
        survey.say(root.id(), Word::Gone);
    }
}

/// The next survey that the OS thread of `root` is to answer.
pub(super) fn next_survey(root: &Counted) -> Option<Arc<Survey>> {
    let mut residents = residents();
    let mine = residents
        .iter_mut()
        .find(|one| one.root.id() == root.id())?;
    (!mine.surveys.is_empty()).then(|| mine.surveys.remove(0))
}

/// Asks all who are there now. `asker` is the number of the green thread or root that asks, if one does.
pub(crate) fn ask(asker: u64) -> Arc<Survey> {
    let survey = Survey::new(asker);
    for resident in residents().iter_mut() {
        survey.expect(&resident.root, resident.number);
        resident.surveys.push(Arc::clone(&survey));
        resident.root.post(mail::SURVEY);
    }
    survey
}
