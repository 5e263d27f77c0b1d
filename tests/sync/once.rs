//! What values that are written once do besides: one initialiser, the next when it fails.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use greenthread::sync::{Event, LazyLock, OnceLock};
use greenthread::{JoinHandle, run, sleep, spawn, timeout, yield_now};

use crate::support::panic_text;
use crate::virtual_time;

const SECOND: Duration = Duration::from_secs(1);

/// Makes `value` in a second, and counts how often that was begun.
fn slow(once: &Rc<OnceLock<u32>>, begun: &Rc<Cell<u32>>, value: u32) -> JoinHandle<u32> {
    let (once, begun) = (Rc::clone(once), Rc::clone(begun));
    let handle = spawn(move || {
        *once.get_or_init(|| {
            begun.set(begun.get() + 1);
            sleep(SECOND);
            value
        })
    });
    yield_now();
    handle
}

#[test]
#[apply(on_roots)]
fn one_initialises_and_the_others_wait() {
    virtual_time(|| {
        let (once, begun) = (Rc::default(), Rc::default());
        let makers = [1, 2, 3].map(|value| slow(&once, &begun, value));
        assert_eq!(once.get(), None);
        assert_eq!(once.wait(), &1);
        assert_eq!(makers.map(|maker| maker.join().unwrap()), [1, 1, 1]);
        assert_eq!(begun.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn a_cancelled_initialiser_lets_the_next_try() {
    virtual_time(|| {
        let (once, begun) = (Rc::default(), Rc::default());
        let [first, second, third] = [1, 2, 3].map(|value| slow(&once, &begun, value));
        first.cancel();
        assert_eq!((second.join().unwrap(), third.join().unwrap()), (2, 2));
        assert!(first.join().unwrap_err().is_cancelled());
        assert_eq!(begun.get(), 2);
    });
}

#[test]
#[apply(on_roots)]
fn l4_the_turn_of_a_cancelled_one_goes_to_the_next() {
    virtual_time(|| {
        let (once, begun) = (Rc::default(), Rc::default());
        let [first, second, third] = [1, 2, 3].map(|value| slow(&once, &begun, value));
        first.cancel();
        yield_now();
        // The second has been woken for its turn, or is in it: it does not end it.
        second.cancel();
        assert_eq!(third.join().unwrap(), 3);
        assert!(first.join().unwrap_err().is_cancelled());
        assert!(second.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn a_deadline_in_the_initialiser_lets_the_next_try() {
    virtual_time(|| {
        let once = OnceLock::new();
        let late = timeout(SECOND, || {
            once.get_or_init(|| {
                greenthread::park();
                1
            });
        });
        assert!(late.is_err());
        assert_eq!(once.set(2), Ok(()));
        assert_eq!(once.set(3), Err(3));
    });
}

#[test]
#[apply(on_workers)]
fn a_panic_or_an_error_in_the_initialiser_lets_the_next_try() {
    let once = OnceLock::new();
    let failed = catch_unwind(AssertUnwindSafe(|| once.get_or_init(|| panic!("first"))));
    assert!(failed.is_err());
    assert_eq!(once.get_or_try_init(|| Err("second")), Err("second"));
    assert_eq!(once.get_or_try_init(|| Ok::<_, ()>(3)), Ok(&3));
    assert_eq!(once.into_inner(), Some(3));
}

#[test]
#[apply(on_workers)]
fn asking_for_the_value_that_one_makes_is_a_clear_panic() {
    let once = OnceLock::<u32>::new();
    let text = panic_text(|| once.get_or_init(|| *once.get_or_init(|| 1)));
    assert!(text.contains("asks for its own value"), "{text}");
    assert!(panic_text(|| once.get_or_init(|| once.set(1).map_or(1, |()| 2))).contains("its own"));
    assert_eq!(once.get_or_init(|| 4), &4);
}

#[test]
#[apply(on_roots)]
fn a_timed_wait_makes_no_value() {
    virtual_time(|| {
        let once = OnceLock::<u32>::new();
        assert!(once.wait_timeout(SECOND).is_err());
        assert_eq!(once.get(), None);
        assert_eq!(OnceLock::from(3).wait_timeout(SECOND), Ok(&3));
    });
}

#[test]
#[apply(on_workers)]
fn a_taken_value_may_be_written_again() {
    let mut once = OnceLock::from(1);
    assert_eq!(once.take(), Some(1));
    assert_eq!(once.get_or_init(|| 2), &2);
    *once.get_mut().unwrap() += 1;
    assert_eq!(once.clone().get(), Some(&3));
}

#[test]
#[apply(on_workers)]
fn green_threads_of_several_os_threads_make_it_once() {
    for _ in 0..50 {
        let (once, begun) = (Arc::new(OnceLock::new()), Arc::new(AtomicU32::new(0)));
        let threads = [1, 2].map(|value| {
            let (once, begun) = (Arc::clone(&once), Arc::clone(&begun));
            std::thread::spawn(move || {
                run(|| {
                    *once.get_or_init(|| {
                        begun.fetch_add(1, Ordering::Relaxed);
                        yield_now();
                        value
                    })
                })
            })
        });
        let [one, two] = threads.map(|thread| thread.join().unwrap());
        assert_eq!(one, two);
        assert_eq!(begun.load(Ordering::Relaxed), 1);
    }
}

#[test]
#[apply(on_roots)]
fn a_lazy_value_is_made_once_by_whoever_asks_first() {
    virtual_time(|| {
        let asked = Cell::new(0);
        let lazy = LazyLock::new(|| {
            asked.set(asked.get() + 1);
            sleep(SECOND);
            asked.get()
        });
        assert_eq!(LazyLock::get(&lazy), None);
        greenthread::scope(|s| {
            let others = [(); 3].map(|()| s.spawn(|| *lazy));
            assert_eq!(others.map(|other| other.join().unwrap()), [1, 1, 1]);
        });
        assert_eq!(LazyLock::force(&lazy), &1);
    });
}

#[test]
#[apply(on_workers)]
fn a_lazy_value_whose_initialiser_panicked_is_tried_again() {
    let tries = Cell::new(0);
    let lazy = LazyLock::new(|| {
        tries.set(tries.get() + 1);
        assert!(tries.get() > 1, "the first try fails");
        tries.get()
    });
    assert!(panic_text(|| *lazy).contains("the first try fails"));
    assert_eq!(*lazy, 2);
}

#[test]
#[apply(on_workers)]
fn a_waiter_for_a_value_sees_it_however_late_it_is_made() {
    virtual_time(|| {
        let (once, go) = (OnceLock::new(), Event::new());
        greenthread::scope(|s| {
            let reader = s.spawn(|| *once.wait());
            s.spawn(|| {
                go.wait();
                once.set(5).unwrap();
            });
            yield_now();
            assert_eq!(once.get_or_try_init(|| Err(())), Err(()));
            go.set();
            assert_eq!(reader.join().unwrap(), 5);
        });
    });
}
