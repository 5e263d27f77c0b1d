//! Very many signals.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use greenthread::signal::{SIGALRM, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, Signals};
use greenthread::sync::Semaphore;
use greenthread::{spawn, yield_now};

use crate::{alone, raise};

#[test]
#[apply(once)]
fn a_storm_of_one_signal_hides_no_other() {
    alone("storm::a_storm_of_one_signal_hides_no_other", || {
        let signals = Signals::new([SIGUSR1, SIGUSR2, SIGHUP, SIGALRM]).unwrap();
        let receiver = spawn(move || {
            let (mut seen, mut storm) = (Vec::new(), 0_u32);
            while seen.len() < 3 {
                match signals.recv().unwrap() {
                    SIGUSR1 => storm += 1,
                    other => seen.push(other),
                }
            }
            (seen, storm)
        });
        for other in [SIGUSR2, SIGHUP, SIGALRM] {
            (0..5_000).for_each(|_| raise(SIGUSR1));
            raise(other);
            (0..5_000).for_each(|_| raise(SIGUSR1));
            yield_now();
        }
        let (mut seen, storm) = receiver.join().unwrap();
        seen.sort_unstable();
        let mut others = [SIGUSR2, SIGHUP, SIGALRM];
        others.sort_unstable();
        assert_eq!(seen, others);
        assert!((1..30_000).contains(&storm), "{storm}");
    });
}

/// Each signal is answered before the next of its kind is raised: then none may be lost.
#[test]
#[apply(once)]
fn answered_signals_are_all_received() {
    alone("storm::answered_signals_are_all_received", || {
        const ROUNDS: usize = 2_000;
        let signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
        let answers = Arc::new([Semaphore::new(0), Semaphore::new(0)]);
        let stormers = [SIGUSR1, SIGUSR2].map(|signal| {
            let answers = Arc::clone(&answers);
            thread::spawn(move || {
                for _ in 0..ROUNDS {
                    raise(signal);
                    answers[usize::from(signal == SIGUSR2)].acquire().forget();
                }
            })
        });
        for signal in signals.iter().take(2 * ROUNDS) {
            answers[usize::from(signal == SIGUSR2)].release(1);
        }
        stormers
            .into_iter()
            .for_each(|stormer| stormer.join().unwrap());
        assert_eq!(signals.try_recv(), None);
    });
}

#[test]
#[apply(once)]
fn listeners_come_and_go_in_a_storm() {
    alone("storm::listeners_come_and_go_in_a_storm", || {
        let first = Rc::new(Signals::new([SIGUSR1, SIGTERM]).unwrap());
        let calm = Arc::new(AtomicBool::new(false));
        let stormer = Arc::clone(&calm);
        let stormer = thread::spawn(move || {
            while !stormer.load(Ordering::Relaxed) {
                raise(SIGUSR1);
            }
            raise(SIGTERM);
        });
        for _ in 0..500 {
            let passing = Signals::new([SIGUSR1]).unwrap();
            assert_eq!(passing.recv().unwrap(), SIGUSR1);
        }
        calm.store(true, Ordering::Relaxed);
        assert!(first.iter().any(|signal| signal == SIGTERM));
        stormer.join().unwrap();
    });
}
