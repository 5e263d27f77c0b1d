//! What several test files need: where bodies of tests run, values that count themselves, a log, panics as text.

#![allow(dead_code, unused_macros, reason = "each test file uses a part")]

pub(crate) mod child;
#[macro_use]
pub(crate) mod everywhere;
pub(crate) mod teardown;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// A value whose living copies are counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted(Rc<()>);

impl Counted {
    /// The first copy.
    pub(crate) fn new() -> Self {
        Counted(Rc::new(()))
    }

    /// How many copies are alive, this one included.
    pub(crate) fn alive(&self) -> usize {
        Rc::strong_count(&self.0)
    }
}

/// Lines said in order, shared by its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    /// Adds a line.
    pub(crate) fn say(&self, line: &'static str) {
        self.0.borrow_mut().push(line);
    }

    /// A value that adds a line when it is dropped.
    pub(crate) fn on_drop(&self, line: &'static str) -> impl Drop + use<> {
        OnDrop(self.clone(), line)
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<&'static str> {
        self.0.borrow().clone()
    }
}

struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// The message of the panic that `f` ends with.
pub(crate) fn panic_text<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it did not panic");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a text")).into(),
    }
}
