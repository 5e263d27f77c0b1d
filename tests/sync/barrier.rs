//! What a barrier does besides: positions, rounds, leaving, breaking.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::sync::{Barrier, BarrierTimeoutError, Broken};
use greenthread::{JoinHandle, run, spawn, yield_now};

use crate::support::panic_text;
use crate::virtual_time;

fn comes(barrier: &Rc<Barrier>) -> JoinHandle<Result<usize, Broken>> {
    let own = Rc::clone(barrier);
    let handle = spawn(move || own.wait().map(|met| met.position()));
    yield_now();
    handle
}

#[test]
#[apply(on_workers)]
fn a_barrier_for_nobody_is_a_panic_that_names_the_limit() {
    let text = panic_text(|| Barrier::new(0));
    assert!(
        text.contains("Barrier::new(0)") && text.contains("at least 1"),
        "{text}"
    );
}

#[test]
#[apply(on_workers)]
fn a_barrier_for_one_lets_everybody_through_at_once() {
    let barrier = Barrier::new(1);
    for _ in 0..3 {
        assert_eq!(barrier.wait().unwrap().position(), 0);
    }
}

#[test]
#[apply(on_workers)]
fn one_that_is_cancelled_leaves_and_the_positions_close_up() {
    virtual_time(|| {
        let barrier = Rc::new(Barrier::new(3));
        let first = comes(&barrier);
        let second = comes(&barrier);
        // In one turn: it is cancelled and has not run yet, when two more come.
        first.cancel();
        assert_eq!(barrier.waiting(), 1);
        assert_eq!(barrier.try_wait(), Ok(None));
        let third = comes(&barrier);
        assert!(!second.is_finished() && !barrier.is_broken());
        let fourth = comes(&barrier);
        assert!(first.join().unwrap_err().is_cancelled());
        let positions = [second, third, fourth].map(|other| other.join().unwrap());
        assert_eq!(positions, [Ok(0), Ok(1), Ok(2)]);
    });
}

#[test]
#[apply(on_workers)]
fn one_that_is_cancelled_after_the_last_came_keeps_nobody() {
    virtual_time(|| {
        let barrier = Rc::new(Barrier::new(3));
        let (first, second) = (comes(&barrier), comes(&barrier));
        assert!(barrier.try_wait().unwrap().is_some());
        first.cancel();
        assert_eq!(second.join().unwrap(), Ok(1));
        assert!(first.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn one_whose_time_is_up_leaves_without_breaking_it() {
    virtual_time(|| {
        let barrier = Rc::new(Barrier::new(2));
        let late = barrier.wait_timeout(Duration::from_secs(1));
        assert_eq!(late, Err(BarrierTimeoutError::Elapsed));
        let other = comes(&barrier);
        let met = barrier.wait_timeout(Duration::from_secs(1));
        assert_eq!(met.unwrap().position(), 1);
        assert_eq!(other.join().unwrap(), Ok(0));
    });
}

#[test]
#[apply(on_workers)]
fn abort_breaks_it_until_reset() {
    virtual_time(|| {
        let barrier = Rc::new(Barrier::new(2));
        let waiting = comes(&barrier);
        barrier.abort();
        assert!(barrier.is_broken());
        assert_eq!(barrier.try_wait(), Err(Broken));
        assert_eq!(barrier.wait(), Err(Broken));
        assert_eq!(waiting.join().unwrap(), Err(Broken));
        barrier.reset();
        let first = comes(&barrier);
        assert_eq!(barrier.wait().unwrap().position(), 1);
        assert_eq!(first.join().unwrap(), Ok(0));
    });
}

#[test]
#[apply(on_workers)]
fn reset_sends_away_who_waits_and_keeps_who_met() {
    virtual_time(|| {
        let barrier = Rc::new(Barrier::new(2));
        let met = comes(&barrier);
        assert!(barrier.try_wait().unwrap().is_some());
        let waiting = [comes(&barrier)];
        barrier.reset();
        assert_eq!(met.join().unwrap(), Ok(0));
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap(), Err(Broken));
        }
        assert_eq!(barrier.waiting(), 0);
    });
}

#[test]
#[apply(on_workers)]
fn rounds_across_os_threads_have_each_position_once() {
    const ROUNDS: usize = 200;
    let barrier = Arc::new(Barrier::new(4));
    let threads = [(); 2].map(|()| {
        let barrier = Arc::clone(&barrier);
        std::thread::spawn(move || {
            run(|| {
                let sums = [(); 2].map(|()| {
                    let barrier = Arc::clone(&barrier);
                    spawn(move || {
                        let positions = (0..ROUNDS).map(|_| barrier.wait().unwrap().position());
                        positions.sum::<usize>()
                    })
                });
                sums.into_iter().map(|sum| sum.join().unwrap()).sum()
            })
        })
    });
    let all: usize = threads
        .into_iter()
        .map(|thread| -> usize { thread.join().unwrap() })
        .sum();
    assert_eq!(all, ROUNDS * (1 + 2 + 3));
}
