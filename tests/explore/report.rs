//! What a failure is, what is told of it, and what is misuse.

use std::cell::Cell;

use greenthread::explore::{explore, replay, search, search_with};
use greenthread::{Builder, park, run, scope, spawn, yield_now};

use super::support::{child, panic_text};

/// Fails where the second is the first to begin.
fn wants_order() {
    let next = Cell::new(1);
    scope(|s| {
        for number in 1..=2 {
            let next = &next;
            s.spawn(move || {
                assert_eq!(next.replace(number + 1), number, "out of order");
            });
        }
    });
}

#[test]
fn a_failure_tells_its_seed_and_draws_its_schedule() {
    let failure = search(100, |_| wants_order()).unwrap_err();
    let told = failure.to_string();
    let seed = failure.seed();
    assert!(
        told.contains(&format!("of seed {seed}, failed: ")),
        "{told}"
    );
    assert!(told.contains("out of order"), "{told}");
    assert!(told.contains("┃"), "{told}");
    let test = "report::a_failure_tells_its_seed_and_draws_its_schedule";
    let command = format!("GREENTHREAD_SEED={seed} cargo test {test}");
    let alone = std::thread::current().name() != Some(test);
    assert!(alone || told.ends_with(&command), "{told}");
}

#[test]
fn a_long_schedule_is_cut_to_its_last_rows() {
    let failure = search(1, |_| {
        let many = [(); 200].map(|()| spawn(|| ()));
        for green_thread in many {
            green_thread.join().unwrap();
        }
        panic!("at the end");
    });
    let told = failure.unwrap_err().to_string();
    assert!(told.contains("rows are left out"), "{told}");
    assert!(told.lines().count() < 80, "{told}");
}

#[test]
fn the_panic_of_one_whom_nobody_joins_is_a_failure() {
    let failure = search(1, |_| {
        let builder = Builder::new().name("lonely".into());
        drop(builder.spawn(|| panic!("nobody sees it")).unwrap());
        yield_now();
        yield_now();
    });
    let failure = failure.unwrap_err();
    let told = failure.message();
    assert!(told.contains("\"lonely\""), "{told}");
    assert!(told.contains("nobody sees it"), "{told}");
}

#[test]
fn l8_a_deadlock_is_a_failure_and_its_ids_are_explained() {
    let failure = search(1, |_| spawn(park).join().unwrap()).unwrap_err();
    assert!(failure.message().contains("deadlock"), "{failure}");
    // Also where the process is aborted, and nobody else can tell.
    assert!(failure.message().contains("seed 0"), "{failure}");
    assert!(
        failure.to_string().contains("#1 is green thread "),
        "{failure}"
    );
}

#[test]
fn a_failure_that_does_not_come_again_is_called_that() {
    let calls = Cell::new(0);
    let failure = search(10, |_| {
        calls.set(calls.get() + 1);
        assert_ne!(calls.get(), 3, "the third");
    });
    let failure = failure.unwrap_err();
    assert_eq!(failure.seed(), 2);
    assert!(!failure.is_repeatable());
    assert!(failure.message().contains("the third"));
    assert!(
        failure.to_string().contains("did not fail a second time"),
        "{failure}"
    );
}

#[test]
fn the_panic_goes_on_with_its_own_payload() {
    let payload = std::panic::catch_unwind(|| explore(3, |_| std::panic::panic_any(17_u8)));
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&17_u8));
}

#[test]
fn what_is_left_behind_has_ended_before_the_next_schedule() {
    let alive = Cell::new(0);
    struct Alive<'a>(&'a Cell<u32>);
    impl Drop for Alive<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    explore(10, |_| {
        assert_eq!(alive.get(), 0);
        scope(|s| {
            let child = s.spawn(|| {
                alive.set(alive.get() + 1);
                let _alive = Alive(&alive);
                park();
            });
            drop(spawn(park));
            yield_now();
            child.cancel();
        });
    });
    assert_eq!(alive.get(), 0);
}

#[test]
fn no_schedule_at_all_is_misuse() {
    assert!(panic_text(|| explore(0, |_| ())).contains("explore(0)"));
    assert!(panic_text(|| search(0, |_| ())).contains("search(0)"));
}

#[test]
fn a_search_inside_a_run_or_a_green_thread_is_misuse() {
    assert!(panic_text(|| run(|| explore(1, |_| ()))).contains("nested"));
    let inside = || spawn(|| panic_text(|| explore(1, |_| ()))).join().unwrap();
    assert!(inside().contains("on a green thread"), "{}", inside());
    // Nothing of that lasts.
    assert!(replay(1, |_| ()).is_ok());
}

#[test]
fn who_asks_is_told_of_each_schedule_that_did_not_fail() {
    let mut told = Vec::new();
    search_with(4, |_| (), |run| told.push(run)).unwrap();
    assert_eq!(told, [1, 2, 3, 4]);
    let mut told = Vec::new();
    let failure = search_with(9, |seed| assert!(seed < 2), |run| told.push(run));
    assert_eq!((failure.unwrap_err().seed(), told), (2, vec![1, 2]));
}

/// The seeds that an explorer asks for when the environment says `told`.
fn seeds_told(test: &str, told: &str) -> String {
    let ended = child::run_with(test, &[("GREENTHREAD_SEED", told)], || {
        explore(3, |seed| eprintln!("seed {seed}"));
    });
    ended.stderr()
}

#[test]
fn the_environment_names_the_seed_to_be_tried() {
    let test = "report::the_environment_names_the_seed_to_be_tried";
    let told = seeds_told(test, "17");
    assert!(told.contains("seed 17"), "{told}");
    assert_eq!(told.matches("seed ").count(), 1, "{told}");
}

#[test]
fn the_environment_names_a_range_of_seeds() {
    let told = seeds_told("report::the_environment_names_a_range_of_seeds", "5..7");
    assert!(told.contains("seed 5") && told.contains("seed 6"), "{told}");
    assert_eq!(told.matches("seed ").count(), 2, "{told}");
}

#[test]
fn what_is_no_seed_in_the_environment_is_told() {
    let told = seeds_told(
        "report::what_is_no_seed_in_the_environment_is_told",
        "seventeen",
    );
    assert!(told.contains("GREENTHREAD_SEED=seventeen"), "{told}");
}

#[test]
fn a_failure_is_told_to_stderr() {
    let ended = child::run("report::a_failure_is_told_to_stderr", || {
        explore(100, |_| wants_order());
    });
    assert!(!ended.succeeded());
    let told = ended.stderr();
    assert!(told.contains("GREENTHREAD_SEED="), "{told}");
}
