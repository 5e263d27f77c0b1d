//! Green threads: spawning, joining, yielding, parking, and what is kept of a panic.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use greenthread::{
    Builder, Elapsed, Spawner, catch_cancel, checkpoint, current, park, run, scope, shield, sleep,
    spawn, time, timeout, try_scope, yield_now,
};
use support::everywhere::virtual_time;

#[test]
#[apply(on_workers)]
fn spawn_runs_when_the_root_waits_and_join_returns_the_value() {
    let ran = Rc::new(Cell::new(false));
    let seen = Rc::clone(&ran);
    let handle = spawn(move || {
        seen.set(true);
        7
    });
    assert!(!ran.get());
    assert_eq!(handle.join().unwrap(), 7);
    assert!(ran.get());
}

#[test]
#[apply(on_workers)]
fn ready_green_threads_run_in_the_order_in_which_they_became_ready() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let handles: Vec<_> = (0..3)
        .map(|i| {
            let log = Rc::clone(&log);
            spawn(move || {
                for round in 0..3 {
                    log.borrow_mut().push((round, i));
                    yield_now();
                }
            })
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    let mut sorted = log.borrow().clone();
    sorted.sort_unstable();
    assert_eq!(*log.borrow(), sorted);
}

#[test]
#[apply(on_workers)]
fn a_panic_is_kept_for_join_and_touches_no_other() {
    let bad = spawn(|| -> u32 { panic!("boom") });
    let good = spawn(|| 3);
    let error = bad.join().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "boom");
    assert_eq!(good.join().unwrap(), 3);
}

#[test]
#[apply(on_roots)]
fn a_cancelled_sleeper_ends_with_the_reason() {
    virtual_time(|| {
        let sleeper = spawn(|| sleep(Duration::from_secs(10)));
        yield_now();
        assert!(sleeper.thread().cancel_with("enough"));
        let error = sleeper.join().unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.reason().unwrap().to_string(), "enough");
    });
}

#[test]
#[apply(on_roots)]
fn an_inner_timeout_lets_the_outer_one_pass() {
    virtual_time(|| {
        let start = time::now();
        let outer = timeout(Duration::from_secs(1), || {
            let inner = timeout(Duration::from_secs(5), || sleep(Duration::from_secs(10)));
            unreachable!("{inner:?}")
        });
        assert_eq!(outer, Err::<(), _>(Elapsed));
        assert_eq!(time::now() - start, Duration::from_secs(1));
    });
}

#[test]
#[apply(on_workers)]
fn unpark_from_another_os_thread_wakes_a_parked_green_thread() {
    let parked = spawn(park);
    let thread = parked.thread().clone();
    let other = std::thread::spawn(move || thread.unpark());
    parked.join().unwrap();
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_spawner_reaches_this_os_thread_from_another() {
    let here = Spawner::current();
    let (sender, receiver) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let handle = here.spawn(|| std::thread::current().id());
        sender.send(()).unwrap();
        handle.join().unwrap()
    });
    receiver.recv().unwrap();
    while !other.is_finished() {
        yield_now();
    }
    assert_eq!(other.join().unwrap(), std::thread::current().id());
}

#[test]
#[apply(on_workers)]
fn scope_children_borrow_and_end_before_it_returns() {
    let mut words = vec![String::from("a"), String::from("b")];
    let (first, second) = words.split_at_mut(1);
    scope(|s| {
        s.spawn(|| first[0].push('x'));
        s.spawn(|| second[0].push('y'));
    });
    assert_eq!(words, ["ax", "by"]);
}

#[test]
#[apply(on_workers)]
fn a_child_that_panics_cancels_siblings_and_body_and_goes_on() {
    let ended = Cell::new(0);
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scope(|s| {
            s.spawn(|| {
                struct Count<'a>(&'a Cell<i32>);
                impl Drop for Count<'_> {
                    fn drop(&mut self) {
                        self.0.set(self.0.get() + 1);
                    }
                }
                let _count = Count(&ended);
                park();
            });
            s.spawn(|| panic!("first"));
            park();
            unreachable!();
        })
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "first");
    assert_eq!(ended.get(), 1);
}

#[test]
#[apply(on_workers)]
fn try_scope_returns_every_error_in_the_order_they_came() {
    let outcome = try_scope(|s| {
        s.spawn(|| Err::<(), _>(1));
        s.spawn(|| Err::<(), _>(2));
        park();
        Ok(())
    });
    assert_eq!(outcome.unwrap_err().all(), [1]);
}

#[test]
#[apply(on_workers)]
fn shield_holds_a_cancellation_back_until_the_next_wait_point() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&log);
    let handle = spawn(move || {
        shield(|| {
            yield_now();
            yield_now();
            seen.borrow_mut().push("inside");
        });
        checkpoint();
        seen.borrow_mut().push("after");
    });
    yield_now();
    handle.cancel();
    assert!(handle.join().unwrap_err().is_cancelled());
    assert_eq!(*log.borrow(), ["inside"]);
}

#[test]
#[apply(on_workers)]
fn catch_cancel_consumes_a_request() {
    let handle = spawn(|| {
        let caught = catch_cancel(park).unwrap_err();
        yield_now();
        caught.reason().is_none()
    });
    yield_now();
    handle.cancel();
    assert!(handle.join().unwrap());
}

#[test]
#[apply(on_roots)]
fn run_ends_what_it_left_behind() {
    let handle = run(|| {
        let handle = spawn(park);
        yield_now();
        handle
    });
    assert!(handle.join().unwrap_err().is_cancelled());
}

#[test]
#[apply(on_roots)]
fn l8_a_deadlock_is_a_panic_on_the_root() {
    let caught = std::panic::catch_unwind(|| virtual_time(park));
    let message = caught.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("deadlock"), "{message}");
}

#[test]
#[apply(on_workers)]
fn on_finish_runs_before_the_joiner_goes_on_and_late_ones_too() {
    let handle = spawn(|| 5);
    let (sender, receiver) = std::sync::mpsc::channel();
    let late = sender.clone();
    handle.on_finish(move |result| sender.send(*result.as_ref().unwrap()).unwrap());
    while !handle.is_finished() {
        yield_now();
    }
    handle.on_finish(move |_| late.send(6).unwrap());
    assert_eq!(handle.join().unwrap(), 5);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [5, 6]);
}

#[test]
#[apply(on_workers)]
fn a_thread_that_exits_with_suspended_green_threads_abandons_them() {
    let handle = std::thread::spawn(|| {
        let handle = spawn(|| {
            park();
        });
        yield_now();
        // The handle may leave its OS thread: nothing in it is bound to it.
        handle
    })
    .join()
    .unwrap();
    assert!(handle.join().unwrap_err().is_abandoned());
}

#[test]
#[apply(on_workers)]
fn a_hundred_thousand_short_ones_share_one_warm_stack() {
    let handles: Vec<_> = (0..100_000u64).map(|i| spawn(move || i)).collect();
    let sum: u64 = handles.into_iter().map(|h| h.join().unwrap()).sum();
    assert_eq!(sum, 100_000 * 99_999 / 2);
}

#[test]
#[apply(on_workers)]
fn a_builder_names_its_green_thread() {
    let handle = Builder::new()
        .name("n".into())
        .spawn(|| current().name().map(String::from))
        .unwrap();
    assert_eq!(handle.join().unwrap().as_deref(), Some("n"));
}
