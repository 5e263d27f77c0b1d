//! Scopes whose handles are forgotten, whose parents end in every way, and which stand in each other (L11, L9).

use std::cell::Cell;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenthread::generator::Generator;
use greenthread::{
    Runtime, catch_cancel, checkpoint, current, join, park, race, run, scope, shield, spawn,
    spawn_anywhere, timeout, try_scope, yield_now,
};

use crate::child;
use crate::help::{AtDrop, in_virtual_time, join_soon};

/// Lives on a parent's stack: whoever touches it after its end finds that out.
struct Borrowed {
    alive: AtomicUsize,
    touched: AtomicUsize,
}

const ALIVE: usize = 0xA11E;

impl Borrowed {
    fn new() -> Self {
        Borrowed {
            alive: AtomicUsize::new(ALIVE),
            touched: AtomicUsize::new(0),
        }
    }

    fn touch(&self) {
        if self.alive.load(Ordering::SeqCst) != ALIVE {
            eprintln!("the borrowed value has gone");
            std::process::abort();
        }
        self.touched.fetch_add(1, Ordering::SeqCst);
    }

    /// Touches it now and at its own end, and takes its time to end.
    fn hold(&self) {
        let _last = AtDrop(|| {
            for _ in 0..20 {
                self.touch();
                yield_now();
            }
        });
        loop {
            self.touch();
            yield_now();
        }
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.alive.store(0, Ordering::SeqCst);
    }
}

/// A parent that ends in its own way while its children borrow from it.
type Parent = fn(&Borrowed);

/// All ways.
const PARENTS: [Parent; 9] = [
    |b| {
        scope(|s| {
            drop(s.spawn(|| b.hold()));
            drop(s.spawn_anywhere(|| b.hold()));
            yield_now();
            panic!("the body panics");
        })
    },
    |b| {
        scope(|s| {
            forget(s.spawn(|| b.hold()));
            forget(s.spawn_anywhere(|| b.hold()));
            yield_now();
            current().cancel();
        })
    },
    |b| {
        assert!(
            timeout(Duration::from_millis(1), || scope(|s| {
                drop(s.spawn(|| b.hold()));
                drop(s.spawn_anywhere(|| b.hold()));
                park();
            }))
            .is_err()
        )
    },
    |b| {
        scope(|s| {
            drop(s.spawn(|| b.hold()));
            drop(s.spawn_anywhere(|| b.hold()));
            s.cancel();
        })
    },
    |b| {
        scope(|s| {
            drop(s.spawn_anywhere(|| b.hold()));
            drop(s.spawn(|| panic!("a child panics here")));
        })
    },
    |b| {
        scope(|s| {
            drop(s.spawn(|| b.hold()));
            drop(s.spawn_anywhere(|| panic!("a child panics there")));
        })
    },
    |b| {
        drop(try_scope(|s| {
            drop(s.spawn(|| {
                b.hold();
                Ok::<(), u8>(())
            }));
            drop(s.spawn_anywhere(|| {
                b.hold();
                Ok::<(), u8>(())
            }));
            Err::<(), u8>(1)
        }))
    },
    |b| {
        drop(catch_cancel(|| {
            scope(|s| {
                let parent = current();
                let child = s.spawn(move || {
                    parent.cancel();
                    b.hold();
                });
                drop(s.spawn_anywhere(|| shield(|| (0..50).for_each(|_| b.touch()))));
                drop(child.join());
            })
        }))
    },
    |b| {
        let g = Generator::<(), (), ()>::new({
            let at = std::ptr::from_ref(b).addr();
            move |y| {
                let own = [at];
                scope(|s| {
                    drop(s.spawn_anywhere(|| {
                        (0..50).for_each(|_| {
                            assert_eq!(own.len(), 1);
                            yield_now();
                        })
                    }));
                    y.yield_(());
                })
            }
        });
        b.touch();
        g.start();
        yield_now();
        drop(g);
    },
];

