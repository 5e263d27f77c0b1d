//! Generators that cannot be ended, and stacks that cannot be had: what is said, what is leaked, what ends the process (L3, L14).

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;

use greenthread::generator::{self, Generator, ResumeError, Yielder};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::{Counted, child, panic_text};

/// Calls its closure when dropped.
struct Last<F: FnMut()>(F);

impl<F: FnMut()> Drop for Last<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A generator that yields 1, and in the unwind that ends it 2, whatever ends it.
fn yields_in_its_unwind() -> Generator<(), u8, &'static str> {
    let g = Generator::new(|y: &Yielder<(), u8>| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _last = Last(|| y.yield_(2));
            y.yield_(1);
            panic_any("its own");
        }));
        "end"
    });
    assert_eq!(g.start().yielded(), Some(1));
    g
}

#[test]
#[apply(on_workers)]
fn l14_nothing_is_raised_at_a_yield_in_the_middle_of_an_unwind() {
    let g = yields_in_its_unwind();
    assert_eq!(g.send(()).yielded(), Some(2));
    let where_it_stands = "stands in the middle of an unwind, where nothing can be raised";
    assert_eq!(
        panic_text(|| g.close()),
        format!("the generator {where_it_stands}; it is still suspended")
    );
    assert_eq!(
        panic_text(|| g.throw("error")),
        format!("cannot throw: the generator {where_it_stands}")
    );
    assert_eq!(g.try_throw("error").unwrap_err(), "error");
    assert_eq!(g.send(()).complete(), Some("end"));
    assert!(!std::thread::panicking());
}

#[test]
#[apply(on_workers)]
fn a_caught_yield_in_the_middle_of_an_unwind_receives_the_close_as_a_value() {
    let closed = Rc::new(Cell::new(false));
    let seen = closed.clone();
    let g: Generator<(), (), ()> = Generator::new(move |y| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _last = Last(|| seen.set(y.yield_caught(()).unwrap_err().is_close()));
            panic_any("its own");
        }));
    });
    g.start();
    assert!(std::thread::panicking());
    assert_eq!(g.close(), Some(()));
    assert!(closed.get());
    assert!(!std::thread::panicking());
}

#[test]
#[apply(on_workers)]
fn a_generator_driven_in_a_destructor_of_an_unwind_yields_and_closes_as_ever() {
    let closed = Cell::new(None);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _last = Last(|| {
            let g: Generator<(), u8, &str> = Generator::new(|y| {
                y.yield_(1);
                match y.yield_caught(2) {
                    Err(raised) if raised.is_close() => "closed",
                    _ => "sent",
                }
            });
            assert_eq!(g.start().yielded(), Some(1));
            assert_eq!(g.send(()).yielded(), Some(2));
            closed.set(g.close());
            let dropped: Generator<(), u8, ()> = Generator::new(|y| y.yield_(1));
            dropped.start();
        });
        panic_any("the driver's");
    }));
    assert_eq!(closed.get(), Some("closed"));
}

#[test]
#[apply(on_workers)]
fn l14_a_yield_in_a_destructor_that_a_close_runs_leaves_it_suspended() {
    let g: Generator<(), u8, ()> = Generator::new(|y| {
        let _last = Last(|| y.yield_(2));
        y.yield_(1);
    });
    g.start();
    assert_eq!(
        panic_text(|| g.close()),
        "the generator yielded while it was being closed; it is still suspended"
    );
    assert!(matches!(g.try_throw(1), Err(1)));
    let payload = catch_unwind(AssertUnwindSafe(|| g.send(()))).unwrap_err();
    assert!(payload.downcast::<generator::Raised>().unwrap().is_close());
    assert!(matches!(g.try_send(()), Err(ResumeError::Finished(()))));
}

#[test]
#[apply(once)]
fn l14_dropping_a_generator_that_yields_while_closing_leaks_it_and_says_so_once() {
    let output = child::run(
        "l14_dropping_a_generator_that_yields_while_closing_leaks_it_and_says_so_once",
        || {
            let counted = Counted::new();
            let local = counted.clone();
            let g: Generator<(), u8, ()> = Generator::new(move |y| {
                let _local = local;
                loop {
                    let _ = y.yield_caught(1);
                }
            });
            g.start();
            drop(g);
            assert_eq!(counted.alive(), 2, "its stack is kept");
            let next: Generator<(), u8, ()> = Generator::new(|y| y.yield_(3));
            assert_eq!(next.start().yielded(), Some(3));
        },
    );
    let said = "greenthread: a generator was dropped but yielded while it was being closed; its stack is leaked\n";
    assert_eq!(output.stderr(), said);
    assert!(output.succeeded());
}

