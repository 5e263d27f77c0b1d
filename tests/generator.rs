//! Generators as their owner sees them: every state, every way in and out (L14, L15).

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;

use greenthread::generator::{
    self, Builder, Generator, GeneratorState, Raised, ResumeError, Yielder,
};

mod support;
use support::{Counted, Log, panic_text};

#[test]
fn nothing_runs_before_start() {
    let ran = Rc::new(Cell::new(false));
    let seen = ran.clone();
    let g: Generator<(), (), ()> = Generator::new(move |_| seen.set(true));
    assert!(!ran.get());
    assert_eq!(g.start(), GeneratorState::Complete(()));
    assert!(ran.get());
}

#[test]
fn each_send_is_answered_by_the_next_yield() {
    let g = Generator::new(|y| {
        let mut sum = 0;
        for _ in 0..3 {
            sum += y.yield_(format!("sum {sum}"));
        }
        sum
    });
    assert_eq!(g.start().unwrap_yielded(), "sum 0");
    assert_eq!(g.send(1).unwrap_yielded(), "sum 1");
    assert_eq!(g.send(2).unwrap_yielded(), "sum 3");
    assert_eq!(g.send(3).complete(), Some(6));
    assert!(g.is_finished());
}

#[test]
fn a_yield_works_from_any_call_depth() {
    fn walk(y: &Yielder<(), u32>, depth: u32) {
        if depth > 0 {
            walk(y, depth - 1);
            y.yield_(depth);
        }
    }
    let g = Generator::new(|y| walk(y, 50));
    assert!(g.eq(1..=50));
}

#[test]
fn big_values_and_zero_sized_ones_pass_both_ways() {
    let g = Generator::new(|y| {
        let got: [u64; 100] = y.yield_([1_u8; 1000]);
        let again = y.yield_([2; 1000]);
        [got[99], again[0]]
    });
    assert_eq!(g.start().unwrap_yielded(), [1; 1000]);
    assert_eq!(g.send([7; 100]).unwrap_yielded(), [2; 1000]);
    assert_eq!(g.send([8; 100]).complete(), Some([7, 8]));
}

#[test]
fn a_body_with_a_big_capture_runs() {
    let table = [3_u64; 500];
    let g: Generator<(), u64, u64> = Generator::new(move |y| {
        y.yield_(table[0]);
        table.iter().sum()
    });
    assert_eq!(g.start().unwrap_yielded(), 3);
    assert_eq!(g.send(()).complete(), Some(1500));
}

#[test]
fn misuse_panics_and_says_what_is_wrong() {
    let g = Generator::new(|y| y.yield_(0));
    assert_eq!(
        panic_text(|| g.send(1)),
        "cannot send to a generator that has not been started: `start` it first"
    );
    g.start();
    assert_eq!(
        panic_text(|| g.start()),
        "cannot start a generator that has been started already"
    );
    g.send(1);
    assert_eq!(
        panic_text(|| g.send(2)),
        "cannot send to a generator that has finished"
    );
    assert_eq!(
        panic_text(|| g.start()),
        "cannot start a generator that has finished"
    );
}

#[test]
fn try_send_hands_the_value_back_in_every_state_but_suspended() {
    let g = Generator::new(|y| y.yield_(()));
    let value = String::from("value");
    let Err(ResumeError::NotStarted(value)) = g.try_send(value) else {
        panic!()
    };
    g.start();
    assert_eq!(g.try_send(value).unwrap().complete().unwrap(), "value");
    let error = g.try_send("late".into()).unwrap_err();
    assert_eq!(error.to_string(), "the generator has finished");
    assert_eq!(format!("{error:?}"), "Finished(..)");
    assert_eq!(error.into_inner(), "late");
}

