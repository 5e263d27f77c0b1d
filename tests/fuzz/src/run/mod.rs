//! Runs a program on greenthread, and writes down what is seen.
//!
//! Beside the history, which the model is compared with, the objects watch over themselves: two inside one mutex, or more permits than there are, are faults whatever the
//! model says.

mod calls;
mod coroutines;
mod groups;
mod objects;
mod own;
mod spread;
mod steps;
mod world;

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::thread;

use greenthread::Runtime;

use crate::history::{End, History};
use crate::program::Program;
use world::World;

/// The payload of a planned panic: the number of its step.
pub(crate) struct Planned(pub(crate) usize);

/// What a run came to.
pub(crate) struct Outcome {
    /// What was seen.
    pub(crate) history: History,

    /// What must never be, whatever the program.
    pub(crate) faults: Vec<String>,
}

thread_local! {
    /// The world of the program that runs on this OS thread, for the hook that hears of panics.
    static RUNNING: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// Runs it: in the order of the line, or in one that follows from this seed.
pub(crate) fn run(program: &Program, order: Option<u64>) -> Outcome {
    let mut builder = Runtime::builder().virtual_time().on_panic(|_, payload| {
        RUNNING.with_borrow(|running| {
            if let Some(world) = running {
                world.reported(payload);
            }
        });
    });
    if let Some(seed) = order {
        builder = builder.shuffle(seed);
    }
    let runtime = builder.build().expect("nothing of this can fail");
    let before = greenthread::stats().here;
    let mut world = None;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.run(|| {
            let made = Rc::new(World::new(program));
            RUNNING.set(Some(Rc::clone(&made)));
            world = Some(Rc::clone(&made));
            main(&made, program)
        })
    }));
    RUNNING.set(None);
    let world = world.expect("the program was begun");
    let after = greenthread::stats().here;
    let history = world.history(end_of(ended), after.alive - before.alive);
    if history.left == 0 && history.open == 0 && after.timers > 0 {
        world.fault(format!("{} timers are left", after.timers));
    }
    let faults = world.faults();
    Outcome { history, faults }
}

/// The same on an OS thread of its own: what a program leaves behind goes with that and does not meet the next one, and the numbers of the OS thread begin anew.
pub(crate) fn run_apart(program: &Program, order: Option<u64>) -> Outcome {
    let text = program.text();
    let apart = thread::spawn(move || {
        let program = Program::parse(&text).expect("it was written by us");
        run(&program, order)
    });
    apart
        .join()
        .unwrap_or_else(|payload| resume_unwind(payload))
}

/// What the root does. The handles that are left are dropped before `run` ends.
fn main(world: &Rc<World>, program: &Program) -> Result<(), usize> {
    let ended = catch_unwind(AssertUnwindSafe(|| steps::thread(world, 0, &program.main)));
    world.close();
    ended.unwrap_or_else(|payload| resume_unwind(payload))
}

fn end_of(ended: Result<Result<(), usize>, Box<dyn Any + Send>>) -> End {
    match ended {
        Ok(Ok(())) => End::Done,
        Ok(Err(step)) => End::Failed(step),
        Err(payload) => panicked(&*payload),
    }
}

/// What a panic with this payload is.
fn panicked(payload: &(dyn Any + Send)) -> End {
    if let Some(Planned(step)) = payload.downcast_ref() {
        return End::Panicked(Some(*step));
    }
    let text = payload.downcast_ref::<String>();
    match text {
        Some(text) if text.starts_with("greenthread: deadlock") => End::Deadlock,
        _ => End::Panicked(None),
    }
}
