//! Where one OS thread keeps what it records: a ring of entries of five words, and a ring of bytes for names and texts. Both are of a fixed size; the newest replaces
//! the oldest, and nothing is allocated when something is recorded.
//!
//! Its OS thread alone writes, with plain stores: no lock, no read-modify-write. Everybody may read at any time, and throws away what was replaced meanwhile:
//!
//! ```text
//!   write n:  begun = n + 1 ─fence(release)─▶ the words of slot n ─release─▶ done = n + 1
//!   read:     done ─acquire─▶ the words of every slot below done ─fence(acquire)─▶ begun: what lies below begun - capacity is thrown away
//! ```
//!
//! - R1 One OS thread writes to a ring: the one that made it or has adopted it, through its thread-local (`recorder`), until that is destroyed.
//! - R2 An entry that is kept was not written to while it was read: a write of n + capacity into its slot stores `begun` before the first word. A reader that has seen one of
//!   those words sees that `begun` after its fence too. So all its words are of one write, and its pointer is what its tag says.
//! - R3 The same goes for texts, with `text_begun` and bytes in place of `begun` and slots.
//!
//! Source: "Can seqlocks get along with programming language memory models?", H. Boehm, 2012.

#![expect(
    unsafe_code,
    reason = "turns pointers to statics, kept in words, back into references"
)]

use std::fmt;
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries of a ring; a power of two. 2.5 MiB.
pub(crate) const ENTRIES: usize = 1 << 16;

/// Bytes of a ring's texts; a power of two.
const TEXT: usize = 1 << 18;

/// The longest text, in bytes; what is longer is cut.
const LONGEST_TEXT: usize = 1 << 10;

/// How many of the low bits of `Slot::who` are a number; above them come two of the tag and eight of the kind.
const NUMBER_BITS: u32 = 54;

/// Where in a ring a text is: its offset since the beginning, and its length in the lowest sixteen bits. Zero is none.
pub(crate) type TextPlace = u64;

/// A static that an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// Nothing.
    None,

    /// What a wait point is called.
    Operation(&'static &'static str),

    /// Where something was spawned.
    Site(&'static Location<'static>),
}

impl Name {
    fn tag(self) -> u64 {
        match self {
            Name::None => 0,
            Name::Operation(_) => 1,
            Name::Site(_) => 2,
        }
    }

    fn pointer(self) -> *mut () {
        match self {
            Name::None => ptr::null_mut(),
            Name::Operation(name) => ptr::from_ref(name).cast_mut().cast(),
            Name::Site(site) => ptr::from_ref(site).cast_mut().cast(),
        }
    }

    /// # Safety
    /// `tag` and `pointer` are of one `Name`.
    unsafe fn of(tag: u64, pointer: *mut ()) -> Self {
        match tag {
            // SAFETY: the caller's duty; it pointed to a static.
            1 => Name::Operation(unsafe { &*pointer.cast() }),
            // SAFETY: as above.
            2 => Name::Site(unsafe { &*pointer.cast() }),
            _ => Name::None,
        }
    }
}

/// What is recorded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When, in nanoseconds since the process's first look at the clock.
    pub(crate) at: u64,

    /// What has happened; see `recorder`.
    pub(crate) kind: u8,

    /// Who ran on the OS thread then; zero for nobody.
    pub(crate) by: u64,

    /// To whom it happened.
    pub(crate) subject: u64,

    /// What else belongs to it: an address, a number, a text's place.
    pub(crate) object: u64,

    /// What it is called.
    pub(crate) name: Name,
}

/// An entry in words.
#[derive(Default)]
struct Slot {
    /// `at`.
    at: AtomicU64,

    /// `by`, the tag of `name`, and `kind`.
    who: AtomicU64,

    /// `subject`.
    subject: AtomicU64,

    /// `object`.
    object: AtomicU64,

    /// What `name` points to.
    name: AtomicPtr<()>,
}

