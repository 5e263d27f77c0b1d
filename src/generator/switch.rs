//! The coroutine under a generator, by its types.

use std::mem::MaybeUninit;
use std::thread;

use crate::stack::coroutine::{self, Coroutine};

/// The coroutine under a generator. What is sent may be absent (at the start, and when something is raised instead).
pub(super) type Switch<In, Out, Ret> = Coroutine<MaybeUninit<In>, Out, thread::Result<Ret>>;

/// The way out of it.
pub(super) type SwitchBack<In, Out> = coroutine::Yielder<MaybeUninit<In>, Out>;
