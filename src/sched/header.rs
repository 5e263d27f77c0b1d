//! The counted header of a green thread: what other OS threads may hold, and the rest that only its own touches.
//!
//! A header is the first part of one allocation: header, closure, result (the rest is typed, see `thread::block`). Roots have one too.
//! Whoever needs it holds a [`Counted`]: the run queue's side (one for as long as the green thread has not ended), join handles,
//! [`GreenThread`](crate::GreenThread)s, the inbox.
//!
//! Invariants:
//! - H1 The allocation lives while one reference exists; the last one disposes of it, on any OS thread.
//! - H2 `local` is touched on the home's OS thread alone.
//! - H3 `state` only grows. ENDED is set under the lock of `request`, so a request is either seen by the end or refused.

#![expect(
    unsafe_code,
    reason = "reference counts, and fields of one OS thread in a shared struct"
)]

use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Arc;

use super::finish::Finish;
use super::inbox::{Gone, Home};
use super::local::Local;
use super::request::Request;
use crate::base::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence};
use crate::base::lock::Lock;

/// What a message is for; bits of `Header::mail`.
pub(crate) mod mail {
    /// Its wait has ended (the judge says how): make it ready.
    pub(crate) const WAKE: u8 = 1;

    /// It has a new request: end its wait if that can be ended.
    pub(crate) const REQUEST: u8 = 2;

    /// It was spawned here by another OS thread: let it run.
    pub(crate) const START: u8 = 4;

    /// `unpark` was called.
    pub(crate) const UNPARK: u8 = 8;

    /// A callback was added after its end.
    pub(crate) const CALLBACK: u8 = 16;
}

/// Where a green thread is in its life; `Header::state`, in this order (H3).
pub(crate) mod state {
    /// Its closure has not begun. Set at birth.
    pub(crate) const UNSTARTED: u8 = 0;

    /// Its closure runs or is parked. Set by the loop at its first run.
    pub(crate) const STARTED: u8 = 1;

    /// Its result stands; callbacks may still run. Set by itself.
    pub(crate) const ENDED: u8 = 2;

    /// Its OS thread went away first (L19). Set by that OS thread's end.
    pub(crate) const ABANDONED: u8 = 3;
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

    /// Gives the allocation back, header and all.
    pub(crate) free: unsafe fn(NonNull<Header>),
}

/// What everybody may know of a green thread.
#[repr(C)]
pub(crate) struct Header {
    /// H1.
    refs: AtomicUsize,

    /// The typed part.
    vtable: &'static Vtable,

    /// The OS thread that it is pinned to (D1).
    home: Arc<Home>,

    /// The next older message in the inbox; owned by whoever owns the list.
    mail_next: AtomicPtr<Header>,

    /// What it is in the inbox for; zero when it is not there.
    mail: AtomicU8,

    /// Where it is in its life.
    state: AtomicU8,

    /// Whether `request` holds one: what a wait point looks at.
    requested: AtomicU8,

    /// How many payloads of its requests are alive (L10).
    payloads: AtomicUsize,

    /// The request that has been asked for and not been consumed.
    request: Lock<Option<Request>>,

    /// Who waits for its end, and what is to be called then.
    finish: Lock<Finish>,

    /// Unique in the process.
    id: u64,

    /// Given by its `Builder`.
    name: Option<Arc<str>>,

    /// Where it was spawned.
    site: &'static Location<'static>,

    /// H2.
    local: Local,
}

// SAFETY: H2 for `local`; everything else is `Sync` and `Send` by itself or never changes.
unsafe impl Sync for Header {}
// SAFETY: as above; a header is freed by whoever drops the last reference, and `Local` holds plain words by then.
unsafe impl Send for Header {}

impl Header {
    /// A header with this many references, owned by the caller.
    #[inline]
    pub(crate) fn new(
        refs: usize,
        vtable: &'static Vtable,
        home: Arc<Home>,
        name: Option<Arc<str>>,
        site: &'static Location<'static>,
    ) -> Self {
        Header {
            refs: AtomicUsize::new(refs),
            vtable,
            home,
            mail_next: AtomicPtr::new(std::ptr::null_mut()),
            mail: AtomicU8::new(0),
            state: AtomicU8::new(state::UNSTARTED),
            requested: AtomicU8::new(0),
            payloads: AtomicUsize::new(0),
            request: Lock::new(None),
            finish: Lock::new(Finish::new()),
            id: super::ids::next(),
            name,
            site,
            local: Local::new(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
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

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(crate) fn vtable(&self) -> &'static Vtable {
        self.vtable
    }

    pub(crate) fn finish(&self) -> &Lock<Finish> {
        &self.finish
    }

    pub(crate) fn request(&self) -> &Lock<Option<Request>> {
        &self.request
    }

    pub(crate) fn payloads(&self) -> &AtomicUsize {
        &self.payloads
    }

    /// The part of its OS thread.
    ///
    /// # Safety
    /// The caller runs on the home's OS thread (H2).
    #[inline]
    pub(crate) unsafe fn local(&self) -> &Local {
        &self.local
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
    pub(crate) fn is_over(&self) -> bool {
        self.state() >= state::ENDED
    }

    /// Whether a request has been asked for and not been consumed.
    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn set_requested(&self, requested: bool) {
        self.requested.store(u8::from(requested), Ordering::Release);
    }

    /// A further reference.
    #[inline]
    pub(crate) fn count(&self) -> Counted {
        let before = self.refs.fetch_add(1, Ordering::Relaxed);
        if before > isize::MAX as usize {
            std::process::abort();
        }
        Counted(NonNull::from(self))
    }

    /// Sends its home the message `bits`, from any OS thread.
    pub(crate) fn post(&self, bits: u8) -> Result<(), Gone> {
        if self.mail.fetch_or(bits, Ordering::AcqRel) != 0 {
            return Ok(());
        }
        self.home.post(self.count())
    }

    /// Takes the bits, after the header was taken out of the inbox.
    pub(crate) fn take_mail(&self) -> u8 {
        self.mail.swap(0, Ordering::AcqRel)
    }

    pub(super) fn next(&self) -> *mut Header {
        self.mail_next.load(Ordering::Relaxed)
    }

    pub(super) fn set_next(&self, next: *mut Header) {
        self.mail_next.store(next, Ordering::Relaxed);
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("id", &self.id)
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A counted reference to a header (H1).
pub(crate) struct Counted(NonNull<Header>);

// SAFETY: H1: counting is atomic, and `Header` is `Send` and `Sync`.
unsafe impl Send for Counted {}
// SAFETY: as above.
unsafe impl Sync for Counted {}

impl Counted {
    /// Takes over a reference that is already counted.
    ///
    /// # Safety
    /// `header` is alive, and one of its references is given to the result.
    #[inline]
    pub(crate) unsafe fn from_raw(header: *mut Header) -> Self {
        // SAFETY: a live header is not at null.
        Counted(unsafe { NonNull::new_unchecked(header) })
    }

    /// The address; the reference stays here.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut Header {
        self.0.as_ptr()
    }
}

impl Deref for Counted {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: H1: this reference keeps it alive.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.count()
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        if self.refs.fetch_sub(1, Ordering::Release) == 1 {
            // Every other reference's last use happens before this one's free.
            fence(Ordering::Acquire);
            let free = self.vtable.free;
            // SAFETY: H1: that was the last reference.
            unsafe { free(self.0) }
        }
    }
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
