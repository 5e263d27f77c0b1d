//! How a loop answers a survey: it goes round those who belong to it, some at a time.

#![expect(unsafe_code, reason = "switches to green threads that are parked")]

use std::ops::Range;
use std::time::Duration;

use super::clock::Deadline;
use super::header::{Counted, Header, state};
use super::peer::mail;
use super::residents;
use super::scheduler::Scheduler;
use super::sight::{Sight, Standing};
use super::survey::{Visit, Word};
use super::wait::Sought;
use crate::stack::backtrace::{self, Backtrace};
use crate::stack::chain::Link;

/// How long a loop may be at it before the others have their turn.
const AT_ONCE: Duration = Duration::from_millis(5);

/// How long they have it then.
const PAUSE: Duration = Duration::from_millis(1);

/// How many are seen between two looks at the clock.
const BETWEEN_LOOKS: usize = 16;

impl Scheduler {
    /// Sees some of those who belong here, and comes back for the rest. Called by the loop.
    #[cold]
    pub(super) fn visit_some(&self) {
        let visit = self.visit.borrow_mut().take();
        let Some(mut visit) = visit.or_else(|| self.begin_visit()) else {
            return;
        };
        if self.ready.is_empty() || visit.again <= Deadline::real_now() {
            self.go_round(&mut visit);
        }
        if visit.left.len() > 0 {
            *self.visit.borrow_mut() = Some(visit);
        } else {
            let Visit { survey, seen, .. } = visit;
            survey.say(self.root.id(), Word::Seen(seen));
        }
        // For the rest, or for the next survey.
        self.root.post(mail::SURVEY);
    }

    fn begin_visit(&self) -> Option<Visit> {
        let survey = residents::next_survey(&self.root)?;
        survey.say(self.root.id(), Word::Begun);
        let mut all = self.all.borrow().clone();
        all.insert(0, self.root.clone());
        Some(Visit {
            survey,
            seen: Vec::with_capacity(all.len()),
            left: all.into_iter(),
            trace: Box::new(Backtrace::new()),
            again: Deadline::BEGINNING,
        })
    }

    fn go_round(&self, visit: &mut Visit) {
        let end = Deadline::real_now().after(AT_ONCE);
        while visit.left.len() > 0 && Deadline::real_now() < end {
            for header in visit.left.by_ref().take(BETWEEN_LOOKS) {
                if !header.has_ended() || self.is_root(&header) {
                    let sight = self.see(&header, &mut visit.trace, visit.survey.asker);
                    visit.seen.push(sight);
                }
            }
        }
        visit.again = Deadline::real_now().after(PAUSE);
    }

    fn see(&self, header: &Counted, trace: &mut Backtrace, asker: u64) -> Sight {
        let mut sight = self.sight(header);
        if header.state() == state::STARTED {
            self.ask_where(header, trace);
            sight.add_trace(trace);
        }
        if header.id() == asker {
            // It waits for this, which it need not be told.
            sight.standing = Standing::Running;
            (sight.operation, sight.waited) = (None, None);
            sight.sought = Sought::default();
        }
        sight
    }

    /// Switches to one that has begun, so that it says where it stands.
    fn ask_where(&self, header: &Header, trace: &mut Backtrace) {
        trace.clear();
        // SAFETY: H2: this is its OS thread.
        let local = unsafe { header.local() };
        // SAFETY: C3 of `chain`: the base of one that has begun and not ended.
        let base = unsafe { &*local.base.get() };
        self.asked.set(trace);
        base.ask();
        if self.is_root(header) {
            self.give_to_root();
            self.set_current(std::ptr::null());
        } else {
            // SAFETY: the loop alone reaches the coroutine, and holds no other borrow of it.
            let slot = unsafe { &mut *local.coroutine.get() };
            if let Some(coroutine) = slot {
                let _ = coroutine.resume(());
                // SAFETY: the innermost stack of one that is switched away.
                let innermost = unsafe { &*local.innermost.get() };
                let is_own = std::ptr::eq(innermost, base);
                if let Some(saved) = coroutine.saved_pointer(&frames_of(innermost), is_own) {
                    backtrace::give_back_touched(trace.touched(), saved, innermost.span().start);
                }
            }
        }
        self.asked.set(std::ptr::null_mut());
    }

    /// On the stack that was asked.
    pub(super) fn tell_where(&self, innermost: *const Link) {
        // SAFETY: `ask_where` set it to what it borrows, and waits on the loop's stack.
        if let Some(trace) = unsafe { self.asked.get().as_mut() } {
            trace.take(innermost);
        }
    }

    /// The OS thread goes: a survey that was under way is not answered.
    pub(super) fn stop_visiting(&self) {
        let visit = self.visit.borrow_mut().take();
        if let Some(visit) = visit {
            visit.survey.say(self.root.id(), Word::Gone);
        }
    }
}

/// The addresses at which a stack's frames may stand.
fn frames_of(link: &Link) -> Range<usize> {
    link.span().start..std::ptr::from_ref(link).addr()
}