#[test]
fn l14_driving_a_generator_from_its_own_body_is_refused() {
    type Own = Generator<u8, u8, ()>;
    let own: Rc<RefCell<Option<Rc<Own>>>> = Rc::default();
    let seen = own.clone();
    let g: Rc<Own> = Rc::new(Generator::new(move |y| {
        let me = seen.borrow().clone().unwrap();
        let Err(ResumeError::Running(9)) = me.try_send(9) else {
            panic!()
        };
        assert_eq!(me.try_throw("error").unwrap_err(), "error");
        let driven_by = "it is driven by the chain that asks: a generator cannot drive itself";
        for (verb, misuse) in [
            ("send to", &(|| _ = me.send(1)) as &dyn Fn()),
            ("start", &|| _ = me.start()),
            ("throw into", &|| _ = me.throw("error")),
            ("close", &|| _ = me.close()),
        ] {
            let text = format!("cannot {verb} a generator that is running; {driven_by}");
            assert_eq!(panic_text(misuse), text);
        }
        y.yield_(5);
    }));
    *own.borrow_mut() = Some(g.clone());
    assert_eq!(g.start().unwrap_yielded(), 5);
    own.borrow_mut().take();
    assert_eq!(g.close(), None);
}

#[test]
fn l14_a_yielder_used_off_its_own_stack_is_a_clear_panic() {
    let outer = Generator::new(|y| {
        let text = generator::scope(
            |inner: &Yielder<(), ()>| {
                let text = panic_text(|| y.yield_(1));
                inner.yield_(());
                text
            },
            |inner| {
                inner.start();
                inner.send(()).complete().unwrap()
            },
        );
        y.yield_(2);
        text
    });
    assert_eq!(outer.start().unwrap_yielded(), 2);
    let text = outer.send(()).complete().unwrap();
    assert!(
        text.starts_with("a yielder was used off its generator's own stack"),
        "{text}"
    );
}

#[test]
fn a_panic_of_the_body_comes_out_of_the_drivers_call() {
    let g = Generator::new(|y| -> () {
        y.yield_(1);
        panic_any(42_u64)
    });
    g.start();
    let payload = catch_unwind(AssertUnwindSafe(|| g.send(()))).unwrap_err();
    assert_eq!(*payload.downcast::<u64>().unwrap(), 42);
    assert!(g.is_finished());
    assert!(!std::thread::panicking());
}

#[test]
fn a_thrown_error_is_a_value_for_yield_caught() {
    let g = Generator::new(|y| {
        let mut caught = Vec::new();
        while caught.len() < 2 {
            match y.yield_caught(caught.len()) {
                Ok(()) => {}
                Err(raised) => caught.push(raised.downcast::<String>().unwrap()),
            }
        }
        caught
    });
    g.start();
    assert_eq!(g.throw(String::from("a")).unwrap_yielded(), 1);
    assert_eq!(g.send(()).unwrap_yielded(), 1);
    assert_eq!(g.throw(String::from("b")).complete().unwrap(), ["a", "b"]);
}

#[test]
fn a_thrown_error_reaches_catch_unwind_in_the_body_as_raised() {
    let g = Generator::new(|y: &Yielder<(), ()>| {
        let payload = catch_unwind(AssertUnwindSafe(|| y.yield_(()))).unwrap_err();
        let raised = *payload.downcast::<Raised>().unwrap();
        assert!(!raised.is_close());
        raised.downcast::<i32>().unwrap()
    });
    g.start();
    assert_eq!(g.throw(3).complete(), Some(3));
}

#[test]
fn an_uncaught_thrown_error_comes_out_of_throw_as_itself() {
    let g: Generator<(), (), ()> = Generator::new(|y| y.yield_(()));
    g.start();
    let payload = catch_unwind(AssertUnwindSafe(|| g.throw(String::from("e")))).unwrap_err();
    assert_eq!(*payload.downcast::<String>().unwrap(), "e");
    assert!(g.is_finished());
}

#[test]
fn try_throw_returns_the_error_when_uncaught_and_when_there_is_no_yield_to_raise_it_at() {
    let g: Generator<(), (), ()> = Generator::new(|y| y.yield_(()));
    g.start();
    assert_eq!(g.try_throw("uncaught"), Err("uncaught"));
    assert_eq!(g.try_throw("finished"), Err("finished"));
    let unstarted: Generator<(), (), ()> = Generator::new(|y| y.yield_(()));
    assert_eq!(unstarted.try_throw("unstarted"), Err("unstarted"));
    assert!(unstarted.is_finished());
}

