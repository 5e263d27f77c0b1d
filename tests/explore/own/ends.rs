//! How things end: scopes, joins, races, deadlines, shields and cancellations.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use greenthread::explore::explore;
use greenthread::{
    JoinSet, WaitFor, as_completed, catch_cancel, checkpoint, gather, is_cancelled, park, race,
    scope, shield, sleep, spawn, time, timeout, try_scope, wait,
};

use super::{Dice, Inside, TICK, crowd, try_out};

#[test]
#[apply(once)]
fn l11_when_a_scope_returns_all_its_children_have_ended() {
    fn tree(dice: &Dice, inside: &Inside, depth: u32) {
        let _inside = inside.enter(1);
        let before = inside.weight();
        let own = Inside::default();
        let ended = catch_cancel(|| {
            scope(|s| {
                for _ in 0..dice.roll(3) {
                    let child = s.spawn(|| {
                        let _own = own.enter(1);
                        dice.pause();
                        if depth > 0 {
                            tree(dice, inside, depth - 1);
                        }
                        let _ = dice.limited(|| sleep(TICK * 2));
                    });
                    dice.pause();
                    match dice.roll(6) {
                        0 => drop(child.cancel()),
                        1 => drop(child.join()),
                        2 => s.cancel(),
                        _ => {}
                    }
                }
            });
        });
        assert_eq!(own.weight(), 0, "a child outlived its scope");
        let _ = before;
        if let Err(cancelled) = ended {
            cancelled.resume();
        }
    }
    try_out(|dice| {
        let inside = Inside::default();
        crowd(dice, 2, |_| {
            let _ = dice.limited(|| tree(dice, &inside, 2));
        });
        assert_eq!(inside.weight(), 0);
    });
}

/// Has a scope whose child consumes the one request that its parent passes on; whichever of the two goes on first.
fn pass_on_once(end: impl Fn(&dyn Fn())) {
    explore(100, |_| {
        let (caught, finished) = (Cell::new(0), Cell::new(false));
        let before = time::now();
        end(&|| {
            scope(|s| {
                s.spawn(|| {
                    caught.set(u32::from(catch_cancel(park).is_err()));
                    caught.set(caught.get() + u32::from(catch_cancel(|| sleep(TICK)).is_err()));
                    finished.set(true);
                });
                park();
            });
        });
        assert_eq!((caught.get(), finished.get()), (1, true));
        assert_eq!(time::now() - before, TICK * 2);
    });
}

#[test]
#[apply(once)]
fn l9_a_deadline_that_a_scope_passes_on_is_asked_of_its_child_once() {
    pass_on_once(|body| assert!(timeout(TICK, body).is_err()));
}

#[test]
#[apply(once)]
fn l9_a_cancellation_that_a_scope_passes_on_is_asked_of_its_child_once() {
    pass_on_once(|body| {
        scope(|s| {
            let parent = s.spawn(body);
            sleep(TICK);
            parent.cancel();
        });
    });
}

#[test]
#[apply(once)]
fn l9_a_cancellation_that_was_caught_and_goes_on_is_asked_of_a_child_once() {
    pass_on_once(|body| {
        scope(|s| {
            let parent = s.spawn(|| {
                if let Err(cancelled) = catch_cancel(body) {
                    cancelled.resume();
                }
            });
            sleep(TICK);
            parent.cancel();
        });
    });
    explore(100, |_| {
        let caught = Cell::new(0);
        scope(|s| {
            let parent = s.spawn(|| {
                scope(|s| {
                    s.spawn(|| {
                        for _ in 0..2 {
                            caught.set(
                                caught.get() + u32::from(catch_cancel(|| sleep(TICK)).is_err()),
                            );
                        }
                    });
                    // Caught inside of the scope, whose children have heard of it.
                    if let Err(cancelled) = catch_cancel(park) {
                        cancelled.resume();
                    }
                });
            });
            sleep(TICK / 2);
            parent.cancel();
        });
        assert!(caught.get() <= 1);
    });
}

