//! Scopes: children end before their scope returns, whatever happens (L11).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;

use greenthread::{
    Elapsed, ScopedJoinHandle, catch_cancel, checkpoint, current, park, scope, shield, sleep,
    spawn, time, timeout, try_scope, yield_now,
};

use crate::child;
use crate::help::{AtDrop, in_virtual_time};
use crate::support::{Log, panic_text};

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[apply(on_workers)]
fn l11_a_scope_waits_for_children_whose_handles_were_dropped() {
    let done = Cell::new(0);
    scope(|s| {
        for _ in 0..10 {
            drop(s.spawn(|| {
                yield_now();
                done.set(done.get() + 1);
            }));
        }
    });
    assert_eq!(done.get(), 10);
}

#[test]
#[apply(on_workers)]
fn l11_a_child_may_spawn_siblings_while_the_scope_waits() {
    let log = RefCell::new(Vec::new());
    scope(|s| {
        s.spawn(|| {
            yield_now();
            log.borrow_mut().push(1);
            s.spawn(|| {
                yield_now();
                log.borrow_mut().push(2);
                s.spawn(|| log.borrow_mut().push(3));
            });
        });
    });
    assert_eq!(*log.borrow(), [1, 2, 3]);
}

#[test]
#[apply(on_workers)]
fn l11_the_bodys_panic_is_caught_before_the_children_are_waited_for() {
    let log = Log::default();
    let text = panic_text(|| {
        scope(|s| {
            s.spawn(|| {
                let _said = log.on_drop("child ended");
                assert!(!std::thread::panicking());
                park();
            });
            yield_now();
            let _first = log.on_drop("body ended");
            panic!("the body");
        })
    });
    assert_eq!(text, "the body");
    assert_eq!(log.lines(), ["body ended", "child ended"]);
}

#[test]
#[apply(once)]
fn l11_the_first_panic_goes_on_and_later_ones_are_reported() {
    let ended = child::run(
        "structure::l11_the_first_panic_goes_on_and_later_ones_are_reported",
        || {
            let text = panic_text(|| {
                scope(|s| {
                    s.spawn(|| {
                        let _late = AtDrop(|| {
                            let _ = catch_unwind(|| panic!("caught"));
                        });
                        if catch_unwind(park).is_err() {
                            panic!("second");
                        }
                    });
                    yield_now();
                    s.spawn(|| panic!("first"));
                    let _ = catch_unwind(park);
                    panic!("third");
                })
            });
            assert_eq!(text, "first");
        },
    );
    ended.succeeded();
    let reported = |text| ended.times(&format!("panicked and nobody joined it: {text}"));
    assert_eq!(
        (reported("first"), reported("second"), reported("third")),
        (0, 1, 1)
    );
}

#[test]
#[apply(on_workers)]
fn l11_a_joined_childs_panic_goes_on_all_the_same_with_its_own_payload() {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        scope(|s| {
            let bad = s.spawn(|| panic_any(17_u8));
            // The scope fails, and the body with it: nothing comes of the join.
            let error = bad.join().unwrap_err();
            assert!(error.is_panic());
            drop(error.into_panic());
        });
    }));
    assert_eq!(*caught.unwrap_err().downcast::<u8>().unwrap(), 17);
}

#[test]
#[apply(on_roots)]
fn l11_a_cancelled_parent_cancels_its_children_and_goes_on_after_their_end() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let parent = spawn(move || {
            let _parent = said.on_drop("parent");
            scope(|s| {
                for _ in 0..2 {
                    s.spawn(|| {
                        let _child = said.on_drop("child");
                        let _slow = AtDrop(|| shield(|| sleep(SECOND)));
                        park();
                    });
                }
                park();
            });
            unreachable!("the request is raised again");
        });
        yield_now();
        yield_now();
        parent.cancel_with("stop");
        let error = parent.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "stop");
        assert_eq!(log.lines(), ["child", "child", "parent"]);
    });
}

#[test]
#[apply(on_workers)]
fn l11_a_parent_cancelled_at_the_end_of_its_scope_cancels_the_children() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            scope(|s| {
                s.spawn(park);
            });
            unreachable!("the request is raised again");
        });
        yield_now();
        yield_now();
        parent.cancel();
        assert!(parent.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_request_that_was_pending_before_the_scope_reaches_the_children() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            current().cancel_with("early");
            scope(|s| {
                s.spawn(park);
                s.spawn(|| sleep(SECOND));
            });
            unreachable!();
        });
        assert_eq!(
            parent.join().unwrap_err().reason().unwrap().to_string(),
            "early"
        );
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_deadline_that_passed_before_the_end_of_the_scope_reaches_the_children() {
    in_virtual_time(|| {
        let outcome = timeout(SECOND, || {
            shield(|| sleep(SECOND * 2));
            scope(|s| {
                s.spawn(park);
            });
            unreachable!();
        });
        assert_eq!(outcome, Err::<(), _>(Elapsed));
    });
}

