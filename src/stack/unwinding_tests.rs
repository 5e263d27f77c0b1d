//! The exact answer, on real frames. These fail when a toolchain writes its exception tables in another way.

#![expect(unsafe_code, reason = "marks a stack as a base by hand")]

use std::cell::Cell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};

use super::*;
use crate::generator::{Generator, Yielder};

/// Both answers of the frames, without the short cut by the count: (chain, own stack).
fn by_frames() -> (bool, bool) {
    let chain = frames::any_forbids_panic(Reach::Chain);
    (chain, frames::any_forbids_panic(Reach::OwnStack))
}

/// Calls its closure when dropped.
struct Last<F: FnMut()>(F);

impl<F: FnMut()> Drop for Last<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What `ask` answers in a destructor that an unwind runs.
fn in_an_unwind<T: Copy>(ask: impl Fn() -> T) -> T {
    let answer = Cell::new(None);
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _last = Last(|| answer.set(Some(ask())));
        resume_unwind(Box::new("on the way"));
    }));
    answer.get().unwrap()
}

/// Leaves a generator suspended in the middle of an unwind of its own stack, runs `f`, and then lets it end.
fn beside_a_parked_unwind<T>(f: impl FnOnce() -> T) -> T {
    let parked: Generator<(), (), ()> = Generator::new(|y: &Yielder<(), ()>| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _last = Last(|| y.yield_(()));
            panic_any("parked");
        }));
    });
    parked.start();
    assert!(thread::panicking());
    assert_eq!(chain::parked_unwinding(), 1);
    let value = f();
    parked.send(()).complete().unwrap();
    assert_eq!(chain::parked_unwinding(), 0);
    assert!(!thread::panicking());
    value
}

#[test]
fn plain_code_is_not_unwinding() {
    assert_eq!(by_frames(), (false, false));
    assert!(!chain_is_unwinding());
    assert!(!own_stack_is_unwinding());
}

#[test]
fn a_destructor_is_unwinding_only_when_an_unwind_runs_it() {
    let plain = Cell::new((true, true));
    drop(Last(|| plain.set(by_frames())));
    assert_eq!(plain.get(), (false, false));
    assert_eq!(in_an_unwind(by_frames), (true, true));
    assert!(in_an_unwind(chain_is_unwinding));
    assert!(in_an_unwind(own_stack_is_unwinding));
}

#[test]
fn a_destructor_deep_below_is_seen_from_deep_inside() {
    fn deep(left: u32, ask: &dyn Fn() -> (bool, bool)) -> (bool, bool) {
        let _has_cleanup = black_box(vec![left]);
        if left == 0 {
            ask()
        } else {
            deep(left - 1, ask)
        }
    }
    assert_eq!(deep(20, &by_frames), (false, false));
    assert_eq!(in_an_unwind(|| deep(20, &by_frames)), (true, true));
}

#[test]
fn a_catch_inside_a_destructor_does_not_hide_the_unwind_around_it() {
    let inside = || catch_unwind(by_frames).unwrap();
    assert_eq!(inside(), (false, false));
    assert_eq!(in_an_unwind(inside), (true, true));
}

#[test]
fn an_unwind_that_was_caught_is_over() {
    let _ = catch_unwind(|| resume_unwind(Box::new(1)));
    assert_eq!(by_frames(), (false, false));
    let after = || {
        let _ = catch_unwind(|| resume_unwind(Box::new(1)));
        by_frames()
    };
    assert_eq!(in_an_unwind(after), (true, true));
}

#[test]
fn a_value_dropped_in_a_field_of_a_local_counts_too() {
    let answer = std::rc::Rc::new(Cell::new((false, false)));
    let seen = answer.clone();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _holder = Box::new((1, Some(Last(move || seen.set(by_frames())))));
        panic_any("on the way");
    }));
    assert_eq!(answer.get(), (true, true));
}

#[test]
fn a_generator_driven_in_an_unwind_is_in_the_chain_but_its_own_stack_is_not_unwinding() {
    let answer = in_an_unwind(|| {
        let g: Generator<(), (), _> = Generator::new(|_| {
            let exact = by_frames();
            assert_eq!((chain_is_unwinding(), own_stack_is_unwinding()), exact);
            exact
        });
        g.start().complete().unwrap()
    });
    assert_eq!(answer, (true, false));
}

#[test]
fn l10_an_unwind_parked_on_another_stack_is_not_ours() {
    let (exact, chain, own) =
        beside_a_parked_unwind(|| (by_frames(), chain_is_unwinding(), own_stack_is_unwinding()));
    assert_eq!(exact, (false, false));
    assert!(!chain && !own);
}

#[test]
fn l10_an_unwind_of_ours_is_seen_beside_a_parked_one() {
    assert!(beside_a_parked_unwind(|| in_an_unwind(chain_is_unwinding)));
}

#[test]
fn l10_a_generator_beside_a_parked_unwind_is_not_unwinding() {
    let answers = beside_a_parked_unwind(|| {
        let g: Generator<(), (), _> =
            Generator::new(|_| (chain_is_unwinding(), in_an_unwind(own_stack_is_unwinding)));
        g.start().complete().unwrap()
    });
    assert_eq!(answers, (false, true));
}

#[test]
fn the_walk_ends_at_a_green_threads_base() {
    let answers = in_an_unwind(|| {
        let g: Generator<(), (), _> = Generator::new(|_| {
            // SAFETY: the running stack's link is alive.
            let base = unsafe { &*chain::running() };
            base.set_owner(std::ptr::dangling());
            let exact = by_frames();
            base.set_owner(std::ptr::null());
            exact
        });
        g.start().complete().unwrap()
    });
    assert_eq!(answers, (false, false));
}

#[test]
fn a_root_with_a_link_is_walked_to_its_end() {
    thread::spawn(|| {
        let root = chain::Link::new(0..0);
        root.set_owner(std::ptr::dangling());
        // SAFETY: taken away again below.
        unsafe { chain::adopt_root(&root) };
        assert_eq!(by_frames(), (false, false));
        assert_eq!(in_an_unwind(by_frames), (true, true));
        let inside = || {
            let g: Generator<(), (), _> = Generator::new(|_| by_frames());
            g.start().complete().unwrap()
        };
        assert_eq!(in_an_unwind(inside), (true, false));
        // SAFETY: null.
        unsafe { chain::adopt_root(std::ptr::null()) };
    })
    .join()
    .unwrap();
}
