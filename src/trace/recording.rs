//! A recording from its start to its finish.

use super::timeline::{Part, Timeline};
use crate::base::recorder;
use crate::sched::scheduler::Scheduler;

/// Keeps what happens on every OS thread until it is finished.
///
/// Each OS thread keeps its last 65,536 events, in 2.8 MiB of memory that is taken when it first records. Several recordings may be under way at once. Dropping it ends
/// it.
///
/// # Examples
/// ```
/// use greenthread::trace::{Recording, What};
///
/// let recording = Recording::start();
/// greenthread::spawn(|| greenthread::trace::mark("here")).join().unwrap();
/// let timeline = recording.finish();
/// assert!(timeline.events().any(|event| matches!(&event.what, What::Mark { text } if text == "here")));
/// println!("{}", timeline.to_text());
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends it"]
pub struct Recording {
    /// What there was in the rings before.
    before: Vec<Part>,

    /// When it began, in nanoseconds.
    from: u64,

    /// The number of the ring of the OS thread that began it.
    own: u64,

    /// Whether it is about that OS thread alone.
    alone: bool,
}

impl Recording {
    /// Begins to record, on every OS thread.
    ///
    /// Does not block. The caller's OS thread records at once; others do when they next look up, after 32 switches at the latest, or when they wake.
    ///
    /// # Panics
    /// In a thread-local's destructor, when greenthread's own is gone already.
    pub fn start() -> Self {
        Recording::begin(false)
    }

    /// Begins to record on this OS thread alone: for tests, which run beside others in one process.
    ///
    /// Does not block.
    ///
    /// # Panics
    /// In a thread-local's destructor, when greenthread's own is gone already.
    pub fn start_here() -> Self {
        Recording::begin(true)
    }

    fn begin(alone: bool) -> Self {
        let scheduler = Scheduler::get();
        recorder::start();
        let own = recorder::own_ring();
        let before = recorder::all_rings().into_iter().map(Part::from_now_on);
        let recording = Recording {
            before: before.collect(),
            from: recorder::now(),
            own,
            alone,
        };
        scheduler.begin_to_record();
        recording
    }

    /// Ends the recording and returns what has happened.
    ///
    /// Does not block.
    #[must_use]
    pub fn finish(self) -> Timeline {
        self.so_far()
    }

    /// What has happened until now.
    pub(super) fn so_far(&self) -> Timeline {
        let mut parts: Vec<_> = recorder::all_rings()
            .into_iter()
            .map(|ring| Part::since(ring, &self.before))
            .filter(|part| !self.alone || part.owner.number == self.own)
            .collect();
        parts.sort_by_key(|part| (part.owner.number != self.own, part.owner.number));
        Timeline::of(&parts, self.from)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        recorder::stop();
    }
}
