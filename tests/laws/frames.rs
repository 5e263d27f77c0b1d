//! Frames and requests in generators: they act for whoever drives the stack they were entered on (L12, D9).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::{self, Generator, GeneratorState, Yielder};
use greenthread::{
    Elapsed, catch_cancel, checkpoint, current, park, scope, shield, sleep, spawn, timeout,
    yield_now,
};

use crate::help::{AtDrop, in_virtual_time};
use crate::support::teardown::leaves_stacks;
use crate::support::{Log, panic_text};

const SECOND: Duration = Duration::from_secs(1);

type Plain<Ret> = Generator<(), (), Ret>;

#[test]
#[apply(on_roots)]
fn l12_a_deadline_in_a_suspended_generator_is_raised_for_whoever_drives_it_next() {
    in_virtual_time(|| {
        let g: Rc<Plain<_>> = Rc::new(Generator::new(|y| {
            timeout(SECOND, || {
                y.yield_(());
                // Driven by the second one, after the deadline.
                park();
            })
        }));
        let first = Rc::clone(&g);
        spawn(move || {
            first.start();
            // Nothing is raised here: the frame is not in this chain.
            sleep(SECOND * 2);
            checkpoint();
        })
        .join()
        .unwrap();
        let second = spawn(move || g.send(()).complete());
        assert_eq!(second.join().unwrap(), Some(Err(Elapsed)));
    });
}

#[test]
#[apply(on_roots)]
fn l12_a_deadline_that_passed_is_not_raised_where_nothing_waits() {
    in_virtual_time(|| {
        let g: Plain<_> = Generator::new(|y| timeout(SECOND, || y.yield_(())));
        g.start();
        sleep(SECOND * 2);
        assert_eq!(g.send(()).complete(), Some(Ok(())));
        checkpoint();
    });
}

#[test]
#[apply(on_workers)]
fn l12_a_shield_in_a_suspended_generator_shields_nobody() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            let g: Plain<()> = Generator::new(|y| shield(|| y.yield_(())));
            g.start();
            park();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l12_a_shield_in_a_generator_shields_whoever_drives_it() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            let g: Plain<()> = Generator::new(|y| {
                shield(|| {
                    sleep(SECOND);
                    y.yield_(());
                    sleep(SECOND);
                });
            });
            g.start();
            // Out of the generator there is no shield.
            assert!(catch_unwind(checkpoint).is_err());
            g.send(());
            "drove it to its end"
        });
        yield_now();
        handle.cancel();
        assert_eq!(handle.join().unwrap(), "drove it to its end");
    });
}

#[test]
#[apply(on_workers)]
fn l12_a_cancellation_goes_to_the_driver_and_through_its_generators() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let g: Rc<Plain<()>> = Rc::new(Generator::new(move |y| {
            let inner: Plain<()> = {
                let said = said.clone();
                Generator::new(move |_| {
                    let _inner = said.on_drop("inner");
                    park();
                })
            };
            let _outer = said.on_drop("outer");
            y.yield_(());
            inner.start();
        }));
        let driven = Rc::clone(&g);
        let handle = spawn(move || {
            driven.start();
            driven.send(());
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["inner", "outer"]);
        assert!(g.is_finished());
    });
}

#[test]
#[apply(on_roots)]
fn l12_catch_cancel_in_a_generator_consumes_the_request_of_its_driver() {
    in_virtual_time(|| {
        let g: Rc<Plain<usize>> = Rc::new(Generator::new(|y| {
            let mut caught = 0;
            for _ in 0..2 {
                caught += usize::from(catch_cancel(park).is_err());
                y.yield_(());
            }
            caught
        }));
        for _ in 0..2 {
            let g = Rc::clone(&g);
            let handle = spawn(move || {
                match g.try_send(()) {
                    Ok(_) => {}
                    Err(_) => {
                        g.start();
                    }
                }
                sleep(SECOND);
            });
            yield_now();
            handle.cancel();
            handle.join().unwrap();
        }
        assert_eq!(g.send(()).complete(), Some(2));
    });
}