impl Slot {
    #[inline]
    fn write(&self, entry: &Entry) {
        let number = entry.by & ((1 << NUMBER_BITS) - 1);
        let who = u64::from(entry.kind) << 56 | entry.name.tag() << NUMBER_BITS | number;
        self.at.store(entry.at, Ordering::Relaxed);
        self.who.store(who, Ordering::Relaxed);
        self.subject.store(entry.subject, Ordering::Relaxed);
        self.object.store(entry.object, Ordering::Relaxed);
        self.name.store(entry.name.pointer(), Ordering::Relaxed);
    }

    fn words(&self) -> Words {
        Words {
            at: self.at.load(Ordering::Relaxed),
            who: self.who.load(Ordering::Relaxed),
            subject: self.subject.load(Ordering::Relaxed),
            object: self.object.load(Ordering::Relaxed),
            name: self.name.load(Ordering::Relaxed),
        }
    }
}

/// What was read from a slot, perhaps of two entries.
struct Words {
    /// `at`.
    at: u64,

    /// As in `Slot`.
    who: u64,

    /// `subject`.
    subject: u64,

    /// `object`.
    object: u64,

    /// As in `Slot`.
    name: *mut (),
}

impl Words {
    /// # Safety
    /// They are of one entry (R2).
    unsafe fn entry(&self) -> Entry {
        let tag = self.who >> NUMBER_BITS & 3;
        Entry {
            at: self.at,
            kind: (self.who >> 56) as u8,
            by: self.who & ((1 << NUMBER_BITS) - 1),
            subject: self.subject,
            object: self.object,
            // SAFETY: the caller's duty.
            name: unsafe { Name::of(tag, self.name) },
        }
    }
}

/// Whose a ring is.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// The OS thread's number among those that have recorded anything.
    pub(crate) number: u64,

    /// What the OS thread is called.
    pub(crate) thread: Option<String>,

    /// Its first entry; those before are of another OS thread, which has gone.
    pub(crate) first: u64,
}

impl Owner {
    /// The OS thread that calls.
    fn new(number: u64, first: u64) -> Self {
        let thread = std::thread::current().name().map(str::to_owned);
        Owner {
            number,
            thread,
            first,
        }
    }
}

/// What one OS thread has recorded last.
pub(crate) struct Ring {
    /// Whose it is.
    owner: Mutex<Owner>,

    /// Entry n is in slot n modulo their number.
    slots: Box<[Slot]>,

    /// How many entries were begun.
    begun: AtomicU64,

    /// How many entries were written.
    done: AtomicU64,

    /// Byte n of the texts is in place n modulo their number.
    text: Box<[AtomicU8]>,

    /// How many bytes of texts were begun.
    text_begun: AtomicU64,
}

impl Ring {
    /// For the OS thread that calls.
    pub(crate) fn new(number: u64) -> Self {
        Ring {
            owner: Mutex::new(Owner::new(number, 0)),
            slots: (0..ENTRIES).map(|_| Slot::default()).collect(),
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            text: (0..TEXT).map(|_| AtomicU8::new(0)).collect(),
            // So that no text is at place zero.
            text_begun: AtomicU64::new(1),
        }
    }

