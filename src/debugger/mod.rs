//! What a debugger needs to find green threads: in a process, and in its core file.
//!
//! The exported symbol `GREENTHREAD_DEBUGGER` is a [`Map`] of version 1: the list of all slabs, and where in what lies what. It costs nothing while no debugger reads it. The script
//! `greenthread-gdb.py` beside this file shows how: `gdb -x greenthread-gdb.py`, then `info greenthreads` and `greenthread 7`.
//!
//! ```text
//!   Map ─▶ entries, linked: each a slab of slots
//!            slot: guard, stack, link (a slot that was never used has zeros there)
//!              link.owner ─▶ header of the green thread whose base the slot is; zero for other slots
//!                header.local: coroutine, a few words, one of which points to where it stands
//!                  x86-64: there lie the instruction pointer, rbx and rbp; its stack goes on behind them
//! ```

#![expect(unsafe_code, reason = "exports a symbol")]

use std::panic::Location;

use crate::sched::{header, local, wait};
use crate::stack::slab::GUARD;
use crate::stack::{chain, pool, registry};

/// How many numbers a map has.
const NUMBERS: usize = 26;

/// Where a debugger finds what. The layout is that of C; a change of it is a new version.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Map {
    /// `greenthread-map` and a zero byte.
    magic: [u8; 16],

    /// 1.
    version: u64,

    /// How many numbers follow.
    count: u64,

    /// Sizes and offsets in bytes, in the order of `numbers`.
    numbers: [u64; NUMBERS],

    /// The first entry of the list of slabs.
    first: &'static registry::Entry,

    /// A place in a source file, to learn from how such a thing lies in memory: the file's name begins at `site_file` and has `numbers[20]` bytes, the line is `numbers[21]`, the column
    /// `numbers[22]`.
    site: &'static Location<'static>,

    /// See `site`.
    site_file: &'static u8,
}

/// A place in this file.
const SITE: &Location<'static> = Location::caller();

/// What a debugger reads.
#[used]
#[unsafe(no_mangle)]
#[doc(hidden)]
pub(crate) static GREENTHREAD_DEBUGGER: Map = Map {
    magic: *b"greenthread-map\0",
    version: 1,
    count: NUMBERS as u64,
    numbers: numbers(),
    first: registry::first(),
    site: SITE,
    site_file: &SITE.file().as_bytes()[0],
};

/// What the numbers of a map are.
const fn numbers() -> [u64; NUMBERS] {
    [
        registry::layout::BASE as u64,
        registry::layout::STRIDE as u64,
        registry::layout::SLOTS as u64,
        registry::layout::NEXT as u64,
        GUARD as u64,
        pool::layout::HEAD as u64,
        pool::layout::COLOUR as u64,
        pool::layout::COLOURS as u64,
        chain::layout::OWNER as u64,
        chain::layout::START as u64,
        chain::layout::END as u64,
        header::layout::ID as u64,
        header::layout::NAME as u64,
        header::layout::SITE as u64,
        header::layout::STATE as u64,
        (header::layout::LOCAL + local::layout::COROUTINE) as u64,
        local::layout::COROUTINE_BYTES as u64,
        (header::layout::LOCAL + local::layout::INNERMOST) as u64,
        (header::layout::LOCAL + local::layout::BASE) as u64,
        (header::layout::LOCAL + local::layout::WAIT) as u64,
        SITE.file().len() as u64,
        SITE.line() as u64,
        SITE.column() as u64,
        wait::layout::WORD as u64,
        wait::layout::OPERATION as u64,
        wait::layout::NAME as u64,
    ]
}

/// Keeps the map in the program: a linker leaves out what nothing leads to.
pub(crate) fn be_there() {
    std::hint::black_box(&GREENTHREAD_DEBUGGER);
}
