//! The counted header of a green thread: what other OS threads may hold, and the rest that only its own touches.
//!
//! A header is the first part of one allocation: header, closure, result (the rest is typed, see `thread::block`). Roots have one too.
//! Whoever needs it holds a [`Counted`]: the run queue's side (one for as long as the green thread has not ended), join handles,
//! [`GreenThread`](crate::GreenThread)s, the inbox.
//!
//! Invariants:
//! - H1 is that of `peer`.
//! - H2 `local` is touched on the home's OS thread alone; for a job, by whoever has begun it.
//! - H3 `state` only grows, but for a late callback's way back from OVER to ENDED. From ENDED on it is set under the lock of `finish`, so a request is either
//!   seen by the end or refused.
//! - H5 `is_lent` is touched on the home's OS thread alone. While it is set, the one who has the handle, and has it alone, is parked there to join it. So when there
//!   are but two references left, the handle's and that of the list of all, both are that OS thread's, and nobody can make a third: the loop gives up the latter by
//!   a plain store.

#![expect(
    unsafe_code,
    reason = "reference counts, and fields of one OS thread in a shared struct"
)]

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::ops::{Deref, Range};
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use super::finish::{self, Finish};
use super::inbox::Home;
use super::local::Local;
use super::peer::{Held, Peer, Unread, mail};
use super::raises::Raises;
use super::request::Request;
use crate::base::atomic::{AtomicU8, AtomicUsize, Ordering};
use crate::base::biased::Biased;
use crate::base::lock::Lock;
use crate::base::recorder;

/// Where a green thread is in its life; `Header::state`, in this order (H3).
pub(crate) mod state {
    /// Its closure has not begun. Set at birth.
    pub(crate) const UNSTARTED: u8 = 0;

    /// Its closure runs or is parked. Set by the loop at its first run.
    pub(crate) const STARTED: u8 = 1;

    /// Its result stands; callbacks may still run. Set by itself, and again by a callback that is added late.
    pub(crate) const ENDED: u8 = 2;

    /// Joiners go on. Set by whoever has run the last callback.
    pub(crate) const OVER: u8 = 3;

    /// Its OS thread went away first (L19). Set by that OS thread's end.
    pub(crate) const ABANDONED: u8 = 4;
}

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::Header;
    use crate::sched::peer;

    /// In a header: its number, 8 bytes.
    pub(crate) const ID: usize = offset_of!(Header, peer) + peer::layout::ID;

    /// In a header: its name, the address of two counts with the text behind them, and the text's length; the address is 0 for none.
    pub(crate) const NAME: usize = offset_of!(Header, name);

    /// In a header: the address of the place where it was spawned.
    pub(crate) const SITE: usize = offset_of!(Header, site);

    /// In a header: where it is in its life, a byte.
    pub(crate) const STATE: usize = offset_of!(Header, state);

    /// In a header: the part of its OS thread.
    pub(crate) const LOCAL: usize = offset_of!(Header, local);
}

/// Bytes at the beginning of `Local` that every switch touches.
const SWITCHED: usize = 64;

/// Where a header keeps what every switch touches.
#[inline(always)]
pub(super) fn switched_part(header: *const Peer) -> Range<*const u8> {
    let start = header.cast::<u8>().wrapping_add(layout::LOCAL);
    start..start.wrapping_add(SWITCHED)
}

/// What the typed part of the allocation can do.
#[derive(Debug)]
pub(crate) struct Vtable {
    /// Runs the closure to its end and stores the result; on the green thread's own stack, and never unwinds (L18).
    pub(crate) run: unsafe fn(&Header),

    /// Drops the closure unrun and stores why; on a green thread's stack, and never unwinds (L18).
    pub(crate) refuse: unsafe fn(&Header, std::io::Error),

    /// Finds a green thread of its OS thread to run the callbacks that were added after the end.
    pub(crate) late: fn(&Counted),

    /// Runs the callbacks that are left, and ends it; on a green thread's stack of its OS thread (L18).
    pub(crate) call: fn(&Header),

    /// For a job, which runs on an OS thread that is not known before, and can be cancelled only until then: sees to a request, and to its end, on its home's OS
    /// thread; called on any. A green thread has none.
    pub(crate) attend: Option<fn(&Counted)>,

    /// Gives the allocation back, header and all.
    pub(crate) free: unsafe fn(NonNull<Peer>),
}

