//! The same seed, the same schedule: whatever ran before, and whether or not somebody records. No seed, the order of the line.

use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::thread;

use greenthread::channel::bounded;
use greenthread::explore::{explore, replay};
use greenthread::net::UnixStream;
use greenthread::{Runtime, park, run, scope, select, sleep, spawn, timeout, yield_now};

use super::{Notes, TICK, in_order, shuffled};

/// Has timers of one moment, yields, selections among arms that are all ready, and sockets; notes who did what in which order.
fn program() -> Vec<u32> {
    let notes = Notes::default();
    scope(|s| {
        for number in 0..6 {
            let notes = &notes;
            s.spawn(move || {
                for round in 0..3 {
                    notes.add(number * 10 + round);
                    yield_now();
                }
                sleep(TICK);
                notes.add(100 + number);
                let _ = timeout(TICK, || sleep(TICK * 2));
                notes.add(200 + number);
            });
        }
        s.spawn(|| choose_arms(&notes));
        s.spawn(|| talk(&notes));
    });
    notes.take()
}

fn choose_arms(notes: &Notes) {
    let (sender, receiver) = bounded(8);
    let (other_sender, other) = bounded(8);
    for number in 0..8 {
        sender.send(number).unwrap();
        other_sender.send(number).unwrap();
    }
    for _ in 0..8 {
        select! {
            recv(receiver) -> number => notes.add(300 + number.unwrap()),
            recv(other) -> number => notes.add(310 + number.unwrap()),
        }
    }
}

fn talk(notes: &Notes) {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    scope(|s| {
        s.spawn(move || {
            for byte in 0..10 {
                far.write_all(&[byte]).unwrap();
                yield_now();
            }
        });
        let mut heard = Vec::new();
        let mut buffer = [0; 4];
        while let Ok(count @ 1..) = near.read(&mut buffer) {
            heard.extend_from_slice(&buffer[..count]);
            notes.add(400 + count as u32);
        }
        assert_eq!(heard, (0..10).collect::<Vec<_>>());
    });
}

#[test]
#[apply(on_roots)]
fn a_seed_makes_its_schedule_again_whatever_ran_before() {
    let first: Vec<_> = (0..20).map(|seed| shuffled(seed, program)).collect();
    for (seed, noted) in (0..20_u64).zip(first).collect::<Vec<_>>().into_iter().rev() {
        run(|| spawn(|| drop(program())).join().unwrap());
        for _ in 0..seed {
            yield_now();
        }
        assert_eq!(shuffled(seed, program), noted, "seed {seed}");
        shuffled(seed + 1000, program);
    }
}

#[test]
#[apply(on_roots)]
fn a_seed_makes_its_schedule_on_a_fresh_os_thread_too() {
    shuffled(1, program);
    let fresh = || thread::spawn(|| shuffled(2, program)).join().unwrap();
    assert_eq!(shuffled(2, program), fresh());
    assert_eq!(fresh(), fresh());
}

#[test]
#[apply(on_roots)]
fn a_recorded_schedule_is_the_unrecorded_one() {
    for seed in 0..20 {
        let mut recorded = Vec::new();
        replay(seed, |_| recorded = program()).unwrap();
        assert_eq!(recorded, shuffled(seed, program), "seed {seed}");
    }
}

#[test]
#[apply(on_roots)]
fn a_seed_is_drawn_alike_each_time() {
    let draw = |seed| replay(seed, |_| drop(program())).unwrap().to_text();
    for seed in 0..10 {
        assert_eq!(draw(seed), draw(seed), "seed {seed}");
    }
    assert_ne!(draw(0), draw(1));
}

#[test]
#[apply(on_roots)]
fn a_drawing_begins_at_its_own_time_although_an_earlier_run_left_somebody_behind() {
    let draw = || replay(1, |_| drop(spawn(park))).unwrap().to_text();
    let first = draw();
    assert!(first.contains("0.000 s"), "{first}");
    assert_eq!(draw(), first);
    assert_eq!(draw(), first);
}

