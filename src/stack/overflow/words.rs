//! Text to stderr from a signal handler: no allocation, no lock.

#![expect(unsafe_code, reason = "writes to a descriptor")]

use std::fmt::{self, Write};

/// Gathers a line, and writes it at its end.
pub(super) struct Stderr {
    /// The line so far.
    line: [u8; 512],

    /// How many bytes of it there are.
    length: usize,
}

impl Stderr {
    pub(super) fn new() -> Self {
        Stderr {
            line: [0; 512],
            length: 0,
        }
    }

    fn flush(&mut self) {
        let mut rest = &self.line[..self.length];
        while !rest.is_empty() {
            // SAFETY: reads these bytes.
            let written = unsafe { libc::write(2, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(written) if written > 0 => rest = &rest[written..],
                _ => break,
            }
        }
        self.length = 0;
    }
}

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.line[self.length] = byte;
            self.length += 1;
            if byte == b'\n' || self.length == self.line.len() {
                self.flush();
            }
        }
        Ok(())
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.flush();
    }
}
