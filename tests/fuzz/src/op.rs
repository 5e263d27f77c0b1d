//! What can be asked of a step: its name, its limit, what is inside of it, whom it names.

use std::sync::Arc;

use crate::program::{Body, How, Millis, Op, Step};

impl Op {
    /// Its name, for counting.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Op::Sleep(_) => "sleep",
            Op::Yield => "yield",
            Op::Checkpoint => "checkpoint",
            Op::Lock(..) => "lock",
            Op::Acquire(..) => "acquire",
            Op::Send(..) => "send",
            Op::Recv(..) => "recv",
            Op::Select(..) => "select",
            Op::DropSender(_) => "drop sender",
            Op::DropReceiver(_) => "drop receiver",
            Op::Set(_) => "set event",
            Op::Clear(_) => "clear event",
            Op::Await(..) => "wait event",
            Op::Read(..) => "read lock",
            Op::Write(..) => "write lock",
            Op::Put(..) => "put",
            Op::Get(..) => "get",
            Op::CloseQueue(_) => "close queue",
            Op::TaskDone(_) => "task_done",
            Op::JoinQueue(..) => "join queue",
            Op::WaitCond(..) => "wait condvar",
            Op::NotifyOne(_) => "notify_one",
            Op::NotifyAll(_) => "notify_all",
            Op::Meet(..) => "wait barrier",
            Op::AbortBarrier(_) => "abort barrier",
            Op::ResetBarrier(_) => "reset barrier",
            Op::SendOne(_) => "oneshot send",
            Op::RecvOne(..) => "oneshot recv",
            Op::DropOneSender(_) => "drop oneshot sender",
            Op::DropOneReceiver(_) => "drop oneshot receiver",
            Op::Park(_) => "park",
            Op::Unpark(_) => "unpark",
            Op::Generator(..) => "generator",
            Op::YieldOut => "yield_",
            Op::Drive(_) => "drive generator",
            Op::Close(_) => "close generator",
            Op::Throw(_) => "throw",
            Op::Delegate(_) => "yield_from",
            Op::Defer(_) => "defer",
            Op::Keep(..) => "set local",
            Op::Tell(_) => "broadcast send",
            Op::Hear(..) => "broadcast recv",
            Op::Subscribe(..) => "broadcast subscribe",
            Op::DropTeller(_) => "drop broadcast sender",
            Op::DropHearer(..) => "drop broadcast receiver",
            Op::Show(_) => "watch send",
            Op::Modify(..) => "watch send_modify",
            Op::Look(..) => "watch borrow",
            Op::Changed(..) => "watch changed",
            Op::Unwatched(..) => "watch closed",
            Op::WatchAnew(..) => "watch subscribe",
            Op::DropShower(_) => "drop watch sender",
            Op::DropWatcher(..) => "drop watch receiver",
            Op::Init(..) => "once init",
            Op::SetOnce(_) => "once set",
            Op::WaitOnce(..) => "once wait",
            Op::Relock(..) => "reentrant lock",
            Op::Tick(_) => "interval tick",
            Op::Timeout(..) => "timeout",
            Op::Shield(_) => "shield",
            Op::Catch(..) => "catch_cancel",
            Op::CatchPanic(_) => "catch_unwind",
            Op::Spawn(..) => "spawn",
            Op::Scope(_) => "scope",
            Op::Child(..) => "scope spawn",
            Op::CancelScope => "scope cancel",
            Op::Join(..) => "join",
            Op::Cancel(_) => "cancel",
            Op::IsFinished(_) => "is_finished",
            Op::Gather(..) => "gather",
            Op::WaitMany(..) => "wait",
            Op::AsCompleted(..) => "as_completed",
            Op::TryScope(_) => "try_scope",
            Op::Race(_) => "race",
            Op::SetSpawn(..) => "JoinSet spawn",
            Op::SetNext => "JoinSet join_next",
            Op::SetCancel => "JoinSet cancel_all",
            Op::Panic => "panic",
            Op::Fail => "fail",
        }
    }

    /// How long it takes or waits at most, where that is said.
    pub(crate) fn limit(&self) -> Option<Millis> {
        match self {
            Op::Sleep(limit) | Op::Timeout(limit, _) | Op::WaitMany(_, _, _, Some(limit)) => {
                Some(*limit)
            }
            Op::Lock(_, How::Within(limit), _)
            | Op::Acquire(_, _, How::Within(limit), _)
            | Op::Send(_, How::Within(limit))
            | Op::Recv(_, How::Within(limit))
            | Op::Await(_, How::Within(limit))
            | Op::Read(_, How::Within(limit), _)
            | Op::Write(_, How::Within(limit), _)
            | Op::Put(_, How::Within(limit))
            | Op::Get(_, How::Within(limit))
            | Op::JoinQueue(_, How::Within(limit))
            | Op::WaitCond(_, _, How::Within(limit))
            | Op::Meet(_, How::Within(limit))
            | Op::RecvOne(_, How::Within(limit))
            | Op::Join(_, How::Within(limit))
            | Op::Select(_, How::Within(limit))
            | Op::Hear(_, _, How::Within(limit))
            | Op::Changed(_, _, How::Within(limit))
            | Op::Unwatched(_, How::Within(limit))
            | Op::WaitOnce(_, How::Within(limit))
            | Op::Relock(_, How::Within(limit), _)
            | Op::Park(How::Within(limit)) => Some(*limit),
            _ => None,
        }
    }

    /// The steps inside of it.
    pub(crate) fn body(&self) -> Option<&Body> {
        match self {
            Op::Lock(_, _, body)
            | Op::Acquire(_, _, _, body)
            | Op::Timeout(_, body)
            | Op::Shield(body)
            | Op::Catch(_, body)
            | Op::CatchPanic(body)
            | Op::Spawn(_, body)
            | Op::Scope(body)
            | Op::Child(_, body)
            | Op::Read(_, _, body)
            | Op::Write(_, _, body)
            | Op::Generator(_, body)
            | Op::TryScope(body)
            | Op::Race(body)
            | Op::SetSpawn(_, body)
            | Op::Keep(_, body)
            | Op::Modify(_, body)
            | Op::Init(_, body)
            | Op::Relock(_, _, body)
            | Op::Defer(body) => Some(body),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn body_mut(&mut self) -> Option<&mut Vec<Step>> {
        match self {
            Op::Lock(_, _, body)
            | Op::Acquire(_, _, _, body)
            | Op::Timeout(_, body)
            | Op::Shield(body)
            | Op::Catch(_, body)
            | Op::CatchPanic(body)
            | Op::Spawn(_, body)
            | Op::Scope(body)
            | Op::Child(_, body)
            | Op::Read(_, _, body)
            | Op::Write(_, _, body)
            | Op::Generator(_, body)
            | Op::TryScope(body)
            | Op::Race(body)
            | Op::SetSpawn(_, body)
            | Op::Keep(_, body)
            | Op::Modify(_, body)
            | Op::Init(_, body)
            | Op::Relock(_, _, body)
            | Op::Defer(body) => Some(Arc::make_mut(body)),
            _ => None,
        }
    }

    /// The same without what is in it.
    pub(crate) fn hollow(&self) -> Op {
        match self {
            Op::Spawn(number, _) => Op::Spawn(*number, Body::default()),
            Op::Child(number, _) | Op::SetSpawn(number, _) => Op::Child(*number, Body::default()),
            Op::Generator(number, _) => Op::Generator(*number, Body::default()),
            other if other.body().is_some() => Op::Yield,
            other => other.clone(),
        }
    }

    /// The number of the green thread that it starts.
    pub(crate) fn starts(&mut self) -> Option<&mut usize> {
        match self {
            Op::Spawn(number, _) | Op::Child(number, _) | Op::SetSpawn(number, _) => Some(number),
            _ => None,
        }
    }

    /// The number of the green thread that it names without starting it.
    pub(crate) fn names(&mut self) -> Option<&mut usize> {
        match self {
            Op::Join(number, _)
            | Op::Gather(number, _)
            | Op::WaitMany(number, ..)
            | Op::AsCompleted(number, _)
            | Op::Cancel(number)
            | Op::IsFinished(number)
            | Op::Unpark(number) => Some(number),
            _ => None,
        }
    }

    /// The number of the generator that it makes.
    pub(crate) fn makes(&mut self) -> Option<&mut usize> {
        match self {
            Op::Generator(number, _) => Some(number),
            _ => None,
        }
    }

    /// The number of the generator that it names without making it.
    pub(crate) fn drives(&mut self) -> Option<&mut usize> {
        match self {
            Op::Drive(number) | Op::Close(number) | Op::Throw(number) | Op::Delegate(number) => {
                Some(number)
            }
            _ => None,
        }
    }
}