#[test]
fn try_throw_lets_another_panic_of_the_body_through() {
    let g: Generator<(), (), ()> = Generator::new(|y| {
        let _ = y.yield_caught(());
        panic_any("other")
    });
    g.start();
    let payload = catch_unwind(AssertUnwindSafe(|| g.try_throw(1_u8))).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "other");
}

#[test]
fn a_raised_that_is_resumed_goes_on_as_if_never_caught() {
    let g: Generator<(), (), ()> = Generator::new(|y| {
        let raised = y.yield_caught(()).unwrap_err();
        let raised = raised.downcast::<u8>().unwrap_err();
        raised.resume()
    });
    g.start();
    assert_eq!(g.try_throw("again"), Err("again"));
}

#[test]
fn throw_into_an_unstarted_or_finished_generator_raises_the_error_in_the_driver() {
    let counted = Counted::new();
    let body = counted.clone();
    let g: Generator<(), (), ()> = Generator::new(move |_| drop(body));
    for error in [1, 2] {
        let payload = catch_unwind(AssertUnwindSafe(|| g.throw(error))).unwrap_err();
        assert_eq!(*payload.downcast::<i32>().unwrap(), error);
        assert!(g.is_finished());
        assert_eq!(counted.alive(), 1, "the body is dropped, once");
    }
}

#[test]
fn close_runs_destructors_innermost_first_and_a_second_close_does_nothing() {
    let log = Log::default();
    let body = log.clone();
    let g = Generator::new(move |y| -> () {
        let _outer = body.on_drop("outer");
        let _inner = body.on_drop("inner");
        y.yield_(());
        body.say("not reached");
    });
    g.start();
    assert_eq!(g.close(), None);
    assert_eq!(log.lines(), ["inner", "outer"]);
    assert_eq!(g.close(), None);
    assert!(g.is_finished());
    let _: ResumeError<()> = g.try_send(()).unwrap_err();
}

#[test]
fn close_returns_what_the_body_answers_with() {
    let g: Generator<(), (), &str> = Generator::new(|y| match y.yield_caught(()) {
        Err(raised) if raised.is_close() => "bye",
        _ => "no close",
    });
    g.start();
    assert_eq!(g.close(), Some("bye"));
    assert_eq!(g.close(), None);
}

#[test]
fn closing_an_unstarted_generator_drops_its_body_unrun() {
    let counted = Counted::new();
    let body = counted.clone();
    let g: Generator<(), (), ()> = Generator::new(move |_| panic!("{}", body.alive()));
    assert_eq!(g.close(), None);
    assert_eq!(counted.alive(), 1);
    assert!(g.is_finished());
}

#[test]
fn a_panic_while_closing_comes_out_of_close() {
    let g: Generator<(), (), ()> = Generator::new(|y| {
        let _ = y.yield_caught(());
        panic_any("while closing")
    });
    g.start();
    let payload = catch_unwind(AssertUnwindSafe(|| g.close())).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "while closing");
    assert!(g.is_finished());
}

#[test]
fn l14_a_yield_while_closing_makes_close_panic_and_the_generator_stays_suspended() {
    let g = Generator::new(|y| {
        let _ = y.yield_caught(1);
        let _ = y.yield_caught(2);
        "end"
    });
    g.start();
    assert_eq!(
        panic_text(|| g.close()),
        "the generator yielded while it was being closed; it is still suspended"
    );
    assert!(!g.is_finished());
    assert_eq!(g.send(()).complete(), Some("end"));
}

#[test]
fn dropping_a_suspended_generator_closes_it() {
    let log = Log::default();
    let body = log.clone();
    let g = Generator::new(move |y: &Yielder<(), ()>| {
        let _local = body.on_drop("closed");
        y.yield_(());
    });
    g.start();
    drop(g);
    assert_eq!(log.lines(), ["closed"]);
}

#[test]
fn a_panic_while_dropping_comes_out_of_the_drop() {
    let g: Generator<(), (), ()> = Generator::new(|y| {
        let _ = y.yield_caught(());
        panic_any("from drop")
    });
    g.start();
    let payload = catch_unwind(AssertUnwindSafe(|| drop(g))).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "from drop");
}

