//! What happens, written down: the hooks call these functions, `trace` reads the rings.
//!
//! While nobody records, a hook is a test of one word that is never written. The hottest places, switching and waking on one OS thread, have not even that: see
//! `sched::traced`.
//!
//! Every OS thread writes into a ring of its own (`ring`), which it gets when it first records something. Rings are never freed. When an OS thread goes, its ring stays as it is
//! until so many others have gone that it is the oldest; then the next new OS thread gets it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::moment;
use super::ring::{Entry, Name, Ring, TextPlace};

/// How many rings of OS threads that have gone are kept as they are.
const LEFT_BEHIND: usize = 16;

/// In the object of a `Park`: the rest of it is the id of the green thread that is joined, not an address.
pub(crate) const JOINED: u64 = 1 << 63;

/// `Here::time` while the machine's clock is used.
const REAL: u64 = u64::MAX;

/// How many record.
static USERS: AtomicU32 = AtomicU32::new(0);

/// The number of the next ring.
static NEXT_RING: AtomicU64 = AtomicU64::new(1);

/// Every ring.
static RINGS: Mutex<Rings> = Mutex::new(Rings {
    all: Vec::new(),
    left: VecDeque::new(),
});

/// Told of panics and deadlocks, once anybody has asked for that.
static TROUBLE: OnceLock<fn(&str)> = OnceLock::new();

thread_local! {
    /// Its drop gives this OS thread's ring back.
    static SENTINEL: Sentinel = const { Sentinel };

    /// What this OS thread knows while it records.
    static HERE: Here = const { Here {
        ring: Cell::new(None),
        running: Cell::new(0),
        time: Cell::new(REAL),
        stopped: Cell::new(0),
        how: Cell::new(Ending::Returned),
    } };
}

/// What an OS thread knows while it records.
struct Here {
    /// Its ring, while it has one.
    ring: Cell<Option<&'static Ring>>,

    /// Who runs; zero for nobody.
    running: Cell<u64>,

    /// The virtual time.
    time: Cell<u64>,

    /// When somebody last stopped, if nothing took time since; else zero.
    stopped: Cell<u64>,

    /// How the one who is ending ends.
    how: Cell<Ending>,
}

/// Every ring.
struct Rings {
    /// All of them.
    all: Vec<&'static Ring>,

    /// Those whose OS threads have gone, the longest ago first.
    left: VecDeque<&'static Ring>,
}

impl Rings {
    /// A ring for the OS thread that calls.
    fn give(&mut self, number: u64) -> &'static Ring {
        if self.left.len() > LEFT_BEHIND
            && let Some(ring) = self.left.pop_front()
        {
            ring.adopt(number);
            return ring;
        }
        let ring: &'static Ring = Box::leak(Box::new(Ring::new(number)));
        self.all.push(ring);
        ring
    }
}

/// Gives this OS thread's ring back when it goes.
struct Sentinel;

impl Drop for Sentinel {
    fn drop(&mut self) {
        if let Some(ring) = HERE.with(|here| here.ring.take()) {
            rings().left.push_back(ring);
        }
    }
}

/// What can happen.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A green thread was spawned. Object: its name. Name: its site.
    Spawn = 1,

    /// A job for an OS thread that may block was spawned. Name: its site.
    JobSpawn,

    /// One that was there before runs for the first time in this ring, or for the first time in a long while. Object: its name. Name: its site, but for roots.
    Known,

    /// It runs from now on.
    Run,

    /// It has stopped, to be run again in its turn.
    Yield,

    /// It has stopped, to wait. Object: for what. Name: the operation.
    Park,

    /// It has ended. Object: an `Ending`.
    End,

    /// Its wait has ended. Object: a `Waking`. Name: the operation.
    Wake,

    /// It was asked to end.
    Ask,

    /// It has panicked. Object: what it said.
    Panic,

    /// The loop has looked at sockets, or slept. Subject: when it began. Object: whether it could sleep.
    Poll,

    /// An OS thread has begun with a job.
    JobBegin,

    /// It has ended it.
    JobEnd,

    /// A generator was resumed. Subject: its link's address.
    Resume,

    /// A generator has yielded. Subject: as above.
    GeneratorYield,

    /// A generator has ended. Subject: as above.
    GeneratorEnd,

    /// The program's own mark. Object: the text.
    Mark,
}

/// All kinds, in the order of their numbers.
const KINDS: [Kind; 17] = [
    Kind::Spawn,
    Kind::JobSpawn,
    Kind::Known,
    Kind::Run,
    Kind::Yield,
    Kind::Park,
    Kind::End,
    Kind::Wake,
    Kind::Ask,
    Kind::Panic,
    Kind::Poll,
    Kind::JobBegin,
    Kind::JobEnd,
    Kind::Resume,
    Kind::GeneratorYield,
    Kind::GeneratorEnd,
    Kind::Mark,
];

