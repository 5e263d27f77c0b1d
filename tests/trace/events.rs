//! What a recording holds: each kind of event, in its order and with its fields.

use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::{Generator, Yielder};
use greenthread::sync::{Event, Mutex};
use greenthread::trace::{self, Awaited, Ending, Recording, Waking, What};
use greenthread::{park, sleep, spawn, yield_now};

use crate::{named, record, story, turn};

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[apply(on_roots)]
fn a_life_is_told_from_its_spawn_to_its_end() {
    let timeline = record(|| {
        named("a", || {
            trace::mark("begun");
            yield_now();
        })
        .join()
        .unwrap();
    });
    assert_eq!(
        story(&timeline),
        [
            "root runs",
            "root spawns a",
            "root waits in JoinHandle::join",
            "a runs",
            "a says begun",
            "a yields",
            "a runs",
            "a wakes root from JoinHandle::join: Granted",
            "a ends: Returned",
            "root runs",
        ]
    );
}

#[test]
#[apply(on_workers)]
fn a_wait_says_what_it_waits_for() {
    let timeline = record(|| {
        let (lock, other) = (Rc::new(Mutex::new(())), Rc::new(Mutex::new(())));
        let held = (lock.lock(), other.lock());
        let waiters = [&lock, &other, &lock].map(|lock| {
            let lock = Rc::clone(lock);
            spawn(move || drop(lock.lock()))
        });
        yield_now();
        drop(held);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
    let waits = timeline.events().filter_map(|event| match event.what {
        What::Park { operation, on, .. } => Some((operation, on)),
        _ => None,
    });
    let locks: Vec<_> = waits
        .filter(|(operation, _)| *operation == "Mutex::lock")
        .map(|(_, on)| on.unwrap())
        .collect();
    let [first, second, third] = locks[..] else {
        panic!("{locks:?}")
    };
    assert_eq!(first, third);
    assert_ne!(first, second);
}

#[test]
#[apply(on_workers)]
fn a_join_names_the_green_thread_that_it_waits_for() {
    let timeline = record(|| named("a", || ()).join().unwrap());
    let spawned = timeline.events().find_map(|event| match event.what {
        What::Spawn { who } => Some(who),
        _ => None,
    });
    let joined = timeline.events().find_map(|event| match event.what {
        What::Park { on, .. } => on,
        _ => None,
    });
    assert_eq!(joined, Some(Awaited::GreenThread(spawned.unwrap())));
}

#[test]
#[apply(on_roots)]
fn a_timer_wakes_at_its_moment_and_is_nobody() {
    let timeline = record(|| named("a", || sleep(3 * SECOND)).join().unwrap());
    let woken = timeline.events().find_map(|event| match event.what {
        What::Wake {
            how: Waking::TimedOut,
            operation,
            ..
        } => Some((event.at, event.by, operation)),
        _ => None,
    });
    assert_eq!(woken, Some((3 * SECOND, None, "sleep")));
}

#[test]
#[apply(on_roots)]
fn a_cancellation_is_told_with_who_asked_and_how_it_ends() {
    let timeline = record(|| {
        let parked = named("a", park);
        yield_now();
        parked.cancel();
        assert!(parked.join().unwrap_err().is_cancelled());
    });
    assert_eq!(
        story(&timeline)[4..],
        [
            "a waits in park",
            "root runs",
            "root cancels a",
            "root wakes a from park: Interrupted",
            "root waits in JoinHandle::join",
            "a runs",
            "a wakes root from JoinHandle::join: Granted",
            "a ends: Cancelled",
            "root runs",
        ]
    );
}

#[test]
#[apply(on_workers)]
fn one_that_is_cancelled_before_it_begins_ends_without_a_word() {
    let timeline = record(|| {
        let never = named("a", || trace::mark("never"));
        never.cancel();
        assert!(never.join().is_err());
    });
    let ends: Vec<_> = timeline
        .events()
        .filter_map(|event| match event.what {
            What::End { how, .. } => Some(how),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [Ending::Cancelled]);
    assert!(!story(&timeline).iter().any(|line| line.contains("never")));
}

#[test]
#[apply(once)]
fn a_panic_is_told_with_its_message() {
    // A panic is told to the flight recorders of other tests.
    let _turn = turn();
    let timeline = record(|| {
        let panics = named("a", || panic!("out of tea"));
        assert!(panics.join().unwrap_err().is_panic());
    });
    let story = story(&timeline);
    assert!(
        story.contains(&"a panics: out of tea".to_owned()),
        "{story:?}"
    );
    assert!(story.contains(&"a ends: Panicked".to_owned()), "{story:?}");
}

#[test]
#[apply(on_workers)]
fn generators_are_told_with_every_resume_and_yield() {
    let timeline = record(|| {
        let drives = named("driver", || {
            let outer = Generator::new(|y: &Yielder<(), u8>| {
                let inner = Generator::new(|y: &Yielder<(), u8>| y.yield_(1));
                y.yield_from(&inner);
            });
            assert_eq!(outer.start().yielded(), Some(1));
            outer.send(());
        });
        drives.join().unwrap();
    });
    let story = story(&timeline);
    let of_generators: Vec<_> = story
        .iter()
        .filter(|line| line.contains("generator"))
        .collect();
    assert_eq!(
        of_generators,
        [
            "driver resumes generator 1",
            "driver resumes generator 2",
            "generator 2 yields",
            "generator 1 yields",
            "driver resumes generator 1",
            "driver resumes generator 2",
            "generator 2 ends",
            "generator 1 ends",
        ]
    );
}

#[test]
#[apply(on_workers)]
fn what_runs_when_a_recording_begins_is_known() {
    let timeline = named("a", || {
        let recording = Recording::start_here();
        yield_now();
        recording.finish()
    });
    let timeline = timeline.join().unwrap();
    assert_eq!(story(&timeline)[..2], ["a runs", "a yields"]);
}

#[test]
#[apply(on_roots)]
fn green_threads_that_were_there_before_keep_their_names() {
    let event = Rc::new(Event::new());
    let own = Rc::clone(&event);
    let before = named("before", move || own.wait());
    yield_now();
    let timeline = record(move || {
        event.set();
        before.join().unwrap();
    });
    let story = story(&timeline);
    assert!(story.contains(&"before runs".to_owned()), "{story:?}");
    assert!(
        story.contains(&"root wakes before from Event::wait: Granted".to_owned()),
        "{story:?}"
    );
}

#[test]
#[apply(on_workers)]
fn two_recordings_one_after_the_other_have_nothing_in_common() {
    let first = record(|| named("first", || ()).join().unwrap());
    let second = record(|| named("second", || ()).join().unwrap());
    let expected: Vec<_> = story(&first)
        .iter()
        .map(|line| line.replace("first", "second"))
        .collect();
    assert_eq!(story(&second), expected);
}

#[test]
#[apply(on_workers)]
fn two_recordings_at_once_do_not_end_each_other() {
    let outer = Recording::start_here();
    let inner = Recording::start_here();
    trace::mark("in both");
    let inner = inner.finish();
    named("later", || ()).join().unwrap();
    let outer = outer.finish();
    let has = |timeline, text: &str| story(timeline).iter().any(|line| line.contains(text));
    assert!(has(&inner, "in both") && has(&outer, "in both"));
    assert!(has(&outer, "later runs") && !has(&inner, "later runs"));
}

#[test]
#[apply(on_roots)]
fn nothing_is_recorded_in_an_empty_recording_but_who_runs() {
    let timeline = record(|| ());
    assert_eq!(story(&timeline), ["root runs"]);
    assert_eq!(timeline.lost(), 0);
}

#[test]
#[apply(on_roots)]
fn of_a_long_recording_the_newest_events_stay_and_the_lost_are_counted() {
    let timeline = record(|| {
        trace::mark("the first");
        for _ in 0..50_000 {
            yield_now();
        }
        trace::mark("the last");
    });
    let kept = timeline.events().len() as u64;
    // Two events for each yield, two marks, and now and then a line that says who is who.
    assert!((65_500..=65_536).contains(&kept), "{kept}");
    assert!((100_000..100_020).contains(&(timeline.lost() + kept)));
    let story = story(&timeline);
    assert_eq!(story.last().unwrap(), "root says the last");
    assert!(!story.iter().any(|line| line.contains("the first")));
}

#[test]
#[apply(on_roots)]
fn one_that_runs_for_long_keeps_its_name_when_its_spawn_is_lost() {
    let timeline = record(|| {
        let long = named("long", || (0..80_000).for_each(|_| yield_now()));
        long.join().unwrap();
    });
    assert!(timeline.lost() > 0);
    assert!(story(&timeline).iter().all(|line| !line.contains('#')));
}

#[test]
#[apply(on_roots)]
fn a_schedule_is_the_same_whether_it_is_recorded_or_not() {
    let work = || {
        let order = Rc::new(std::cell::RefCell::new(Vec::new()));
        let handles: Vec<_> = (0..5u64)
            .map(|n| {
                let order = Rc::clone(&order);
                spawn(move || {
                    for round in 0..100 {
                        order.borrow_mut().push((n, round));
                        if (n + round) % 7 == 0 {
                            sleep(SECOND);
                        } else {
                            yield_now();
                        }
                    }
                })
            })
            .collect();
        handles
            .into_iter()
            .for_each(|handle| handle.join().unwrap());
        order.take()
    };
    let runtime = greenthread::Runtime::builder().virtual_time();
    let unrecorded = runtime.build().unwrap().run(work);
    let mut recorded = Vec::new();
    record(|| recorded = work());
    assert_eq!(recorded, unrecorded);
}

/// How far one has come who always goes on, at each of some moments at which the loop looked at time; recorded from one step to another.
fn looks_at_time(recorded: std::ops::Range<u32>) -> Vec<u32> {
    let work = move || {
        let steps = Rc::new(std::cell::Cell::new(0));
        let counts = Rc::clone(&steps);
        let busy = spawn(move || {
            let mut recording = None;
            for step in 0..1_000 {
                if step == recorded.start {
                    recording = Some(Recording::start());
                }
                if step == recorded.end {
                    drop(recording.take());
                }
                counts.set(step);
                yield_now();
            }
        });
        let looks = (0..10).map(|_| {
            greenthread::park_timeout(Duration::ZERO);
            steps.get()
        });
        let looks = looks.collect();
        busy.join().unwrap();
        looks
    };
    let runtime = greenthread::Runtime::builder().virtual_time();
    runtime.build().unwrap().run(work)
}

#[test]
#[apply(on_roots)]
fn a_recording_that_begins_and_ends_in_the_middle_leaves_a_schedule_as_it_is() {
    let unrecorded = looks_at_time(0..0);
    for start in [0, 1, 10, 29, 30, 31, 32, 33, 47] {
        for length in [1, 2, 17, 64, 2_000] {
            let recorded = looks_at_time(start..start + length);
            assert_eq!(recorded, unrecorded, "from {start} for {length}");
        }
    }
}

#[test]
#[apply(on_workers)]
fn a_mark_whose_text_marks_and_waits_is_whole() {
    struct Odd;

    impl std::fmt::Display for Odd {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("before ")?;
            trace::mark("between");
            yield_now();
            f.write_str("and after")
        }
    }

    let timeline = record(|| {
        let other = spawn(|| trace::mark("another"));
        trace::mark(Odd);
        other.join().unwrap();
    });
    let marks: Vec<_> = timeline
        .events()
        .filter_map(|event| match &event.what {
            What::Mark { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(marks, ["between", "another", "before and after"]);
}

#[test]
#[apply(on_workers)]
fn a_long_mark_is_cut_between_characters() {
    let timeline = record(|| trace::mark("é".repeat(2000)));
    let text = timeline.events().find_map(|event| match &event.what {
        What::Mark { text } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(text.unwrap(), "é".repeat(512));
}
