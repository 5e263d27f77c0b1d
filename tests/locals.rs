//! `green_local!`: whose value it is, how long it lives, and who inherits it.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use greenthread::blocking::Pool;
use greenthread::{
    Builder, JoinHandle, Spawner, current, green_local, park, run, scope, spawn, spawn_blocking,
    try_scope, yield_now,
};
use support::{Counted, Log, panic_text};

green_local! {
    /// Counts calls.
    static COUNT: Cell<u32> = const { Cell::new(10) };

    static NOTES: RefCell<Vec<&'static str>> = RefCell::default();

    #[inherit]
    static USER: String = String::from("nobody");

    #[allow(dead_code, reason = "attributes stay whatever their order")]
    #[inherit]
    /// As seen by other modules.
    pub(crate) static DEPTH: u32 = 0
}

fn count() -> u32 {
    COUNT.with(|count| {
        count.set(count.get() + 1);
        count.get()
    })
}

#[test]
#[apply(on_workers)]
fn every_green_thread_and_the_root_have_their_own() {
    let workers: Vec<JoinHandle<_>> = (0..3)
        .map(|_| {
            spawn(|| {
                count();
                yield_now();
                count()
            })
        })
        .collect();
    assert_eq!(count(), 11);
    for worker in workers {
        assert_eq!(worker.join().unwrap(), 12);
    }
    assert_eq!(count(), 12);
    assert_eq!(std::thread::spawn(count).join().unwrap(), 11);
}

#[test]
#[apply(once)]
fn the_first_use_makes_the_value_and_no_other_does() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    green_local! {
        static VALUE: usize = MADE.fetch_add(1, Ordering::Relaxed);
    }
    spawn(|| ()).join().unwrap();
    assert_eq!(MADE.load(Ordering::Relaxed), 0);
    spawn(|| assert_eq!((VALUE.get(), VALUE.get()), (0, 0)))
        .join()
        .unwrap();
    VALUE.set(7);
    assert_eq!(VALUE.get(), 7);
    assert_eq!(MADE.load(Ordering::Relaxed), 1);
}

#[test]
#[apply(on_workers)]
fn what_the_first_use_sets_itself_stands() {
    green_local! {
        static VALUE: u32 = {
            VALUE.set(1);
            2
        };
    }
    assert_eq!(VALUE.get(), 1);
}

#[test]
#[apply(on_workers)]
fn scope_puts_back_what_was_there_however_it_is_left() {
    green_local! { static VALUE: u32 = 0; }
    let inside = VALUE.scope(1, || {
        VALUE.set(5);
        let panicked = panic_text(|| VALUE.scope(2, || panic!("at {}", VALUE.get())));
        (panicked, VALUE.get())
    });
    assert_eq!(inside, (String::from("at 2"), 5));
    assert_eq!(VALUE.get(), 0);
}

#[test]
#[apply(on_workers)]
fn a_value_lives_as_long_as_somebody_reads_it() {
    green_local! { static VALUE: Option<Counted> = None; }
    let counted = Counted::new();
    VALUE.set(Some(counted.clone()));
    VALUE.with(|value| {
        VALUE.set(None);
        VALUE.with(|now| assert!(now.is_none()));
        assert_eq!(value.as_ref().unwrap().alive(), 2);
    });
    assert_eq!(counted.alive(), 1);
}

#[test]
#[apply(on_workers)]
fn a_reader_may_wait() {
    let reader = spawn(|| {
        NOTES.with(|notes| {
            notes.borrow_mut().push("before");
            park();
            NOTES.with(|same| same.borrow_mut().push("after"));
            notes.borrow().clone()
        })
    });
    yield_now();
    NOTES.with(|notes| assert!(notes.borrow().is_empty()));
    reader.thread().unpark();
    assert_eq!(reader.join().unwrap(), ["before", "after"]);
}

/// Says in which green thread it is dropped, waits there, and says it again.
struct Leaves(Log);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.say(name_of_current());
        yield_now();
        self.0.say("dropped");
    }
}

fn name_of_current() -> &'static str {
    match current().name() {
        Some("owner") => "in the owner",
        _ => "elsewhere",
    }
}

