//! The kinds of steps, and how often each comes.

use super::Maker;
use crate::program::Op;

/// What a kind of step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Time, and whose turn it is.
    Time,

    /// Who lives and who ends.
    Lives,

    /// An object, by the number of its kind.
    Object(usize),
}

/// How many kinds of objects there are.
pub(super) const OBJECTS: usize = 19;

/// Generators, among them.
pub(super) const GENERATORS: usize = 10;

/// One kind of step.
pub(super) struct Kind {
    /// How often it comes, beside the others about the same.
    pub(super) weight: u32,

    /// What it is about.
    pub(super) about: About,

    /// Makes one.
    pub(super) make: fn(&mut Maker) -> Op,
}

const fn kind(weight: u32, about: About, make: fn(&mut Maker) -> Op) -> Kind {
    Kind {
        weight,
        about,
        make,
    }
}

use About::{Lives, Object, Time};

/// All kinds.
pub(super) const KINDS: &[Kind] = &[
    kind(8, Time, |m| Op::Sleep(m.millis())),
    kind(8, Time, |_| Op::Yield),
    kind(2, Time, |_| Op::Checkpoint),
    kind(8, Lives, |m| Op::Timeout(m.millis(), m.body())),
    kind(2, Lives, |m| Op::Shield(m.body())),
    kind(4, Lives, |m| Op::Catch(m.then(), m.body())),
    kind(1, Lives, |m| Op::CatchPanic(m.body())),
    kind(2, Lives, |m| Op::Defer(m.last_words())),
    kind(6, Lives, Maker::spawn),
    kind(5, Lives, |m| Op::Scope(m.body())),
    kind(8, Lives, Maker::child),
    kind(1, Lives, |_| Op::CancelScope),
    kind(7, Lives, |m| Op::Join(m.name(), m.how())),
    kind(10, Lives, |m| Op::Cancel(m.name())),
    kind(1, Lives, |m| Op::IsFinished(m.name())),
    kind(3, Lives, |m| Op::TryScope(m.body())),
    kind(2, Lives, Maker::race),
    kind(3, Object(11), |m| Op::Gather(m.name(), m.rng.usize(1..=3))),
    kind(6, Object(11), Maker::wait_many),
    kind(6, Object(11), |m| {
        if m.may_start() {
            Op::SetSpawn(0, m.other())
        } else {
            Op::SetNext
        }
    }),
    kind(6, Object(11), |_| Op::SetNext),
    kind(1, Object(11), |_| Op::SetCancel),
    kind(2, Lives, |_| Op::Panic),
    kind(1, Lives, |_| Op::Fail),
    kind(10, Object(0), |m| {
        Op::Lock(m.below(m.objects.mutexes), m.how(), m.body())
    }),
    kind(10, Object(1), Maker::acquire),
    kind(10, Object(2), |m| Op::Send(m.channel(), m.how())),
    kind(10, Object(2), |m| Op::Recv(m.channel(), m.how())),
    kind(10, Object(12), Maker::select),
    kind(3, Object(12), |m| Op::Send(m.channel(), m.how())),
    kind(3, Object(12), |m| Op::Recv(m.channel(), m.how())),
    kind(1, Object(2), |m| Op::DropSender(m.channel())),
    kind(1, Object(2), |m| Op::DropReceiver(m.channel())),
    kind(6, Object(3), |m| Op::Set(m.below(m.objects.events))),
    kind(3, Object(3), |m| Op::Clear(m.below(m.objects.events))),
    kind(8, Object(3), |m| {
        Op::Await(m.below(m.objects.events), m.how())
    }),
    kind(6, Object(4), |m| {
        Op::Read(m.below(m.objects.rw_locks), m.how(), m.body())
    }),
    kind(5, Object(4), |m| {
        Op::Write(m.below(m.objects.rw_locks), m.how(), m.body())
    }),
    kind(10, Object(5), |m| Op::Put(m.queue(), m.how())),
    kind(10, Object(5), |m| Op::Get(m.queue(), m.how())),
    kind(1, Object(5), |m| Op::CloseQueue(m.queue())),
    kind(3, Object(5), |m| Op::TaskDone(m.queue())),
    kind(3, Object(5), |m| Op::JoinQueue(m.queue(), m.how_long())),
    kind(10, Object(6), |m| {
        let (condvar, mutex) = (m.below(m.objects.condvars), m.below(m.objects.mutexes));
        Op::WaitCond(condvar, mutex, m.how_long())
    }),
    kind(6, Object(6), |m| Op::NotifyOne(m.below(m.objects.condvars))),
    kind(3, Object(6), |m| Op::NotifyAll(m.below(m.objects.condvars))),
    kind(4, Object(6), |m| {
        Op::Lock(m.below(m.objects.mutexes), m.how(), m.body())
    }),
    kind(10, Object(7), |m| {
        Op::Meet(m.below(m.objects.barriers.len()), m.how())
    }),
    kind(1, Object(7), |m| {
        Op::AbortBarrier(m.below(m.objects.barriers.len()))
    }),
    kind(1, Object(7), |m| {
        Op::ResetBarrier(m.below(m.objects.barriers.len()))
    }),
    kind(4, Object(8), |m| Op::SendOne(m.below(m.objects.oneshots))),
    kind(8, Object(8), |m| {
        Op::RecvOne(m.below(m.objects.oneshots), m.how())
    }),
    kind(1, Object(8), |m| {
        Op::DropOneSender(m.below(m.objects.oneshots))
    }),
    kind(1, Object(8), |m| {
        Op::DropOneReceiver(m.below(m.objects.oneshots))
    }),
    kind(8, Object(9), |m| Op::Park(m.how_long())),
    kind(8, Object(9), |m| Op::Unpark(m.name())),
    kind(2, Object(GENERATORS), |m| Op::Generator(0, m.generator())),
    kind(10, Object(GENERATORS), Maker::yield_out),
    kind(14, Object(GENERATORS), |m| Op::Drive(m.name())),
    kind(3, Object(GENERATORS), |m| Op::Close(m.name())),
    kind(3, Object(GENERATORS), |m| Op::Throw(m.name())),
    kind(3, Object(GENERATORS), |m| Op::CatchPanic(m.body())),
    kind(6, Object(GENERATORS), |m| Op::Delegate(m.name())),
    kind(3, Object(11), |m| {
        Op::AsCompleted(m.name(), m.rng.usize(1..=3))
    }),
    kind(8, Object(13), |m| Op::Tell(m.broadcast())),
    kind(12, Object(13), |m| {
        Op::Hear(m.broadcast(), m.below(2), m.how())
    }),
    kind(2, Object(13), |m| Op::Subscribe(m.broadcast(), m.below(2))),
    kind(1, Object(13), |m| Op::DropTeller(m.broadcast())),
    kind(1, Object(13), |m| Op::DropHearer(m.broadcast(), m.below(2))),
    kind(6, Object(14), |m| Op::Show(m.watch())),
    kind(4, Object(14), |m| Op::Modify(m.watch(), m.body())),
    kind(2, Object(14), |m| Op::Look(m.watch(), m.below(2))),
    kind(12, Object(14), |m| {
        Op::Changed(m.watch(), m.below(2), m.how())
    }),
    kind(2, Object(14), |m| Op::Unwatched(m.watch(), m.how())),
    kind(1, Object(14), |m| Op::WatchAnew(m.watch(), m.below(2))),
    kind(1, Object(14), |m| Op::DropShower(m.watch())),
    kind(2, Object(14), |m| Op::DropWatcher(m.watch(), m.below(2))),
    kind(10, Object(15), |m| {
        Op::Init(m.below(m.objects.onces), m.body())
    }),
    kind(1, Object(15), |m| Op::SetOnce(m.below(m.objects.onces))),
    kind(6, Object(15), |m| {
        Op::WaitOnce(m.below(m.objects.onces), m.how())
    }),
    kind(10, Object(16), |m| {
        Op::Relock(m.below(m.objects.reentrants), m.how(), m.body())
    }),
    kind(10, Object(17), |m| {
        Op::Tick(m.below(m.objects.intervals.len()))
    }),
    kind(10, Object(18), |m| Op::Keep(m.below(2), m.last_words())),
];
