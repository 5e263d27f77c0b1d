//! Runs a program on two workers in real time, and looks whether what must always hold has held.
//!
//! What is seen then follows from no model. But nothing may be lost or doubled, nobody may be where only one may be, who was waited for has ended, and nothing is left behind. Of
//! the language that is done which crosses OS threads; generators, intervals, locals and sets are not, and nothing is given up or closed, so that each item must be somewhere at the
//! end. Whoever waits without a limit is asked to end when the root has ended; where no such request comes, that is on the root, under a shield and in the scopes of those, all
//! waits have limits.

mod steps;
mod waits;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use greenthread::Runtime;

use crate::program::Program;
use world::World;

/// How many workers there are.
const WORKERS: usize = 2;

/// Runs it; what must never be is returned.
pub(crate) fn run(program: &Program) -> Vec<String> {
    let runtime = Runtime::builder().workers(WORKERS).on_panic(|_, _| ());
    let runtime = runtime.build().expect("two workers can be made");
    let before = greenthread::stats().here;
    let world = Arc::new(World::new(program));
    // How the root has ended is no matter.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        runtime.run(|| {
            let ended = catch_unwind(AssertUnwindSafe(|| {
                steps::root(&world, &program.main);
            }));
            world.close();
            drop(ended);
        });
    }));
    drop(runtime);
    let after = greenthread::stats().here;
    if after.alive > before.alive || after.timers > before.timers {
        world.fault("green threads or timers are left on the root's OS thread".into());
    }
    world.faults_at_the_end()
}
