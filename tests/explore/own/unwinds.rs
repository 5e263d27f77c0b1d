//! Destructors that wait while they unwind, panics beside cancellations, tokens, and generators that carry deadlines from one driver to the next.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use greenthread::channel::{Sender, bounded};
use greenthread::generator::{Generator, GeneratorState, ResumeError};
use greenthread::sync::{Event, Mutex, Semaphore};
use greenthread::{
    Elapsed, GreenThread, catch_cancel, current, park, park_timeout, resume_if_cancelled, scope,
    shield, sleep, spawn, time, timeout, yield_now,
};

use super::{Dice, Inside, TICK, crowd, try_out};

/// What destructors wait for.
struct World {
    mutex: Mutex<()>,
    permits: Semaphore,
    sender: Sender<u32>,
    begun: Cell<u32>,
    finished: Cell<u32>,
}

/// Waits when it is dropped.
struct Slow<'a>(&'a Dice, &'a World);

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        let Slow(dice, world) = self;
        world.begun.set(world.begun.get() + 1);
        match dice.roll(7) {
            0 => yield_now(),
            1 => sleep(TICK * dice.roll(3)),
            2 => {
                let _guard = world.mutex.lock();
                dice.pause();
            }
            3 => {
                let _permit = world.permits.acquire();
                dice.pause();
            }
            4 => scope(|s| {
                s.spawn(|| dice.pause());
                s.spawn(|| sleep(TICK));
            }),
            5 => drop(world.sender.send(1)),
            _ => drop(spawn(|| sleep(TICK)).join()),
        }
        world.finished.set(world.finished.get() + 1);
    }
}

#[test]
#[apply(once)]
fn l10_destructors_that_wait_run_to_their_end() {
    try_out(|dice| {
        let (sender, receiver) = bounded(1);
        let world = World {
            mutex: Mutex::new(()),
            permits: Semaphore::new(1),
            sender,
            begun: Cell::new(0),
            finished: Cell::new(0),
        };
        scope(|s| {
            let reader = s.spawn(|| while receiver.recv().is_ok() {});
            crowd(dice, 4, |_| {
                let ended = catch_unwind(AssertUnwindSafe(|| {
                    let _ = dice.limited(|| {
                        let _first = Slow(dice, &world);
                        let _second = Slow(dice, &world);
                        let _guard = dice.limited(|| world.mutex.lock());
                        dice.pause();
                        if dice.roll(2) == 0 {
                            sleep(TICK);
                        }
                        // So that its destructors run in an unwind, whatever comes.
                        resume_unwind(Box::new("a panic of its own"));
                    });
                }));
                if let Err(panic) = ended {
                    drop(resume_if_cancelled(panic));
                }
                dice.pause();
            });
            reader.cancel();
        });
        assert_eq!(world.begun.get(), world.finished.get());
        assert!(!world.mutex.is_locked());
        assert_eq!(world.permits.available(), 1);
    });
}

#[test]
#[apply(once)]
fn a_token_that_comes_before_during_or_after_other_waits_is_not_lost() {
    try_out(|dice| {
        let (mutex, event) = (Mutex::new(()), Event::new());
        let flags = [const { Cell::new(false) }; 3];
        scope(|s| {
            let waiters: Vec<_> = flags
                .iter()
                .map(|flag| {
                    let (mutex, event) = (&mutex, &event);
                    s.spawn(move || {
                        while !flag.get() {
                            match dice.roll(5) {
                                0 => park_timeout(TICK * dice.roll(3)),
                                1 => drop(dice.limited(|| mutex.lock())),
                                2 => drop(dice.limited(|| event.wait())),
                                _ => {
                                    // What was set before the last token is seen now.
                                    if !flag.get() {
                                        park();
                                    }
                                }
                            }
                        }
                    })
                })
                .collect();
            for (flag, waiter) in flags.iter().zip(&waiters) {
                dice.pause();
                waiter.thread().unpark();
                let _guard = dice.limited(|| mutex.lock());
                dice.pause();
                flag.set(true);
                waiter.thread().unpark();
            }
            event.set();
        });
    });
}

/// A generator that yields inside of a deadline.
fn limited_numbers(limit: u32) -> Generator<(), u32, Result<(), Elapsed>> {
    Generator::new(move |y| {
        timeout(TICK * limit, || {
            for number in 0..4 {
                y.yield_(number);
                sleep(TICK);
            }
        })
    })
}

#[test]
#[apply(once)]
fn l12_a_generator_takes_its_deadline_from_driver_to_driver() {
    try_out(|dice| {
        let limit = dice.roll(6);
        let generator = limited_numbers(limit);
        let began = time::now();
        crowd(dice, 3, |_| {
            for _ in 0..3 {
                dice.pause();
                if generator.is_finished() {
                    break;
                }
                let drive = || match generator.try_send(()) {
                    Ok(GeneratorState::Yielded(number)) => assert!(number < 4),
                    Ok(GeneratorState::Complete(Ok(()))) => {}
                    Ok(GeneratorState::Complete(Err(Elapsed))) => {
                        assert!(time::now() - began >= TICK * limit);
                    }
                    Err(ResumeError::NotStarted(())) => drop(generator.start()),
                    Err(_) => {}
                };
                let driven = catch_unwind(AssertUnwindSafe(drive));
                if let Err(panic) = driven {
                    drop(resume_if_cancelled(panic));
                }
            }
        });
        drop(catch_unwind(AssertUnwindSafe(|| generator.close())));
    });
}

#[test]
#[apply(once)]
fn cancellations_of_each_other_end_everybody_once() {
    try_out(|dice| {
        let ended = Inside::default();
        scope(|s| {
            let all: Rc<RefCell<Vec<GreenThread>>> = Rc::default();
            for _ in 0..5 {
                let own = Rc::clone(&all);
                let ended = &ended;
                let handle = s.spawn(move || {
                    let _inside = ended.enter(1);
                    for _ in 0..3 {
                        dice.pause();
                        let target = {
                            let all = own.borrow();
                            let count = all.len() as u32;
                            (count > 0).then(|| all[dice.roll(count) as usize].clone())
                        };
                        let target = target.unwrap_or_else(current);
                        let outcome = match dice.roll(3) {
                            0 => shield(|| {
                                target.cancel();
                                catch_cancel(|| dice.pause()).is_ok()
                            }),
                            1 => catch_cancel(|| {
                                target.cancel();
                                dice.pause();
                            })
                            .is_ok(),
                            _ => target.cancel(),
                        };
                        let _ = outcome;
                    }
                });
                all.borrow_mut().push(handle.thread().clone());
                dice.pause();
            }
        });
        assert_eq!(ended.weight(), 0);
    });
}

#[test]
#[apply(once)]
fn callbacks_and_joiners_see_an_end_once_and_in_order() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    try_out(|dice| {
        let order = Arc::new(AtomicU32::new(0));
        let ticks = dice.roll(3);
        let work = spawn(move || sleep(TICK * ticks));
        for number in 0..3 {
            let order = Arc::clone(&order);
            work.on_finish(move |_| assert_eq!(order.fetch_add(1, Ordering::Relaxed), number));
            dice.pause();
        }
        if dice.roll(2) == 0 {
            work.cancel();
        }
        match work.join_timeout(TICK * dice.roll(3)) {
            Ok(_) => {}
            Err(work) => {
                let own = work.cancel_on_drop();
                match dice.roll(2) {
                    0 => drop(own),
                    _ => drop(own.join()),
                }
                while order.load(Ordering::Relaxed) < 3 {
                    sleep(TICK);
                }
            }
        }
        assert_eq!(order.load(Ordering::Relaxed), 3);
    });
}
