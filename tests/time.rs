//! Time: intervals, limits that move, and what virtual time does beside IO and blocking work.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::mpsc;

use greenthread::channel;
use greenthread::net::{TcpListener, TcpStream};
use greenthread::time::{self, Duration, Instant, Interval, MissedTicks, interval};
use greenthread::{
    Runtime, catch_cancel, park, park_timeout, run, sleep, spawn, spawn_blocking, timeout,
    timeout_with, yield_now,
};
use support::everywhere::virtual_time as in_virtual_time;
use support::panic_text;

const SECOND: Duration = Duration::from_secs(1);

/// A second and a half.
const LATE: Duration = Duration::from_millis(1_500);

/// The moments of the next ticks, in milliseconds since `start`.
fn ticks(interval: &mut Interval, count: usize, start: Instant) -> Vec<u128> {
    let mut moments = Vec::new();
    for _ in 0..count {
        interval.tick();
        moments.push((time::now() - start).as_millis());
    }
    moments
}

/// How far one has come who always goes on, at each of some moments at which the loop looked at time, after somebody waited for a channel.
fn looks_at_time() -> Vec<u32> {
    in_virtual_time(|| {
        let (sender, receiver) = channel::bounded(4);
        let sends = spawn(move || {
            for n in 0..3 {
                sleep(SECOND);
                sender.send(n).unwrap();
            }
        });
        assert_eq!(receiver.iter().count(), 3);
        sends.join().unwrap();
        let steps = Rc::new(Cell::new(0));
        let counts = Rc::clone(&steps);
        let busy = spawn(move || {
            for step in 0..200 {
                counts.set(step);
                yield_now();
            }
        });
        let looks = (0..4).map(|_| {
            park_timeout(Duration::ZERO);
            steps.get()
        });
        let looks = looks.collect();
        busy.join().unwrap();
        looks
    })
}

#[test]
#[apply(on_roots)]
fn a_virtual_schedule_does_not_follow_from_how_other_os_threads_were_waited_for_before() {
    let expected = looks_at_time();
    for _ in 0..10 {
        let (there, asked) = channel::bounded(1);
        let (answers, back) = channel::bounded(1);
        let other = std::thread::spawn(move || asked.iter().try_for_each(|n| answers.send(n)));
        for n in 0..1_000 {
            there.send(n).unwrap();
            assert_eq!(back.recv(), Ok(n));
        }
        assert_eq!(looks_at_time(), expected);
        drop(there);
        other.join().unwrap().unwrap();
    }
}

#[test]
#[apply(on_roots)]
fn the_first_tick_comes_at_once_and_the_others_evenly() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        assert_eq!(ticks(&mut interval, 4, start), [0, 1000, 2000, 3000]);
    });
}

#[test]
#[apply(on_roots)]
fn work_between_ticks_does_not_move_them() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        for tick in 0..3 {
            assert_eq!(interval.tick() - start, tick * SECOND);
            sleep(Duration::from_millis(700));
        }
    });
}

#[test]
#[apply(on_roots)]
fn missed_ticks_burst_until_the_interval_has_caught_up() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        interval.tick();
        sleep(2 * SECOND + LATE);
        let moments = ticks(&mut interval, 5, start);
        assert_eq!(moments, [3500, 3500, 3500, 4000, 5000]);
    });
}

#[test]
#[apply(on_roots)]
fn missed_ticks_are_left_out_and_delay_those_after() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND).missed_ticks(MissedTicks::Delay);
        interval.tick();
        sleep(2 * SECOND + LATE);
        assert_eq!(ticks(&mut interval, 3, start), [3500, 4500, 5500]);
    });
}

#[test]
#[apply(on_roots)]
fn missed_ticks_are_skipped_and_the_rest_keep_their_places() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND).missed_ticks(MissedTicks::Skip);
        interval.tick();
        sleep(2 * SECOND + LATE);
        assert_eq!(ticks(&mut interval, 3, start), [3500, 4000, 5000]);
    });
}

#[test]
#[apply(on_roots)]
fn a_skipping_interval_that_is_late_by_whole_periods_goes_on_with_the_next() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND).missed_ticks(MissedTicks::Skip);
        interval.tick();
        sleep(3 * SECOND);
        assert_eq!(ticks(&mut interval, 2, start), [3000, 4000]);
    });
}

#[test]
#[apply(on_roots)]
fn a_tick_that_is_a_little_late_counts_as_on_time() {
    for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
        in_virtual_time(|| {
            let start = time::now();
            let mut interval = interval(SECOND).missed_ticks(missed);
            interval.tick();
            sleep(SECOND + Duration::from_millis(5));
            assert_eq!(ticks(&mut interval, 2, start), [1005, 2000]);
        });
    }
}

#[test]
#[apply(on_roots)]
fn a_tick_tells_when_it_was_due() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        interval.tick();
        sleep(LATE);
        assert_eq!(interval.tick() - start, SECOND);
        assert_eq!(time::now() - start, LATE);
    });
}