    /// Gives it to the OS thread that calls, when the one before has gone (R1).
    pub(crate) fn adopt(&self, number: u64) {
        *self.lock_owner() = Owner::new(number, self.done());
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Owner {
        self.lock_owner().clone()
    }

    fn lock_owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many entries were written, ever.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    /// Adds an entry. Its own OS thread only (R1).
    #[inline]
    pub(crate) fn push(&self, entry: &Entry) {
        let count = self.done.load(Ordering::Relaxed);
        self.begun.store(count + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        self.slots[count as usize % ENTRIES].write(entry);
        self.done.store(count + 1, Ordering::Release);
    }

    /// Adds a text, and says where it is. Its own OS thread only (R1).
    pub(crate) fn put_text(&self, text: &str) -> TextPlace {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        let begin = self.text_begun.load(Ordering::Relaxed);
        let length = text.len() as u64;
        // R3: before the first byte.
        self.text_begun.store(begin + length, Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, byte) in (begin..).zip(text.as_bytes()) {
            self.text[place as usize % TEXT].store(*byte, Ordering::Relaxed);
        }
        begin << 16 | length
    }

    /// Everything from entry `from` on that is still there.
    pub(crate) fn read(&self, from: u64) -> Found {
        let done = self.done();
        let first = from.max(done.saturating_sub(ENTRIES as u64)).min(done);
        let words: Vec<Words> = (first..done)
            .map(|count| self.slots[count as usize % ENTRIES].words())
            .collect();
        let text: Vec<u8> = self
            .text
            .iter()
            .map(|byte| byte.load(Ordering::Relaxed))
            .collect();
        fence(Ordering::Acquire);
        let begun = self.begun.load(Ordering::Relaxed);
        let replaced = begun.saturating_sub(ENTRIES as u64).clamp(first, done);
        let entries = words[(replaced - first) as usize..]
            .iter()
            // SAFETY: R2.
            .map(|words| unsafe { words.entry() })
            .collect();
        Found {
            entries,
            lost: replaced - from.min(replaced),
            text,
            text_begun: self.text_begun.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("owner", &self.owner())
            .field("done", &self.done())
            .finish_non_exhaustive()
    }
}

/// What was found in a ring.
#[derive(Debug)]
pub(crate) struct Found {
    /// Oldest first.
    pub(crate) entries: Vec<Entry>,

    /// How many of those that were asked for have been replaced.
    pub(crate) lost: u64,

    /// The bytes of the texts, some of them perhaps of two.
    text: Vec<u8>,

    /// How many bytes were begun before the texts had been read.
    text_begun: u64,
}

impl Found {
    /// The text at `place`; `None` when there is none, or when it was replaced.
    pub(crate) fn text(&self, place: TextPlace) -> Option<String> {
        let (begin, length) = (place >> 16, place & 0xffff);
        if begin == 0 || begin + (TEXT as u64) < self.text_begun {
            return None;
        }
        let bytes: Vec<u8> = (begin..begin + length)
            .map(|place| self.text[place as usize % TEXT])
            .collect();
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(subject: u64) -> Entry {
        Entry {
            at: subject * 10,
            kind: 3,
            by: 7,
            subject,
            object: !subject,
            name: Name::Operation(&"Event::wait"),
        }
    }

    #[test]
    fn what_is_pushed_is_read_in_its_order() {
        let ring = Ring::new(1);
        (0..5).for_each(|n| ring.push(&entry(n)));
        let found = ring.read(2);
        assert_eq!(found.entries, [entry(2), entry(3), entry(4)]);
        assert_eq!(found.lost, 0);
    }

    #[test]
    fn the_oldest_are_replaced_and_counted() {
        let ring = Ring::new(1);
        let count = ENTRIES as u64 + 100;
        (0..count).for_each(|n| ring.push(&entry(n)));
        let found = ring.read(10);
        assert_eq!(found.lost, 90);
        assert_eq!(found.entries.len(), ENTRIES);
        assert_eq!(found.entries[0], entry(100));
    }

    #[test]
    fn texts_are_kept_cut_and_replaced() {
        let ring = Ring::new(1);
        let first = ring.put_text("œuf-1");
        let long = ring.put_text(&"é".repeat(LONGEST_TEXT));
        let found = ring.read(0);
        assert_eq!(found.text(first).as_deref(), Some("œuf-1"));
        assert_eq!(found.text(long).unwrap().len(), LONGEST_TEXT);
        assert_eq!(found.text(0), None);
        for _ in 0..TEXT / LONGEST_TEXT {
            ring.put_text(&"x".repeat(LONGEST_TEXT));
        }
        assert_eq!(ring.read(0).text(first), None);
    }

    #[test]
    fn a_reader_sees_whole_entries_while_the_writer_goes_on() {
        let ring = Ring::new(1);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..400_000).for_each(|n| ring.push(&entry(n))));
            while !writer.is_finished() {
                let found = ring.read(0);
                let first = found.lost;
                for (n, read) in (first..).zip(&found.entries) {
                    assert_eq!(*read, entry(n));
                }
            }
        });
    }
}
