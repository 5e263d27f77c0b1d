//! A bigger stack for a while: what works inside, and what passes through.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::bounded;
use greenthread::generator::{Generator, Yielder};
use greenthread::{
    Runtime, catch_cancel, checkpoint, current, grow, run, sleep, spawn, timeout, yield_now,
};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::{Log, panic_text};

/// Needs a kibibyte and a bit for each step.
fn depth(steps: usize) -> usize {
    let frame = black_box([steps; 128]);
    if steps == 0 {
        return 0;
    }
    1 + depth(steps - 1) + usize::from(frame[5] != steps)
}

/// Deeper than the default stack.
const DEEP: usize = 4_000;

#[test]
#[apply(on_workers)]
fn a_recursion_too_deep_for_the_stack_runs_inside_grow() {
    let on_root = grow(16 << 20, || depth(DEEP));
    let on_green_thread = spawn(|| grow(16 << 20, || depth(DEEP))).join().unwrap();
    let on_plain = std::thread::spawn(|| grow(16 << 20, || depth(DEEP)));
    assert_eq!(
        [on_root, on_green_thread, on_plain.join().unwrap()],
        [DEEP; 3]
    );
}

#[test]
#[apply(on_workers)]
fn calls_may_be_nested() {
    let sum = spawn(|| grow(1 << 20, || 1 + grow(8 << 20, || depth(DEEP)) + depth(500)));
    assert_eq!(sum.join().unwrap(), 1 + DEEP + 500);
}

#[test]
#[apply(on_workers)]
fn what_is_lent_to_it_may_be_changed_inside() {
    let mut words = vec!["before"];
    grow(1 << 20, || words.push("inside"));
    assert_eq!(words, ["before", "inside"]);
}

#[test]
#[apply(on_workers)]
fn green_threads_take_turns_inside() {
    let log = Log::default();
    let both = ["first", "second"].map(|name| {
        let log = log.clone();
        spawn(move || {
            grow(1 << 20, || {
                log.say(name);
                yield_now();
                log.say(name);
            });
            // They leave in the order in which they came, not in the reverse.
            log.say(name);
        })
    });
    let _ = both.map(|green_thread| green_thread.join().unwrap());
    assert_eq!(
        log.lines(),
        ["first", "second", "first", "first", "second", "second"]
    );
}

#[test]
#[apply(on_roots)]
fn the_root_may_wait_inside() {
    let (sender, receiver) = bounded(1);
    let sum: i32 = run(|| {
        grow(1 << 20, || {
            drop(spawn(move || (0..10).for_each(|i| sender.send(i).unwrap())));
            receiver.iter().sum()
        })
    });
    assert_eq!(sum, 45);
}

#[test]
#[apply(on_workers)]
fn l14_a_generators_body_may_yield_inside() {
    let body = |y: &Yielder<i32, i32>| {
        grow(1 << 20, || {
            let sent = y.yield_(1);
            grow(2 << 20, || y.yield_(sent + 1)) + 1
        })
    };
    let g = Generator::new(body);
    assert_eq!(g.start().yielded(), Some(1));
    assert_eq!(g.send(10).yielded(), Some(11));
    assert_eq!(g.send(20).complete(), Some(21));
}

#[test]
#[apply(on_workers)]
fn l14_a_close_runs_the_destructors_inside_first() {
    let log = Log::default();
    let (inner, outer) = (log.clone(), log.clone());
    let g: Generator<(), (), ()> = Generator::new(move |y| {
        let _outer = outer.on_drop("outside");
        grow(1 << 20, || {
            let _inner = inner.on_drop("inside");
            y.yield_(());
        });
    });
    g.start();
    assert_eq!(g.close(), None);
    assert_eq!(log.lines(), ["inside", "outside"]);
}

#[test]
#[apply(on_workers)]
fn l14_the_yielder_of_an_outer_generator_is_refused_inside_an_inner_one() {
    let outer: Generator<(), (), String> = Generator::new(|y: &Yielder<(), ()>| {
        greenthread::generator::scope(
            |_: &Yielder<(), ()>| panic_text(|| grow(1 << 20, || y.yield_(()))),
            |inner| inner.start().complete().unwrap(),
        )
    });
    let text = outer.start().complete().unwrap();
    assert!(text.contains("off its generator's own stack"), "{text}");
}

#[test]
#[apply(on_workers)]
fn a_generator_driven_inside_yields_to_there() {
    let numbers = grow(1 << 20, || {
        let g: Generator<(), u8, ()> = Generator::new(|y| y.yield_all(0..4));
        g.collect::<Vec<_>>()
    });
    assert_eq!(numbers, [0, 1, 2, 3]);
}

#[test]
#[apply(on_workers)]
fn a_panic_comes_out_with_its_own_payload() {
    let payload = catch_unwind(|| grow(1 << 20, || panic_any(7_u8))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
    assert!(!std::thread::panicking());
}

#[test]
#[apply(on_workers)]
fn l9_a_cancellation_unwinds_through_it() {
    let dropped = Log::default();
    let inside = dropped.clone();
    let parked = spawn(move || {
        grow(1 << 20, || {
            let _guard = inside.on_drop("unwound");
            greenthread::park();
        });
    });
    yield_now();
    assert!(parked.cancel());
    assert!(parked.join().unwrap_err().is_cancelled());
    assert_eq!(dropped.lines(), ["unwound"]);
}

#[test]
#[apply(on_roots)]
fn l12_a_timeout_outside_acts_inside_and_the_other_way_round() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    runtime.run(|| {
        assert!(timeout(second, || grow(1 << 20, || sleep(minute))).is_err());
        assert!(grow(1 << 20, || timeout(second, || sleep(minute))).is_err());
    });
}

#[test]
#[apply(on_workers)]
fn l10_nothing_is_raised_inside_while_the_stack_that_grew_unwinds() {
    struct Last(Rc<std::cell::Cell<bool>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let completed = grow(1 << 20, || {
                yield_now();
                true
            });
            self.0.set(completed);
        }
    }
    let completed = Rc::new(std::cell::Cell::new(false));
    let last = Last(completed.clone());
    let green_thread = spawn(move || {
        current().cancel();
        let _last = last;
        checkpoint();
    });
    assert!(green_thread.join().unwrap_err().is_cancelled());
    assert!(completed.get());
}

#[test]
#[apply(on_workers)]
fn l10_an_unwind_that_was_caught_inside_lets_requests_through_again() {
    // Another stack is parked in mid-unwind, so that the frames decide, the grown ones too.
    struct Yields;
    impl Drop for Yields {
        fn drop(&mut self) {
            yield_now();
            yield_now();
        }
    }
    let unwinding = spawn(|| {
        let _yields = Yields;
        panic_any("its own");
    });
    let inside = spawn(|| {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            grow(1 << 20, || {
                current().cancel();
                assert!(std::thread::panicking(), "the other's unwind counts");
                catch_cancel(checkpoint).is_err()
            })
        }));
        caught.unwrap()
    });
    assert!(inside.join().unwrap());
    assert!(unwinding.join().unwrap_err().is_panic());
}

#[test]
#[apply(on_workers)]
fn l3_a_size_that_no_stack_has_is_a_panic_that_names_the_range() {
    let text = panic_text(|| grow(usize::MAX, || ()));
    assert!(text.contains("outside 16384..=1073741824 bytes"), "{text}");
}
