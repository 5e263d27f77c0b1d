//! Names for addresses, read from the program's own file: for a handler, where the standard library's way would allocate and lock.
//!
//! Reads the symbol table of a 64-bit ELF file (System V ABI, chapter 4, "Symbol Table"). A program that was stripped has none: then the offset in the file is shown,
//! as `addr2line` wants it.

#![expect(unsafe_code, reason = "maps the program's file")]

use std::ffi::c_void;
use std::fmt::{self, Write};
use std::mem;
use std::ptr;

/// Section type: a symbol table.
const SYMBOL_TABLE: u32 = 2;

/// Symbol type: a function.
const FUNCTION: u8 = 2;

/// Bytes of an entry of a symbol table.
const SYMBOL: usize = 24;

/// The program's symbols; empty when they cannot be read.
pub(crate) struct Symbols {
    /// The program's file.
    file: &'static [u8],

    /// Where it is loaded.
    base: usize,
}

impl Symbols {
    pub(crate) fn of_this_program() -> Self {
        Symbols {
            file: map_program().unwrap_or(&[]),
            base: load_address(),
        }
    }

    /// The function to which a call returns at this address.
    #[cfg(not(feature = "symbols"))]
    pub(crate) fn function(&self, address: usize) -> Option<String> {
        let name = self.name(address.wrapping_sub(self.base).wrapping_sub(1))?;
        let mut function = String::new();
        demangled(&mut function, name).ok()?;
        Some(function)
    }

    /// Writes a line for one frame of a backtrace.
    pub(super) fn show(&self, out: &mut impl Write, number: usize, address: usize) -> fmt::Result {
        let offset = address.wrapping_sub(self.base);
        write!(out, "  {number:6}: {address:#x}")?;
        // The address is where the call returns to; the call itself stands before it.
        match self.name(offset.wrapping_sub(1)) {
            Some(name) => {
                write!(out, " (+{offset:#x}) ")?;
                demangled(out, name)?;
            }
            None if offset < self.file.len() => write!(out, " (+{offset:#x})")?,
            None => {}
        }
        writeln!(out)
    }

    /// The name of the function at this offset from the load address.
    fn name(&self, offset: usize) -> Option<&'static str> {
        let (table, strings) = self.tables()?;
        let covers = |symbol: &&[u8]| {
            let start = number::<8>(symbol, 8).unwrap_or(0);
            let size = number::<8>(symbol, 16).unwrap_or(0);
            symbol[4] & 0xf == FUNCTION && (start..start.saturating_add(size)).contains(&offset)
        };
        let symbol = table.chunks_exact(SYMBOL).find(covers)?;
        let rest = strings.get(number::<4>(symbol, 0)?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// The symbol table, and the strings that it speaks of.
    fn tables(&self) -> Option<(&'static [u8], &'static [u8])> {
        let sections = number::<8>(self.file, 0x28)?;
        let count = number::<2>(self.file, 0x3c)?;
        let section = |index: usize| self.file.get(sections + index * 64..)?.get(..64);
        let is_table = |header: &&[u8]| number::<4>(header, 4) == Some(SYMBOL_TABLE as usize);
        let table = (0..count).filter_map(section).find(is_table)?;
        let strings = section(number::<4>(table, 40)?)?;
        Some((self.content(table)?, self.content(strings)?))
    }

    fn content(&self, section: &[u8]) -> Option<&'static [u8]> {
        let start = number::<8>(section, 24)?;
        self.file.get(start..)?.get(..number::<8>(section, 32)?)
    }
}

/// The number of `N` bytes at an offset, lowest byte first.
fn number<const N: usize>(bytes: &[u8], offset: usize) -> Option<usize> {
    let bytes = bytes.get(offset..)?.get(..N)?;
    let digits = bytes.iter().rev();
    Some(digits.fold(0, |number, byte| (number << 8) | usize::from(*byte)))
}

/// Maps the program's file. Only system calls.
fn map_program() -> Option<&'static [u8]> {
    // SAFETY: a path that ends in a zero byte.
    let file = unsafe { libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    // SAFETY: a struct of plain words.
    let mut status: libc::stat = unsafe { mem::zeroed() };
    // SAFETY: fills the struct; a bad descriptor is an error.
    if unsafe { libc::fstat(file, &mut status) } != 0 {
        return None;
    }
    let length = usize::try_from(status.st_size).ok()?;
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: mapped for as long as the process lives, and nobody writes to a program that runs.
    let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) };
    bytes.starts_with(b"\x7fELF\x02\x01").then_some(bytes)
}

/// Where the part of the program that holds this function is loaded.
fn load_address() -> usize {
    // SAFETY: a struct of plain words.
    let mut info: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: fills the struct; our own thread at most holds the linker's lock, which is recursive.
    unsafe { libc::dladdr(load_address as *const c_void, &mut info) };
    info.dli_fbase.addr()
}

/// Writes a name in Rust's older mangling as a path, any other as it is.
fn demangled(out: &mut impl Write, name: &str) -> fmt::Result {
    match segments(name) {
        Some(path) => path.enumerate().try_for_each(|(place, segment)| {
            let colons = if place == 0 { "" } else { "::" };
            write!(out, "{colons}{segment}")
        }),
        None => out.write_str(name),
    }
}

/// The segments of a path that was mangled as `_ZN` length segment .. `E`, without the hash at its end.
fn segments(name: &str) -> Option<impl Iterator<Item = &str>> {
    let mut rest = name.strip_prefix("_ZN")?.strip_suffix('E')?;
    Some(std::iter::from_fn(move || {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let length: usize = rest.get(..digits)?.parse().ok()?;
        let segment = rest.get(digits..digits + length)?;
        rest = &rest[digits + length..];
        let is_hash = rest.is_empty() && length == 17 && segment.starts_with('h');
        (!is_hash).then_some(segment)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mangled_path_is_written_with_colons_and_without_its_hash() {
        let mut out = String::new();
        demangled(&mut out, "_ZN4core3ptr5write17h0123456789abcdefE").unwrap();
        assert_eq!(out, "core::ptr::write");
    }

    #[test]
    fn another_name_is_written_as_it_is() {
        let mut out = String::new();
        demangled(&mut out, "main").unwrap();
        assert_eq!(out, "main");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_function_of_this_program_has_its_name() {
        let address = map_program as *const () as usize;
        let mut out = String::new();
        Symbols::of_this_program()
            .show(&mut out, 3, address + 1)
            .unwrap();
        assert!(out.contains("symbols"), "{out}");
        assert!(out.contains("map_program"), "{out}");
    }
}
