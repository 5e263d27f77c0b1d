//! What goes wrong with sockets, by a seed: for tests. What is done about it is in `net::faulty`.
//!
//! Off costs a look at one word where a system call is tried: how many runs of the process have faults in force. Only where that is not zero is it asked whether they are in
//! force here.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::base::atomic::thread_local;
use crate::base::random::{Random, mix};

/// In how many places of the process faults are in force.
static IN_FORCE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Those of this OS thread; the last is the one that counts.
    static HERE: RefCell<Vec<Rc<Injector>>> = const { RefCell::new(Vec::new()) };
}

/// Faults that sockets of [`net`](crate::net) have, as a seed chooses: for tests of what is built upon them.
///
/// A network may do all of this at any time, and hardly ever does it on the loopback where tests run. In force, by [`inject`](Self::inject) or
/// [`RuntimeBuilder::faults`](crate::RuntimeBuilder::faults), are those for the sockets of this crate on one OS thread, whatever code uses them; each read, write, connect
/// and accept asks the seed's numbers in its turn, so the same schedule ([`shuffle`](crate::RuntimeBuilder::shuffle), [`explore`](crate::explore())) has the same faults
/// again. Nothing goes wrong unless it is asked for. The shares are from 0.0, never, to 1.0, always.
///
/// Under [virtual time](crate::RuntimeBuilder::virtual_time) delays take no time. What the kernel does is not chosen: how much of a big write fits at once, for example,
/// may differ from run to run with TCP, and small writes wait for acknowledgements in real time unless [`set_nodelay`](crate::net::TcpStream::set_nodelay) says otherwise. The two ends
/// of [`UnixStream::pair`](crate::net::UnixStream::pair) make no such difference.
///
/// # Examples
/// ```
/// use greenthread::net::{Faults, UnixStream};
/// use std::io::{Read, Write};
/// let faults = Faults::new(7).short_reads(1.0);
/// faults.inject(|| {
///     let (mut near, mut far) = UnixStream::pair()?;
///     far.write_all(b"hello")?;
///     let mut buffer = [0; 5];
///     assert!(near.read(&mut buffer)? < 5); // who does not read on has lost the rest
///     std::io::Result::Ok(())
/// }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing goes wrong before it is in force"]
pub struct Faults {
    /// What is chosen follows from it.
    seed: u64,

    /// Of the reads.
    short_reads: f64,

    /// Of the writes.
    short_writes: f64,

    /// Of the reads and writes.
    resets: f64,

    /// Of all that may wait.
    delays: f64,

    /// The longest delay.
    longest: Duration,
}

impl Faults {
    /// Begins with no faults at all.
    pub fn new(seed: u64) -> Self {
        Faults {
            seed,
            short_reads: 0.0,
            short_writes: 0.0,
            resets: 0.0,
            delays: 0.0,
            longest: Duration::ZERO,
        }
    }

    /// Has this share of the reads from streams give fewer bytes than were asked for, but at least one. Nothing is lost: the next read has the rest.
    ///
    /// # Panics
    /// When the share is not from 0.0 to 1.0.
    #[track_caller]
    pub fn short_reads(mut self, share: f64) -> Self {
        self.short_reads = checked("short_reads", share);
        self
    }

    /// Has this share of the writes to streams take fewer bytes than were offered, but at least one.
    ///
    /// # Panics
    /// When the share is not from 0.0 to 1.0.
    #[track_caller]
    pub fn short_writes(mut self, share: f64) -> Self {
        self.short_writes = checked("short_writes", share);
        self
    }

    /// Has this share of the reads from and writes to streams break the connection: they give `ConnectionReset`, later ones the end and `BrokenPipe`, and the peer of a TCP
    /// connection is sent a reset, too. The peer of a Unix stream meets the end, as it would if its peer had died.
    ///
    /// # Panics
    /// When the share is not from 0.0 to 1.0.
    #[track_caller]
    pub fn resets(mut self, share: f64) -> Self {
        self.resets = checked("resets", share);
        self
    }

