//! What a port says, kept to be compared; and Python's `finally`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Says one line, like Python's `print` with one argument.
macro_rules! say {
    ($log:expr, $($line:tt)*) => {
        $log.line(format_args!($($line)*))
    };
}
pub(crate) use say;

/// The lines that a program has said. A clone is the same log.
///
/// It is held only while a line is written, never across a wait point.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

impl Log {
    pub(crate) fn new() -> Self {
        Log::default()
    }

    /// Adds one line.
    pub(crate) fn line(&self, line: fmt::Arguments<'_>) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&line.to_string());
        text.push('\n');
    }

    /// Says a line that Rust's types make impossible, after checking what stands in its place (`EXCEPTIONS.md`).
    #[track_caller]
    pub(crate) fn instead(&self, line: &str, what_stands_in_its_place: bool) {
        assert!(what_stands_in_its_place, "in place of {line:?}");
        self.line(format_args!("{line}"));
    }

    /// Fails at the first line that differs from what the Python program prints.
    #[track_caller]
    pub(crate) fn assert_says(&self, python: &str) {
        let ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, (own, expected)) in ours.lines().zip(python.lines()).enumerate() {
            assert_eq!(own, expected, "line {} of\n{ours}", number + 1);
        }
        assert_eq!(*ours, python);
    }
}

/// Python's `finally`: does its work however the block is left.
pub(crate) struct Finally<F: Fn()>(pub(crate) F);

impl<F: Fn()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
#[apply(on_workers)]
fn a_log_is_compared_byte_for_byte() {
    let log = Log::new();
    say!(log, "one");
    log.clone().line(format_args!("{}", "two"));
    log.assert_says("one\ntwo\n");
    for other in ["one\n", "one\ntwo", "one\ntwo\nthree\n", "one\nTwo\n"] {
        let compared = std::panic::catch_unwind(|| log.assert_says(other));
        assert!(compared.is_err(), "{other:?}");
    }
}