#[test]
#[apply(on_roots)]
fn a_tick_is_not_lost_by_a_timeout_or_a_cancellation() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        interval.tick();
        let early = timeout(SECOND / 2, || interval.tick());
        assert!(early.is_err());
        assert_eq!(interval.tick() - start, SECOND);
        let ticker = spawn(move || {
            assert!(catch_cancel(|| interval.tick()).is_err());
            interval.tick() - start
        });
        yield_now();
        assert!(ticker.cancel());
        assert_eq!(ticker.join().unwrap(), 2 * SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn ticks_that_are_due_let_others_go_first() {
    in_virtual_time(|| {
        let other = spawn(|| ());
        interval(SECOND).tick();
        assert!(other.is_finished());
    });
}

#[test]
#[apply(on_roots)]
fn reset_begins_a_whole_period_anew() {
    in_virtual_time(|| {
        let start = time::now();
        let mut interval = interval(SECOND);
        interval.tick();
        sleep(SECOND / 2);
        interval.reset();
        assert_eq!(ticks(&mut interval, 2, start), [1500, 2500]);
        assert_eq!(interval.period(), SECOND);
    });
}

#[test]
#[apply(on_workers)]
fn an_interval_of_nothing_panics_and_names_it() {
    let text = panic_text(|| interval(Duration::ZERO));
    assert!(text.contains("interval(0)"), "{text}");
}

#[test]
#[apply(on_roots)]
fn a_limit_can_be_put_off_again_and_again() {
    in_virtual_time(|| {
        let start = time::now();
        let worked = timeout_with(SECOND, |limit| {
            for _ in 0..5 {
                limit.reset(SECOND);
                assert_eq!(limit.deadline(), time::now() + SECOND);
                sleep(SECOND * 9 / 10);
            }
        });
        assert!(worked.is_ok());
        assert_eq!(time::now() - start, SECOND * 9 / 2);
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_can_be_brought_forward() {
    in_virtual_time(|| {
        let start = time::now();
        let ended = timeout_with(3600 * SECOND, |limit| {
            sleep(SECOND);
            limit.reset(SECOND);
            sleep(3600 * SECOND);
        });
        assert!(ended.is_err());
        assert_eq!(time::now() - start, 2 * SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn a_limit_that_another_moves_ends_the_wait_that_is_under_way() {
    in_virtual_time(|| {
        let start = time::now();
        let ended = timeout_with(3600 * SECOND, |limit| {
            greenthread::scope(|s| {
                s.spawn(|| {
                    sleep(SECOND);
                    limit.reset(Duration::ZERO);
                });
                greenthread::park();
            });
        });
        assert!(ended.is_err());
        assert_eq!(time::now() - start, SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn loopback_io_works_in_virtual_time() {
    in_virtual_time(|| {
        let start = time::now();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 4];
            stream.read_exact(&mut question).unwrap();
            sleep(3600 * SECOND);
            stream.write_all(b"pong").unwrap();
        });
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"ping").unwrap();
        let mut answer = [0; 4];
        let read = timeout(3601 * SECOND, || stream.read_exact(&mut answer));
        read.expect("the answer comes before the limit").unwrap();
        server.join().unwrap();
        assert_eq!(&answer, b"pong");
        assert_eq!(time::now() - start, 3600 * SECOND);
    });
}

#[test]
#[apply(on_roots)]
fn virtual_time_does_not_jump_while_a_blocking_job_runs() {
    in_virtual_time(|| {
        let start = time::now();
        let (release, released) = mpsc::channel();
        let job = spawn_blocking(move || released.recv().unwrap());
        let releaser = std::thread::spawn(move || {
            // Long enough for a clock that jumps to have done so; the test holds without it too.
            std::thread::sleep(Duration::from_millis(20));
            release.send("done").unwrap();
        });
        let joined = timeout(SECOND, || job.join());
        assert_eq!(joined.expect("the clock stood").unwrap(), "done");
        assert_eq!(time::now(), start);
        sleep(SECOND);
        assert_eq!(time::now() - start, SECOND);
        releaser.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn timers_come_between_slow_turns_and_not_after_many_of_them() {
    let came = Rc::new(Cell::new(0));
    let own = Rc::clone(&came);
    run(|| {
        drop(spawn(move || {
            loop {
                sleep(Duration::from_millis(1));
                own.set(own.get() + 1);
            }
        }));
        for _ in 0..200 {
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(2) {}
            yield_now();
        }
    });
    assert!(came.get() > 30, "{} in 200 turns", came.get());
}

/// How many turns pass in a run, after so many before it, until a limit of nothing has passed.
fn turns_until_a_limit_has_passed(turns_before: usize) -> usize {
    (0..turns_before).for_each(|_| spawn(|| {}).join().unwrap());
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let turns = Rc::new(Cell::new(0));
        let own = Rc::clone(&turns);
        drop(spawn(move || {
            loop {
                own.set(own.get() + 1);
                yield_now();
            }
        }));
        assert!(timeout(Duration::ZERO, park).is_err());
        turns.get()
    })
}

#[test]
#[apply(on_roots)]
fn when_a_limit_passes_in_a_run_does_not_depend_on_what_ran_before_it() {
    let turns: Vec<_> = (0..70).map(turns_until_a_limit_has_passed).collect();
    assert!(turns.iter().all(|count| *count == turns[0]), "{turns:?}");
}
