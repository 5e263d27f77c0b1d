//! Reads a function's exception table: may a panic pass a given call?
//!
//! The table is the "language-specific data area" (LSDA) of the Itanium C++ ABI, as LLVM writes it:
//!
//! ```text
//!   landing-pad base:  encoding, [address]
//!   type table:        encoding, [offset]
//!   call sites:        encoding, bytes, then (start, length, landing pad, action) for each, by start
//!   actions:           (filter, offset of the next) for each
//! ```
//!
//! A call that has no call site, or an action with a negative filter, ends the process when a panic comes out of it. The compiler writes
//! that for the calls in cleanup code, and for those in functions that must not unwind.

#![expect(unsafe_code, reason = "reads tables of unknown length byte by byte")]

/// `DW_EH_PE_omit`: the value is not there.
const OMITTED: u8 = 0xff;

/// `DW_EH_PE_uleb128`.
const ULEB: u8 = 0x01;

/// The formats of fixed width: low four bits of an encoding, and bytes. A signed one reads alike: offsets in a function are small.
const FIXED: [(u8, usize); 7] = [
    (0x00, size_of::<usize>()),
    (0x02, 2),
    (0x03, 4),
    (0x04, 8),
    (0x0a, 2),
    (0x0b, 4),
    (0x0c, 8),
];

/// Whether no panic may pass the call at `offset` bytes from the start of the function. `None`: the table has an unknown form.
///
/// # Safety
/// `table` is the exception table of that function.
pub(super) unsafe fn forbids_panic(table: *const u8, offset: usize) -> Option<bool> {
    let mut at = Reader(table);
    // SAFETY: the caller vouches for a table, and it is read in its order: so each value is there. The same holds below.
    let landing_pad_base = unsafe { at.byte() };
    if landing_pad_base != OMITTED {
        // SAFETY: see above.
        unsafe { at.value(landing_pad_base) }?;
    }
    // SAFETY: see above.
    if unsafe { at.byte() } != OMITTED {
        // SAFETY: see above.
        unsafe { at.uleb() };
    }
    // SAFETY: see above.
    let encoding = unsafe { at.byte() };
    // SAFETY: see above.
    let bytes = unsafe { at.uleb() };
    let actions = at.0.wrapping_add(bytes);
    while at.0 < actions {
        // SAFETY: see above; the call sites end at `actions`.
        let site = unsafe { at.call_site(encoding) }?;
        if offset < site.start {
            break;
        }
        if offset - site.start < site.length {
            // SAFETY: an action of this table.
            return Some(unsafe { has_filter(actions, site.action) });
        }
    }
    Some(true)
}

/// Whether a chain of actions has a negative filter. `first` counts from one; zero is no action.
///
/// # Safety
/// `actions` is a table's list of actions, and `first` one of its call sites' values.
unsafe fn has_filter(actions: *const u8, first: usize) -> bool {
    if first == 0 {
        return false;
    }
    let mut at = Reader(actions.wrapping_add(first - 1));
    loop {
        // SAFETY: the caller vouches for the first record, and each leads to the next.
        let filter = unsafe { at.sleb() };
        let here = at.0;
        // SAFETY: as above.
        let next = unsafe { at.sleb() };
        if filter < 0 || next == 0 {
            return filter < 0;
        }
        at = Reader(here.wrapping_offset(next));
    }
}

/// A range of calls that share a landing pad.
struct CallSite {
    /// Bytes from the start of the function.
    start: usize,

    /// Bytes from `start`.
    length: usize,

    /// Which action, counted from one; zero is none.
    action: usize,
}

/// A place in a table, which moves as it is read.
struct Reader(*const u8);

impl Reader {
    /// # Safety
    /// A byte of the table comes next. The same holds for the others, each for what it reads.
    unsafe fn byte(&mut self) -> u8 {
        // SAFETY: the caller's duty.
        let byte = unsafe { self.0.read() };
        self.0 = self.0.wrapping_add(1);
        byte
    }

    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn call_site(&mut self, encoding: u8) -> Option<CallSite> {
        // SAFETY: the caller's duty.
        let start = unsafe { self.value(encoding) }?;
        // SAFETY: the caller's duty.
        let length = unsafe { self.value(encoding) }?;
        // SAFETY: the caller's duty.
        let _landing_pad = unsafe { self.value(encoding) }?;
        // SAFETY: the caller's duty.
        let action = unsafe { self.uleb() };
        Some(CallSite {
            start,
            length,
            action,
        })
    }

