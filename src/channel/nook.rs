//! A place for one small message inside the channel itself, on the cache line of its lock.
//!
//! Two OS threads that pass one message at a time take that line away from each other at every message. A message that lies elsewhere is a second line, and costs more than another hop: its
//! sender waits for that line with the lock held, and meanwhile whoever watches the lock takes the first one back.
//!
//! Invariants:
//! - X1 `bytes` holds a value of `T` exactly while `state` is FULL.

#![expect(
    unsafe_code,
    reason = "keeps a value in bytes, so that a large one takes no room in a channel that does not keep it there"
)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// What there is room for: with the words of the lock and `state` it fills the line.
type Bytes = MaybeUninit<[u64; 6]>;

/// Whether there is something in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing, and nothing may be put in.
    Closed,

    /// Nothing.
    Vacant,

    /// A message.
    Full,
}

/// A place for one message.
#[repr(C)]
pub(super) struct Nook<T> {
    /// X1.
    state: State,

    /// X1.
    bytes: Bytes,

    /// It owns what is in it.
    owns: PhantomData<T>,
}

impl<T> Nook<T> {
    /// Whether a message fits in.
    pub(super) const FITS: bool =
        size_of::<T>() <= size_of::<Bytes>() && align_of::<T>() <= align_of::<Bytes>();

    /// Nothing is ever put into one that is not `open`, or where no message fits.
    pub(super) fn new(open: bool) -> Self {
        Nook {
            state: if open && Self::FITS {
                State::Vacant
            } else {
                State::Closed
            },
            bytes: MaybeUninit::uninit(),
            owns: PhantomData,
        }
    }

    /// Whether a message may be put in.
    #[inline]
    pub(super) fn is_vacant(&self) -> bool {
        self.state == State::Vacant
    }

    /// Whether there is a message in it.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.state == State::Full
    }

    /// Whether nothing is ever put in.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Puts `message` in.
    ///
    /// # Panics
    /// When it is not vacant.
    #[inline]
    pub(super) fn put(&mut self, message: T) {
        assert!(self.is_vacant(), "a message was put where there is no room");
        // SAFETY: X1: nothing is in it; it is vacant, so a `T` fits.
        unsafe { self.bytes.as_mut_ptr().cast::<T>().write(message) };
        self.state = State::Full;
    }

    /// Takes the message out, if there is one.
    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        if !self.is_full() {
            return None;
        }
        self.state = State::Vacant;
        // SAFETY: X1: it was full, and is not any more.
        Some(unsafe { self.bytes.as_ptr().cast::<T>().read() })
    }
}

impl<T> Drop for Nook<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    #[test]
    fn what_is_put_in_comes_out_once() {
        let mut nook = Nook::new(true);
        nook.put(String::from("a"));
        assert!(nook.is_full() && !nook.is_vacant());
        assert_eq!(nook.take().as_deref(), Some("a"));
        assert!(nook.is_vacant());
        assert_eq!(nook.take(), None);
    }

    #[test]
    fn what_is_left_in_is_dropped_with_it() {
        let counted = Rc::new(());
        let mut nook = Nook::new(true);
        nook.put((Rc::clone(&counted), 7));
        drop(nook);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn what_does_not_fit_finds_it_closed() {
        assert!(Nook::<[u64; 7]>::new(true).is_closed());
        assert!(Nook::<u128>::new(true).is_closed());
        assert!(Nook::<u8>::new(false).is_closed());
    }
}