/// What everybody may know of a green thread.
#[repr(C)]
pub(crate) struct Header {
    /// What other OS threads touch; first, so that its address is the header's.
    peer: Peer,

    /// The typed part.
    vtable: &'static Vtable,

    /// H2.
    local: Local,

    /// Where it is in its life.
    state: AtomicU8,

    /// H5.
    is_lent: Cell<bool>,

    /// How many payloads of its requests are alive (L10).
    payloads: AtomicUsize,

    /// How often the latest of its requests was raised (L9).
    raises: Raises,

    /// Who asks for its end, who waits for it, and what is to be called then.
    finish: Lock<Finish>,

    /// Given by its `Builder`.
    name: Option<Arc<str>>,

    /// Where it was spawned.
    site: &'static Location<'static>,
}

// SAFETY: H2 for `local`, H5 for `is_lent`; everything else is `Sync` and `Send` by itself or never changes.
unsafe impl Sync for Header {}
// SAFETY: as above; a header is freed by whoever drops the last reference, and `Local` holds plain words by then.
unsafe impl Send for Header {}

impl Header {
    /// A header with this many references, owned by the caller.
    #[inline(always)]
    pub(crate) fn new(
        refs: usize,
        vtable: &'static Vtable,
        home: Option<Biased<Home>>,
        name: Option<Arc<str>>,
        site: &'static Location<'static>,
        stack_size: usize,
    ) -> Self {
        Header {
            peer: Peer::new(refs, vtable.free, home),
            vtable,
            state: AtomicU8::new(state::UNSTARTED),
            is_lent: Cell::new(false),
            payloads: AtomicUsize::new(0),
            raises: Raises::new(),
            finish: Lock::new(Finish::new()),
            name,
            site,
            local: Local::new(stack_size),
        }
    }

    /// Drops what is in it, which of most is their part of the home alone: all else was taken out on the way to the end.
    ///
    /// # Safety
    /// Nothing refers to it any more, and it is not used again.
    #[inline(always)]
    pub(crate) unsafe fn dispose(mut header: NonNull<Header>) {
        // SAFETY: the caller's duty.
        let is_bare = unsafe { header.as_mut() }.is_bare();
        if is_bare {
            // SAFETY: the caller's duty; a peer is the header's first part.
            unsafe { header.cast::<Peer>().drop_in_place() }
        } else {
            // SAFETY: as above.
            unsafe { dispose_whole(header) }
        }
    }

    /// Whether nothing in it but the peer wants to be dropped.
    #[inline(always)]
    fn is_bare(&mut self) -> bool {
        self.name.is_none() && self.finish.get_mut().is_bare() && self.local.is_bare()
    }

    pub(crate) fn id(&self) -> u64 {
        self.peer.id()
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn shared_name(&self) -> Option<Arc<str>> {
        self.name.clone()
    }

    pub(crate) fn site(&self) -> &'static Location<'static> {
        self.site
    }

    /// The header that this peer is the first part of.
    ///
    /// # Safety
    /// The peer is alive, and stays so while the result is used. Every peer but those of tests is part of a header.
    #[inline]
    pub(crate) unsafe fn of<'a>(peer: *const Peer) -> &'a Header {
        // SAFETY: the caller's duty; `Header` is `repr(C)` with the peer first.
        unsafe { &*peer.cast() }
    }

    /// Its address for queues and waits.
    #[inline]
    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Its OS thread, once that is settled.
    pub(crate) fn home(&self) -> Option<&Biased<Home>> {
        self.peer.home()
    }

    pub(crate) fn vtable(&self) -> &'static Vtable {
        self.vtable
    }

    pub(crate) fn finish(&self) -> &Lock<Finish> {
        &self.finish
    }

    pub(crate) fn payloads(&self) -> &AtomicUsize {
        &self.payloads
    }

    pub(crate) fn raises(&self) -> &Raises {
        &self.raises
    }

    /// The part of its OS thread.
    ///
    /// # Safety
    /// The caller runs on the home's OS thread (H2).
    #[inline]
    pub(crate) unsafe fn local(&self) -> &Local {
        &self.local
    }

    /// Whether the one who has the handle leaves it alone (H5).
    ///
    /// # Safety
    /// The caller runs on the home's OS thread.
    #[inline(always)]
    pub(crate) unsafe fn is_lent(&self) -> &Cell<bool> {
        &self.is_lent
    }

