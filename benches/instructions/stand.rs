//! Stacks in every state, for a debugger to look at: `asm-notes/regenerate` stops in [`stop_here`] and writes down what it sees.

use std::hint::black_box;

use greenthread::generator::Generator;
use greenthread::{Builder, park, yield_now};

/// Where the debugger stops, on the stack of the green thread `running`.
#[inline(never)]
fn stop_here() {
    black_box(());
}

/// Makes the green threads `suspended`, `nested`, `fresh` and `running`, and has the last one stop.
pub(crate) fn stand() {
    let suspended = named("suspended", park);
    let nested = named("nested", park_in_generators);
    yield_now();
    let running = named("running", stop_here);
    let fresh = named("fresh", || ());
    running.join().unwrap();
    fresh.join().unwrap();
    for parked in [suspended, nested] {
        parked.thread().unpark();
        parked.join().unwrap();
    }
}

/// With a stack of its own from now on, which `spawn` alone would take at the first run.
fn named(name: &str, body: impl FnOnce() + 'static) -> greenthread::JoinHandle<()> {
    Builder::new().name(name.into()).spawn(body).unwrap()
}

/// A green thread drives a generator, which drives another one, which waits.
fn park_in_generators() {
    let outer: Generator<(), (), ()> = Generator::new(|_| {
        let inner: Generator<(), (), ()> = Generator::new(|_| park());
        inner.start();
    });
    outer.start();
}