#[test]
#[apply(on_workers)]
fn l12_a_catch_cancel_that_is_suspended_catches_nothing() {
    in_virtual_time(|| {
        let handle = spawn(|| {
            let g: Plain<_> = Generator::new(|y| catch_cancel(|| y.yield_(())).is_err());
            g.start();
            park();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l12_an_outer_deadline_of_the_driver_ends_a_wait_in_the_generator_and_the_generator() {
    in_virtual_time(|| {
        let g: Plain<()> = Generator::new(|_| park());
        assert_eq!(
            timeout(SECOND, || g.start()),
            Err::<GeneratorState<_, _>, _>(Elapsed)
        );
        assert!(g.is_finished());
    });
}

#[test]
#[apply(on_roots)]
fn l12_of_frames_in_and_around_a_generator_the_earliest_deadline_is_raised() {
    in_virtual_time(|| {
        for (outer, inner) in [(1, 2), (2, 1)] {
            let g: Plain<_> = Generator::new(move |y| {
                timeout(SECOND * inner, || {
                    y.yield_(());
                    shield(|| sleep(SECOND * 5));
                    park();
                })
            });
            g.start();
            let outcome = timeout(SECOND * outer, || g.send(()).complete().unwrap());
            let expected = if outer < inner {
                Err(Elapsed)
            } else {
                Ok(Err(Elapsed))
            };
            assert_eq!(outcome, expected);
        }
    });
}

#[test]
#[apply(on_roots)]
fn l12_a_generator_left_with_a_fired_frame_is_closed_and_nothing_is_left_of_it() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let g: Plain<_> = Generator::new(move |y| {
            timeout(SECOND, || {
                let _said = said.on_drop("closed");
                y.yield_(());
            })
        });
        g.start();
        sleep(SECOND * 2);
        drop(g);
        assert_eq!(log.lines(), ["closed"]);
        sleep(SECOND);
        checkpoint();
    });
}

#[test]
#[apply(on_roots)]
fn l12_a_forgotten_generator_with_frames_harms_nobody() {
    in_virtual_time(|| {
        let g: Plain<_> = Generator::new(|y| {
            timeout(SECOND, || {
                scope(|s| {
                    s.spawn(|| sleep(SECOND * 3));
                    y.yield_(());
                });
            })
        });
        g.start();
        std::mem::forget(g);
        leaves_stacks(1);
        sleep(SECOND * 5);
        let sleeper = spawn(|| sleep(SECOND));
        sleeper.join().unwrap();
    });
}

#[test]
#[apply(on_workers)]
fn l12_a_scope_in_a_generator_is_cancelled_with_whoever_drives_it_and_with_nobody_else() {
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(0));
        let count = Rc::clone(&ended);
        let g: Rc<Plain<()>> = Rc::new(Generator::new(move |y| {
            scope(|s| {
                s.spawn(|| {
                    let _count = AtDrop(|| count.set(count.get() + 1));
                    park();
                });
                y.yield_(());
                park();
            });
        }));
        let driven = Rc::clone(&g);
        let first = spawn(move || {
            driven.start();
            park();
        });
        yield_now();
        yield_now();
        first.cancel();
        assert!(first.join().unwrap_err().is_cancelled());
        assert_eq!(ended.get(), 0, "the first one does not drive it any more");
        let driven = Rc::clone(&g);
        let second = spawn(move || driven.send(()));
        yield_now();
        second.cancel();
        assert!(second.join().unwrap_err().is_cancelled());
        assert_eq!(ended.get(), 1);
        assert!(g.is_finished());
    });
}

#[test]
#[apply(on_roots)]
fn l12_a_child_that_fails_while_its_scopes_generator_is_suspended_fails_the_body_when_driven() {
    in_virtual_time(|| {
        let g: Plain<()> = Generator::new(|y| {
            scope(|s| {
                s.spawn(|| panic!("child"));
                y.yield_(());
                park();
                unreachable!();
            });
        });
        g.start();
        sleep(SECOND);
        let text = panic_text(|| g.send(()));
        assert_eq!(text, "child");
    });
}

#[test]
#[apply(on_roots)]
fn l14_dropping_a_generator_inside_a_scope_ends_the_children_first() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let handle = spawn(move || {
            let g: Plain<()> = Generator::new(move |y| {
                let _body = said.on_drop("body");
                scope(|s| {
                    s.spawn(|| {
                        let _child = said.on_drop("child");
                        let _slow = AtDrop(|| sleep(SECOND));
                        park();
                    });
                    yield_now();
                    y.yield_(());
                });
            });
            g.start();
            // Dropped by an unwind.
            park();
            drop(g);
        });
        yield_now();
        yield_now();
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["child", "body"]);
    });
}

#[test]
#[apply(on_workers)]
fn l14_a_child_that_yields_with_its_parents_yielder_fails_the_scope_clearly() {
    let g: Generator<(), u8, ()> = Generator::new(|y: &Yielder<(), u8>| {
        scope(|s| {
            s.spawn(|| y.yield_(1));
        });
    });
    let text = panic_text(|| g.start());
    assert!(text.contains("off its generator's own stack"), "{text}");
}

#[test]
#[apply(on_workers)]
fn l14_a_generator_driven_by_its_own_child_is_running() {
    let slot: Rc<RefCell<Option<Rc<Plain<bool>>>>> = Rc::default();
    let own = Rc::clone(&slot);
    let g: Rc<Plain<bool>> = Rc::new(Generator::new(move |_| {
        let me = own.borrow().clone().unwrap();
        scope(|s| {
            let child = s.spawn(|| {
                let refused = matches!(me.try_send(()), Err(generator::ResumeError::Running(())));
                let text = panic_text(|| me.send(()));
                assert!(text.contains("running"), "{text}");
                refused && me.close_is_refused()
            });
            child.join().unwrap()
        })
    }));
    *slot.borrow_mut() = Some(Rc::clone(&g));
    assert_eq!(g.start().complete(), Some(true));
    slot.borrow_mut().take();
}