#[test]
#[apply(once)]
fn a_second_cancellation_reaches_a_child_that_has_consumed_the_first() {
    explore(100, |_| {
        let caught = Cell::new(0);
        scope(|s| {
            let parent = s.spawn(|| {
                scope(|s| {
                    s.spawn(|| {
                        while caught.get() < 2 {
                            caught.set(caught.get() + u32::from(catch_cancel(park).is_err()));
                        }
                    });
                    assert!(catch_cancel(park).is_err());
                    park();
                });
            });
            sleep(TICK);
            parent.cancel();
            sleep(TICK);
            parent.cancel();
        });
        assert_eq!(caught.get(), 2);
    });
}

#[test]
#[apply(once)]
fn the_first_error_of_a_try_scope_ends_the_others() {
    try_out(|dice| {
        let inside = Inside::default();
        let first = Cell::new(None);
        let fail = |number: u32| {
            if first.get().is_none() {
                first.set(Some(number));
            }
            Err(number)
        };
        let result = try_scope(|s| {
            for number in 0..4 {
                let (inside, fail, dice) = (&inside, &fail, &dice);
                s.spawn(move || {
                    let _inside = inside.enter(1);
                    dice.pause();
                    match dice.roll(3) {
                        0 => fail(number),
                        _ => Ok(()),
                    }
                });
            }
            dice.pause();
            Ok(())
        });
        assert_eq!(inside.weight(), 0);
        match result {
            Ok(()) => assert_eq!(first.get(), None),
            Err(error) => assert_eq!(Some(*error.first()), first.get()),
        }
    });
}

#[test]
#[apply(once)]
fn a_deadline_is_never_early_and_leaves_nothing_behind() {
    try_out(|dice| {
        crowd(dice, 3, |_| {
            let began = time::now();
            let (outer, inner) = (TICK * dice.roll(4), TICK * dice.roll(4));
            let work = TICK * dice.roll(4);
            let result = timeout(outer, || {
                let result = timeout(inner, || sleep(work));
                if result.is_err() {
                    assert!(time::now() - began >= inner);
                }
                dice.pause();
                result
            });
            if result.is_err() {
                assert!(time::now() - began >= outer);
            }
            if result == Ok(Ok(())) {
                assert!(time::now() - began >= work);
            }
            let before = time::now();
            sleep(TICK);
            assert!(time::now() - before >= TICK);
        });
    });
}

#[test]
#[apply(once)]
fn a_shield_lets_its_work_be_finished() {
    try_out(|dice| {
        let (begun, finished) = (Cell::new(0), Cell::new(0));
        crowd(dice, 3, |_| {
            let _ = dice.limited(|| {
                dice.pause();
                shield(|| {
                    begun.set(begun.get() + 1);
                    dice.pause();
                    sleep(TICK);
                    finished.set(finished.get() + 1);
                });
                dice.pause();
            });
        });
        assert_eq!(begun.get(), finished.get());
    });
}

#[test]
#[apply(once)]
fn a_cancellation_that_was_caught_is_over() {
    try_out(|dice| {
        let after = Cell::new(0);
        let begun = Cell::new(0);
        crowd(dice, 3, |_| {
            begun.set(begun.get() + 1);
            let mut caught = 0;
            for _ in 0..3 {
                caught += u32::from(catch_cancel(|| dice.pause()).is_err());
            }
            // At most four requests come, and each is caught once or comes out below.
            assert!(caught <= 3);
            if !is_cancelled() {
                checkpoint();
                after.set(after.get() + 1);
            } else {
                begun.set(begun.get() - 1);
            }
        });
        assert_eq!(begun.get(), after.get());
    });
}

/// Counts itself as long as it runs.
fn worker(dice: &Dice, inside: &Rc<Inside>) -> impl FnOnce() -> u32 + use<> {
    let (inside, ticks) = (Rc::clone(inside), dice.roll(4));
    move || {
        let _inside = inside.enter(1);
        sleep(TICK * ticks);
        ticks
    }
}

/// The same, and may end by a panic.
fn risky(dice: &Dice, inside: &Rc<Inside>) -> impl FnOnce() -> u32 + use<> {
    let (worker, panics) = (worker(dice, inside), dice.roll(6) == 0);
    move || {
        let ticks = worker();
        if panics {
            std::panic::resume_unwind(Box::new("ends so"));
        }
        ticks
    }
}