#[test]
#[apply(on_roots)]
fn l11_an_outer_deadline_is_passed_on_to_the_children() {
    in_virtual_time(|| {
        let ended = Cell::new(0);
        let outcome = timeout(SECOND, || {
            scope(|s| {
                for _ in 0..3 {
                    s.spawn(|| {
                        let _count = AtDrop(|| ended.set(ended.get() + 1));
                        park();
                    });
                }
            });
        });
        assert_eq!(outcome, Err(Elapsed));
        assert_eq!(ended.get(), 3);
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_shielded_scope_keeps_its_children_from_the_parents_cancellation() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            let value = shield(|| {
                scope(|s| {
                    let child = s.spawn(|| {
                        sleep(SECOND);
                        5
                    });
                    child.join().unwrap()
                })
            });
            assert_eq!(value, 5);
            checkpoint();
            unreachable!();
        });
        yield_now();
        parent.cancel();
        assert!(parent.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_shield_inside_the_body_does_not_keep_the_children_from_it() {
    in_virtual_time(|| {
        let log = Log::default();
        let said = log.clone();
        let parent = spawn(move || {
            scope(|s| {
                let said = &said;
                s.spawn(move || {
                    let _child = said.on_drop("child");
                    park();
                });
                shield(|| sleep(SECOND));
                said.say("shield over");
            });
        });
        yield_now();
        yield_now();
        parent.cancel();
        yield_now();
        assert_eq!(log.lines(), ["child"]);
        assert!(parent.join().is_ok(), "nothing waits after the shield");
        assert_eq!(log.lines(), ["child", "shield over"]);
    });
}

#[test]
#[apply(on_roots)]
fn l11_cancel_of_a_scope_spares_the_body_and_cancels_later_children_before_they_begin() {
    in_virtual_time(|| {
        let body = scope(|s| {
            let first = s.spawn(park);
            yield_now();
            s.cancel();
            let second = s.spawn(|| unreachable!("cancelled before it began"));
            assert!(first.join().unwrap_err().is_cancelled());
            assert!(
                ScopedJoinHandle::<()>::join(second)
                    .unwrap_err()
                    .is_cancelled()
            );
            sleep(SECOND);
            3
        });
        assert_eq!(body, 3);
    });
}

#[test]
#[apply(on_workers)]
fn l11_a_failing_scope_cannot_be_consumed_by_its_body() {
    let text = panic_text(|| {
        scope(|s| {
            s.spawn(|| panic!("child"));
            for _ in 0..3 {
                assert!(catch_cancel(park).is_err());
            }
        })
    });
    assert_eq!(text, "child");
}

#[test]
#[apply(on_workers)]
fn l11_a_failing_scope_cannot_be_consumed_by_its_children() {
    let text = panic_text(|| {
        scope(|s| {
            s.spawn(|| {
                for _ in 0..3 {
                    assert!(catch_cancel(park).is_err());
                }
            });
            s.spawn(|| panic!("child"));
        })
    });
    assert_eq!(text, "child");
}

#[test]
#[apply(on_roots)]
fn l9_a_cancellation_that_a_scope_passes_on_can_be_consumed_by_a_child() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            scope(|s| {
                s.spawn(|| {
                    assert!(catch_cancel(park).is_err());
                    // Consumed: this one waits in peace.
                    sleep(SECOND);
                });
            });
        });
        yield_now(); // the parent begins
        yield_now(); // the child parks
        let before = time::now();
        parent.cancel();
        assert!(parent.join().unwrap_err().is_cancelled());
        assert_eq!(time::now() - before, SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn l9_a_timeout_that_a_scope_passes_on_can_be_consumed_by_a_child() {
    in_virtual_time(|| {
        let before = time::now();
        let outcome = timeout(SECOND, || {
            scope(|s| {
                s.spawn(|| {
                    let cancelled = catch_cancel(park).unwrap_err();
                    assert!(cancelled.reason().unwrap().is::<Elapsed>());
                    sleep(SECOND);
                });
                park();
            });
        });
        assert!(outcome.is_err());
        assert_eq!(time::now() - before, SECOND * 2);
    });
}

#[test]
#[apply(on_roots)]
fn l9_the_end_of_run_that_a_scope_passes_on_cannot_be_consumed_by_a_child() {
    let caught = Rc::new(Cell::new(0));
    let seen = Rc::clone(&caught);
    greenthread::run(move || {
        spawn(move || {
            scope(|s| {
                s.spawn(|| {
                    for _ in 0..3 {
                        assert!(catch_cancel(park).is_err());
                        seen.set(seen.get() + 1);
                    }
                });
            });
        });
        yield_now();
        yield_now();
    });
    assert_eq!(caught.get(), 3);
}

#[test]
#[apply(on_roots)]
fn l11_an_error_cancels_the_others_and_the_body_and_all_errors_come_in_order() {
    in_virtual_time(|| {
        let outcome = try_scope(|s| {
            for i in 1..=3 {
                s.spawn(move || {
                    let caught = catch_unwind(|| sleep(SECOND * i));
                    assert_eq!(caught.is_err(), i > 1);
                    Err::<(), _>(i)
                });
            }
            let _ = catch_unwind(park);
            Err::<(), _>(9)
        });
        let mut all = outcome.unwrap_err().all().to_vec();
        assert_eq!(all.remove(0), 1);
        all.sort_unstable();
        assert_eq!(all, [2, 3, 9]);
    });
}

#[test]
#[apply(on_workers)]
fn l11_a_panic_in_a_try_scope_goes_on_before_its_errors() {
    let text = panic_text(|| {
        try_scope(|s| {
            s.spawn(|| -> Result<(), _> {
                let _ = catch_unwind(park);
                panic!("panic")
            });
            s.spawn(|| Err::<(), _>("error"));
            park();
            Ok(())
        })
    });
    assert_eq!(text, "panic");
}

#[test]
#[apply(on_workers)]
fn l11_a_cancelled_try_scope_raises_the_request_again() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            let outcome = try_scope(|s| {
                s.spawn(|| {
                    park();
                    Ok::<_, ()>(())
                });
                park();
                Ok(())
            });
            unreachable!("{outcome:?}")
        });
        yield_now();
        parent.cancel();
        assert!(parent.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_try_scope_cancelled_while_it_waits_for_its_children_raises_or_returns_their_errors() {
    in_virtual_time(|| {
        let outcome = timeout(SECOND, || {
            try_scope(|s| {
                s.spawn(|| {
                    park();
                    Ok::<_, ()>(())
                });
                Ok(())
            })
        });
        assert_eq!(outcome, Err(Elapsed));
        let outcome = timeout(SECOND, || {
            try_scope(|s| {
                s.spawn(|| catch_unwind(park).map_err(|_| "gave up"));
                Ok(())
            })
        });
        assert_eq!(outcome.unwrap().unwrap_err().all(), ["gave up"]);
    });
}

#[test]
#[apply(on_workers)]
fn l9_the_end_of_a_scope_that_need_not_wait_raises_nothing() {
    let handle = spawn(|| {
        current().cancel();
        scope(|_| 5)
    });
    assert_eq!(handle.join().unwrap(), 5);
}

#[test]
#[apply(on_workers)]
fn l11_the_child_that_returned_an_error_says_so_to_its_joiner() {
    let outcome = try_scope(|s| {
        let child = s.spawn(|| Err::<(), _>("bad"));
        let joined = catch_unwind(AssertUnwindSafe(|| child.join()));
        if let Ok(joined) = joined {
            assert!(joined.unwrap_err().is_cancelled());
        }
        Ok::<_, &str>(())
    });
    assert_eq!(outcome.unwrap_err().into_first(), "bad");
}

#[test]
#[apply(on_workers)]
fn l11_unclaimed_results_are_dropped_before_the_scope_returns() {
    let dropped = Cell::new(false);
    scope(|s| {
        s.spawn(|| AtDrop(|| dropped.set(true)));
    });
    assert!(dropped.get());
}

#[test]
#[apply(on_workers)]
fn l11_a_scope_inside_a_destructor_during_an_unwind_waits_for_its_children() {
    let done = Rc::new(Cell::new(false));
    let set = Rc::clone(&done);
    let handle = spawn(move || {
        let _cleanup = AtDrop(|| {
            scope(|s| {
                s.spawn(|| {
                    sleep(Duration::from_millis(1));
                    set.set(true);
                });
            });
        });
        panic!("unwinds through a scope");
    });
    assert!(handle.join().unwrap_err().is_panic());
    assert!(done.get());
}

#[test]
#[apply(on_workers)]
fn l11_scopes_nested_a_thousand_deep_are_cancelled_from_the_outside() {
    fn nest(depth: u32, ended: &Cell<u32>) {
        let _count = AtDrop(|| ended.set(ended.get() + 1));
        scope(|s| {
            if depth == 0 {
                park();
            } else {
                s.spawn(|| nest(depth - 1, ended));
            }
        });
    }
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(0));
        let count = Rc::clone(&ended);
        let outermost = spawn(move || nest(1_000, &count));
        for _ in 0..1_100 {
            yield_now();
        }
        // Asked for by a green thread: the passing on runs on its small stack.
        let target = outermost.thread().clone();
        spawn(move || assert!(target.cancel())).join().unwrap();
        assert!(outermost.join().unwrap_err().is_cancelled());
        assert_eq!(ended.get(), 1_001);
    });
}

