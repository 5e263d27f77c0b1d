//! Who owns a generator (L15): free-standing ones go where their owner takes them; borrowing ones end with their callback.
//!
//! What must not compile is held by the examples of `generator::scope` and of the generator's module, and by `thread::compile_fail`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use greenthread::generator::{self, Generator, Yielder};
use greenthread::{catch_cancel, scope, sleep, spawn, yield_now};

use crate::help::{LONG, flag, in_virtual_time};

/// Yields 1, 2, 3 and so on.
fn counts(y: &Yielder<(), u32>) {
    for count in 1.. {
        y.yield_(count);
    }
}

#[test]
#[apply(on_workers)]
fn l15_a_borrowing_generator_is_closed_when_its_callback_returns() {
    let mut lent = vec![0];
    let (closed, guard) = flag();
    let body = |y: &Yielder<(), u32>| {
        let _guard = guard;
        for count in 1.. {
            lent.push(count);
            y.yield_(count);
        }
    };
    let last = generator::scope(body, |g| {
        g.start();
        g.send(());
        assert!(!closed.get() && !g.is_finished());
        g.send(()).unwrap_yielded()
    });
    assert!(closed.get());
    lent.push(last);
    assert_eq!(lent, [0, 1, 2, 3, 3]);
}

#[test]
#[apply(on_workers)]
fn l15_a_borrowing_generator_is_closed_when_its_callback_panics() {
    let mut lent = 0;
    let (closed, guard) = flag();
    let body = |y: &Yielder<(), u32>| {
        let _guard = guard;
        lent += 1;
        y.yield_(lent);
    };
    let panics = |g: &Generator<(), u32, ()>| -> () {
        g.start();
        panic!("the callback's");
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| generator::scope(body, panics)));
    let panic = outcome.expect_err("the panic goes on");
    assert_eq!(panic.downcast_ref(), Some(&"the callback's"));
    assert!(closed.get());
    assert_eq!(lent, 1);
}

#[test]
#[apply(on_roots)]
fn l15_a_borrowing_generator_is_closed_when_its_callback_is_cancelled() {
    in_virtual_time(|| {
        let (closed, guard) = flag();
        let green_thread = spawn(move || {
            let lent = String::from("lent");
            let body = |y: &Yielder<(), usize>| {
                let _guard = guard;
                y.yield_(lent.len());
            };
            let waits = |g: &Generator<(), usize, ()>| {
                assert_eq!(g.start().unwrap_yielded(), 4);
                sleep(LONG);
            };
            let cancelled = catch_cancel(|| generator::scope(body, waits)).unwrap_err();
            drop(lent);
            cancelled.resume()
        });
        yield_now();
        assert!(!closed.get());
        green_thread.cancel();
        assert!(green_thread.join().unwrap_err().is_cancelled());
        assert!(closed.get());
    });
}

#[test]
#[apply(on_workers)]
fn l15_an_unstarted_borrowing_generator_gives_back_what_it_captured() {
    let (dropped, guard) = flag();
    let body = |y: &Yielder<(), ()>| {
        let _guard = guard;
        y.yield_(());
    };
    generator::scope(body, |_: &Generator<(), (), ()>| {
        assert!(!dropped.get());
    });
    assert!(dropped.get());
}

#[test]
#[apply(on_workers)]
fn l15_a_suspended_generator_moves_with_its_owner() {
    let numbers = Generator::new(counts);
    assert_eq!(numbers.start().unwrap_yielded(), 1);
    let boxed = Box::new(numbers); // moved while suspended: only the handle moves
    assert_eq!(boxed.send(()).unwrap_yielded(), 2);
    let shared = Rc::new(*boxed);
    let driver = Rc::clone(&shared);
    let third = spawn(move || driver.send(()).unwrap_yielded());
    assert_eq!(third.join().unwrap(), 3);
    assert_eq!(shared.send(()).unwrap_yielded(), 4);
}

#[test]
#[apply(on_workers)]
fn l15_children_of_a_scope_drive_a_borrowing_generator_by_reference() {
    let step = 10;
    let tens = |y: &Yielder<(), u32>| (1..=9).for_each(|n| y.yield_(n * step));
    let sum = generator::scope(tens, |g: &Generator<(), u32, ()>| {
        let first = g.start().unwrap_yielded();
        let second = scope(|s| s.spawn(|| g.send(()).unwrap_yielded()).join().unwrap());
        first + second
    });
    assert_eq!(sum, 30);
}
