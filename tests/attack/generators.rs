//! Generators that are forgotten, swapped, lent out, driven from everywhere and dropped in every place (L1, L12, L14, L15).

use std::cell::{Cell, RefCell};
use std::mem::{forget, swap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::{self, Generator, ResumeError, Yielder};
use greenthread::sync::{Mutex, ReentrantMutex};
use greenthread::{
    catch_cancel, grow, park, scope, shield, sleep, spawn, timeout, try_scope, yield_now,
};

use crate::child;
use crate::help::{AtDrop, in_virtual_time};
use crate::support::teardown::{leaves, leaves_stacks};
use crate::words::panic_text;

const LONG: Duration = Duration::from_secs(3600);

/// A body that stands inside of something when it yields.
type Place = fn(&Yielder<(), ()>);

/// In everything that leaves a frame, a guard or a stack behind.
const PLACES: [Place; 9] = [
    |y| y.yield_(()),
    |y| assert!(timeout(LONG, || y.yield_(())).is_ok()),
    |y| shield(|| y.yield_(())),
    |y| drop(catch_cancel(|| y.yield_(()))),
    |y| grow(1 << 20, || grow(2 << 20, || y.yield_(()))),
    |y| {
        let text = [1, 2, 3];
        scope(|s| {
            drop(s.spawn(|| {
                yield_now();
                text.len()
            }));
            y.yield_(());
        });
    },
    |y| {
        let _ = try_scope(|s| {
            drop(s.spawn(|| {
                park();
                Ok::<_, ()>(())
            }));
            y.yield_(());
            Err::<(), _>(())
        });
    },
    |y| {
        let (lock, again) = (Mutex::new(1), ReentrantMutex::new(2));
        let _guards = (lock.lock(), again.lock());
        y.yield_(());
    },
    |y| {
        generator::scope(
            |inner: &Yielder<(), ()>| inner.yield_(()),
            |g: &Generator<(), (), ()>| {
                g.start();
                y.yield_(());
            },
        );
    },
];

#[test]
#[apply(on_roots)]
fn l1_generators_that_are_forgotten_in_every_place_harm_nobody() {
    in_virtual_time(|| {
        for place in PLACES {
            // A green thread in which a place waits, and the stacks of those that are forgotten.
            leaves(1);
            leaves_stacks(3);
            let g = Generator::new(place);
            g.start();
            forget(g);
            forget(Generator::new(place));
            drop(spawn(move || {
                let g = Generator::new(place);
                g.start();
                forget(g);
            }));
            yield_now();
            assert_eq!(timeout(LONG, || sleep(LONG / 2)), Ok(()));
        }
    });
}

#[test]
#[apply(on_workers)]
fn l14_generators_that_are_dropped_in_every_place_are_closed_whoever_drops_them() {
    in_virtual_time(|| {
        for place in PLACES {
            let g = Generator::new(place);
            g.start();
            spawn(move || drop(g)).join().unwrap();
            let g = Generator::new(place);
            g.start();
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _g = g;
                panic!("unwinds through it");
            }));
            assert!(caught.is_err());
            let g = spawn(move || {
                let g = Generator::new(place);
                g.start();
                g
            });
            drop(g.join().unwrap());
        }
    });
}

#[test]
#[apply(on_workers)]
fn l1_generators_that_change_places_go_on_with_their_own() {
    let counting = |from: u32| {
        Generator::<(), u32, u32>::new(move |y| {
            let mut local = from;
            for _ in 0..3 {
                y.yield_(local);
                local += 1;
            }
            local
        })
    };
    let (mut a, mut b) = (counting(0), counting(100));
    assert_eq!(
        (a.start().yielded(), b.start().yielded()),
        (Some(0), Some(100))
    );
    swap(&mut a, &mut b);
    assert_eq!(
        (a.send(()).yielded(), b.send(()).yielded()),
        (Some(101), Some(1))
    );
    let mut boxed = Box::new(a);
    swap(&mut *boxed, &mut b);
    let mut moved = vec![*boxed, b, counting(7)];
    moved.reverse();
    let rest: Vec<Vec<u32>> = moved.into_iter().map(Iterator::collect).collect();
    assert_eq!(rest, [vec![7, 8, 9], vec![102], vec![2]]);
}

#[test]
#[apply(on_roots)]
fn l14_one_generator_under_two_green_threads_is_driven_by_one_at_a_time() {
    in_virtual_time(|| {
        let g = Rc::new(Generator::<u8, u8, ()>::new(|y| {
            let mut last = y.yield_(0);
            loop {
                sleep(LONG);
                last = y.yield_(last);
            }
        }));
        g.start();
        let own = Rc::clone(&g);
        let first = spawn(move || own.send(1).yielded());
        yield_now();
        let own = Rc::clone(&g);
        let second = spawn(move || {
            assert!(matches!(own.try_send(2), Err(ResumeError::Running(2))));
            assert!(own.try_throw("refused") == Err("refused"));
            assert!(panic_text(|| own.start()).contains("driven by green thread"));
            assert!(panic_text(|| own.close()).contains("running"));
            // The last but one reference goes while it is driven.
            drop(own);
        });
        second.join().unwrap();
        assert_eq!(first.join().unwrap(), Some(1));
        assert_eq!(g.send(3).yielded(), Some(3));
    });
}

