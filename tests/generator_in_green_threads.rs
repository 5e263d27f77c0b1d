//! Generators and green threads in each other (L12, L14).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use greenthread::generator::{Generator, ResumeError, Yielder};
use greenthread::{spawn, yield_now};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::{Log, panic_text};

#[test]
#[apply(on_workers)]
fn l14_a_child_that_yields_with_its_parents_yielder_panics_clearly() {
    let g = Generator::new(|y: &Yielder<(), u8>| {
        let text = greenthread::scope(|s| s.spawn(|| panic_text(|| y.yield_(1))).join().unwrap());
        y.yield_(2);
        text
    });
    assert_eq!(g.start().yielded(), Some(2));
    let text = g.send(()).complete().unwrap();
    assert!(
        text.starts_with("a yielder was used off its generator's own stack"),
        "{text}"
    );
}

#[test]
#[apply(on_workers)]
fn a_wait_point_in_a_generator_parks_the_green_thread_that_drives_it() {
    let log = Log::default();
    let (waits, other) = (log.clone(), log.clone());
    let driver = spawn(move || {
        let inside = waits.clone();
        let g = Generator::new(move |y: &Yielder<(), u8>| {
            inside.say("before the wait");
            yield_now();
            inside.say("after the wait");
            y.yield_(1);
        });
        assert_eq!(g.start().yielded(), Some(1));
        waits.say("driven");
    });
    let beside = spawn(move || other.say("another ran"));
    driver.join().unwrap();
    beside.join().unwrap();
    let lines = ["before the wait", "another ran", "after the wait", "driven"];
    assert_eq!(log.lines(), lines);
}

#[test]
#[apply(on_workers)]
fn l14_a_generator_that_waits_is_running_for_every_other_driver() {
    let g = Rc::new(Generator::new(|y: &Yielder<u8, ()>| {
        yield_now();
        y.yield_(());
    }));
    let first = spawn({
        let g = g.clone();
        move || assert!(g.start().yielded().is_some())
    });
    let second = spawn(move || {
        assert!(matches!(g.try_send(7), Err(ResumeError::Running(7))));
        let text = panic_text(|| g.send(8));
        assert!(
            text.starts_with("cannot send to a generator that is running; it is driven by "),
            "{text}"
        );
        assert!(!text.contains("root"), "{text}");
        yield_now();
        yield_now();
        assert!(g.send(9).complete().is_some());
    });
    first.join().unwrap();
    second.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l12_a_generator_may_be_driven_by_one_green_thread_after_another_and_by_the_root() {
    let g = Rc::new(Generator::new(|y: &Yielder<(), u32>| {
        for n in 0.. {
            yield_now();
            y.yield_(n);
        }
    }));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend((&*g).next());
        let drivers: Vec<_> = (0..2)
            .map(|_| {
                let g = g.clone();
                spawn(move || {
                    while matches!(g.try_send(()), Err(ResumeError::Running(()))) {
                        yield_now();
                    }
                })
            })
            .collect();
        drivers
            .into_iter()
            .for_each(|driver| driver.join().unwrap());
    }
    assert_eq!(seen, [0, 3, 6]);
    assert_eq!((&*g).next(), Some(9));
}

#[test]
#[apply(on_workers)]
fn pipelines_interleaved_by_waits_keep_their_own_chains() {
    let stage = |base: u32| {
        let inner = Generator::new(move |y: &Yielder<(), u32>| {
            for n in base..base + 20 {
                yield_now();
                y.yield_(n);
            }
        });
        Generator::new(move |y: &Yielder<(), u32>| {
            for n in &inner {
                if n % 2 == 0 {
                    yield_now();
                }
                y.yield_(n);
            }
        })
    };
    let threads: Vec<_> = (0..5)
        .map(|k| spawn(move || stage(k * 100).eq(k * 100..k * 100 + 20)))
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}

#[test]
#[apply(on_workers)]
fn a_panic_after_a_wait_in_a_generator_unwinds_through_its_driver() {
    let log = Log::default();
    let seen = log.clone();
    let thread = spawn(move || {
        let _outer = seen.on_drop("driver");
        let inside = seen.clone();
        let g = Generator::new(move |_: &Yielder<(), ()>| {
            let _inner = inside.on_drop("generator");
            yield_now();
            std::panic::resume_unwind(Box::new("through both"));
        });
        let payload = catch_unwind(AssertUnwindSafe(|| g.start())).unwrap_err();
        std::panic::resume_unwind(payload)
    });
    let payload = thread
        .join()
        .map(|never: ()| never)
        .unwrap_err()
        .into_panic();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "through both");
    assert_eq!(log.lines(), ["generator", "driver"]);
}