#[test]
#[apply(on_roots)]
fn l11_whatever_ends_a_parent_its_children_are_gone_before_what_they_borrow() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        for (number, parent) in PARENTS.into_iter().enumerate() {
            let inside = move || {
                let borrowed = Borrowed::new();
                borrowed.touch();
                let _ = catch_unwind(AssertUnwindSafe(|| parent(&borrowed)));
                // One that has cancelled itself goes on.
                let _ = catch_cancel(checkpoint);
                borrowed.touched.load(Ordering::SeqCst)
            };
            assert!(inside() > 0, "parent {number} on the root");
            let handles = [spawn(inside), spawn_anywhere(inside)];
            for handle in handles {
                assert!(
                    join_soon(handle).is_ok_and(|touched| touched > 0),
                    "parent {number}"
                );
            }
        }
    });
}

#[test]
#[apply(on_roots)]
fn l11_parents_that_are_cancelled_from_elsewhere_wait_for_their_children() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        for round in 0..40 {
            let parent = spawn_anywhere(move || {
                let borrowed = Borrowed::new();
                scope(|s| {
                    drop(s.spawn_anywhere(|| borrowed.hold()));
                    drop(
                        s.spawn_anywhere(|| scope(|s| drop(s.spawn_anywhere(|| borrowed.hold())))),
                    );
                    drop(s.spawn(|| borrowed.hold()));
                    (0..round).for_each(|_| yield_now());
                });
            });
            (0..round % 7).for_each(|_| yield_now());
            parent.cancel();
            assert!(join_soon(parent).unwrap_err().is_cancelled());
        }
    });
}

#[test]
#[apply(once)]
fn l11_a_process_may_exit_while_children_elsewhere_borrow() {
    let name = "scopes::l11_a_process_may_exit_while_children_elsewhere_borrow";
    let ended = child::run(name, || {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        runtime.run(|| {
            let borrowed = Borrowed::new();
            scope(|s| {
                for _ in 0..4 {
                    drop(s.spawn_anywhere(|| borrowed.hold()));
                }
                drop(s.spawn_anywhere(|| {
                    (0..100).for_each(|_| borrowed.touch());
                    exit(23)
                }));
            });
        });
    });
    assert_eq!(ended.code(), Some(23), "{}", ended.stderr);
}

#[test]
#[apply(on_workers)]
fn l11_the_standard_librarys_scopes_stand_inside_and_outside() {
    let count = AtomicUsize::new(0);
    let more = || {
        count.fetch_add(1, Ordering::SeqCst);
    };
    std::thread::scope(|os| {
        for _ in 0..2 {
            os.spawn(|| {
                scope(|s| {
                    let local = Cell::new(0);
                    drop(s.spawn(move || local.set(local.get() + 1)));
                    drop(s.spawn_anywhere(more));
                    drop(s.spawn(|| std::thread::scope(|os| drop(os.spawn(more)))));
                    drop(s.spawn(|| {
                        let caught = catch_unwind(AssertUnwindSafe(|| {
                            std::thread::scope(|os| {
                                os.spawn(|| panic!("on an OS thread"));
                                yield_now();
                            })
                        }));
                        assert!(caught.is_err());
                        more();
                    }));
                    yield_now();
                    more();
                })
            });
        }
        os.spawn(|| run(|| drop(spawn(park))));
    });
    assert_eq!(count.load(Ordering::SeqCst), 8);
}

#[test]
#[apply(on_workers)]
fn l11_scopes_open_in_destructors_and_in_unwinds() {
    in_virtual_time(|| {
        let seen = Cell::new(0);
        let opens = || {
            AtDrop(|| {
                scope(|s| {
                    for _ in 0..3 {
                        drop(s.spawn(|| {
                            yield_now();
                            seen.set(seen.get() + 1);
                        }));
                    }
                })
            })
        };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _opens = opens();
            panic!("unwinds through a scope");
        }));
        assert!(caught.is_err() && seen.get() == 3);
        scope(|s| {
            let child = s.spawn(|| {
                let _opens = opens();
                park();
            });
            yield_now();
            child.cancel();
        });
        // These were asked to end with their parent, before they began.
        assert_eq!(seen.get(), 3);
    });
}