#[test]
#[apply(on_workers)]
fn l18_values_are_dropped_on_the_green_threads_own_stack_before_its_handle_reads_finished() {
    green_local! { static VALUE: Option<Leaves> = None; }
    let log = Log::default();
    let mine = log.clone();
    let owner = Builder::new().name("owner".into());
    let owner = owner.spawn(move || VALUE.set(Some(Leaves(mine)))).unwrap();
    yield_now();
    assert_eq!(log.lines(), ["in the owner"]);
    assert!(!owner.is_finished());
    owner.join().unwrap();
    assert_eq!(log.lines(), ["in the owner", "dropped"]);
}

#[test]
#[apply(on_workers)]
fn values_are_dropped_although_their_green_thread_is_cancelled_or_panics() {
    green_local! { static VALUE: Option<Leaves> = None; }
    for how_it_ends in [park, || panic!("expected")] {
        let log = Log::default();
        let mine = log.clone();
        let owner = spawn(move || {
            VALUE.set(Some(Leaves(mine)));
            how_it_ends();
        });
        yield_now();
        owner.cancel();
        assert!(owner.join().is_err());
        assert_eq!(log.lines(), ["elsewhere", "dropped"]);
    }
}

#[test]
#[apply(on_workers)]
fn values_are_dropped_newest_first_and_a_destructor_may_use_older_ones() {
    struct Reads(Log);
    impl Drop for Reads {
        fn drop(&mut self) {
            assert_eq!(FIRST.get(), "set");
            self.0.say("second, while the first is there");
        }
    }
    type Said = RefCell<Option<Box<dyn std::any::Any>>>;
    green_local! {
        static FIRST: &'static str = "unset";
        static ZEROTH: Said = RefCell::default();
        static SECOND: Option<Reads> = None;
    }
    let log = Log::default();
    let mine = log.clone();
    let owner = spawn(move || {
        ZEROTH.set(RefCell::new(Some(Box::new(mine.on_drop("first")))));
        FIRST.set("set");
        SECOND.set(Some(Reads(mine)));
    });
    owner.join().unwrap();
    assert_eq!(log.lines(), ["second, while the first is there", "first"]);
}

#[test]
#[apply(on_workers)]
fn a_destructor_that_makes_its_value_anew_for_ever_is_left_alone_in_the_end() {
    struct Again;
    impl Drop for Again {
        fn drop(&mut self) {
            VALUE.with(|_| ());
        }
    }
    green_local! { static VALUE: Again = Again; }
    spawn(|| VALUE.with(|_| ())).join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_destructor_that_panics_harms_neither_the_others_nor_the_result() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("a destructor that panics, as this test expects");
        }
    }
    green_local! {
        static BELOW: Option<Counted> = None;
        static VALUE: Option<Bad> = None;
    }
    let counted = Counted::new();
    let mine = counted.clone();
    let owner = spawn(move || {
        BELOW.set(Some(mine));
        VALUE.set(Some(Bad));
        3
    });
    assert_eq!(owner.join().unwrap(), 3);
    assert_eq!(counted.alive(), 1);
}

#[test]
#[apply(on_roots)]
fn every_form_of_spawn_copies_what_is_inherited() {
    run(|| {
        USER.set("alice".into());
        let seen = || USER.get();
        assert_eq!(spawn(seen).join().unwrap(), "alice");
        let built = Builder::new().spawn(seen).unwrap();
        assert_eq!(built.join().unwrap(), "alice");
        assert_eq!(scope(|s| s.spawn(seen).join().unwrap()), "alice");
        let tried = try_scope(|s| {
            let child = s.spawn(|| Ok::<_, ()>(USER.get()));
            Ok(child.join())
        });
        assert_eq!(tried.unwrap().unwrap(), "alice");
        assert_eq!(Spawner::current().spawn(seen).join().unwrap(), "alice");
        assert_eq!(spawn_blocking(seen).join().unwrap(), "alice");
        assert_eq!(Pool::new(1).spawn(seen).join().unwrap(), "alice");
        let nested = spawn(|| spawn(|| USER.get()).join().unwrap());
        assert_eq!(nested.join().unwrap(), "alice");
    });
}