#[test]
fn an_unwind_that_drops_generators_closes_them() {
    let log = Log::default();
    let body = log.clone();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        let g = Generator::new(move |y: &Yielder<(), ()>| {
            let _local = body.on_drop("closed");
            y.yield_(());
        });
        g.start();
        panic_any("the driver's")
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the driver's");
    assert_eq!(log.lines(), ["closed"]);
}

#[test]
fn a_generator_whose_body_panics_while_an_unwind_drops_it_does_not_end_the_process() {
    let payload = catch_unwind(|| {
        let g: Generator<(), (), ()> = Generator::new(|y| {
            let _ = y.yield_caught(());
            panic_any("second")
        });
        g.start();
        panic_any("first")
    })
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "first");
}

#[test]
fn every_value_is_dropped_exactly_once() {
    let counted = Counted::new();
    for steps in 0..4 {
        let captured = counted.clone();
        let g = Generator::new(move |y| {
            let first = y.yield_(captured.clone());
            let second = y.yield_(captured.clone());
            drop((first, second));
            captured
        });
        let mut kept = Vec::new();
        for step in 0..steps {
            kept.push(match step {
                0 => g.start(),
                _ => g.send(counted.clone()),
            });
        }
        drop(g);
        drop(kept);
        assert_eq!(counted.alive(), 1, "after {steps} steps");
    }
}

#[test]
fn a_value_that_cannot_be_sent_is_dropped_once() {
    let counted = Counted::new();
    let g: Generator<Counted, (), Counted> = Generator::new(|y| y.yield_(()));
    panic_text(|| g.send(counted.clone()));
    assert_eq!(counted.alive(), 1);
    drop(g.try_send(counted.clone()));
    assert_eq!(counted.alive(), 1);
}

#[test]
fn next_sends_nothing_and_keeps_the_return_value() {
    let mut g = Generator::new(|y: &Yielder<Option<u8>, i32>| {
        assert_eq!(y.yield_(1), None);
        assert_eq!(y.yield_(2), None);
        "end"
    });
    assert_eq!(g.next(), Some(1));
    assert_eq!((&g).next(), Some(2));
    assert_eq!(g.next(), None);
    assert_eq!(g.take_return(), Some("end"));
    assert_eq!(g.take_return(), None);
    assert_eq!(g.next(), None);
}

#[test]
fn send_and_next_mix() {
    let g = Generator::new(|y: &Yielder<Option<i32>, _>| {
        y.yield_(y.yield_(0).unwrap_or(1)).unwrap_or(9)
    });
    assert_eq!((&g).next(), Some(0));
    assert_eq!(g.send(Some(5)).unwrap_yielded(), 5);
    assert_eq!((&g).next(), None);
    assert_eq!(g.take_return(), Some(9));
}

#[test]
fn one_generator_can_be_driven_from_several_places() {
    let g = Rc::new(Generator::new(|y: &Yielder<(), _>| {
        for n in 0.. {
            y.yield_(n);
        }
    }));
    let other = g.clone();
    assert_eq!((&*g).next(), Some(0));
    assert_eq!((&*other).next(), Some(1));
    assert_eq!((&*g).next(), Some(2));
}

#[test]
fn generators_nest_and_each_yields_to_its_own_driver() {
    let outer = Generator::new(|y: &Yielder<(), _>| {
        let inner = Generator::new(|y: &Yielder<(), _>| y.yield_all(0..3));
        for n in &inner {
            y.yield_(n * 10);
        }
    });
    assert!(outer.eq([0, 10, 20]));
}

#[test]
fn a_moved_generator_goes_on_where_it_stood() {
    let g = Generator::new(|y: &Yielder<(), _>| y.yield_all(0..4));
    let mut first = Some(g);
    assert_eq!(first.as_mut().unwrap().next(), Some(0));
    let mut boxed = Box::new(first.take().unwrap());
    assert_eq!(boxed.next(), Some(1));
    let mut others = [
        *boxed,
        Generator::new(|y: &Yielder<(), _>| y.yield_all(10..12)),
    ];
    others.swap(0, 1);
    assert_eq!(others[1].next(), Some(2));
    assert_eq!(others[0].next(), Some(10));
}

