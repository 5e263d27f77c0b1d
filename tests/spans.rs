//! The feature `tracing`: everybody is in the spans that he has entered, and in no others.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::rc::Rc;

use greenthread::generator::{Generator, Yielder};
use greenthread::sync::Event;
use greenthread::{catch_cancel, park, run, scope, spawn, yield_now};
use tracing::{Span, info_span, subscriber};
use tracing_subscriber::registry;

/// The innermost span that this OS thread is in.
fn current() -> Option<&'static str> {
    Span::current().metadata().map(|span| span.name())
}

/// Runs `f` with a subscriber that keeps spans.
fn traced(f: impl FnOnce()) {
    subscriber::with_default(registry(), || run(f));
}

#[test]
#[apply(once)]
fn two_interleaved_green_threads_each_see_their_own_span() {
    traced(|| {
        let in_span = |span: Span, name: &'static str| {
            spawn(move || {
                let _entered = span.enter();
                for _ in 0..10 {
                    assert_eq!(current(), Some(name));
                    yield_now();
                }
            })
        };
        let first = in_span(info_span!("first"), "first");
        let second = in_span(info_span!("second"), "second");
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(current(), None);
    });
}

#[test]
#[apply(once)]
fn the_root_is_in_its_span_again_after_a_wait() {
    traced(|| {
        let _outer = info_span!("outer").entered();
        let _inner = info_span!("inner").entered();
        let seen = spawn(current).join().unwrap();
        assert_eq!(seen, None);
        assert_eq!(current(), Some("inner"));
        drop(_inner);
        assert_eq!(current(), Some("outer"));
    });
}

#[test]
#[apply(once)]
fn spans_are_left_in_the_order_in_which_they_are_dropped() {
    traced(|| {
        let green = spawn(|| {
            let outer = info_span!("outer").entered();
            let inner = info_span!("inner").entered();
            yield_now();
            drop(outer);
            assert_eq!(current(), Some("inner"));
            yield_now();
            assert_eq!(current(), Some("inner"));
            drop(inner);
            assert_eq!(current(), None);
        });
        for _ in 0..3 {
            let _own = info_span!("own").entered();
            yield_now();
            assert_eq!(current(), Some("own"));
        }
        green.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_span_entered_twice_is_entered_twice_again() {
    traced(|| {
        let span = info_span!("twice");
        let (first, second) = (span.clone().entered(), span.entered());
        yield_now();
        drop(second);
        assert_eq!(current(), Some("twice"));
        drop(first);
        assert_eq!(current(), None);
    });
}

#[test]
#[apply(once)]
fn a_cancellation_leaves_the_spans_of_the_one_that_it_unwinds() {
    traced(|| {
        let event = Rc::new(Event::new());
        let own = Rc::clone(&event);
        let cancelled = spawn(move || {
            let _span = info_span!("cancelled").entered();
            let caught = catch_cancel(|| {
                let _deeper = info_span!("deeper").entered();
                park();
            });
            assert!(caught.is_err());
            assert_eq!(current(), Some("cancelled"));
            own.wait();
            assert_eq!(current(), Some("cancelled"));
        });
        yield_now();
        cancelled.cancel();
        yield_now();
        assert_eq!(current(), None);
        event.set();
        cancelled.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn what_a_green_thread_never_leaves_ends_with_it() {
    traced(|| {
        spawn(|| std::mem::forget(info_span!("for ever").entered()))
            .join()
            .unwrap();
        assert_eq!(current(), None);
        assert_eq!(spawn(current).join().unwrap(), None);
    });
}

#[test]
#[apply(once)]
fn a_wait_inside_a_generator_keeps_the_spans_of_whoever_drives_it() {
    traced(|| {
        scope(|s| {
            let driver = s.spawn(|| {
                let _driving = info_span!("driving").entered();
                let waits = Generator::new(|y: &Yielder<(), ()>| {
                    let _inside = info_span!("inside").entered();
                    yield_now();
                    assert_eq!(current(), Some("inside"));
                    drop(_inside);
                    y.yield_(());
                });
                waits.start();
                assert_eq!(current(), Some("driving"));
            });
            s.spawn(|| assert_eq!(current(), None));
            driver.join().unwrap();
        });
    });
}

#[test]
#[apply(once)]
fn without_a_subscriber_nothing_happens() {
    run(|| {
        let _span = info_span!("nobody sees it").entered();
        spawn(yield_now).join().unwrap();
        assert_eq!(current(), None);
    });
}
