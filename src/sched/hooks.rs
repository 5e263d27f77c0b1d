//! What `Runtime` has set on this OS thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::Arc;

use super::header::Counted;
use super::work::Work;
use crate::stack::chain::Link;

/// Called with a panic that nobody joins.
pub(crate) type OnPanic = Arc<dyn Fn(&Counted, &(dyn Any + Send)) + Send + Sync>;

/// Settings of one OS thread.
pub(crate) struct Hooks {
    /// Whether no other OS thread takes part, so that silence is a deadlock at once (L8).
    pub(crate) only_our_threads: Cell<bool>,

    /// Bytes of stack for green threads that do not say.
    pub(crate) stack_size: Cell<Option<usize>>,

    /// L13; stderr when none.
    pub(crate) on_panic: RefCell<Option<OnPanic>>,

    /// The work of the runtime's own workers, while its `run` is under way on this root.
    pub(crate) work: RefCell<Option<Arc<Work>>>,

    /// The number of the `run` that is under way on this root; zero for none.
    pub(crate) run: Cell<u32>,

    /// Whether the newest `run` comes to its end for certain before its OS thread does: it stands on the root itself, and in no generator.
    pub(crate) run_ends: Cell<bool>,

    /// The number of the newest `run`.
    pub(crate) runs: Cell<u32>,

    /// On which stack that stands, while it is under way.
    pub(crate) run_stands_on: Cell<*const Link>,

    /// What it has changed, which its drop puts back. Kept for ever by an OS thread that ends with a `run` under way.
    pub(crate) run_changed: RefCell<Option<ManuallyDrop<Box<dyn Any>>>>,
}

impl Default for Hooks {
    fn default() -> Self {
        Hooks {
            only_our_threads: Cell::default(),
            stack_size: Cell::default(),
            on_panic: RefCell::default(),
            work: RefCell::default(),
            run: Cell::default(),
            run_ends: Cell::default(),
            runs: Cell::default(),
            run_stands_on: Cell::new(ptr::null()),
            run_changed: RefCell::default(),
        }
    }
}