#[test]
fn yield_from_passes_sends_throws_and_the_return_value() {
    let outer = Generator::new(|y| {
        let inner = Generator::new(|y| {
            let sent = y.yield_("first");
            match y.yield_caught("second") {
                Ok(_) => 0,
                Err(raised) => sent + raised.downcast::<i32>().unwrap(),
            }
        });
        let ret = y.yield_from(&inner);
        assert!(inner.is_finished());
        ret + y.yield_("own")
    });
    assert_eq!(outer.start().unwrap_yielded(), "first");
    assert_eq!(outer.send(1).unwrap_yielded(), "second");
    assert_eq!(outer.throw(10).unwrap_yielded(), "own");
    assert_eq!(outer.send(100).complete(), Some(111));
}

#[test]
fn what_the_inner_generator_does_not_catch_is_raised_in_the_outer() {
    let outer = Generator::new(|y| {
        let inner: Generator<(), (), ()> = Generator::new(|y| y.yield_(()));
        let payload = catch_unwind(AssertUnwindSafe(|| y.yield_from(&inner))).unwrap_err();
        assert!(inner.is_finished());
        payload
            .downcast::<Raised>()
            .unwrap()
            .downcast::<u8>()
            .unwrap()
    });
    outer.start();
    assert_eq!(outer.throw(7_u8).complete(), Some(7));
    let through: Generator<(), (), ()> = Generator::new(|y| {
        y.yield_from(&Generator::new(|y| y.yield_(())));
    });
    through.start();
    assert_eq!(through.try_throw("through both"), Err("through both"));
}

#[test]
fn l14_closing_goes_innermost_first_through_delegation() {
    let log = Log::default();
    let body = log.clone();
    let outer = Generator::new(move |y| -> () {
        let _outer = body.on_drop("outer");
        let log = body.clone();
        let inner = Generator::new(move |y: &Yielder<(), ()>| {
            let _inner = log.on_drop("inner");
            y.yield_(());
        });
        y.yield_from(&inner);
    });
    outer.start();
    assert_eq!(outer.close(), None);
    assert_eq!(log.lines(), ["inner", "outer"]);
}

#[test]
fn a_panic_of_the_inner_body_comes_out_of_yield_from() {
    let outer = Generator::new(|y| {
        let inner: Generator<(), (), ()> = Generator::new(|_| panic_any(5_u8));
        let payload = catch_unwind(AssertUnwindSafe(|| y.yield_from(&inner))).unwrap_err();
        *payload.downcast::<u8>().unwrap()
    });
    assert_eq!(outer.start().complete(), Some(5));
}

#[test]
fn yield_from_wants_a_generator_that_is_not_started() {
    let outer = Generator::new(|y| {
        let inner: Generator<(), (), ()> = Generator::new(|y| y.yield_(()));
        inner.start();
        panic_text(|| y.yield_from(&inner))
    });
    assert_eq!(
        outer.start().complete().unwrap(),
        "cannot start a generator that has been started already"
    );
}

#[test]
fn yield_all_drops_what_is_sent() {
    let counted = Counted::new();
    let g = Generator::new(|y| y.yield_all(["a", "b"]));
    assert_eq!(g.start().unwrap_yielded(), "a");
    assert_eq!(g.send(counted.clone()).unwrap_yielded(), "b");
    assert_eq!(counted.alive(), 1);
    assert_eq!(g.send(counted.clone()).complete(), Some(()));
    assert_eq!(counted.alive(), 1);
}

#[test]
fn a_builder_refuses_a_size_out_of_range_and_names_the_range() {
    let error = Builder::new()
        .stack_size(usize::MAX)
        .build(|y| y.yield_from(&Generator::new(|y| y.yield_(()))));
    let error = error
        .map(|g: Generator<(), (), ()>| g.is_finished())
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(
        error.to_string(),
        format!(
            "stack size {} is outside 16384..=1073741824 bytes",
            usize::MAX
        )
    );
}

#[test]
fn a_stack_size_of_zero_is_rounded_up() {
    let g = Builder::new()
        .stack_size(0)
        .build(|y: &Yielder<(), _>| y.yield_all(0..3))
        .unwrap();
    assert!(g.eq(0..3));
}

