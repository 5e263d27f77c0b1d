//! Children that were dropped before they ended: somebody must reap them, or they stay zombies as long as this process lives.
//!
//! An OS thread does that, which is there only while there are such children: each has a green thread that waits for its end. It holds nothing else up: it blocks
//! no green thread and no virtual clock, and ends with the process; but while it is there, silence elsewhere is a deadlock only where the user has said that no other OS thread takes
//! part (L8). When the system gives no OS thread, the next child that is dropped tries again.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::running::Running;
use crate::sched::wait::Operation;
use crate::sync::Event;
use crate::thread::spawn::spawn;

static REAP: Operation = Operation::new("reaping a child process that was dropped");

/// Those whom nobody waits for yet.
static ARRIVED: Mutex<Arrived> = Mutex::new(Arrived {
    orphans: Vec::new(),
    has_reaper: false,
});

/// Set when there is something for the reaper to do. Made late, because the model checker's cannot be made in a constant.
static CALL: LazyLock<Event> = LazyLock::new(Event::new);

/// Under the lock.
#[derive(Debug)]
struct Arrived {
    /// New ones.
    orphans: Vec<Running>,

    /// Whether the OS thread is there.
    has_reaper: bool,
}

fn arrived() -> MutexGuard<'static, Arrived> {
    ARRIVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a child reaped whenever it ends. Does not block.
pub(super) fn adopt(orphan: Running) {
    if !matches!(orphan.try_wait(), Ok(None)) {
        return;
    }
    let mut arrived = arrived();
    arrived.orphans.push(orphan);
    let hires = !std::mem::replace(&mut arrived.has_reaper, true);
    drop(arrived);
    CALL.set();
    if hires {
        hire();
    }
}

fn hire() {
    let builder = std::thread::Builder::new().name(String::from("greenthread-reaper"));
    if builder.spawn(reap).is_err() {
        self::arrived().has_reaper = false;
    }
}

/// The life of the OS thread: it goes when all that it knows of were reaped.
fn reap() {
    let living = Rc::new(Cell::new(0_usize));
    loop {
        CALL.clear();
        let mut arrived = arrived();
        let new = std::mem::take(&mut arrived.orphans);
        if new.is_empty() && living.get() == 0 {
            arrived.has_reaper = false;
            return;
        }
        drop(arrived);
        living.set(living.get() + new.len());
        for orphan in new {
            let living = Rc::clone(&living);
            drop(spawn(move || reap_one(&orphan, &living)));
        }
        CALL.wait();
    }
}

fn reap_one(orphan: &Running, living: &Cell<usize>) {
    // When it cannot be waited for, somebody else has reaped it, or there is no descriptor to wait with.
    drop(orphan.wait(&REAP, None));
    living.set(living.get() - 1);
    if living.get() == 0 {
        CALL.set();
    }
}