#[test]
#[apply(on_roots)]
fn a_spawner_copies_from_who_spawns_not_from_where_it_runs() {
    run(|| {
        USER.set("here".into());
        let here = Spawner::current();
        let there = std::thread::spawn(move || {
            USER.set("there".into());
            here.spawn(|| USER.get())
        });
        assert_eq!(there.join().unwrap().join().unwrap(), "there");
        assert_eq!(USER.get(), "here");
    });
}

#[test]
#[apply(on_roots)]
fn a_copy_is_taken_at_the_spawn_and_neither_side_sees_the_other_after() {
    run(|| {
        USER.set("first".into());
        let child = spawn(|| {
            let begins = USER.get();
            USER.set("child".into());
            yield_now();
            (begins, USER.get())
        });
        USER.set("second".into());
        let pair = child.join().unwrap();
        assert_eq!(pair, ("first".into(), "child".into()));
        assert_eq!(USER.get(), "second");
    });
}

#[test]
#[apply(on_roots)]
fn what_is_not_marked_is_not_inherited_and_what_was_never_used_is_made_anew() {
    run(|| {
        count();
        assert_eq!(spawn(count).join().unwrap(), 11);
        assert_eq!(spawn(|| USER.get()).join().unwrap(), "nobody");
    });
}

green_local! {
    #[inherit]
    static TOKEN: Option<Arc<()>> = None;
}

#[test]
#[apply(on_roots)]
fn copies_go_with_their_green_thread_even_if_it_never_runs() {
    run(|| {
        let token = Arc::new(());
        TOKEN.set(Some(Arc::clone(&token)));
        let before = Arc::strong_count(&token);
        let never = spawn(|| ());
        let unrun = spawn_blocking_behind_another();
        assert!(Arc::strong_count(&token) > before);
        assert!(never.cancel());
        assert!(never.join().unwrap_err().is_cancelled());
        assert!(unrun.cancel());
        assert!(unrun.join().unwrap_err().is_cancelled());
        spawn(|| ()).join().unwrap();
        spawn_blocking(|| TOKEN.with(Option::is_some))
            .join()
            .unwrap();
        assert_eq!(Arc::strong_count(&token), before);
    });
}

/// A job that does not begin, because the pool's one OS thread has something else to do until the handle is dropped.
fn spawn_blocking_behind_another() -> JoinHandle<()> {
    let pool = Pool::new(1);
    let (begins, begun) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    drop(pool.spawn(move || {
        begins.send(()).unwrap();
        ends.recv().unwrap_err()
    }));
    begun.recv().unwrap();
    let unrun = pool.spawn(|| ());
    unrun.on_finish(move |_| drop((end, pool)));
    unrun
}

#[test]
#[apply(on_workers)]
fn a_job_has_values_of_its_own_and_leaves_none_to_the_next() {
    let pool = Pool::new(1);
    assert_eq!(pool.spawn(|| (count(), count())).join().unwrap(), (11, 12));
    assert_eq!(pool.spawn(count).join().unwrap(), 11);
}

#[test]
#[apply(on_roots)]
fn the_root_begins_fresh_in_run_and_drops_its_values_at_the_end() {
    green_local! { static VALUE: Option<Leaves> = None; }
    USER.set("outside".into());
    let log = Log::default();
    run(|| {
        assert_eq!(USER.get(), "nobody");
        USER.set("inside".into());
        VALUE.set(Some(Leaves(log.clone())));
    });
    assert_eq!(log.lines(), ["elsewhere", "dropped"]);
    assert_eq!(USER.get(), "outside");
    assert_eq!(DEPTH.get(), 0);
}

#[test]
#[apply(on_roots)]
fn values_of_the_root_outlive_the_green_threads_that_run_leaves_behind() {
    green_local! { static VALUE: Option<Counted> = None; }
    let counted = Counted::new();
    run(|| {
        VALUE.set(Some(counted.clone()));
        let seen = counted.clone();
        drop(spawn(move || {
            let _at_end = OnEnd(move || assert_eq!(seen.alive(), 3));
            park();
        }));
        yield_now();
    });
    assert_eq!(counted.alive(), 1);
}

/// Calls a function when it is dropped.
struct OnEnd<F: Fn()>(F);

impl<F: Fn()> Drop for OnEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