impl Kind {
    /// The kind with this number; a ring holds no others.
    pub(crate) fn of(number: u8) -> Kind {
        KINDS[usize::from(number) - 1]
    }
}

/// How a closure has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It returned.
    Returned,

    /// It panicked.
    Panicked,

    /// It was cancelled, perhaps before it began.
    Cancelled,

    /// There was no stack for it.
    Refused,
}

impl Ending {
    /// The one with this number.
    pub(crate) fn of(number: u64) -> Ending {
        [
            Ending::Returned,
            Ending::Panicked,
            Ending::Cancelled,
            Ending::Refused,
        ][number as usize & 3]
    }
}

/// What has ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waking {
    /// What it waited for.
    Granted,

    /// Its deadline.
    TimedOut,

    /// A request.
    Interrupted,
}

impl Waking {
    /// The one with this number.
    pub(crate) fn of(number: u64) -> Waking {
        [Waking::Granted, Waking::TimedOut, Waking::Interrupted][number as usize % 3]
    }
}

/// Whether anybody records.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    USERS.load(Ordering::Relaxed) != 0
}

/// One more records. Undone by [`stop`].
pub(crate) fn start() {
    USERS.fetch_add(1, Ordering::Relaxed);
}

/// One less records.
pub(crate) fn stop() {
    USERS.fetch_sub(1, Ordering::Relaxed);
}

/// The number of this OS thread's ring, which it gets if need be.
pub(crate) fn own_ring() -> u64 {
    with_ring(|ring| ring.owner().number).unwrap_or(0)
}

/// Every ring there is now.
pub(crate) fn all_rings() -> Vec<&'static Ring> {
    rings().all.clone()
}

fn rings() -> MutexGuard<'static, Rings> {
    RINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A ring for this OS thread; `None` once its thread-locals have gone.
#[cold]
fn get_ring() -> Option<&'static Ring> {
    SENTINEL.try_with(|_| ()).ok()?;
    let number = NEXT_RING.fetch_add(1, Ordering::Relaxed);
    let ring = rings().give(number);
    HERE.with(|here| here.ring.set(Some(ring)));
    Some(ring)
}

