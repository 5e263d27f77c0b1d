//! What other OS threads touch of a green thread: they count it, and they write to it.
//!
//! It is the first part of a header, which is the first part of a block; whoever holds a [`Held`] keeps the whole allocation.
//!
//! Invariants:
//! - H1 The allocation lives while one reference exists; the last one disposes of it, on any OS thread.
//! - H4 While the home is not settled, START stands in the letter: so nobody posts, for whoever writes finds a bit there and goes. It is settled by whoever
//!   begins the work (`work`), before that one reads the letter; whoever then finds no bit has it from that reading, and sees the home.

#![expect(
    unsafe_code,
    reason = "counts references to an allocation of another type"
)]

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::OnceLock;

use super::inbox::{Home, Letter, Letters};
use crate::base::atomic::{AtomicUsize, Ordering, acquire_last};
use crate::base::biased::Biased;

/// What a message is for; bits of a letter.
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

    /// For a root: the loop looks up. On a worker, there may be work to begin.
    pub(crate) const LOOK: u8 = 32;

    /// A child of one of its scopes has failed on another OS thread.
    pub(crate) const CHILD_FAILED: u8 = 64;

    /// To a root: somebody wants to know what everybody there does.
    pub(crate) const SURVEY: u8 = 128;
}

/// The bits of a message that nobody will read, because the OS thread that owned the target has gone (L19): those of whoever sent it, and of others who
/// meanwhile took theirs to be on its way too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unread(pub(crate) u8);

/// Where something is pinned. What is known at birth, as for most, costs nothing to settle.
enum Pin {
    /// Here.
    AtBirth(Biased<Home>),

    /// Wherever it will have been begun (H4).
    Later(OnceLock<Biased<Home>>),
}

/// The part of a green thread or a root that is reached from other OS threads.
#[repr(C)]
pub(crate) struct Peer {
    /// First, so that its address is the peer's.
    letter: Letter,

    /// H1.
    refs: AtomicUsize,

    /// Gives the allocation back.
    free: unsafe fn(NonNull<Peer>),

    /// The OS thread that it is pinned to (D1); none while that is not settled (H4).
    home: Pin,

    /// Unique in the process.
    id: u64,
}

/// Where a debugger finds what, in bytes.
pub(crate) mod layout {
    use std::mem::offset_of;

    use super::Peer;

    /// In a peer: its number, 8 bytes.
    pub(crate) const ID: usize = offset_of!(Peer, id);
}

impl Peer {
    /// With this many references, owned by the caller. Without a home it is work for whoever begins it (H4).
    #[inline(always)]
    pub(crate) fn new(
        refs: usize,
        free: unsafe fn(NonNull<Peer>),
        home: Option<Biased<Home>>,
    ) -> Self {
        let (letter, home) = match home {
            Some(home) => (Letter::new(), Pin::AtBirth(home)),
            None => (Letter::written(mail::START), Pin::Later(OnceLock::new())),
        };
        Peer {
            letter,
            refs: AtomicUsize::new(refs),
            free,
            home,
            id: super::ids::next(),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Where it is pinned, once that is settled.
    #[inline]
    pub(crate) fn home(&self) -> Option<&Biased<Home>> {
        match &self.home {
            Pin::AtBirth(home) => Some(home),
            Pin::Later(home) => home.get(),
        }
    }

    /// Pins it to this home; by whoever begins it, once, before the letter is read (H4).
    pub(crate) fn settle(&self, home: Biased<Home>) {
        let settled = match &self.home {
            Pin::AtBirth(_) => Err(home),
            Pin::Later(settled) => settled.set(home),
        };
        assert!(settled.is_ok(), "work is begun once");
    }

    /// A further reference.
    #[inline]
    pub(crate) fn count(&self) -> Held {
        let before = self.refs.fetch_add(1, Ordering::Relaxed);
        if before > isize::MAX as usize {
            std::process::abort();
        }
        Held(NonNull::from(self))
    }

    /// How many there are, at this moment.
    pub(super) fn references(&self) -> usize {
        self.refs.load(Ordering::Relaxed)
    }

    /// Gives one of several references up; true when the others have gone meanwhile.
    fn release(&self) -> bool {
        let was_last = self.refs.fetch_sub(1, Ordering::Release) == 1;
        if was_last {
            // Every other reference's last use happens before this one's free.
            acquire_last(&self.refs);
        }
        was_last
    }

    /// Sends its home the message `bits`, from any OS thread.
    pub(crate) fn post(&self, bits: u8) -> Result<(), Unread> {
        if !self.letter.write(bits) {
            return Ok(());
        }
        let home = self.home().expect("H4: settled, for no bit was set");
        let reference = self.count();
        // SAFETY: I4: no bit was set, so it is in no inbox; the reference goes with it.
        let posted = unsafe { home.post(&self.letter) };
        if posted.is_err() {
            // With a bit left in it, the next message would look as if it was on its way.
            return Err(Unread(self.letter.read()));
        }
        std::mem::forget(reference);
        Ok(())
    }

    /// Takes the bits, after it was taken out of the inbox.
    pub(crate) fn take_mail(&self) -> u8 {
        self.letter.read()
    }
}

/// The peers to which these letters belong, each with the reference that the inbox had.
pub(crate) fn senders(letters: Letters) -> impl Iterator<Item = Held> {
    letters.map(|letter| {
        // SAFETY: letters are the first part of peers, and `post` gave the inbox a reference (I4).
        unsafe { Held::from_raw(letter.cast()) }
    })
}

/// A counted reference (H1).
#[derive(Debug)]
pub(crate) struct Held(NonNull<Peer>);

// SAFETY: H1: counting is atomic; what is behind is `Send` and `Sync`, see `header`.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    /// Takes over a reference that is already counted.
    ///
    /// # Safety
    /// `peer` is alive, and one of its references is given to the result.
    #[inline]
    pub(crate) unsafe fn from_raw(peer: *const Peer) -> Self {
        // SAFETY: a live peer is not at null.
        Held(unsafe { NonNull::new_unchecked(peer.cast_mut()) })
    }

    /// The address; the reference stays here.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const Peer {
        self.0.as_ptr()
    }
}

impl Held {
    /// Gives it up, without an atomic read-modify-write if one other is left.
    ///
    /// # Safety
    /// If there are two references, the other one is not used meanwhile.
    #[inline(always)]
    pub(super) unsafe fn give_up_alone(self) {
        // Whoever gave one up before is seen to have done with it, as by the last one's look.
        if self.refs.load(Ordering::Acquire) == 2 {
            self.refs.store(1, Ordering::Relaxed);
            std::mem::forget(self);
        }
    }
}

impl Deref for Held {
    type Target = Peer;

    #[inline]
    fn deref(&self) -> &Peer {
        // SAFETY: H1: this reference keeps it alive.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Held {
    #[inline]
    fn clone(&self) -> Self {
        self.count()
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // Nobody can make a second reference out of the last one but its holder, who is here: then a look is enough.
        if self.refs.load(Ordering::Acquire) == 1 || self.release() {
            let free = self.free;
            // SAFETY: H1: that was the last reference.
            unsafe { free(self.0) }
        }
    }
}