#[test]
#[apply(once)]
fn l14_dropping_a_generator_in_the_middle_of_an_unwind_leaks_it_and_says_so_once() {
    let output = child::run(
        "l14_dropping_a_generator_in_the_middle_of_an_unwind_leaks_it_and_says_so_once",
        || {
            let g = yields_in_its_unwind();
            g.send(());
            drop(g);
        },
    );
    let said = "greenthread: a generator was dropped but stands in the middle of an unwind, where nothing can be raised; its stack is leaked\n";
    assert!(output.stderr().ends_with(said), "{}", output.stderr());
    assert_eq!(
        output.stderr().matches("greenthread: a generator").count(),
        1
    );
    assert!(output.succeeded());
}

#[test]
#[apply(once)]
fn l14_a_borrowing_generator_that_cannot_be_closed_ends_the_process() {
    let output = child::run(
        "l14_a_borrowing_generator_that_cannot_be_closed_ends_the_process",
        || {
            let local = 1;
            generator::scope(
                |y: &Yielder<(), u8>| -> () {
                    loop {
                        let _ = y.yield_caught(local);
                    }
                },
                |g| _ = g.start(),
            );
        },
    );
    let stderr = output.stderr();
    assert!(
        stderr.contains("a borrowing generator yielded while it was being closed"),
        "{stderr}"
    );
    assert!(stderr.contains("so the process ends"), "{stderr}");
    assert!(output.aborted());
}

#[test]
#[apply(once)]
fn l18_a_payload_whose_drop_panics_is_leaked_and_reported() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any("from the payload");
        }
    }
    let output = child::run(
        "l18_a_payload_whose_drop_panics_is_leaked_and_reported",
        || {
            let payload = catch_unwind(|| {
                let g: Generator<(), (), ()> = Generator::new(|y| {
                    let _ = y.yield_caught(());
                    panic_any(Bomb)
                });
                g.start();
                panic_any("first")
            })
            .unwrap_err();
            assert_eq!(*payload.downcast::<&str>().unwrap(), "first");
        },
    );
    assert!(
        output
            .stderr()
            .contains("the drop of a panic's payload panicked in turn")
    );
    assert!(output.succeeded());
}

#[cfg(target_os = "linux")]
#[test]
#[apply(once)]
fn l3_a_generator_that_finds_no_stack_says_why_and_can_start_later() {
    let output = child::run(
        "l3_a_generator_that_finds_no_stack_says_why_and_can_start_later",
        || {
            let running: Generator<(), u8, ()> = Generator::new(|y| y.yield_all(1..=2));
            running.start();
            let unlimited = child::limit_address_space(1 << 20);
            let mut kept = Vec::new();
            let refused = loop {
                let g: Generator<(), u8, ()> = Generator::new(|y| y.yield_(1));
                match catch_unwind(AssertUnwindSafe(|| g.start())) {
                    Ok(_) => kept.push(g),
                    Err(payload) => break (g, *payload.downcast::<String>().unwrap()),
                }
            };
            let error = generator::Builder::new()
                .build(|y: &Yielder<(), u8>| y.yield_(1))
                .unwrap_err();
            child::set_address_space(unlimited);
            assert!(
                error.to_string().contains("RLIMIT_AS (ulimit -v) is "),
                "{error}"
            );
            let (g, text) = refused;
            assert!(
                text.starts_with("the generator cannot start: cannot map "),
                "{text}"
            );
            assert!(text.contains("RLIMIT_AS (ulimit -v) is "), "{text}");
            assert_eq!(g.start().yielded(), Some(1));
            assert_eq!(running.send(()).yielded(), Some(2));
        },
    );
    assert!(output.succeeded(), "{}", output.stderr());
}

#[test]
#[apply(on_workers)]
fn a_stack_abandoned_by_forget_is_kept_and_nothing_else_is_harmed() {
    let numbers = std::thread::spawn(|| {
        let forgotten: Generator<(), u8, ()> = Generator::new(|y| y.yield_(1));
        forgotten.start();
        std::mem::forget(forgotten);
        let g: Generator<(), u8, ()> = Generator::new(|y| y.yield_all(0..5));
        g.collect::<Vec<_>>()
    });
    assert_eq!(numbers.join().unwrap(), [0, 1, 2, 3, 4]);
}
