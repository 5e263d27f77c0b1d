//! Who can never be woken any more, as far as that can be known from here.
//!
//! That is so for
//! - everybody who is parked, when nothing on this OS thread can come any more and no other takes part (L8's silence);
//! - those who wait for each other in a circle, those who wait for a lock whose owner has gone with it, and one who is in `park` while nobody has a handle to `unpark` him by;
//! - those who wait for one of them.
//!
//! One whose wait, or a `timeout` around it, has a deadline is not.

#![expect(unsafe_code, reason = "follows the targets of timers")]

use super::cycle::Waits;
use super::frame::Target;
use super::header::Header;
use super::residents;
use super::scheduler::Scheduler;
use super::sight::{Sight, Standing};
use super::token;

impl Scheduler {
    /// What is seen of those who can never be woken; called on the root, outside the loop.
    pub(crate) fn stuck(&self) -> Vec<Sight> {
        let sights = self.sights();
        let limited = self.limited();
        let may_be = |sight: &Sight| {
            !sight.is_root && sight.standing == Standing::Parked && !limited.contains(&sight.id)
        };
        let parked: Vec<&Sight> = sights.iter().filter(|sight| may_be(sight)).collect();
        let ids = if self.has_nothing_to_come() {
            parked.iter().map(|sight| sight.id).collect()
        } else {
            self.provably_stuck(&sights, &parked)
        };
        let stuck = parked.into_iter().filter(|sight| ids.contains(&sight.id));
        stuck.cloned().collect()
    }

    /// Whether everything that may happen here is the root's doing, and no other OS thread's.
    fn has_nothing_to_come(&self) -> bool {
        let alone = residents::residents().len() == 1;
        let nothing = self.ready.is_empty() && self.timers().is_empty();
        nothing && (self.is_deadlocked() || alone && self.is_silent())
    }

    fn provably_stuck(&self, sights: &[Sight], parked: &[&Sight]) -> Vec<u64> {
        let waits = Waits::of(sights);
        let mut stuck: Vec<u64> = waits.circles().into_iter().flatten().collect();
        stuck.extend(waits.orphans());
        let everybody = self.everybody();
        let forgotten = everybody.iter().filter(|header| self.is_forgotten(header));
        stuck.extend(forgotten.map(|header| header.id()));
        // One with a deadline leaves its circle.
        stuck.retain(|id| parked.iter().any(|sight| sight.id == *id));
        waits.behind(stuck)
    }

    /// Whether it is in `park`, and nobody has a handle to it: the list of all has one reference, and who looks has one.
    fn is_forgotten(&self, header: &Header) -> bool {
        let parks = self.wait_of(header).is_some_and(token::is_park);
        parks && header.peer().references() == 2
    }

    /// The numbers of those for whom a timer is set.
    fn limited(&self) -> Vec<u64> {
        let targets: Vec<Target> = self.timers().targets().collect();
        let owner = |target: Target| match target {
            // SAFETY: T2: the target of a timer that was set is alive, and it is ours.
            Target::Wait(wait) => unsafe { &*wait }.owner(),
            // SAFETY: as above.
            Target::Frame(frame) => unsafe { &*frame }.owner(),
        };
        let owners = targets.into_iter().map(owner);
        // SAFETY: S3 of `scheduler`: one who waits, or in whose chain a frame stands, has not ended.
        let headers = owners.filter_map(|owner| unsafe { owner.cast::<Header>().as_ref() });
        headers.map(Header::id).collect()
    }
}