#[test]
#[apply(on_workers)]
fn l14_a_yielder_yields_from_its_own_stack_and_from_nowhere_else() {
    in_virtual_time(|| {
        let g = Generator::<(), u8, u8>::new(|y| {
            let refused = Cell::new(0);
            let tries = || {
                let caught = catch_unwind(AssertUnwindSafe(|| y.yield_(9)));
                refused.set(refused.get() + u8::from(caught.is_err()));
            };
            scope(|s| {
                drop(s.spawn(tries));
                drop(s.spawn(|| grow(1 << 20, tries)));
            });
            generator::scope(
                |_: &Yielder<(), ()>| tries(),
                |g: &Generator<(), (), ()>| assert!(g.start().complete().is_some()),
            );
            generator::scope(
                |_: &Yielder<(), ()>| grow(1 << 20, tries),
                |g: &Generator<(), (), ()>| assert!(g.start().complete().is_some()),
            );
            grow(1 << 20, || y.yield_(1));
            refused.get()
        });
        assert_eq!(g.start().yielded(), Some(1));
        assert_eq!(g.send(()).complete(), Some(4));
    });
}

#[test]
#[apply(on_workers)]
fn l14_a_generator_that_is_driven_from_its_own_destructors_refuses() {
    let slot = Rc::new(RefCell::new(None::<Rc<Generator<u8, u8, ()>>>));
    let seen = Rc::new(Cell::new(0));
    let (own, count) = (Rc::clone(&slot), Rc::clone(&seen));
    let g = Rc::new(Generator::<u8, u8, ()>::new(move |y| {
        let _drives = AtDrop(|| {
            let slot = own.borrow();
            let g = slot.as_ref().unwrap();
            assert!(matches!(g.try_send(1), Err(ResumeError::Running(1))));
            assert!(catch_unwind(AssertUnwindSafe(|| g.close())).is_err());
            count.set(count.get() + 1);
        });
        y.yield_(0);
    }));
    *slot.borrow_mut() = Some(Rc::clone(&g));
    g.start();
    assert_eq!(g.close(), None);
    // Its last owner but us goes in the body of another.
    let other = Generator::<(), (), ()>::new(move |_| drop(slot.borrow_mut().take()));
    other.start();
    assert_eq!((seen.get(), Rc::strong_count(&g)), (1, 1));
}

#[test]
#[apply(on_workers)]
fn l14_a_value_that_drives_the_generator_when_it_is_dropped_finds_it_running_or_finished() {
    type Driven = Rc<Generator<Drives, (), ()>>;
    struct Drives(Rc<RefCell<Option<Driven>>>);
    impl Drop for Drives {
        fn drop(&mut self) {
            if let Some(g) = &*self.0.borrow() {
                let refused = g.try_send(Drives(Rc::default()));
                assert!(refused.is_err());
            }
        }
    }
    let slot = Rc::default();
    let g = Rc::new(Generator::<Drives, (), ()>::new(|y| {
        drop(y.yield_(()));
        let _kept = y.yield_(());
        y.yield_(());
    }));
    *RefCell::borrow_mut(&slot) = Some(Rc::clone(&g));
    g.start();
    g.send(Drives(Rc::clone(&slot)));
    g.send(Drives(Rc::clone(&slot)));
    assert_eq!(g.close(), None);
    drop(g.try_send(Drives(Rc::clone(&slot))));
    slot.borrow_mut().take();
}

#[test]
#[apply(once)]
fn l14_a_body_that_catches_everything_stays_suspended_and_is_leaked_with_a_word() {
    let name =
        "generators::l14_a_body_that_catches_everything_stays_suspended_and_is_leaked_with_a_word";
    let ended = child::run(name, || {
        let g = Generator::<(), (), ()>::new(|y| {
            loop {
                let _ = catch_unwind(AssertUnwindSafe(|| y.yield_(())));
            }
        });
        g.start();
        for _ in 0..3 {
            assert!(panic_text(|| g.close()).contains("yielded while it was being closed"));
        }
        drop(g);
        let borrowed = [1, 2, 3];
        let body = |y: &Yielder<(), usize>| loop {
            let _ = catch_unwind(AssertUnwindSafe(|| y.yield_(borrowed.len())));
        };
        generator::scope(body, |g: &Generator<(), usize, ()>| {
            assert!(g.start().yielded() == Some(3))
        });
        unreachable!("its borrows have ended, and it has not");
    });
    ended.aborted();
    ended.said("its stack is leaked");
    ended.said("a borrowing generator could not be closed");
}

#[test]
#[apply(on_roots)]
fn l12_what_is_raised_in_a_generator_goes_to_whoever_drives_it() {
    in_virtual_time(|| {
        let g = Rc::new(Generator::<(), u8, u8>::new(|y| {
            let inner = timeout(LONG, || {
                y.yield_(1);
                park();
            });
            u8::from(inner.is_err()) + 6
        }));
        assert_eq!(g.start().yielded(), Some(1));
        sleep(2 * LONG);
        let own = Rc::clone(&g);
        let driver = spawn(move || {
            let outer = timeout(LONG, || own.send(()).complete());
            (outer, timeout(LONG, park).is_err())
        });
        assert_eq!(driver.join().unwrap(), (Ok(Some(7)), true));
    });
}

#[test]
#[apply(on_workers)]
fn a_generator_in_a_generator_in_a_green_thread_in_a_generator_unwinds_in_order() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let log = Rc::clone(&log);
        AtDrop(move || log.borrow_mut().push(what))
    };
    let (outer, middle, inner) = (note("outer"), note("middle"), note("inner"));
    let g = Generator::<(), (), ()>::new(move |y| {
        let _outer = outer;
        let handle = spawn(move || {
            let g = Generator::<(), (), ()>::new(move |y| {
                let _middle = middle;
                let g = Generator::<(), (), ()>::new(move |y| {
                    let _inner = inner;
                    y.yield_(());
                });
                g.start();
                y.yield_(());
            });
            g.start();
            g
        });
        let _g = handle.join().unwrap();
        y.yield_(());
    });
    g.start();
    drop(g);
    assert_eq!(*log.borrow(), ["inner", "middle", "outer"]);
}
