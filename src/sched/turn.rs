//! The loop of one OS thread.
//!
//! ```text
//!   again: messages of other OS threads ─▶ the next in line ─▶ run it until it switches away ─▶ again
//!   every so often, and when nobody is in line: sockets (without waiting), then timers
//!   nobody in line: sleep in the reactor, or on the bell, until the earliest deadline
//! ```

#![expect(
    unsafe_code,
    reason = "ends waits and frames that are named by address"
)]

use std::ptr;
use std::time::Duration;

use super::clock::Deadline;
use super::frame::Target;
use super::header::{self, Counted, Header};
use super::peer::{mail, senders};
use super::scheduler::Scheduler;
use super::switch::local_of;
use super::{stint, vigil};
use crate::base::prefetch::prefetch;
use crate::base::recorder;
use crate::stack::idle::{self, Load};

/// Looks between two notes of the time for those who park, while there is always somebody in line: a fifth of an instruction a resume.
const LOOKS_BETWEEN_NOTES: u32 = 16;

/// The least time between two polls of the sockets while there is always somebody in line. A poll without waiting costs about 300 ns.
const BETWEEN_POLLS: Duration = Duration::from_micros(200);

/// For how long after that those who stood in line at the last poll still come first: each batch of events runs while what its dispatching has touched is near.
const FOR_A_LAP: Duration = Duration::from_millis(2);

/// How far ahead a header is asked for; found by measuring at a hundred thousand in line, as those that follow.
const FAR: usize = 4;

/// How far ahead a stack is asked for, whose address stands in the header.
const NEAR: usize = 2;

/// Where most of those who yield or park stand, in bytes below the base of the stack.
const SHALLOW: usize = 192;

/// Why the loop could not go on waiting.
enum Idle {
    /// Somebody is ready, or may be.
    LookAgain,

    /// Sleep, at most until this moment.
    Sleep(Option<Deadline>),
}

impl Scheduler {
    /// The body of the loop's coroutine.
    pub(super) fn turn_until_end(&self) {
        match self.shuffle.is_owed() {
            true => self.look(),
            false => self.begin_countdown(),
        }
        self.trace_stop_of_starter();
        loop {
            let next = self.ready.pop();
            match next {
                Some(peer) => {
                    self.ask_for_those_who_follow();
                    self.turn(peer.cast());
                }
                None => self.idle(),
            }
            if self.home().has_messages() {
                // At the end of the OS thread the inbox is closed before the loop goes on, and looks as if it had messages for ever.
                if self.ending.get() {
                    return;
                }
                self.look();
            }
        }
    }

    /// Has the memory brought that those need who run soon: of one the header, of one before it the top of the stack. Nobody's memory is asked for while the line is
    /// short, since all of it is at hand then.
    #[inline(always)]
    fn ask_for_those_who_follow(&self) {
        if self.ready.len() > FAR {
            prefetch(header::switched_part(self.ready.peek(FAR)));
            let near = local_of(self.ready.peek(NEAR).cast());
            let base = near.base.get().cast::<u8>();
            prefetch(base.wrapping_sub(SHALLOW)..base.wrapping_add(1));
        }
    }

    #[inline(always)]
    fn turn(&self, header: *const Header) {
        let left = self.countdown.get() - 1;
        self.countdown.set(left);
        if left == 0 {
            self.turn_and_look(header);
        } else {
            self.give_to(header);
        }
    }

    /// The same, when time and IO are to be looked at after it. While this OS thread records, that is every turn.
    #[cold]
    #[inline(never)]
    fn turn_and_look(&self, header: *const Header) {
        if self.ledger.is_on() {
            self.turn_traced(header);
        } else {
            self.give_to(header);
        }
        if self.countdown.get() == 0 {
            self.look();
        }
    }

    /// Has whoever is named run until it switches away or ends; says whether it has ended.
    #[inline(always)]
    pub(super) fn give_to(&self, header: *const Header) -> bool {
        if ptr::eq(header, self.root.as_ptr()) {
            self.give_to_root();
            false
        } else {
            self.run(header)
        }
    }

    pub(super) fn give_to_root(&self) {
        // It is not a green thread: it may do what it likes.
        self.rest_beat();
        // SAFETY: set by the loop's own body, on whose stack this runs.
        unsafe { &*self.loop_yielder.get() }.suspend(());
    }

    /// Takes messages in; when it is time to, looks at sockets and timers without waiting.
    #[cold]
    fn look(&self) {
        if self.ending.get() {
            // The inbox is closed for ever: taking from it would open it again.
            return;
        }
        self.set_current(ptr::null());
        self.take_messages();
        self.trace_stop_of_starter();
        if self.countdown.get() == 0 || self.shuffle.is_owed() {
            self.look_at_clock_now_and_then();
            self.look_at_time_and_io();
            self.begin_work();
            limit_by_idle(None, Load::Busy);
            self.begin_countdown();
        }
    }

