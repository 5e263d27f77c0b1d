//! What the loop does differently while somebody records.
//!
//! So that recording costs nothing where it is off, the hot paths do not ask whether it is on. They ask what they ask anyway, and are answered so that they go the
//! long way:
//! - a turn ends with a look when the countdown has come to zero: while this OS thread records, it counts down from one, and each turn is a [`turn_traced`];
//! - a wake compares the waiter's queue with the current one: while this OS thread records, there is no current one (Q3 of `ready`), and the wake goes the way of those
//!   from other OS threads, which finds out.
//!
//! An OS thread notices that somebody records when it looks up: after 32 turns at the most, when it has nobody in line and when it wakes. The one that calls
//! [`begin_to_record`] does so at once.
//!
//! [`turn_traced`]: Scheduler::turn_traced
//! [`begin_to_record`]: Scheduler::begin_to_record

#![expect(unsafe_code, reason = "looks at who is in line, and at its wait")]

use super::header::Header;
use super::peer::mail;
use super::scheduler::Scheduler;
use crate::base::recorder;

impl Scheduler {
    /// This OS thread records from now on, and whoever runs is written down.
    pub(crate) fn begin_to_record(&self) {
        // Of an earlier recording.
        recorder::forget_stop();
        self.introduce(self.current_header());
        recorder::ran(self.current_header().id());
        self.join_in();
    }

    /// This OS thread has just got its scheduler: it records if somebody does. That its root runs is not written down: those of a pool do nothing but jobs.
    pub(super) fn record_from_the_start(&self) {
        if recorder::is_on() {
            self.introduce(&self.root);
            recorder::set_running(self.root.id());
            self.join_in();
        }
    }

    /// Records, in the middle of somebody's run.
    fn join_in(&self) {
        if !self.ledger.is_on() {
            self.countdown.set(1);
            self.trace_from_now_on(1);
            *self.ledger.starter.borrow_mut() = Some(self.current_header().count());
            self.shuffle.owe();
            self.root.post(mail::LOOK);
        }
    }

    /// As [`follow_recorder`](Self::follow_recorder), where that changes anything.
    pub(super) fn notice_recorder(&self, turns: u32) {
        recorder::forget_stop();
        if recorder::is_on() != self.ledger.is_on() {
            self.follow_recorder(turns);
        }
    }

    /// Records from now on, or no more, as the process does. `turns` are to pass until the next look at time and IO.
    pub(super) fn follow_recorder(&self, turns: u32) {
        if recorder::is_on() {
            recorder::forget_stop();
            self.countdown.set(1);
            self.trace_from_now_on(turns);
        } else if self.ledger.is_on() {
            self.trace_no_more();
        }
    }

    fn trace_from_now_on(&self, turns: u32) {
        self.ledger.turns.set(turns);
        if !self.ledger.on.replace(true) {
            self.ready.make_traced();
        }
    }

    #[cold]
    fn trace_no_more(&self) {
        self.ledger.on.set(false);
        drop(self.ledger.starter.take());
        self.ready.make_current();
    }

    /// One turn, written down. Leaves the countdown at zero only when time and IO are to be looked at.
    pub(super) fn turn_traced(&self, header: *const Header) {
        // SAFETY: S3: it is in line, so it has not ended.
        let header = unsafe { &*header };
        let id = header.id();
        self.ledger
            .turns
            .set(self.ledger.turns.get().saturating_sub(1));
        self.introduce(header);
        recorder::ran(id);
        if self.give_to(header) {
            recorder::ended(id);
        } else {
            self.trace_stop(header);
        }
        let goes_on = self.ledger.turns.get() > 0 && recorder::is_on();
        self.countdown.set(u32::from(goes_on));
    }

    /// Says who it is, unless this OS thread's ring knows.
    fn introduce(&self, header: &Header) {
        // SAFETY: H2: this is its OS thread.
        let announced = &unsafe { header.local() }.announced;
        if recorder::is_recent(announced.get()) {
            return;
        }
        announced.set(recorder::place());
        let site = (!self.is_root(header)).then(|| header.site());
        recorder::known(header.id(), header.name(), site);
    }

    /// How one who has not ended stands now.
    fn trace_stop(&self, header: &Header) {
        match self.wait_of(header) {
            None => recorder::yielded(header.id()),
            Some(wait) => {
                recorder::parked(header.id(), &wait.operation().name, wait.object());
            }
        }
    }

    /// The run in which somebody began to record is over.
    #[inline]
    pub(super) fn trace_stop_of_starter(&self) {
        if self.ledger.is_on()
            && let Some(starter) = self.ledger.starter.take()
        {
            if starter.has_ended() {
                recorder::ended(starter.id());
            } else {
                self.trace_stop(&starter);
            }
        }
    }
}