#[test]
#[apply(on_workers)]
fn l11_children_spawn_siblings_until_the_end_and_nobody_is_forgotten() {
    let count = AtomicUsize::new(0);
    scope(|s| {
        fn breed<'scope>(
            s: &'scope greenthread::Scope<'scope, '_>,
            left: usize,
            count: &'scope AtomicUsize,
        ) {
            count.fetch_add(1, Ordering::SeqCst);
            if left > 0 {
                forget(s.spawn(move || {
                    yield_now();
                    breed(s, left - 1, count);
                }));
                drop(s.spawn(move || breed(s, left - 1, count)));
            }
        }
        breed(s, 6, &count);
    });
    assert_eq!(count.load(Ordering::SeqCst), 127);
}

#[test]
#[apply(on_workers)]
fn l11_losers_and_members_have_ended_before_what_they_borrow() {
    in_virtual_time(|| {
        for _ in 0..5 {
            let borrowed = Borrowed::new();
            let won = race!(
                || {
                    (0..5).for_each(|_| yield_now());
                    1
                },
                || {
                    borrowed.hold();
                    2
                }
            );
            assert_eq!(won, 1);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                join!(|| borrowed.hold(), || panic!("one of them"))
            }));
            assert!(caught.is_err());
        }
    });
}

#[test]
#[apply(on_workers)]
fn l11_an_error_that_opens_a_scope_when_it_is_dropped_does_so_after_the_end() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let error = || {
        let dropped = Arc::clone(&dropped);
        AtDrop(move || {
            scope(|s| {
                let dropped = &*dropped;
                drop(s.spawn(move || dropped.fetch_add(1, Ordering::SeqCst)));
            })
        })
    };
    let outcome = try_scope(|s| {
        for _ in 0..3 {
            drop(s.spawn(|| Err::<(), _>(error())));
        }
        yield_now();
        Err::<(), _>(error())
    });
    let errors = outcome.unwrap_err();
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    let count = errors.all().len();
    drop(errors);
    assert_eq!(dropped.load(Ordering::SeqCst), count);
}

#[test]
#[apply(once)]
fn l11_scopes_on_workers_that_are_past_their_end_still_wait_for_their_children() {
    let runtime = Runtime::builder()
        .workers(2)
        .shutdown_limit(Duration::ZERO)
        .build()
        .unwrap();
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let stubborn = runtime.run_on_each(|_| {
        shield(|| {
            BEGUN.fetch_add(1, Ordering::SeqCst);
            for _ in 0..50 {
                let borrowed = Borrowed::new();
                scope(|s| {
                    for _ in 0..3 {
                        drop(s.spawn_anywhere(|| {
                            yield_now();
                            borrowed.touch();
                        }));
                    }
                    yield_now();
                });
                drop(spawn_anywhere(|| ()));
            }
            1
        })
    });
    while BEGUN.load(Ordering::SeqCst) < 2 {
        yield_now();
    }
    // The bound is over at once: they go on without the runtime.
    drop(runtime);
    for handle in stubborn {
        assert_eq!(join_soon(handle).unwrap(), 1);
    }
}

#[test]
#[apply(on_workers)]
fn l11_a_runtime_that_is_dropped_by_a_cancelled_green_thread_ends_its_workers_all_the_same() {
    for turns in 0..4 {
        let runtime = Runtime::builder().workers(2).build().unwrap();
        let handles = runtime.run_on_each(|_| park());
        let drops = spawn(move || drop(runtime));
        (0..turns).for_each(|_| yield_now());
        drops.cancel();
        drop(join_soon(drops));
        for handle in handles {
            let error = join_soon(handle).unwrap_err();
            assert!(error.is_cancelled(), "{turns}: {error}");
        }
    }
}