/// Calls `f` with this OS thread's ring; does nothing once its thread-locals have gone.
#[inline]
fn with_ring<R>(f: impl FnOnce(&'static Ring) -> R) -> Option<R> {
    let ring = HERE.with(|here| here.ring.get()).or_else(get_ring)?;
    Some(f(ring))
}

/// The present moment, by the clock of this OS thread.
#[inline]
pub(crate) fn now() -> u64 {
    match HERE.with(|here| here.time.get()) {
        REAL => moment::now(),
        time => time,
    }
}

/// Says what time it is on this OS thread; `None` for the machine's clock.
pub(crate) fn set_virtual_time(now: Option<u64>) {
    HERE.with(|here| here.time.set(now.unwrap_or(REAL)));
}

/// Who runs here, as far as was recorded; zero for nobody.
pub(crate) fn running() -> u64 {
    HERE.with(|here| here.running.get())
}

/// Says who runs here.
pub(crate) fn set_running(id: u64) {
    HERE.with(|here| here.running.set(id));
}

/// Time has passed since somebody stopped.
pub(crate) fn forget_stop() {
    HERE.with(|here| here.stopped.set(0));
}

fn note(kind: Kind, subject: u64, object: u64, name: Name) {
    note_at(now(), kind, subject, object, name);
}

fn note_at(at: u64, kind: Kind, subject: u64, object: u64, name: Name) {
    let entry = Entry {
        at,
        kind: kind as u8,
        by: running(),
        subject,
        object,
        name,
    };
    with_ring(|ring| ring.push(&entry));
}

fn put_text(text: &str) -> TextPlace {
    with_ring(|ring| ring.put_text(text)).unwrap_or(0)
}

fn put_name(name: Option<&str>) -> TextPlace {
    name.map_or(0, put_text)
}

/// A green thread was made.
#[inline(always)]
pub(crate) fn spawned(id: u64, name: Option<&str>, site: &'static Location<'static>, job: bool) {
    if is_on() {
        note_spawn(id, name, site, job);
    }
}

#[cold]
#[inline(never)]
fn note_spawn(id: u64, name: Option<&str>, site: &'static Location<'static>, job: bool) {
    let kind = if job { Kind::JobSpawn } else { Kind::Spawn };
    note(kind, id, put_name(name), Name::Site(site));
}

/// Where the next entry of this OS thread's ring will be, to be told by [`is_recent`]; never zero.
pub(crate) fn place() -> u64 {
    with_ring(Ring::done).unwrap_or(0) + 1
}

/// Whether an entry at `place` is among the newer half of this OS thread's ring.
pub(crate) fn is_recent(place: u64) -> bool {
    place != 0
        && with_ring(Ring::done).is_some_and(|done| done < place + super::ring::ENTRIES as u64 / 2)
}

/// Says who `id` is, for those who have not seen it spawned.
pub(crate) fn known(id: u64, name: Option<&str>, site: Option<&'static Location<'static>>) {
    note(
        Kind::Known,
        id,
        put_name(name),
        site.map_or(Name::None, Name::Site),
    );
}

/// `id` runs from now on.
pub(crate) fn ran(id: u64) {
    let stopped = HERE.with(|here| here.stopped.replace(0));
    let at = if stopped == 0 { now() } else { stopped };
    set_running(id);
    note_at(at, Kind::Run, id, 0, Name::None);
}

/// `id` has stopped, in the way that is told.
fn stopped(id: u64, kind: Kind, object: u64, name: Name) {
    let at = now();
    HERE.with(|here| here.stopped.set(at));
    note_at(at, kind, id, object, name);
    set_running(0);
}

/// It yielded.
pub(crate) fn yielded(id: u64) {
    stopped(id, Kind::Yield, 0, Name::None);
}

/// It waits for `object`.
pub(crate) fn parked(id: u64, operation: &'static &'static str, object: u64) {
    stopped(id, Kind::Park, object, Name::Operation(operation));
}

/// It has ended, as [`concludes`] said before.
pub(crate) fn ended(id: u64) {
    let how = HERE.with(|here| here.how.replace(Ending::Returned));
    stopped(id, Kind::End, how as u64, Name::None);
}

/// The one who runs is about to end, in the way that `how` tells.
#[inline(always)]
pub(crate) fn concludes(how: impl FnOnce() -> Ending) {
    if is_on() {
        let how = how();
        HERE.with(|here| here.how.set(how));
    }
}

/// The wait of `id` has ended.
#[inline(always)]
pub(crate) fn woken(id: u64, operation: &'static &'static str, how: Waking) {
    if is_on() {
        note_wake(id, operation, how);
    }
}

#[cold]
#[inline(never)]
fn note_wake(id: u64, operation: &'static &'static str, how: Waking) {
    note(Kind::Wake, id, how as u64, Name::Operation(operation));
}

/// `id` was asked to end.
pub(crate) fn asked(id: u64) {
    if is_on() {
        note(Kind::Ask, id, 0, Name::None);
    }
}

/// `id` has panicked.
pub(crate) fn panicked(id: u64, message: &str) {
    if is_on() {
        note(Kind::Panic, id, put_text(message), Name::None);
    }
}

/// The loop is about to look at sockets, or to sleep: tells [`polled`] when.
pub(crate) fn polls() -> u64 {
    if is_on() { now() } else { 0 }
}

/// It has done so.
pub(crate) fn polled(began: u64, slept: bool) {
    if is_on() && began != 0 {
        note(Kind::Poll, began, u64::from(slept), Name::None);
    }
}

/// This OS thread works on a job from now on.
pub(crate) fn job_began(id: u64) {
    if is_on() {
        note(Kind::JobBegin, id, 0, Name::None);
    }
}

/// It has ended the job.
pub(crate) fn job_ended(id: u64) {
    if is_on() {
        let how = HERE.with(|here| here.how.replace(Ending::Returned));
        note(Kind::JobEnd, id, how as u64, Name::None);
    }
}

/// What a generator does, by its link's address.
#[inline(always)]
pub(crate) fn generator(link: usize, kind: Kind) {
    if is_on() {
        note_generator(link, kind);
    }
}

#[cold]
#[inline(never)]
fn note_generator(link: usize, kind: Kind) {
    note(kind, link as u64, 0, Name::None);
}

/// The program's own mark.
pub(crate) fn marked(id: u64, text: &str) {
    if is_on() {
        note(Kind::Mark, id, put_text(text), Name::None);
    }
}

/// Has `f` told of every panic and deadlock from now on. One function for the process.
pub(crate) fn tell_of_trouble(f: fn(&str)) {
    // The second time it is the same.
    let _ = TROUBLE.set(f);
}

/// Something went wrong that somebody may want to see the last moments of. On the stack of a green thread or a root.
#[cold]
pub(crate) fn trouble(what: &str) {
    if let Some(told) = TROUBLE.get().filter(|_| is_on()) {
        told(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_number() {
        for kind in KINDS {
            assert_eq!(Kind::of(kind as u8), kind);
        }
    }

    #[test]
    fn rings_of_threads_that_have_gone_are_used_again() {
        let mut rings = Rings {
            all: Vec::new(),
            left: VecDeque::new(),
        };
        for number in 0..100 {
            let ring = rings.give(number);
            assert_eq!(ring.owner().number, number);
            rings.left.push_back(ring);
        }
        assert_eq!(rings.all.len(), LEFT_BEHIND + 1);
    }
}
