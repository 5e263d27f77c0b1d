//! Clocks that jump, processes that are stopped for a while, and moments that never come.

#![expect(unsafe_code, reason = "stops a child process")]

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use greenthread::net::{TcpListener, UnixStream};
use greenthread::sync::{Condvar, Event, Mutex, Queue, Semaphore};
use greenthread::time::{MissedTicks, interval, now};
use greenthread::{JoinHandle, park_timeout, sleep, sleep_until, spawn, timeout, yield_now};

use crate::clocks::{set_steady, set_wall};
use crate::scenes::HERE;
use crate::shim::{self, Fault, Only};
use crate::support::child;
use crate::trial::{self, End, Verdict};

const MINUTE: Duration = Duration::from_secs(60);

/// Ten years, in seconds.
const YEARS: i64 = 10 * 365 * 86_400;

fn assert_in_child(test: &str, part: fn()) {
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{}", ended.stderr());
}

#[test]
fn a_wall_clock_that_jumps_by_years_moves_no_timer() {
    let test = "clock::a_wall_clock_that_jumps_by_years_moves_no_timer";
    assert_in_child(test, || {
        let before = SystemTime::now();
        set_wall(YEARS);
        assert!(before.elapsed().unwrap() > Duration::from_secs(YEARS as u64 / 2));
        let is_over = Arc::new(AtomicBool::new(false));
        let jumping = {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut jumps = [YEARS, -YEARS, 0, 3600, -3600].into_iter().cycle();
                while !is_over.load(Ordering::SeqCst) {
                    set_wall(jumps.next().unwrap());
                    thread::sleep(Duration::from_millis(1));
                }
            })
        };
        greenthread::run(assert_timers_are_right);
        is_over.store(true, Ordering::SeqCst);
        jumping.join().unwrap();
    });
}

/// What must come after a while comes after it, and what must not come does not.
fn assert_timers_are_right() {
    let event = Rc::new(Event::new());
    let waits = Rc::clone(&event);
    let waiting = spawn(move || waits.wait_timeout(60 * MINUTE));
    let begin = Instant::now();
    let mut ticks = interval(Duration::from_millis(3));
    for _ in 0..=20 {
        ticks.tick();
    }
    let limit = Duration::from_millis(5);
    assert!(timeout(limit, greenthread::park).is_err());
    park_timeout(limit);
    sleep(limit);
    assert!(begin.elapsed() >= 3 * limit + Duration::from_millis(60));
    assert!(!waiting.is_finished());
    event.set();
    assert!(waiting.join().unwrap().is_ok());
}

#[test]
fn no_sleep_of_ours_hangs_on_the_wall_clock() {
    let test = "clock::no_sleep_of_ours_hangs_on_the_wall_clock";
    let scenes = ["timers", "selections", "results"];
    if let Some(role) = trial::role() {
        let scene = HERE.iter().find(|scene| scene.name == role).unwrap();
        // A futex that is waited on until some time of the wall clock would be refused.
        let flag = libc::FUTEX_CLOCK_REALTIME as u32;
        let by_wall_clock = Fault {
            call: libc::SYS_futex,
            only: Only {
                argument: 1,
                mask: flag,
                value: flag,
            },
            errno: libc::EINVAL,
            n: 1,
            for_good: true,
        };
        scene.play_and_conclude(|| shim::arm(by_wall_clock), shim::disarm);
    }
    for scene in scenes {
        let ended = trial::play(test, scene);
        if ended.is_impossible() {
            return;
        }
        assert!(
            matches!(ended.end, End::Verdict(Verdict::Untouched)),
            "{ended:?}"
        );
    }
}

/// Writes down when its time has come, if that was to come yet.
fn noting(log: &Rc<RefCell<Vec<u32>>>, number: u32, due: Instant) -> JoinHandle<()> {
    let log = Rc::clone(log);
    spawn(move || {
        let sleeps = now() < due;
        sleep_until(due);
        assert!(now() >= due, "{number} is early");
        if sleeps {
            log.borrow_mut().push(number);
        }
    })
}

#[test]
fn after_a_leap_of_the_steady_clock_timers_fire_once_in_order_and_late() {
    let test = "clock::after_a_leap_of_the_steady_clock_timers_fire_once_in_order_and_late";
    assert_in_child(test, || {
        // With a reactor the loop sleeps for a span, not until a moment, which the kernel would know better.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        drop(spawn(move || drop(listener.accept())));
        let begin = now();
        let log = Rc::new(RefCell::new(Vec::new()));
        let all: Vec<_> = (1..=30)
            .rev()
            .map(|n| noting(&log, n, begin + n * MINUTE))
            .collect();
        let later = noting(&log, 99, begin + 120 * MINUTE);
        let late = spawn(|| timeout(10 * MINUTE, greenthread::park));
        let ticking = [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip].map(|missed| {
            let mut ticks = interval(20 * MINUTE).missed_ticks(missed);
            ticks.tick();
            spawn(move || {
                let first = ticks.tick();
                (first, timeout(MINUTE, || ticks.tick()))
            })
        });
        yield_now();
        let root = greenthread::current();
        let leap = thread::spawn(move || {
            set_steady(65 * 60);
            root.unpark();
        });
        greenthread::park();
        leap.join().unwrap();
        all.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(*log.borrow(), Vec::from_iter(1..=30));
        assert!(late.join().unwrap().is_err());
        let [burst, delay, skip] = ticking.map(|ticking| {
            // The next tick is not before the limit of a minute, or at once.
            set_steady(67 * 60);
            ticking.join().unwrap()
        });
        assert!(begin.elapsed() >= 65 * MINUTE);
        let next = burst.1.expect("ticks that were missed come at once");
        assert_eq!(next - burst.0, 20 * MINUTE);
        assert!(delay.1.is_err(), "a whole period after the late one");
        assert!(skip.1.is_err(), "when it would have come anyway");
        assert!(!later.is_finished());
    });
}