    /// A number in this encoding; `None` for an unknown one.
    ///
    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn value(&mut self, encoding: u8) -> Option<usize> {
        if encoding == ULEB {
            // SAFETY: the caller's duty.
            return Some(unsafe { self.uleb() });
        }
        let (_, width) = FIXED
            .iter()
            .find(|(format, _)| *format == encoding & 0x0f)?;
        // SAFETY: the caller's duty.
        Some(unsafe { self.fixed(*width) })
    }

    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn fixed(&mut self, width: usize) -> usize {
        let mut bytes = [0; size_of::<u64>()];
        for byte in &mut bytes[..width] {
            // SAFETY: the caller's duty.
            *byte = unsafe { self.byte() };
        }
        if cfg!(target_endian = "big") {
            bytes[..width].reverse();
        }
        u64::from_le_bytes(bytes) as usize
    }

    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn uleb(&mut self) -> usize {
        // SAFETY: the caller's duty.
        let (bits, _) = unsafe { self.leb() };
        bits
    }

    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn sleb(&mut self) -> isize {
        // SAFETY: the caller's duty.
        let (bits, unused) = unsafe { self.leb() };
        ((bits << unused) as isize) >> unused
    }

    /// A number in groups of seven bits, lowest first (LEB128), and how many bits at the top of a word it leaves unused.
    ///
    /// # Safety
    /// See [`byte`](Self::byte).
    unsafe fn leb(&mut self) -> (usize, u32) {
        let (mut bits, mut width) = (0_usize, 0_u32);
        loop {
            // SAFETY: the caller's duty.
            let byte = unsafe { self.byte() };
            bits |= usize::from(byte & 0x7f).checked_shl(width).unwrap_or(0);
            width += 7;
            if byte & 0x80 == 0 {
                return (bits, usize::BITS.saturating_sub(width));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One call site from 16 to 32 with the given action, then one from 48 to 64 with none; two actions: a catch, a filter.
    fn table(encoding: u8, action: u8) -> Vec<u8> {
        let number = |value: u8| match encoding {
            ULEB => vec![value],
            _ => vec![value, 0, 0, 0],
        };
        let site = |start, length, pad, action| {
            [number(start), number(length), number(pad), vec![action]].concat()
        };
        let sites = [site(16, 16, 90, action), site(48, 16, 0, 0)].concat();
        let head = [OMITTED, OMITTED, encoding, sites.len() as u8];
        // Record 1: filter 1, no next. Record 3: filter -1, no next. Record 5: filter 0, next is record 3.
        let actions = [0x01, 0x00, 0x7f, 0x00, 0x00, 0x7d];
        [&head[..], &sites, &actions].concat()
    }

    fn asks(encoding: u8, action: u8, offset: usize) -> Option<bool> {
        // SAFETY: a whole table.
        unsafe { forbids_panic(table(encoding, action).as_ptr(), offset) }
    }

    #[test]
    fn a_call_without_a_call_site_forbids_a_panic() {
        for encoding in [ULEB, 0x03] {
            for offset in [0, 15, 32, 47, 64, 1000] {
                assert_eq!(asks(encoding, 0, offset), Some(true), "{offset}");
            }
        }
    }

    #[test]
    fn a_negative_filter_forbids_a_panic_wherever_it_stands_in_the_chain() {
        for encoding in [ULEB, 0x03] {
            assert_eq!(asks(encoding, 3, 16), Some(true));
            assert_eq!(asks(encoding, 5, 31), Some(true));
        }
    }

    #[test]
    fn cleanups_catches_and_calls_without_a_landing_pad_let_it_pass() {
        for encoding in [ULEB, 0x03] {
            assert_eq!(asks(encoding, 0, 16), Some(false));
            assert_eq!(asks(encoding, 1, 31), Some(false));
            assert_eq!(asks(encoding, 0, 48), Some(false));
        }
    }

    #[test]
    fn an_unknown_encoding_is_not_guessed_at() {
        assert_eq!(asks(0x07, 0, 16), None);
    }
}
