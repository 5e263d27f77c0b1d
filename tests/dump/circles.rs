//! Who waits for whom, spelled out (L8).

use std::cell::RefCell;
use std::rc::Rc;

use greenthread::sync::{Mutex, ReentrantMutex, RwLock};
use greenthread::{Builder, JoinHandle, Runtime, dump, gather, park, run, scope, spawn, yield_now};

use crate::support::panic_text;

/// The report of the deadlock that `f` runs into.
fn report(f: impl FnOnce()) -> String {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    let text = panic_text(|| runtime.run(f));
    assert!(text.contains("deadlock"), "{text}");
    text
}

fn named(name: &str, f: impl FnOnce() + 'static) -> JoinHandle<()> {
    Builder::new().name(name.into()).spawn(f).unwrap()
}

#[track_caller]
fn says(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in\n{text}");
}

/// Locks one after the other, with a turn of the others between.
fn takes(first: Rc<Mutex<()>>, second: Rc<Mutex<()>>) -> impl FnOnce() {
    move || {
        let _first = first.lock();
        yield_now();
        let _second = second.lock();
    }
}

#[test]
#[apply(once)]
fn l8_two_locks_in_opposite_order_are_a_circle_of_two() {
    let text = report(|| {
        let [one, two] = [0, 1].map(|_| Rc::new(Mutex::new(())));
        let a = named("a", takes(Rc::clone(&one), Rc::clone(&two)));
        let _b = named("b", takes(two, one));
        let _ = a.join();
    });
    says(&text, "a circle: green thread ");
    says(&text, "\"a\" waits in Mutex::lock at 0x");
    says(&text, "\"b\"; green thread");
    says(&text, ", held by green thread");
    assert_eq!(text.matches("a circle").count(), 1, "{text}");
}

#[test]
#[apply(once)]
fn l8_three_locks_round_are_a_circle_of_three() {
    let text = report(|| {
        let locks = [0, 1, 2].map(|_| Rc::new(Mutex::new(())));
        let of = |place: usize| Rc::clone(&locks[place % 3]);
        let names = ["a", "b", "c"];
        let all: Vec<_> = (0..3)
            .map(|n| named(names[n], takes(of(n), of(n + 1))))
            .collect();
        let _ = gather(all);
    });
    let circle = text.lines().find(|line| line.contains("a circle")).unwrap();
    assert_eq!(circle.matches("held by").count(), 3, "{text}");
}

#[test]
#[apply(once)]
fn l8_a_lock_and_a_join_are_a_circle() {
    let text = report(|| {
        let lock = Rc::new(Mutex::new(()));
        let wants = Rc::clone(&lock);
        let holder = named("holder", move || {
            let _held = lock.lock();
            let joined = named("joined", move || drop(wants.lock()));
            joined.join().unwrap();
        });
        let _ = holder.join();
    });
    let circle = text.lines().find(|line| line.contains("a circle")).unwrap();
    says(
        circle,
        "\"holder\" waits in JoinHandle::join for green thread",
    );
    says(circle, "\"joined\" waits in Mutex::lock at 0x");
}

#[test]
#[apply(once)]
fn l8_two_that_join_each_other_are_a_circle() {
    let text = report(|| {
        let slot = Rc::new(RefCell::new(None::<JoinHandle<()>>));
        let other = Rc::clone(&slot);
        let first = named("first", move || {
            yield_now();
            let other = other.borrow_mut().take().unwrap();
            other.join().unwrap();
        });
        *slot.borrow_mut() = Some(named("second", move || first.join().unwrap()));
        park();
    });
    says(
        &text,
        "\"first\" waits in JoinHandle::join for green thread",
    );
    says(
        &text,
        "\"second\" waits in JoinHandle::join for green thread",
    );
    says(&text, "a circle");
}