#[test]
fn a_bigger_stack_holds_deeper_recursion() {
    fn depth(left: u32) -> u64 {
        let page = std::hint::black_box([1_u8; 1024]);
        if left == 0 {
            0
        } else {
            depth(left - 1) + u64::from(page[17])
        }
    }
    let builder = Builder::new().stack_size(64 << 20);
    let g: Generator<(), (), u64> = builder.build(|_| depth(4000)).unwrap();
    assert_eq!(g.start().complete(), Some(4000));
}

#[test]
fn an_unstarted_generator_with_its_stack_is_dropped_with_both() {
    let counted = Counted::new();
    let body = counted.clone();
    let g: Generator<(), (), ()> = Builder::new().build(move |_| drop(body)).unwrap();
    drop(g);
    assert_eq!(counted.alive(), 1);
}

#[test]
fn a_scoped_generator_borrows_and_is_closed_when_the_scope_ends() {
    let log = Log::default();
    let numbers = [1, 2, 3];
    let first = generator::scope(
        |y| {
            let _closed = log.on_drop("closed");
            numbers.iter().for_each(|n| y.yield_(n));
        },
        |g| (&*g).next().copied(),
    );
    log.say("after");
    assert_eq!(first, Some(1));
    assert_eq!(log.lines(), ["closed", "after"]);
}

#[test]
fn a_scope_closes_its_generator_when_the_callback_panics() {
    let log = Log::default();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        generator::scope(
            |y| {
                let _closed = log.on_drop("closed");
                y.yield_(());
            },
            |g: &Generator<(), (), ()>| {
                g.start();
                panic_any("callback")
            },
        )
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "callback");
    assert_eq!(log.lines(), ["closed"]);
}

#[test]
fn a_panic_while_a_scope_closes_its_generator_comes_out_of_the_scope() {
    let payload = catch_unwind(AssertUnwindSafe(|| {
        generator::scope(
            |y| {
                let _ = y.yield_caught(());
                panic_any("closing")
            },
            |g: &Generator<(), (), ()>| _ = g.start(),
        )
    }))
    .unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "closing");
}

#[test]
fn a_generator_works_on_every_os_thread_and_its_stacks_go_with_it() {
    for _ in 0..20 {
        let sum = std::thread::spawn(|| {
            let many: Vec<_> = (0..50)
                .map(|n| Generator::new(move |y: &Yielder<(), _>| y.yield_all(n..n + 3)))
                .collect();
            many.iter().map(|g| g.take(2).sum::<u32>()).sum::<u32>()
        });
        assert_eq!(sum.join().unwrap(), 2500);
    }
}

#[test]
fn a_generator_kept_in_a_thread_local_is_closed_at_the_threads_exit() {
    thread_local! {
        static KEPT: RefCell<Option<Generator<(), (), ()>>> = const { RefCell::new(None) };
    }
    let (said, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        KEPT.with(|_| ());
        let g: Generator<(), (), ()> = Generator::new(move |y| {
            let _ = y.yield_caught(());
            said.send("closed").unwrap();
        });
        g.start();
        KEPT.set(Some(g));
    })
    .join()
    .unwrap();
    assert_eq!(hears.recv(), Ok("closed"));
}

#[test]
fn driving_from_ever_other_places_keeps_the_chain_right() {
    let shared = Rc::new(Generator::new(|y: &Yielder<(), u32>| {
        y.yield_all(0..100);
    }));
    let stage = |shared: &Rc<Generator<(), u32, ()>>| {
        let shared = shared.clone();
        Generator::new(move |y: &Yielder<(), u32>| {
            for n in &*shared {
                y.yield_(n);
            }
        })
    };
    let (left, right) = (stage(&shared), stage(&shared));
    let mut seen = Vec::new();
    for round in 0..10 {
        seen.extend((&left).next());
        seen.extend((&*shared).next());
        seen.extend((&right).next());
        if round % 3 == 0 {
            seen.extend(stage(&shared).next());
        }
    }
    drop(left);
    seen.extend((&right).next());
    drop(right);
    seen.extend((&*shared).next());
    assert!(seen.iter().copied().eq(0..36), "{seen:?}");
}