#[test]
fn a_steady_clock_that_goes_back_makes_nothing_panic() {
    let test = "clock::a_steady_clock_that_goes_back_makes_nothing_panic";
    assert_in_child(test, || {
        let waiting = spawn(|| timeout(60 * MINUTE, greenthread::park));
        sleep(Duration::from_millis(1));
        set_steady(-600);
        let log = Rc::new(RefCell::new(Vec::new()));
        drop(noting(&log, 1, now() + MINUTE));
        for _ in 0..1000 {
            yield_now();
            assert_eq!(spawn(|| 1).join().unwrap(), 1);
        }
        assert!(timeout(60 * MINUTE, yield_now).is_ok());
        set_steady(0);
        waiting.cancel();
        assert!(waiting.join().unwrap_err().is_cancelled());
    });
}

#[test]
fn a_process_that_was_stopped_for_a_while_finds_its_timers_late_and_in_order() {
    let test = "clock::a_process_that_was_stopped_for_a_while_finds_its_timers_late_and_in_order";
    if trial::role().is_some() {
        be_stopped();
    }
    let mut child = trial::command(test, "stopped")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line == "begun"));
    stop(&child);
    // What is tested is that time passes.
    thread::sleep(Duration::from_millis(300));
    signal(&child, libc::SIGCONT);
    lines.for_each(drop);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(Verdict::Unnoticed as i32)
    );
}

fn signal(child: &Child, number: i32) {
    // SAFETY: takes two numbers; the child was not waited for.
    assert_eq!(unsafe { libc::kill(child.id().cast_signed(), number) }, 0);
}

/// Stops it, and waits until it is.
fn stop(child: &Child) {
    signal(child, libc::SIGSTOP);
    let mut status = 0;
    // SAFETY: writes a number.
    let id = unsafe { libc::waitpid(child.id().cast_signed(), &mut status, libc::WUNTRACED) };
    assert_eq!(id, child.id().cast_signed());
    assert!(libc::WIFSTOPPED(status), "{status}");
}

/// The child: sets timers, says so, and finds them right after the stop.
fn be_stopped() -> ! {
    const PERIOD: Duration = Duration::from_millis(20);
    let begin = now() + Duration::from_millis(100);
    let log = Rc::new(RefCell::new(Vec::new()));
    let all = (0..20)
        .rev()
        .map(|n| noting(&log, n, begin + n * PERIOD / 4));
    let all: Vec<_> = all.collect();
    let ticking = [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip].map(|missed| {
        spawn(move || {
            let mut ticks = interval(PERIOD).missed_ticks(missed);
            Vec::from_iter((0..20).map(|_| ticks.tick()))
        })
    });
    yield_now();
    println!("\nbegun");
    all.into_iter().for_each(|one| one.join().unwrap());
    // On a slow machine some were late before they slept.
    assert!(log.borrow().is_sorted(), "{log:?}");
    assert!(log.borrow().len() <= 20);
    let [burst, delay, skip] = ticking.map(|ticking| ticking.join().unwrap());
    let gaps = |ticks: &[Instant]| Vec::from_iter(ticks.windows(2).map(|two| two[1] - two[0]));
    assert!(gaps(&burst).iter().all(|gap| *gap == PERIOD));
    assert!(gaps(&delay).iter().all(|gap| *gap >= PERIOD));
    let is_even = |gap: &Duration| gap.as_nanos().is_multiple_of(PERIOD.as_nanos());
    assert!(gaps(&skip).iter().all(|gap| !gap.is_zero() && is_even(gap)));
    trial::conclude(Verdict::Unnoticed)
}

#[test]
fn deadlines_that_never_come_are_waits_without_one() {
    const NEVER: Duration = Duration::MAX;
    let test = "clock::deadlines_that_never_come_are_waits_without_one";
    assert_in_child(test, || {
        let locked = Rc::new((Mutex::new(()), Condvar::new()));
        let (held, owned) = (locked.0.lock(), Rc::clone(&locked));
        let waits: Vec<JoinHandle<()>> = vec![
            spawn(|| sleep(NEVER)),
            spawn(|| park_timeout(NEVER)),
            spawn(|| assert!(timeout(NEVER, greenthread::park).is_ok())),
            spawn(|| assert!(Event::new().wait_timeout(NEVER).is_ok())),
            spawn(|| drop(Semaphore::new(0).acquire_timeout(NEVER))),
            spawn(|| assert!(Queue::<()>::unbounded().get_timeout(NEVER).is_ok())),
            spawn(move || drop(owned.0.lock_timeout(NEVER))),
            spawn(|| drop(spawn(greenthread::park).join_timeout(NEVER))),
            spawn(|| {
                let mut ticks = interval(NEVER);
                ticks.tick();
                ticks.tick();
            }),
            spawn(|| {
                use std::io::Read;
                let (mut near, _far) = UnixStream::pair().unwrap();
                near.set_read_timeout(Some(NEVER)).unwrap();
                drop(near.read(&mut [0]));
            }),
        ];
        sleep(Duration::from_millis(5));
        for (number, wait) in waits.into_iter().enumerate() {
            assert!(!wait.is_finished(), "{number} has ended");
            wait.cancel();
            assert!(wait.join().unwrap_err().is_cancelled(), "{number}");
        }
        drop(held);
    });
}