#[test]
#[apply(once)]
fn l8_a_lock_taken_twice_is_a_circle_of_one() {
    let text = report(|| {
        let twice = named("twice", || {
            let lock = Mutex::new(());
            let _once = lock.lock();
            let _twice = lock.lock();
        });
        let _ = twice.join();
    });
    says(&text, "held by itself");
    // On the root too.
    let text = report(|| {
        let lock = Mutex::new(());
        let _once = lock.lock();
        drop(lock.lock());
    });
    says(&text, "a circle: root");
    says(&text, "held by itself");
}

#[test]
#[apply(once)]
fn l8_a_scope_that_waits_for_a_child_that_wants_the_parents_lock_is_a_circle() {
    let text = report(|| {
        let parent = named("parent", || {
            let lock = Mutex::new(());
            let _held = lock.lock();
            scope(|s| {
                s.spawn(|| drop(lock.lock()));
            });
        });
        let _ = parent.join();
    });
    says(&text, "\"parent\" waits in end of scope for green thread");
    says(&text, "a circle");
}

#[test]
#[apply(once)]
fn l8_a_writer_that_reads_again_and_a_reentrant_lock_elsewhere_name_their_owners() {
    let text = report(|| {
        let lock = Rc::new(RwLock::new(()));
        let other = Rc::new(ReentrantMutex::new(()));
        let (lock2, other2) = (Rc::clone(&lock), Rc::clone(&other));
        let writer = named("writer", move || {
            let _written = lock.write();
            yield_now();
            drop(other.lock());
        });
        let _reader = named("reader", move || {
            let _other = other2.lock();
            yield_now();
            drop(lock2.read());
        });
        let _ = writer.join();
    });
    says(&text, "\"writer\" waits in ReentrantMutex::lock at 0x");
    says(&text, "\"reader\" waits in RwLock::read at 0x");
    says(&text, "a circle");
}

#[test]
#[apply(once)]
fn l8_one_that_gathers_those_who_wait_for_its_lock_is_in_the_circle() {
    let text = report(|| {
        let gathers = named("gathers", || {
            let lock = Rc::new(Mutex::new(()));
            let _held = lock.lock();
            let wants = [0, 1].map(|_| {
                let lock = Rc::clone(&lock);
                spawn(move || drop(lock.lock()))
            });
            let _ = gather(wants);
        });
        let _ = gathers.join();
    });
    says(&text, "\"gathers\" waits in gather for green thread");
    assert_eq!(text.matches("a circle").count(), 2, "{text}");
}

#[test]
#[apply(once)]
fn l8_without_known_owners_there_is_no_circle_in_the_report() {
    let text = report(|| {
        let _waits = spawn(park);
        park();
    });
    assert!(!text.contains("a circle"), "{text}");
}

#[test]
#[apply(once)]
fn a_lock_that_was_handed_over_belongs_to_the_one_who_got_it() {
    run(|| {
        let lock = Rc::new(Mutex::new(()));
        let keeps = |name: &str| {
            let lock = Rc::clone(&lock);
            named(name, move || {
                let _held = lock.lock();
                park();
            })
        };
        let (first, second, third) = (keeps("1"), keeps("2"), keeps("3"));
        yield_now();
        let holder = |of: &JoinHandle<()>| dump().get(of.thread().id()).unwrap().waits_for.clone();
        assert_eq!(holder(&third), [first.thread().id()]);
        first.thread().unpark();
        first.join().unwrap();
        assert_eq!(holder(&third), [second.thread().id()]);
        second.thread().unpark();
        second.join().unwrap();
        assert_eq!(holder(&third), []);
        third.thread().unpark();
        third.join().unwrap();
    });
}

#[test]
#[apply(once)]
fn a_dump_shows_a_circle_although_others_go_on() {
    run(|| {
        let [one, two] = [0, 1].map(|_| Rc::new(Mutex::new(())));
        let a = named("a", takes(Rc::clone(&one), Rc::clone(&two)));
        let b = named("b", takes(two, one));
        yield_now();
        yield_now();
        let dump = dump();
        assert_eq!(dump.circles, [[a.thread().id(), b.thread().id()]]);
        assert!(
            dump.to_string()
                .contains("a circle, each waits for the next:")
        );
        a.cancel();
        let _ = gather([a, b]);
    });
}
