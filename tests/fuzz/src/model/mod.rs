//! What a program must do, said without greenthread: no stacks, no unwinding, no unsafe code, one queue.
//!
//! The green threads of the model are futures that its loop polls, and what unwinds in the library is an error that is returned here. Otherwise it is written to be
//! compared with the library's rules (`design.md`'s D8, L4, L5, L8 to L13) line by line: who is woken in which order is part of what is predicted.
//!
//! Under a shuffled schedule it draws from the same numbers as the library (`src/sched/shuffle.rs`), and so it knows who runs next there too. When those draws are changed, they are
//! to be changed in `order` as well; the history in the order of the line does not depend on them.

mod barrier;
mod broadcast;
mod calls;
mod channel;
mod choice;
mod condvar;
mod coroutine;
mod family;
mod frames;
mod groups;
mod lives;
mod once;
mod oneshot;
mod order;
mod own;
mod places;
mod queue;
mod steps;
mod sync;
mod tally;
mod thread;
mod timers;
mod wait;
mod watch;
mod world;

use std::rc::Rc;

use crate::history::{End, History};
use crate::program::{Body, Program};
use thread::Thread;
use wait::{Cause, Stop};
use world::World;

/// What this program must do: in the order of the line, or in one that follows from this seed.
pub(crate) fn run(program: &Program, order: Option<u64>) -> History {
    let world = World::new(program, order);
    let root = Thread::root();
    world.admit(&root);
    let life = main(
        Rc::clone(&world),
        Rc::clone(&root),
        Body::clone(&program.main),
    );
    root.begin(Box::pin(life));
    world.turn_until_end(&root);
    let (left, open) = (world.alive(), world.open());
    let end = root.end().unwrap_or(End::Abort);
    let events = world.events.take();
    world.let_go();
    History {
        events,
        end,
        left,
        open,
    }
}

/// What the root does: its steps, then the end of `run`.
async fn main(world: Rc<World>, root: Rc<Thread>, body: Body) {
    let ended = steps::thread(&world, 0, &body).await;
    world.close().await;
    let left = world.end_what_was_left().await;
    if left.is_err() {
        root.unwinds.set(root.unwinds.get() + 1);
    }
    own::end_locals(&world, &root).await;
    let deadlock = world.take_deadlock();
    let stop = match (left, deadlock) {
        (Err(stop), _) => Err(stop),
        (Ok(()), true) => Err(Stop::Panic(Cause::Deadlock)),
        (Ok(()), false) => ended,
    };
    root.finish(match stop {
        Ok(()) => End::Done,
        Err(Stop::Fail(step)) => End::Failed(step),
        Err(Stop::Panic(cause)) => cause.end(),
        Err(Stop::Request(_) | Stop::Kept) => End::Panicked(None),
    });
}