#[test]
#[apply(once)]
fn a_gather_that_is_cut_short_has_ended_all_that_it_waited_for() {
    try_out(|dice| {
        let inside = Rc::new(Inside::default());
        crowd(dice, 2, |_| {
            let inside = Rc::clone(&inside);
            let own = Rc::new(Inside::default());
            let workers: Vec<_> = (0..3).map(|_| spawn(worker(dice, &own))).collect();
            let _inside = inside.enter(1);
            let results = catch_cancel(|| dice.limited(|| gather(workers)));
            assert_eq!(own.weight(), 0);
            match results {
                Ok(Some(results)) => assert_eq!(results.len(), 3),
                Ok(None) => {}
                Err(cancelled) => cancelled.resume(),
            }
        });
        assert_eq!(inside.weight(), 0);
    });
}

#[test]
#[apply(once)]
fn when_a_race_is_over_the_losers_have_ended() {
    try_out(|dice| {
        crowd(dice, 2, |_| {
            let own = Inside::default();
            let runner = |ticks| {
                let own = &own;
                move || {
                    let _inside = own.enter(1);
                    sleep(TICK * ticks);
                    ticks
                }
            };
            let runners: Vec<_> = (0..3).map(|_| runner(dice.roll(4))).collect();
            let won = catch_cancel(|| dice.limited(|| race(runners)));
            assert_eq!(own.weight(), 0);
            if let Err(cancelled) = won {
                cancelled.resume();
            }
        });
    });
}

#[test]
#[apply(once)]
fn a_wait_gives_every_handle_back_once() {
    try_out(|dice| {
        crowd(dice, 2, |_| {
            let own = Rc::new(Inside::default());
            let mut pending: Vec<_> = (0..4).map(|_| spawn(worker(dice, &own))).collect();
            let mut done = 0;
            while !pending.is_empty() {
                let until = [WaitFor::First, WaitFor::FirstError, WaitFor::All];
                let limit = TICK * dice.roll(3);
                let before = pending.len();
                let waited = wait(pending, until[dice.roll(3) as usize], Some(limit));
                assert_eq!(waited.done.len() + waited.pending.len(), before);
                done += waited.done.len();
                for handle in waited.done {
                    assert!(handle.is_finished());
                    drop(handle.join());
                }
                pending = waited.pending;
                dice.pause();
            }
            assert_eq!((done, own.weight()), (4, 0));
        });
    });
}

#[test]
#[apply(once)]
fn results_come_as_they_are_completed_and_none_is_lost_by_a_deadline() {
    try_out(|dice| {
        let own = Rc::new(Inside::default());
        let mut set = JoinSet::new();
        let workers: Vec<_> = (0..4).map(|_| spawn(risky(dice, &own))).collect();
        (0..4).for_each(|_| set.spawn(risky(dice, &own)));
        let mut completed = as_completed(workers);
        let (mut first, mut second) = (0, 0);
        while first < 4 || second < 4 {
            if first < 4
                && let Some(next) = dice.limited(|| completed.next())
            {
                assert!(next.is_some());
                first += 1;
            }
            if second < 4
                && let Some(next) = dice.limited(|| set.join_next())
            {
                assert!(next.is_some());
                second += 1;
            }
        }
        assert!(completed.next().is_none() && set.is_empty());
        assert_eq!(own.weight(), 0);
    });
}

#[test]
#[apply(once)]
fn a_result_is_the_same_for_all_who_join() {
    try_out(|dice| {
        let own = Rc::new(Inside::default());
        let work = spawn(risky(dice, &own));
        let called = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&called);
        work.on_finish(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        if dice.roll(3) == 0 {
            work.cancel();
        }
        let work = work.shared();
        crowd(dice, 3, |_| {
            let joined = dice.limited(|| work.join().is_ok());
            if let Some(ok) = joined {
                assert_eq!(called.load(Ordering::Relaxed), 1);
                assert_eq!(work.join().is_ok(), ok);
            }
        });
        let _ = work.join();
        assert_eq!(own.weight(), 0);
    });
}
