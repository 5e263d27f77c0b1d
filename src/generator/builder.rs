//! Makes generators with their stack at once, of a chosen size.

use std::io;

use super::drive::Generator;
use super::yielder::Yielder;
use crate::stack::pool;

/// Makes generators whose stack has a chosen size and is taken at once.
///
/// # Examples
/// ```
/// use greenthread::generator::{Builder, Generator, Yielder};
///
/// let g: Generator<(), u8, ()> = Builder::new().stack_size(64 * 1024).build(|y| y.yield_(1))?;
/// assert_eq!(g.start().yielded(), Some(1));
/// assert!(Builder::new().stack_size(usize::MAX).build(|_: &Yielder<(), ()>| ()).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    /// In bytes.
    stack_size: usize,
}

impl Builder {
    /// Starts from the defaults.
    pub fn new() -> Self {
        Builder {
            stack_size: pool::DEFAULT_SIZE,
        }
    }

    /// Sets the stack size in bytes: 16 KiB to 1 GiB, less is rounded up. Up to 2 KiB of it are for bookkeeping.
    ///
    /// Memory is used only where the stack is touched.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = bytes;
        self
    }

    /// Makes a generator that has its stack already, where [`Generator::new`] takes one at the first run.
    ///
    /// # Errors
    /// `InvalidInput` for a stack size out of range, and what the system says when it refuses the stack; both texts name the limit.
    pub fn build<In, Out, Ret, F>(&self, body: F) -> io::Result<Generator<In, Out, Ret>>
    where
        F: FnOnce(&Yielder<In, Out>) -> Ret + 'static,
        In: 'static,
        Out: 'static,
        Ret: 'static,
    {
        let stack = pool::take(self.stack_size)?;
        Ok(Generator::on_stack(body, stack))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}