#[test]
#[apply(on_workers)]
fn l11_a_scoped_handle_joined_on_another_os_thread_does_not_end_the_scope_early() {
    let text = String::from("borrowed");
    let joined = Cell::new(false);
    scope(|s| {
        let child = s.spawn(|| {
            yield_now();
            text.len()
        });
        std::thread::scope(|os| {
            let joiner = os.spawn(move || child.join().unwrap());
            while !joiner.is_finished() {
                yield_now();
            }
            assert_eq!(joiner.join().unwrap(), 8);
        });
        joined.set(true);
    });
    assert!(joined.get());
}

#[test]
#[apply(on_roots)]
fn run_ends_what_was_left_before_it_returns_and_it_cannot_be_consumed() {
    let log = Log::default();
    greenthread::run(|| {
        let said = log.clone();
        drop(spawn(move || {
            let _ended = said.on_drop("ended");
            for _ in 0..3 {
                assert!(catch_cancel(park).is_err());
            }
            said.say("went on by itself");
        }));
        let said = log.clone();
        drop(spawn(move || {
            let _cleanup = AtDrop(move || {
                // Spawned by the end of run, ended by it too.
                let ended = said.on_drop("late one");
                drop(spawn(move || {
                    let _ended = ended;
                    park();
                }));
            });
            park();
        }));
        yield_now();
    });
    let lines = log.lines();
    assert!(
        lines.contains(&"ended") && lines.contains(&"late one"),
        "{lines:?}"
    );
}