#[test]
#[apply(on_roots)]
fn other_seeds_make_other_schedules() {
    let mut noted: Vec<_> = (0..50).map(|seed| shuffled(seed, program)).collect();
    noted.sort();
    noted.dedup();
    assert_eq!(noted.len(), 50);
}

#[test]
#[apply(on_roots)]
fn every_order_of_a_few_comes() {
    let order = |seed| {
        let notes = Notes::default();
        shuffled(seed, || {
            scope(|s| {
                (0..4).for_each(|number| {
                    drop(s.spawn({
                        let notes = &notes;
                        move || notes.add(number)
                    }))
                })
            });
        });
        notes.take()
    };
    let mut orders: Vec<_> = (0..500).map(order).collect();
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 24);
}

#[test]
#[apply(on_roots)]
fn timers_of_one_moment_fire_in_every_order() {
    let order = |seed| {
        let notes = Notes::default();
        shuffled(seed, || {
            scope(|s| {
                (0..3).for_each(|number| {
                    drop(s.spawn({
                        let notes = &notes;
                        move || {
                            sleep(TICK);
                            notes.add(number);
                        }
                    }))
                })
            });
        });
        notes.take()
    };
    let mut orders: Vec<_> = (0..500).map(order).collect();
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 6);
}

#[test]
#[apply(on_roots)]
fn a_timer_of_the_same_moment_may_come_before_and_after_what_another_does() {
    let in_time = |seed| {
        shuffled(seed, || {
            let (sender, receiver) = bounded(1);
            let late = spawn(move || {
                sleep(TICK);
                sender.send(()).unwrap_or(());
            });
            let came = receiver.recv_timeout(TICK).is_ok();
            late.join().unwrap();
            came
        })
    };
    let came = (0..100).filter(|seed| in_time(*seed)).count();
    assert!((1..100).contains(&came), "{came}");
}

#[test]
#[apply(on_roots)]
fn d8_without_a_seed_the_line_keeps_its_order_also_after_a_shuffled_run() {
    let order = || {
        let notes = Notes::default();
        in_order(|| {
            scope(|s| {
                (0..40).for_each(|number| {
                    drop(s.spawn({
                        let notes = &notes;
                        move || {
                            notes.add(number);
                            yield_now();
                            notes.add(100 + number);
                            sleep(TICK);
                            notes.add(200 + number);
                        }
                    }))
                })
            });
        });
        notes.take()
    };
    let expected: Vec<u32> = (0..3)
        .flat_map(|round| (0..40).map(move |n| round * 100 + n))
        .collect();
    assert_eq!(order(), expected);
    shuffled(3, program);
    assert_eq!(order(), expected);
}

#[test]
#[apply(on_roots)]
fn without_a_seed_a_select_goes_on_with_the_numbers_of_its_os_thread() {
    let arms = |between: bool| {
        let arms = move || {
            let notes = Notes::default();
            choose_arms(&notes);
            if between {
                shuffled(9, program);
            }
            choose_arms(&notes);
            notes.take()
        };
        thread::spawn(arms).join().unwrap()
    };
    assert_eq!(arms(false), arms(true));
}

#[test]
#[apply(on_roots)]
fn workers_and_a_seed_exclude_each_other() {
    let error = Runtime::builder()
        .workers(2)
        .shuffle(1)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let text = error.to_string();
    assert!(text.contains("workers(2) with shuffle"), "{text}");
}

#[test]
#[apply(on_roots)]
fn a_search_counts_schedules_that_differ() {
    let nothing_to_choose = explore(20, |_| spawn(|| ()).join().unwrap());
    assert_eq!(nothing_to_choose.schedules(), 20);
    assert_eq!(nothing_to_choose.different(), 1);
    let explored = explore(20, |_| drop(program()));
    assert_eq!(explored.different(), 20);
}

#[test]
#[apply(on_roots)]
fn an_object_that_all_schedules_share_is_seen_by_all() {
    let shared = Rc::new(Notes::default());
    explore(5, |seed| shared.add(seed as u32));
    assert_eq!(Rc::into_inner(shared).unwrap().take(), [0, 1, 2, 3, 4]);
}
