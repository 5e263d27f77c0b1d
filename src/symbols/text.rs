//! A backtrace as Go writes one.

use std::fmt;

use super::fold::{Part, fold};
use super::frame::Frame;

/// Writes the frames, innermost first, with the library's own folded.
pub(crate) fn show<'a>(
    frames: impl Iterator<Item = &'a Frame>,
    out: &mut impl fmt::Write,
) -> fmt::Result {
    for part in fold(frames) {
        match part {
            Part::Frame(frame) => write!(out, "{frame}")?,
            Part::Folded(count) => writeln!(out, "... ({count} frames of greenthread)")?,
        }
    }
    Ok(())
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => writeln!(f, "{function}")?,
            None => writeln!(f, "{:#x}", self.address)?,
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => writeln!(f, "\t{file}:{line}"),
            (Some(file), None) => writeln!(f, "\t{file}"),
            _ => Ok(()),
        }
    }
}
