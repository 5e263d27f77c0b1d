//! Recordings of several OS threads.

use std::sync::mpsc;

use greenthread::blocking::Pool;
use greenthread::channel::bounded;
use greenthread::trace::{Recording, What};
use greenthread::{Runtime, spawn, spawn_anywhere, yield_now};

use crate::{named, story, turn};

#[test]
#[apply(once)]
fn both_ends_of_a_channel_are_recorded_on_their_os_threads() {
    let _turn = turn();
    let recording = Recording::start();
    let (sender, receiver) = bounded::<u32>(1);
    // The root's OS thread turns to this one only when the root waits, so at least its first wait is ended by the other.
    let (waits, has_waited) = mpsc::channel();
    drop(spawn(move || waits.send(())));
    let thread = std::thread::Builder::new().name("producer".into());
    let thread = thread.spawn(move || {
        has_waited.recv().unwrap();
        let sends = named("sends", move || (0..100).try_for_each(|n| sender.send(n)));
        sends.join().unwrap().unwrap();
    });
    assert_eq!(receiver.iter().sum::<u32>(), 4950);
    thread.unwrap().join().unwrap();
    let timeline = recording.finish();
    let threads: Vec<_> = timeline.os_threads().collect();
    assert_eq!(threads, ["OS thread 1", "producer"]);
    let at = |wanted: &str| {
        let events = timeline.events();
        let mut at = events.filter_map(|event| match event.what {
            What::Run { who } if timeline.name(who) == Some(wanted) => Some(event.os_thread),
            _ => None,
        });
        at.next()
    };
    assert_eq!((at("root"), at("sends")), (Some(0), Some(1)));
    let story = story(&timeline);
    let across = "sends wakes root from Receiver::recv: Granted".to_owned();
    assert!(story.contains(&across), "{story:?}");
}

#[test]
#[apply(once)]
fn an_os_thread_that_runs_already_notices_a_recording() {
    let _turn = turn();
    let (ready, is_ready) = mpsc::channel();
    let (stop, stopped) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let busy = named("busy", move || {
            ready.send(()).unwrap();
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                yield_now();
            }
        });
        busy.join().unwrap();
    });
    is_ready.recv().unwrap();
    let seen = (0..10_000).any(|_| {
        let recording = Recording::start();
        std::thread::sleep(std::time::Duration::from_millis(1));
        let story = story(&recording.finish());
        story.iter().any(|line| line == "busy runs")
            && story.iter().any(|line| line == "busy yields")
    });
    assert!(seen);
    drop(stop);
    thread.join().unwrap();
}

#[test]
#[apply(once)]
fn blocking_work_is_told_from_the_pool_and_back() {
    let _turn = turn();
    let recording = Recording::start();
    let pool = Pool::new(1);
    let job = pool.spawn(|| greenthread::trace::mark("on the pool"));
    job.join().unwrap();
    // Its OS thread writes down that the job has ended when whoever joins may know it already.
    drop(pool);
    let timeline = recording.finish();
    let story = story(&timeline);
    let place = |wanted: &str| {
        let place = story.iter().position(|line| line == wanted);
        place.unwrap_or_else(|| panic!("no {wanted:?} in {story:#?}"))
    };
    let places = [
        place("root spawns a job"),
        place("a job begins"),
        place("a job ends: Returned"),
    ];
    assert!(places.is_sorted(), "{story:#?}");
}

#[test]
#[apply(on_roots)]
fn a_recording_of_one_os_thread_has_nothing_of_the_others() {
    let recording = Recording::start_here();
    let elsewhere = || greenthread::trace::mark("elsewhere");
    std::thread::spawn(elsewhere).join().unwrap();
    let timeline = recording.finish();
    assert_eq!(story(&timeline), ["root runs"]);
}

#[test]
#[apply(once)]
fn os_threads_come_and_go_while_somebody_records() {
    let _turn = turn();
    let recording = Recording::start();
    for n in 0..40 {
        let thread = std::thread::spawn(move || {
            spawn(move || greenthread::trace::mark(format_args!("thread {n}"))).join()
        });
        thread.join().unwrap().unwrap();
    }
    let timeline = recording.finish();
    let story = story(&timeline);
    assert!(story.iter().any(|line| line.contains("says thread 39")));
}

#[test]
#[apply(once)]
fn work_for_any_worker_is_spawned_here_and_runs_there() {
    let _turn = turn();
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let timeline = runtime.run(|| {
        let recording = Recording::start();
        let both: Vec<_> = (0..8).map(|n| spawn_anywhere(move || n)).collect();
        let sum: u32 = both.into_iter().map(|one| one.join().unwrap()).sum();
        assert_eq!(sum, 28);
        recording.finish()
    });
    // Workers that only now begin spawn something of their own, on themselves.
    let spawned: Vec<_> = timeline
        .events()
        .filter_map(|event| match event.what {
            What::Spawn { who } if event.os_thread == 0 => Some(who),
            _ => None,
        })
        .collect();
    assert_eq!(spawned.len(), 8);
    let runs = timeline.events().filter(|event| match event.what {
        What::Run { who } => spawned.contains(&who),
        _ => false,
    });
    let (mut first_runs, mut elsewhere) = (0, 0);
    for run in runs {
        first_runs += 1;
        elsewhere += usize::from(run.os_thread != 0);
    }
    assert!(
        first_runs >= 8 && elsewhere == first_runs,
        "{first_runs} {elsewhere}"
    );
}