    /// Without waiting; and fits how many run until the next time.
    fn look_at_time_and_io(&self) {
        let nobody_waits = self.timers().is_empty() && self.reactor_if_made().is_none();
        if nobody_waits && self.stint.is_longest() {
            return self.stint.interrupt();
        }
        let now = Deadline::real_now();
        self.poll_now_and_then(now);
        if !self.clock().is_virtual() {
            self.stint.end(now);
        }
        if !self.timers().is_empty() {
            self.fire_due(self.clock().virtual_now().unwrap_or(now));
        }
    }

    /// Whoever runs next is watched or chosen, or a good number of them may run until the next look. Here, too, is noticed that somebody records.
    #[inline]
    fn begin_countdown(&self) {
        let resumes = if self.looks_each_turn.get() {
            self.prepare_turn()
        } else {
            self.stint.turns()
        };
        self.countdown.set(resumes);
        self.follow_recorder(resumes);
    }

    /// Forgets how far it was, and what ran so far. Who records or is watched is found out at the next look, as ever.
    pub(super) fn begin_countdown_anew(&self) {
        self.stint.forget();
        if self.looks_each_turn.get() {
            return;
        }
        match self.ledger.is_on() {
            true => self.ledger.turns.set(stint::MOST),
            false => self.countdown.set(stint::MOST),
        }
    }

    /// The one turn until the next look.
    #[cold]
    fn prepare_turn(&self) -> u32 {
        if let Some(beat) = &*self.beat.borrow() {
            beat.begin();
        }
        self.shuffle.choose(&self.ready);
        1
    }

    /// Nobody runs who is watched.
    #[inline]
    fn rest_beat(&self) {
        if self.looks_each_turn.get()
            && let Some(beat) = &*self.beat.borrow()
        {
            beat.rest();
        }
    }

    fn look_at_clock_now_and_then(&self) {
        let looks = self.looks.get().wrapping_add(1);
        self.looks.set(looks);
        if looks.is_multiple_of(LOOKS_BETWEEN_NOTES) {
            self.look_at_clock();
            self.note_standing();
        }
    }

    /// Notes the time for those who park before the next look.
    fn look_at_clock(&self) {
        self.lately.set(self.clock().lately());
    }

    /// Polls the sockets when that is due and the loop has not just come from there.
    fn poll_now_and_then(&self, now: Deadline) {
        if self.reactor_if_made().is_none() {
            return;
        }
        if self.shuffle.is_on() {
            return self.poll_sources(Some(Duration::ZERO));
        }
        let lap = self.lap.get();
        let lap = lap.saturating_sub(self.stint.turns() as usize);
        self.lap.set(lap);
        let due = match lap {
            0 => self.next_poll.get(),
            _ => self.next_poll.get().after(FOR_A_LAP),
        };
        if self.polled.replace(false) {
            self.next_poll.set(now.after(BETWEEN_POLLS));
        } else if due <= now {
            self.poll_sources(Some(Duration::ZERO));
        }
    }

    /// Nobody is in line: finds somebody, or sleeps.
    pub(super) fn idle(&self) {
        self.set_current(ptr::null());
        self.notice_recorder(stint::MOST);
        self.rest_beat();
        if self.find_somebody() {
            return self.go_on_counting();
        }
        if self.stay_awake() {
            // Time and IO have waited meanwhile.
            self.countdown.set(0);
            return self.look();
        }
        self.look_at_clock();
        self.note_standing();
        let has_slept = match self.before_sleep() {
            Idle::Sleep(until) => self.sleep(until),
            Idle::LookAgain => false,
        };
        if has_slept {
            self.stint.interrupt();
            self.begin_countdown();
        } else {
            self.go_on_counting();
        }
    }

    fn find_somebody(&self) -> bool {
        self.take_messages();
        !self.ready.is_empty() || self.begin_work()
    }

    /// Stays awake for a moment, if that is likely to pay; says whether a message or work came.
    #[cold]
    fn stay_awake(&self) -> bool {
        if !self.vigil.is_due() || self.clock().is_virtual() || self.shuffle.is_on() {
            return false;
        }
        let end = Deadline::real_now().after(vigil::LIMIT);
        let a_timer_is_near = self.timers().earliest().is_some_and(|first| first < end);
        let has_come = || self.home().has_messages() || self.sees_work();
        !a_timer_is_near && self.vigil.keep(end, has_come)
    }

    /// Somebody is in line again, and the reactor was not asked: the countdown goes on, for neither work without end nor timers that are always due may keep the loop from
    /// time and IO.
    fn go_on_counting(&self) {
        if self.looks_each_turn.get() {
            self.begin_countdown();
        }
    }