/// Whether closing panics.
trait CloseIsRefused {
    fn close_is_refused(&self) -> bool;
}

impl<Ret> CloseIsRefused for Plain<Ret> {
    fn close_is_refused(&self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.close())).is_err()
    }
}

#[test]
#[apply(on_workers)]
fn l14_a_running_generator_names_who_drives_it() {
    in_virtual_time(|| {
        let g: Rc<Plain<()>> = Rc::new(Generator::new(|_| park()));
        let driven = Rc::clone(&g);
        let driver = greenthread::Builder::new()
            .name("the driver".into())
            .spawn(move || driven.start())
            .unwrap();
        yield_now();
        let text = panic_text(|| g.start());
        assert!(text.contains("the driver"), "{text}");
        driver.thread().unpark();
        driver.join().unwrap();
    });
}

#[test]
#[apply(on_workers)]
fn a_pipeline_of_generators_shared_by_many_drivers_keeps_its_items_in_order() {
    let g: Rc<Generator<(), u32, ()>> = Rc::new(Generator::new(|y| {
        for i in 0..1000 {
            yield_now();
            y.yield_(i);
        }
    }));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let lock = Rc::new(greenthread::sync::Mutex::new(()));
    let drivers: Vec<_> = (0..5)
        .map(|_| {
            let (g, seen, lock) = (Rc::clone(&g), Rc::clone(&seen), Rc::clone(&lock));
            spawn(move || {
                loop {
                    let _turn = lock.lock();
                    let state = match g.try_send(()) {
                        Ok(state) => state,
                        Err(generator::ResumeError::NotStarted(())) => g.start(),
                        Err(_) => return,
                    };
                    match state {
                        GeneratorState::Yielded(i) => seen.borrow_mut().push(i),
                        GeneratorState::Complete(()) => return,
                    }
                }
            })
        })
        .collect();
    for driver in drivers {
        driver.join().unwrap();
    }
    assert!(seen.borrow().iter().copied().eq(0..1000));
}

#[test]
#[apply(on_roots)]
fn a_generator_dropped_by_another_green_thread_while_it_is_driven_lives_until_it_is_let_go() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let g: Rc<Plain<()>> = Rc::new(Generator::new(move |_| {
            let _said = said.on_drop("ended");
            sleep(SECOND);
        }));
        let driven = Rc::clone(&g);
        let driver = spawn(move || driven.start());
        yield_now();
        drop(g);
        assert!(log.lines().is_empty());
        driver.join().unwrap();
        assert_eq!(log.lines(), ["ended"]);
    });
}

#[test]
#[apply(on_roots)]
fn destructors_of_green_threads_may_drive_generators_and_spawn_and_cancel() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let handle = spawn(move || {
            let _busy = AtDrop(|| {
                let g: Generator<u32, u32, ()> = Generator::new(|y| {
                    let mut got = y.yield_(0);
                    while got < 3 {
                        sleep(SECOND);
                        got = y.yield_(got);
                    }
                });
                g.start();
                for i in 1..3 {
                    assert_eq!(g.send(i).yielded(), Some(i));
                }
                assert_eq!(g.send(3).complete(), Some(()));
                let other = spawn(park);
                yield_now();
                other.cancel();
                assert!(other.join().unwrap_err().is_cancelled());
                current().cancel();
                said.say("done");
            });
            park();
        });
        yield_now();
        handle.cancel();
        assert!(handle.join().unwrap_err().is_cancelled());
        assert_eq!(log.lines(), ["done"]);
    });
}

/// Whether a type implements a trait.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code, reason = "unused where the trait is implemented")]
        trait Otherwise {
            const IMPLEMENTED: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "unused where the trait is not implemented")]
        impl<T: ?Sized + $trait> Asked<T> {
            const IMPLEMENTED: bool = true;
        }
        <Asked<$type>>::IMPLEMENTED
    }};
}

#[test]
#[apply(on_workers)]
fn l15_a_generator_is_neither_copied_nor_sent_nor_pinned() {
    type G = Generator<(), u8, ()>;
    const { assert!(!implements!(G: Clone)) };
    const { assert!(!implements!(G: Send)) };
    const { assert!(!implements!(G: Sync)) };
    const { assert!(!implements!(Yielder<(), u8>: Send)) };
    const { assert!(!implements!(Yielder<(), u8>: Sync)) };
    const { assert!(!implements!(Yielder<(), u8>: Clone)) };
    // Moving a suspended one is safe.
    const { assert!(implements!(G: Unpin)) };
    let g: G = Generator::new(|y| y.yield_all([1, 2]));
    assert_eq!(g.start().yielded(), Some(1));
    let moved = Box::new(g);
    assert_eq!(moved.send(()).yielded(), Some(2));
}
