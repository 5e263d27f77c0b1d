//! What a cancellation does to work that the pool has begun, whichever moment it comes at.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::{Errand, ask, lend, see_to};
use crate::thread::current::{checkpoint, current, is_cancelled, park, yield_now};
use crate::thread::spawn::spawn;
use crate::thread::timeout::timeout;

/// Work that says when it has begun, and ends when it is told to.
struct Work {
    begun: Sender<()>,
    end: Receiver<()>,
}

/// The other side of it.
struct Control {
    begun: Receiver<()>,
    end: Sender<()>,
}

fn work() -> (Work, Control) {
    let (begun, seen) = mpsc::channel();
    let (finish, end) = mpsc::channel();
    let control = Control {
        begun: seen,
        end: finish,
    };
    (Work { begun, end }, control)
}

impl Work {
    /// On an OS thread of the pool.
    fn run(self) {
        self.begun.send(()).unwrap();
        while self.end.try_recv() == Err(mpsc::TryRecvError::Empty) {
            yield_now();
        }
    }
}

impl Control {
    fn wait_until_begun(&self) {
        while self.begun.try_recv().is_err() {
            yield_now();
        }
    }
}

fn some_turns() {
    (0..50).for_each(|_| yield_now());
}

#[test]
fn l16_lent_work_that_has_begun_is_finished_and_told_and_then_the_request_is_raised() {
    let (work, control) = work();
    let told = Rc::new(Cell::new(0));
    let seen = Rc::clone(&told);
    let lending = spawn(move || {
        let mut lent = [1, 2, 3];
        let work = || {
            work.run();
            lent[1] = 20;
            Ok(())
        };
        lend(work).unwrap();
        seen.set(lent.iter().sum());
        assert!(is_cancelled());
        park();
    });
    yield_now();
    control.wait_until_begun();
    lending.cancel();
    some_turns();
    assert!(!lending.is_finished() && told.get() == 0);
    drop(control.end);
    assert!(lending.join().unwrap_err().is_cancelled());
    assert_eq!(told.get(), 24);
}

#[test]
fn l16_a_deadline_that_passes_while_lent_work_runs_is_raised_after_its_end() {
    let mut limit = Duration::from_millis(1);
    while !a_deadline_passes_in_lent_work(limit) {
        limit *= 2;
    }
}

/// False when the pool was slower than the limit, and the work was taken back.
fn a_deadline_passes_in_lent_work(limit: Duration) -> bool {
    let (work, control) = work();
    let told = Rc::new(Cell::new(0));
    let seen = Rc::clone(&told);
    let lending = spawn(move || {
        timeout(limit, || {
            seen.set(
                lend(|| {
                    work.run();
                    Ok(7)
                })
                .unwrap(),
            );
            checkpoint();
        })
    });
    while control.begun.try_recv().is_err() {
        if lending.is_finished() {
            assert!(lending.join().unwrap().is_err() && told.get() == 0);
            return false;
        }
        yield_now();
    }
    crate::sleep(2 * limit);
    assert!(!lending.is_finished());
    drop(control.end);
    assert!(lending.join().unwrap().is_err() && told.get() == 7);
    true
}

#[test]
fn work_that_is_asked_for_and_has_begun_is_left_at_once() {
    let (work, control) = work();
    let asking = spawn(move || {
        ask(move || {
            work.run();
            Ok(())
        })
    });
    yield_now();
    control.wait_until_begun();
    asking.cancel();
    assert!(asking.join().unwrap_err().is_cancelled());
    drop(control.end);
}

#[test]
fn an_errand_that_one_leaves_is_ended_by_the_next() {
    let (work, control) = work();
    let errand = Rc::new(Errand::begin(move || {
        work.run();
        "brought"
    }));
    let own = Rc::clone(&errand);
    let first = spawn(move || own.wait());
    yield_now();
    control.wait_until_begun();
    first.cancel();
    assert!(first.join().unwrap_err().is_cancelled());
    drop(control.end);
    errand.wait().unwrap();
    assert_eq!(Rc::into_inner(errand).unwrap().result().unwrap(), "brought");
}

#[test]
fn a_panic_in_lent_work_is_an_error_after_its_end() {
    let lent = [0; 4];
    let error = lend(|| -> std::io::Result<()> {
        assert_eq!(lent[0], 0);
        std::panic::resume_unwind(Box::new("broken"))
    });
    assert!(error.is_err());
}

#[test]
fn what_must_be_done_is_done_although_cancelled() {
    let (done, seen) = mpsc::channel();
    let cancelled = spawn(move || {
        current().cancel();
        see_to(move || done.send(()).unwrap());
        assert!(seen.try_recv().is_ok());
        park();
    });
    assert!(cancelled.join().unwrap_err().is_cancelled());
}