#[test]
#[apply(on_roots)]
fn run_hands_its_panic_on_after_the_end_of_the_others() {
    let log = Log::default();
    let text = panic_text(|| {
        greenthread::run(|| {
            let ended = log.on_drop("ended");
            drop(spawn(move || {
                let _ended = ended;
                park();
            }));
            yield_now();
            panic!("the body of run");
        })
    });
    assert_eq!(text, "the body of run");
    assert_eq!(log.lines(), ["ended"]);
    greenthread::run(|| ());
}

#[test]
#[apply(on_roots)]
fn run_leaves_alone_what_was_spawned_before_it() {
    let before = spawn(|| {
        park();
        4
    });
    yield_now();
    greenthread::run(|| spawn(|| ()).join().unwrap());
    assert!(!before.is_finished());
    before.thread().unpark();
    assert_eq!(before.join().unwrap(), 4);
}

#[test]
#[apply(on_roots)]
fn run_works_inside_a_generator_on_the_root() {
    let g = greenthread::generator::Generator::new(|y| {
        let sum = greenthread::run(|| spawn(|| 20).join().unwrap());
        y.yield_(sum);
        greenthread::run(|| spawn(|| 22).join().unwrap())
    });
    assert_eq!(g.start().yielded(), Some(20));
    assert_eq!(g.send(()).complete(), Some(22));
}

#[test]
#[apply(on_workers)]
fn l11_a_scope_ends_although_making_a_child_panicked() {
    struct Refuses;
    impl Clone for Refuses {
        fn clone(&self) -> Self {
            panic!("no copy for a child")
        }
    }
    greenthread::green_local! {
        #[inherit]
        static LOCAL: Refuses = Refuses;
    }
    in_virtual_time(|| {
        LOCAL.with(|_| ());
        let made = scope(|s| {
            catch_unwind(AssertUnwindSafe(|| {
                s.spawn(|| ());
            }))
        });
        assert!(made.is_err());
    });
}