    /// Has this share of all calls that may wait for a socket wait for up to `longest` before they do anything. A read or write timeout counts from before the delay.
    ///
    /// Futures that poll a socket are not delayed.
    ///
    /// # Panics
    /// When the share is not from 0.0 to 1.0.
    #[track_caller]
    pub fn delays(mut self, share: f64, longest: Duration) -> Self {
        self.delays = checked("delays", share);
        self.longest = longest;
        self
    }

    /// Puts the faults in force on this OS thread until `f` has returned: for what it does, and for the green threads that run meanwhile.
    ///
    /// Where several are in force, those that came last are, until they are over.
    pub fn inject<T>(self, f: impl FnOnce() -> T) -> T {
        let _in_force = InForce::put(self);
        f()
    }
}

#[track_caller]
fn checked(what: &str, share: f64) -> f64 {
    assert!(
        (0.0..=1.0).contains(&share),
        "{what}({share}): a share is from 0.0, never, to 1.0, always"
    );
    share
}

/// Faults while they are in force on this OS thread.
#[derive(Debug)]
pub(crate) struct InForce {
    /// Found in the list by its address.
    injector: Rc<Injector>,
}

impl InForce {
    pub(crate) fn put(faults: Faults) -> Self {
        let injector = Rc::new(Injector {
            random: Random::new(mix(faults.seed)),
            faults,
        });
        // At the end of the OS thread the list may be gone already: then nothing goes wrong any more.
        let _ = HERE.try_with(|here| here.borrow_mut().push(Rc::clone(&injector)));
        IN_FORCE.fetch_add(1, Ordering::Relaxed);
        InForce { injector }
    }
}

impl Drop for InForce {
    fn drop(&mut self) {
        IN_FORCE.fetch_sub(1, Ordering::Relaxed);
        let is_other = |other: &Rc<Injector>| !Rc::ptr_eq(other, &self.injector);
        // As above.
        let _ = HERE.try_with(|here| here.borrow_mut().retain(is_other));
    }
}

/// Whether faults may be in force here: one look at one word.
#[inline(always)]
pub(crate) fn may_be() -> bool {
    IN_FORCE.load(Ordering::Relaxed) != 0
}

/// Whether faults are in force here.
#[inline]
pub(crate) fn are_here() -> bool {
    here_if_any().is_some()
}

/// The faults that are in force here, found out by that look if there are none at all.
#[inline]
pub(crate) fn here_if_any() -> Option<Rc<Injector>> {
    may_be().then(here).flatten()
}

/// The faults that are in force here.
#[cold]
pub(crate) fn here() -> Option<Rc<Injector>> {
    HERE.try_with(|here| here.borrow().last().cloned()).ok()?
}

/// Chooses what goes wrong.
#[derive(Debug)]
pub(crate) struct Injector {
    /// What may.
    faults: Faults,

    /// What does.
    random: Random,
}

impl Injector {
    /// How long a call is to wait.
    pub(crate) fn delay(&self) -> Option<Duration> {
        if !self.happens(self.faults.delays) {
            return None;
        }
        let longest = u64::try_from(self.faults.longest.as_nanos()).unwrap_or(u64::MAX);
        Some(Duration::from_nanos(self.random.below(longest.max(1)) + 1))
    }

    /// Whether the connection breaks.
    pub(crate) fn resets(&self) -> bool {
        self.happens(self.faults.resets)
    }

    /// How many of `wanted` bytes are to be read.
    pub(crate) fn read(&self, wanted: usize) -> usize {
        self.cut(self.faults.short_reads, wanted)
    }

    /// How many of `wanted` bytes are to be written.
    pub(crate) fn write(&self, wanted: usize) -> usize {
        self.cut(self.faults.short_writes, wanted)
    }

    fn cut(&self, share: f64, wanted: usize) -> usize {
        if wanted > 1 && self.happens(share) {
            1 + self.random.below(wanted as u64 - 1) as usize
        } else {
            wanted
        }
    }

    /// What is not asked for takes no number, so that one kind of fault more leaves the others where they were as far as can be.
    fn happens(&self, share: f64) -> bool {
        share > 0.0 && self.random.happens(share)
    }
}
