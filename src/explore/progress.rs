//! How far a search has come, told now and then.

use std::time::Duration;

use crate::sched::clock::Deadline;

/// The least time between two words.
const BETWEEN: Duration = Duration::from_secs(10);

/// When there is something to tell.
#[derive(Debug)]
pub(super) struct Progress {
    /// How many schedules there are to be.
    of: u64,

    /// When it began, or told last.
    told: Deadline,
}

impl Progress {
    pub(super) fn new(of: u64) -> Self {
        let told = Deadline::real_now();
        Progress { of, told }
    }

    /// What to say after so many schedules at this moment, if it is time to.
    pub(super) fn line(&mut self, run: u64, now: Deadline) -> Option<String> {
        if now.since(self.told) < BETWEEN {
            return None;
        }
        self.told = now;
        let of = self.of;
        Some(format!("greenthread: explore: {run} of {of} schedules"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_search_is_told_of_every_ten_seconds() {
        let mut progress = Progress::new(100);
        let at = |seconds| Deadline::real_now().after(Duration::from_secs(seconds));
        assert_eq!(progress.line(1, at(0)), None);
        let line = progress.line(5, at(10));
        assert_eq!(line.unwrap(), "greenthread: explore: 5 of 100 schedules");
        assert_eq!(progress.line(6, at(15)), None);
        assert!(progress.line(7, at(21)).is_some());
    }
}