    fn before_sleep(&self) -> Idle {
        self.fire_timers();
        if !self.ready.is_empty() {
            return Idle::LookAgain;
        }
        let earliest = self.timers().earliest();
        if self.clock().is_virtual() {
            return self.before_virtual_sleep(earliest);
        }
        if earliest.is_none() && self.is_deadlocked() {
            self.report_deadlock();
            return Idle::LookAgain;
        }
        Idle::Sleep(self.timers().earliest_with_slack())
    }

    /// Virtual time jumps only when a poll without waiting finds nothing and nothing outside is at work for us.
    fn before_virtual_sleep(&self, earliest: Option<Deadline>) -> Idle {
        self.poll_sources(Some(Duration::ZERO));
        self.take_messages();
        if !self.ready.is_empty() {
            return Idle::LookAgain;
        }
        if self.outside.get() > 0 {
            return Idle::Sleep(None);
        }
        match earliest.filter(|deadline| *deadline < Deadline::NEVER) {
            Some(deadline) => {
                self.clock().jump_to(deadline);
                self.fire_timers();
                Idle::LookAgain
            }
            None if self.is_deadlocked() => {
                self.report_deadlock();
                Idle::LookAgain
            }
            None => Idle::Sleep(None),
        }
    }

    /// Sleeps in the kernel, unless a message came first (L7); says whether it did.
    fn sleep(&self, until: Option<Deadline>) -> bool {
        let limit = until.map(|deadline| deadline.since(self.clock().now()));
        let limit = limit_by_idle(limit, Load::Quiet);
        if !self.lie_down() {
            return false;
        }
        let has_slept = self.home().fall_asleep();
        if has_slept {
            self.doze(limit);
            self.home().wake_up();
            self.vigil.slept(self.home().has_messages());
        }
        self.get_up();
        self.look_at_clock();
        self.notice_recorder(stint::MOST);
        self.take_messages();
        self.fire_timers();
        has_slept
    }

    /// Makes ready whoever's socket is, waiting at most `limit` for it.
    pub(super) fn poll_sources(&self, limit: Option<Duration>) {
        if let Some(reactor) = self.reactor_if_made() {
            let began = recorder::polls();
            reactor.poll(limit);
            self.counts.polls.add_one();
            recorder::polled(began, limit != Some(Duration::ZERO));
            self.polled.set(true);
            self.lap.set(self.ready.len());
        }
    }

    /// Ends what is due.
    fn fire_timers(&self) {
        if !self.timers().is_empty() {
            self.fire_due(self.clock().now());
        }
    }

    /// The same, when it is `now`.
    fn fire_due(&self, now: Deadline) {
        while self.ready.is_empty() || !self.shuffle.puts_off() {
            let due = self.timers().pop_due(now);
            match due {
                Some(target) => self.fire(target),
                None => return,
            }
        }
    }

    fn fire(&self, target: Target) {
        match target {
            // SAFETY: T2: the target of a timer that was set is alive, and it is ours.
            Target::Wait(wait) => drop(unsafe { &*wait }.time_out()),
            // SAFETY: as above.
            Target::Frame(frame) => self.fire_frame(unsafe { &*frame }),
        }
    }

    fn take_messages(&self) {
        if self.home().has_messages() {
            for held in senders(self.home().take()) {
                self.take_message(Counted::from_held(held));
            }
        }
    }

    /// Does what another OS thread asked for.
    pub(super) fn take_message(&self, header: Counted) {
        let pushed = self.ready.pushed();
        let bits = header.peer().take_mail();
        self.do_as_asked(header, bits);
        let newcomers = u64::from(bits & mail::START != 0);
        let woken = (self.ready.pushed() - pushed).saturating_sub(newcomers);
        self.counts.wakes_remote.add(woken);
    }

    fn do_as_asked(&self, header: Counted, bits: u8) {
        if bits & mail::WAKE != 0 {
            self.make_ready(header.as_ptr());
        }
        if bits & mail::UNPARK != 0 {
            self.unpark(&header);
        }
        if bits & mail::REQUEST != 0 {
            self.take_request(&header);
        }
        if bits & mail::CHILD_FAILED != 0 {
            self.fail_scopes(&header);
        }
        if bits & mail::CALLBACK != 0 {
            (header.vtable().late)(&header);
        }
        if bits & mail::SURVEY != 0 {
            self.visit_some();
        }
        if bits & mail::START != 0 {
            self.admit(header);
        }
    }

    fn take_request(&self, header: &Counted) {
        match header.vtable().attend {
            Some(attend) => attend(header),
            None if header.has_ended() => {}
            None => self.deliver_cancellation(header),
        }
    }
}

/// Gives back memory that has lain idle; it wants to be called again after the result at the latest, or after `limit` if that is sooner.
fn limit_by_idle(limit: Option<Duration>, load: Load) -> Option<Duration> {
    if !idle::has_idle() {
        return limit;
    }
    let again = idle::look(Deadline::real_now().since(Deadline::BEGINNING), load);
    match (limit, again) {
        (Some(limit), Some(again)) => Some(limit.min(again)),
        (limit, again) => limit.or(again),
    }
}
