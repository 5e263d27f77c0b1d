//! Panics as text.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message of the panic that `f` ends with.
pub(crate) fn panic_text<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it did not panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).into(),
    }
}