    #[inline]
    pub(crate) fn state(&self) -> u8 {
        self.state.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn set_state(&self, state: u8) {
        self.state.store(state, Ordering::Release);
    }

    /// Whether its result stands, or never will.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.state() >= state::ENDED
    }

    /// Whether it is too late to ask for its end.
    pub(crate) fn is_past_asking(&self) -> bool {
        let is_job = self.vtable.attend.is_some();
        self.has_ended() || is_job && self.state() != state::UNSTARTED
    }

    /// Whether joiners go on.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.state() >= state::OVER
    }

    /// Whether a request has been asked for and not been consumed.
    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.local.requested.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn set_requested(&self, requested: bool) {
        self.local
            .requested
            .store(u8::from(requested), Ordering::Release);
    }

    /// Puts a request where wait points look; the first one's reason stays. False when it has ended already.
    pub(crate) fn ask(&self, request: Request) -> bool {
        let mut finish = self.finish.lock();
        let ended = self.is_past_asking();
        let superfluous = match &mut finish.request {
            _ if ended => Some(request),
            Some(first) => {
                first.forced |= request.forced;
                Some(request)
            }
            none => {
                *none = Some(request);
                self.set_requested(true);
                None
            }
        };
        drop(finish);
        // After the lock was given back: its reason is of the user's type.
        drop(superfluous);
        recorder::asked(self.id());
        !ended
    }

    /// Sends its home the message `bits`, from any OS thread. False when that has gone: callbacks that were to be called there are forgotten then.
    pub(crate) fn post(&self, bits: u8) -> bool {
        let posted = self.peer.post(bits);
        if posted.is_err_and(|Unread(bits)| bits & mail::CALLBACK != 0) {
            self.leave_behind();
        }
        posted.is_ok()
    }

    /// Its OS thread has gone, and nothing more is run there for it: its joiners go on, with its result if that stands and no callback that
    /// was cut off has it.
    ///
    /// What is of the user's type is forgotten: this is no place to run its code (L18).
    pub(crate) fn leave_behind(&self) {
        let mut finish = self.finish.lock();
        match self.state() {
            state::UNSTARTED | state::STARTED => self.set_state(state::ABANDONED),
            // A callback that will never go on has the result, and may have lent it to another OS thread: nobody else gets it.
            state::ENDED if finish.is_calling() => self.set_state(state::ABANDONED),
            state::ENDED => self.set_state(state::OVER),
            _ => {}
        }
        mem::forget(finish.request.take());
        mem::forget(finish.give_up());
        drop(finish);
        finish::release(&self.finish);
    }

    /// A further reference.
    #[inline]
    pub(crate) fn count(&self) -> Counted {
        Counted(self.peer.count())
    }
}

/// # Safety
/// As for `Header::dispose`.
#[cold]
unsafe fn dispose_whole(header: NonNull<Header>) {
    // SAFETY: the caller's duty.
    unsafe { header.drop_in_place() }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A counted reference to a header (H1).
#[derive(Clone)]
pub(crate) struct Counted(Held);

impl Counted {
    /// Takes over a reference that is already counted.
    ///
    /// # Safety
    /// `header` is alive, and one of its references is given to the result.
    #[inline]
    pub(crate) unsafe fn from_raw(header: *const Header) -> Self {
        // SAFETY: the caller's duty; the peer is the header's first part.
        Counted(unsafe { Held::from_raw(header.cast()) })
    }

    /// Gives it up, on the home's OS thread: by a plain store, where H5 allows that.
    #[inline(always)]
    pub(super) fn give_up_here(self) {
        // SAFETY: the caller is the loop of that OS thread.
        if unsafe { self.is_lent() }.get() {
            // SAFETY: H5.
            unsafe { self.0.give_up_alone() }
        }
    }

    /// Of a peer that is part of a header, as every one is that a scheduler meets.
    #[inline]
    pub(crate) fn from_held(held: Held) -> Self {
        Counted(held)
    }

    /// The same reference, to the peer alone.
    pub(crate) fn into_held(self) -> Held {
        self.0
    }

    /// The address; the reference stays here.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const Header {
        self.0.as_ptr().cast()
    }
}

impl Deref for Counted {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: H1: this reference keeps it alive.
        unsafe { Header::of(self.0.as_ptr()) }
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
