//! Children on workers that borrow from their parent's stack (L11), in every way in which a scope can end.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use greenthread::channel::unbounded;
use greenthread::generator::Generator;
use greenthread::{
    Runtime, catch_cancel, current, park, run, scope, shield, sleep, spawn, spawn_anywhere,
    timeout, try_scope, yield_now,
};

use crate::help::{Held, here, on_workers, own_name, with_workers};
use crate::support::panic_text;

/// Says when it has ended, by a word on the parent's stack.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        // Long enough for a scope that does not wait to be gone.
        yield_now();
        self.0.store(true, Ordering::Release);
    }
}

#[test]
#[apply(on_roots)]
fn children_on_workers_borrow_and_write_what_their_parent_owns() {
    let mut parts = vec![1_u64; 4_000];
    on_workers(2, || {
        scope(|s| {
            for (number, part) in parts.chunks_mut(1_000).enumerate() {
                s.spawn_anywhere(move || {
                    assert!(own_name().starts_with("greenthread-worker-"));
                    part.fill(number as u64);
                });
            }
        });
    });
    assert_eq!(parts.iter().sum::<u64>(), 6_000);
}

#[test]
#[apply(on_roots)]
fn results_of_children_elsewhere_are_joined_and_may_borrow_too() {
    let words = [String::from("one"), String::from("three")];
    let longest = on_workers(2, || {
        scope(|s| {
            let longest = s.spawn_anywhere(|| words.iter().max_by_key(|word| word.len()).unwrap());
            longest.join().unwrap().as_str()
        })
    });
    assert_eq!(longest, "three");
}

