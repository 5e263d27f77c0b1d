//! Scopes: what their children may borrow and spawn, and what becomes of every failure.

use std::cell::RefCell;

use greenthread::{Scope, scope, sleep, spawn, try_scope, yield_now};

use crate::{SECOND, in_virtual_time, payload_of, quiet_panic, with_reports};

#[test]
#[apply(on_workers)]
fn children_borrow_different_parts_of_the_parents_stack_mutably() {
    let (mut numbers, mut text) = ([0_u32; 8], String::new());
    let (left, right) = numbers.split_at_mut(4);
    scope(|s| {
        for half in [left, right] {
            s.spawn(move || {
                for n in half.iter_mut() {
                    *n += 1;
                    yield_now();
                }
            });
        }
        s.spawn(|| text.push_str("done"));
    });
    assert_eq!((numbers, text.as_str()), ([1; 8], "done"));
}

/// Spawns a tree of children, each adding itself.
fn grow<'scope>(s: &'scope Scope<'scope, '_>, depth: u32, seen: &'scope RefCell<Vec<u32>>) {
    seen.borrow_mut().push(depth);
    if depth > 0 {
        for _ in 0..2 {
            s.spawn(move || {
                yield_now();
                grow(s, depth - 1, seen);
            });
        }
    }
}

#[test]
#[apply(on_workers)]
fn l11_children_spawn_children_through_the_scope_and_it_waits_for_all() {
    let seen = RefCell::new(Vec::new());
    scope(|s| grow(s, 5, &seen));
    let seen = seen.into_inner();
    assert_eq!(seen.len(), 63);
    assert_eq!(seen.iter().filter(|depth| **depth == 0).count(), 32);
}

#[test]
#[apply(on_workers)]
fn l11_a_child_spawned_by_a_child_of_a_failing_scope_never_begins() {
    let began = RefCell::new(Vec::new());
    let payload = payload_of(|| {
        scope(|s| {
            s.spawn(|| {
                let _end = crate::cancelling::AtDrop(|| {
                    began.borrow_mut().push("clean-up");
                    s.spawn(|| began.borrow_mut().push("late child"));
                });
                sleep(SECOND);
            });
            s.spawn(|| {
                yield_now();
                quiet_panic("bad")
            });
        });
    });
    assert_eq!(payload, "bad");
    assert_eq!(began.into_inner(), ["clean-up"]);
}

#[test]
#[apply(on_roots)]
fn l11_all_failures_of_a_scope_are_shown_the_first_goes_on() {
    let (payload, reports) = with_reports(|| {
        payload_of(|| {
            scope(|s| {
                for text in ["first", "second", "third"] {
                    s.spawn(move || quiet_panic(text));
                }
                quiet_panic("body")
            })
        })
    });
    // The body fails first; children that have not begun are cancelled then.
    assert_eq!((payload, reports.len()), ("body", 0));
    let (payload, reports) = with_reports(|| {
        payload_of(|| {
            scope(|s| {
                for text in ["first", "second", "third"] {
                    s.spawn(move || {
                        let _end = crate::cancelling::AtDrop(|| ());
                        let _ = greenthread::catch_cancel(|| sleep(SECOND));
                        quiet_panic(text)
                    });
                }
            });
        })
    });
    assert_eq!(payload, "first");
    assert_eq!(reports, ["second", "third"]);
}

#[test]
#[apply(on_roots)]
fn l11_nested_scopes_fail_from_the_inside_out() {
    in_virtual_time(|| {
        let ended = RefCell::new(Vec::new());
        let payload = payload_of(|| {
            scope(|outer| {
                outer.spawn(|| {
                    let _end = crate::cancelling::AtDrop(|| ended.borrow_mut().push("uncle"));
                    sleep(9 * SECOND);
                });
                outer.spawn(|| {
                    scope(|inner| {
                        inner.spawn(|| {
                            let _end =
                                crate::cancelling::AtDrop(|| ended.borrow_mut().push("sibling"));
                            sleep(9 * SECOND);
                        });
                        inner.spawn(|| {
                            sleep(SECOND);
                            quiet_panic("inner")
                        });
                    });
                });
            });
        });
        assert_eq!(payload, "inner");
        assert_eq!(ended.into_inner(), ["sibling", "uncle"]);
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_child_that_fails_in_the_moment_in_which_the_body_fails_adds_its_error() {
    in_virtual_time(|| {
        let errors = try_scope(|s| {
            s.spawn(|| {
                sleep(SECOND);
                Err::<(), _>("child")
            });
            s.spawn(|| {
                sleep(SECOND);
                Err::<(), _>("other child")
            });
            yield_now();
            sleep(SECOND);
            Err::<(), _>("body")
        });
        let errors = errors.unwrap_err();
        assert_eq!(*errors.first(), "child");
        // The other's timer had fired before the first error came: its sleep was over, and it goes on to fail too, or is raised out of it.
        assert!(errors.all().len() <= 3 && !errors.all().is_empty());
    });
}

#[test]
#[apply(on_roots)]
fn l11_a_scope_in_a_green_thread_that_is_cancelled_twice_waits_all_the_same() {
    in_virtual_time(|| {
        let parent = spawn(|| {
            let mut ended = false;
            let caught = greenthread::catch_cancel(|| {
                scope(|s| {
                    s.spawn(|| {
                        greenthread::shield(|| sleep(5 * SECOND));
                        ended = true;
                    });
                });
            });
            (caught.is_err(), ended)
        });
        sleep(SECOND);
        parent.cancel();
        sleep(SECOND);
        parent.cancel();
        assert_eq!(parent.join().unwrap(), (true, true));
    });
}
