//! The text of a mark, written out before it is recorded: what shows it is the user's code, which may do anything, marking and waiting included.

use std::fmt;

/// Bytes that need no allocation.
const SHORT: usize = 96;

/// A text.
pub(super) struct Note {
    /// The text while it is short, and room.
    short: [u8; SHORT],

    /// Bytes of it.
    length: usize,

    /// The text once it is longer.
    long: String,
}

impl Note {
    #[inline]
    pub(super) fn of(text: impl fmt::Display) -> Self {
        let mut note = Note {
            short: [0; SHORT],
            length: 0,
            long: String::new(),
        };
        // An error is the user's, and what was written before it stays.
        let _ = fmt::write(&mut note, format_args!("{text}"));
        note
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        if self.long.is_empty() {
            std::str::from_utf8(&self.short[..self.length]).unwrap_or_default()
        } else {
            &self.long
        }
    }
}

impl fmt::Write for Note {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        if self.long.is_empty() && end <= SHORT {
            self.short[self.length..end].copy_from_slice(text.as_bytes());
            self.length = end;
        } else {
            if self.long.is_empty() {
                self.long = self.as_str().to_owned();
            }
            self.long.push_str(text);
        }
        Ok(())
    }
}