#[test]
#[apply(on_roots)]
fn l11_a_scope_waits_for_children_elsewhere_whose_handles_were_dropped() {
    on_workers(2, || {
        let ended = AtomicBool::new(false);
        scope(|s| {
            drop(s.spawn_anywhere(|| {
                let _ends = Ends(&ended);
                sleep(Duration::from_millis(1));
            }));
        });
        assert!(ended.load(Ordering::Acquire));
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_panic_elsewhere_cancels_body_and_siblings_on_every_os_thread_and_goes_on() {
    on_workers(2, || {
        let ended = [const { AtomicBool::new(false) }; 3];
        let (tell, told) = unbounded();
        let text = panic_text(|| {
            scope(|s| {
                let parks = |ended| {
                    let tell = tell.clone();
                    move || {
                        let _ends = Ends(ended);
                        tell.send(()).unwrap();
                        park();
                    }
                };
                s.spawn_anywhere(parks(&ended[0]));
                s.spawn_anywhere(parks(&ended[1]));
                s.spawn(parks(&ended[2]));
                (0..3).for_each(|_| told.recv().unwrap());
                s.spawn_anywhere(|| panic!("from elsewhere"));
                park();
                unreachable!("the body is cancelled");
            })
        });
        assert_eq!(text, "from elsewhere");
        assert!(ended.iter().all(|ended| ended.load(Ordering::Acquire)));
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_panic_of_the_body_cancels_children_elsewhere_and_waits_for_them() {
    on_workers(2, || {
        let ended = AtomicBool::new(false);
        let (tell, told) = mpsc::channel();
        let text = panic_text(|| {
            scope(|s| {
                s.spawn_anywhere(|| {
                    let _ends = Ends(&ended);
                    tell.send(()).unwrap();
                    park();
                });
                told.recv().unwrap();
                panic!("in the body");
            })
        });
        assert_eq!(text, "in the body");
        assert!(ended.load(Ordering::Acquire));
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_cancelled_parent_cancels_its_children_elsewhere_and_goes_on_after_their_end() {
    on_workers(2, || {
        let (tell, told) = unbounded();
        let parent = spawn_anywhere(move || {
            let ended = AtomicBool::new(false);
            let caught = catch_cancel(|| {
                scope(|s| {
                    s.spawn_anywhere(|| {
                        let _ends = Ends(&ended);
                        tell.send(()).unwrap();
                        park();
                    });
                })
            });
            (caught.is_err(), ended.load(Ordering::Acquire))
        });
        told.recv().unwrap();
        parent.cancel();
        assert_eq!(parent.join().unwrap(), (true, true));
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_deadline_of_the_parent_ends_children_elsewhere() {
    on_workers(2, || {
        let ended = AtomicBool::new(false);
        let (tell, told) = mpsc::channel();
        let late = timeout(Duration::from_millis(5), || {
            scope(|s| {
                s.spawn_anywhere(|| {
                    let _ends = Ends(&ended);
                    tell.send(()).unwrap();
                    park();
                });
                // No wait point of ours: the deadline is not seen before the child has begun.
                told.recv().unwrap();
            })
        });
        assert!(late.is_err());
        assert!(ended.load(Ordering::Acquire));
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_child_elsewhere_that_shields_itself_is_waited_for_all_the_same() {
    on_workers(2, || {
        let ended = AtomicBool::new(false);
        let (go, goes) = greenthread::channel::bounded::<()>(0);
        let (tell, told) = mpsc::channel();
        let parent = spawn(move || go);
        let text = panic_text(|| {
            scope(|s| {
                s.spawn_anywhere(|| {
                    tell.send(()).unwrap();
                    shield(|| goes.recv().unwrap_err());
                    ended.store(true, Ordering::Release);
                });
                told.recv().unwrap();
                // It is let go while the scope waits for it.
                s.spawn(move || drop(shield(|| parent.join())));
                panic!("in the body");
            })
        });
        assert_eq!(text, "in the body");
        assert!(ended.load(Ordering::Acquire));
    });
}

#[test]
#[apply(once)]
fn l11_the_end_of_a_run_ends_scopes_across_os_threads_in_order() {
    static LEFT_EARLY: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..20 {
        with_workers(2).run(|| {
            let (tell, told) = mpsc::channel();
            for _ in 0..8 {
                let tell = tell.clone();
                drop(spawn_anywhere(move || {
                    let (begun, ended) = (AtomicBool::new(false), AtomicBool::new(false));
                    let scoped = catch_unwind(AssertUnwindSafe(|| {
                        scope(|s| {
                            s.spawn_anywhere(|| {
                                begun.store(true, Ordering::Release);
                                let _ends = Ends(&ended);
                                tell.send(()).unwrap();
                                park();
                            });
                            park();
                        })
                    }));
                    let begun = begun.load(Ordering::Acquire);
                    let early = begun && !ended.load(Ordering::Acquire);
                    LEFT_EARLY.fetch_add(usize::from(early), Ordering::Relaxed);
                    drop(scoped);
                }));
            }
            (0..8).for_each(|_| told.recv().unwrap());
        });
    }
    assert_eq!(LEFT_EARLY.load(Ordering::Relaxed), 0);
}

#[test]
#[apply(on_roots)]
fn l11_children_elsewhere_open_scopes_of_their_own() {
    fn sum(numbers: &[u64]) -> u64 {
        if numbers.len() <= 64 {
            return numbers.iter().sum();
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        scope(|s| {
            let right = s.spawn_anywhere(|| sum(right));
            sum(left) + right.join().unwrap()
        })
    }
    let numbers: Vec<u64> = (0..10_000).collect();
    let total = on_workers(3, || sum(&numbers));
    assert_eq!(total, 9_999 * 10_000 / 2);
}

#[test]
#[apply(on_roots)]
fn l11_a_child_elsewhere_that_was_cancelled_before_it_began_is_waited_for() {
    struct Counts<'a>(&'a AtomicUsize);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Release);
        }
    }
    on_workers(1, || {
        let held = Held::one();
        let dropped = AtomicUsize::new(0);
        let (tell, told) = mpsc::channel();
        let releaser = std::thread::spawn(move || {
            told.recv().unwrap();
            held.let_go();
        });
        scope(|s| {
            for _ in 0..10 {
                let counts = Counts(&dropped);
                s.spawn_anywhere(move || {
                    drop(counts);
                    unreachable!("cancelled before it began");
                });
            }
            s.cancel();
            tell.send(()).unwrap();
        });
        assert_eq!(dropped.load(Ordering::Acquire), 10);
        releaser.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l11_the_first_error_elsewhere_cancels_the_others_and_the_body_and_all_errors_come() {
    on_workers(2, || {
        let outcome = try_scope(|s| {
            s.spawn_anywhere(|| {
                park();
                Ok(())
            });
            s.spawn_anywhere(|| Err::<(), _>(String::from("no such file")));
            park();
            Ok(())
        });
        assert_eq!(outcome.unwrap_err().into_first(), "no such file");
    });
}

#[test]
#[apply(on_roots)]
fn l11_failures_elsewhere_race_the_end_of_the_scope_and_none_is_lost() {
    on_workers(2, || {
        for round in 0..300 {
            let text = panic_text(|| {
                scope(|s| {
                    s.spawn_anywhere(|| panic!("at the end"));
                    for _ in 0..round % 5 {
                        yield_now();
                    }
                })
            });
            assert_eq!(text, "at the end");
            let outcome = try_scope(|s| {
                s.spawn_anywhere(|| Err::<(), _>(1));
                Ok(())
            });
            assert_eq!(outcome.unwrap_err().into_first(), 1);
        }
    });
}

#[test]
#[apply(on_roots)]
fn a_child_of_a_green_thread_of_a_plain_os_thread_outside_run_stays_there() {
    let parent = spawn(|| scope(|s| s.spawn_anywhere(here).join().unwrap()));
    assert_eq!(parent.join().unwrap(), here());
}

#[test]
#[apply(on_roots)]
fn a_child_of_a_root_goes_to_a_worker_outside_run_too() {
    let there = scope(|s| s.spawn_anywhere(here).join().unwrap());
    assert_ne!(there, here());
}

#[test]
#[apply(on_roots)]
fn a_child_of_a_green_thread_inside_run_goes_to_a_worker() {
    let there = run(|| {
        spawn(|| scope(|s| s.spawn_anywhere(here).join().unwrap()))
            .join()
            .unwrap()
    });
    assert_ne!(there, here());
}

#[test]
#[apply(on_roots)]
fn a_child_of_a_green_thread_that_was_there_before_the_run_stays() {
    let go = greenthread::sync::Event::new();
    let go = std::rc::Rc::new(go);
    let wait = std::rc::Rc::clone(&go);
    let parent = spawn(move || {
        wait.wait();
        scope(|s| s.spawn_anywhere(here).join().unwrap())
    });
    yield_now();
    let there = run(|| {
        go.set();
        parent.join().unwrap()
    });
    assert_eq!(there, here());
}

#[test]
#[apply(on_roots)]
fn a_child_of_a_generators_body_stays_on_its_os_thread() {
    let runtime = with_workers(1);
    let there = runtime.run(|| {
        let generator = Generator::<(), _, ()>::new(|y| {
            y.yield_(scope(|s| s.spawn_anywhere(here).join().unwrap()));
        });
        generator.start().unwrap_yielded()
    });
    assert_eq!(there, here());
}

#[test]
#[apply(on_roots)]
fn a_scope_that_a_generators_body_was_driven_in_lends_from_the_green_thread_all_the_same() {
    let there = on_workers(1, || {
        scope(|s| {
            let generator = Generator::<(), _, ()>::new(|y| y.yield_(1));
            generator.start();
            s.spawn_anywhere(here).join().unwrap()
        })
    });
    assert_ne!(there, here());
}

#[test]
#[apply(on_roots)]
fn a_local_sibling_spawns_elsewhere_through_the_scope() {
    on_workers(2, || {
        let count = AtomicUsize::new(0);
        scope(|s| {
            s.spawn(|| {
                for _ in 0..10 {
                    s.spawn_anywhere(|| count.fetch_add(1, Ordering::Relaxed));
                }
            });
        });
        assert_eq!(count.load(Ordering::Relaxed), 10);
    });
}

#[test]
#[apply(on_roots)]
fn under_virtual_time_children_stay_and_sleep_no_real_time() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let slept = Cell::new(false);
    runtime.run(|| {
        scope(|s| {
            let far = s.spawn_anywhere(|| {
                sleep(Duration::from_secs(3600));
                here()
            });
            slept.set(far.join().unwrap() == here());
        });
    });
    assert!(slept.get());
}

#[test]
#[apply(on_roots)]
fn l11_a_request_that_ended_the_children_elsewhere_is_raised_however_soon_they_have_ended() {
    on_workers(2, || {
        for spins in 0..1_000 {
            let parent = spawn_anywhere(move || {
                // Pending: every child is asked to end before it begins, and has ended when it likes.
                current().cancel();
                let outcome = catch_unwind(|| {
                    let ran = AtomicBool::new(false);
                    scope(|s| {
                        s.spawn_anywhere(|| ran.store(true, Ordering::Release));
                        (0..spins % 400).for_each(|_| std::hint::spin_loop());
                    });
                    ran.load(Ordering::Acquire)
                });
                // Either it had run before it was asked, or the scope does not return.
                outcome.unwrap_or(true)
            });
            assert!(parent.join().unwrap());
        }
    });
}
