//! Everything that has a deadline or a socket, mixed by a seed: what is dropped, cancelled, closed or cut off in the middle leaves no timer and nobody behind.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;

use greenthread::generator::{Generator, Yielder};
use greenthread::net::{Faults, UnixStream};
use greenthread::{
    Runtime, catch_cancel, park, run, sleep, spawn, stats, timeout, timeout_with, yield_now,
};

/// Numbers that follow from a seed.
struct Dice(Cell<u64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Dice(Cell::new(seed * 7919 + 1))
    }

    fn throw(&self, below: u64) -> u64 {
        let mut number = self.0.get();
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        self.0.set(number);
        number % below
    }

    fn micros(&self, below: u64) -> Duration {
        Duration::from_micros(1 + self.throw(below))
    }
}

/// Waits when it is dropped.
struct Waits;

impl Drop for Waits {
    fn drop(&mut self) {
        yield_now();
    }
}

/// No timer is set on this OS thread, and nobody is left.
fn nothing_is_left() {
    let here = stats().here;
    assert_eq!((here.timers, here.alive), (0, 0), "{here:?}");
}

/// Waits inside of a limit, yields there, and waits again.
fn with_a_limit(limit: Duration) -> Generator<(), (), ()> {
    Generator::new(move |y: &Yielder<(), ()>| {
        let _ = timeout(limit, || {
            y.yield_(());
            sleep(limit);
            y.yield_(());
        });
    })
}

/// One step with something that has a deadline.
fn wait_somehow(dice: &Dice, kept: &RefCell<Vec<Generator<(), (), ()>>>) {
    let limit = dice.micros(3000);
    match dice.throw(6) {
        0 => drop(spawn(move || sleep(limit))),
        1 => {
            let generator = with_a_limit(limit);
            generator.start();
            kept.borrow_mut().push(generator);
        }
        2 => {
            let generator = kept.borrow_mut().pop();
            let _ = timeout(limit / 2, || generator.map(|one| one.try_send(()).is_ok()));
        }
        3 => {
            let waiting = spawn(move || timeout(limit, park).is_err());
            if dice.throw(2) == 0 {
                waiting.cancel();
            }
        }
        4 => sleep(limit / 10),
        _ => {
            let moved = spawn(move || {
                timeout_with(limit, |own| {
                    own.reset(Duration::MAX);
                    sleep(limit / 3);
                    own.reset(Duration::ZERO);
                    sleep(limit);
                })
            });
            assert!(dice.throw(2) == 0 || moved.join().unwrap().is_err());
        }
    }
}

#[test]
fn l5_deadlines_of_whatever_is_dropped_cancelled_or_driven_on_elsewhere_leave_no_timer() {
    let os_threads = (0..8).map(|seed| {
        std::thread::spawn(move || {
            let (dice, kept) = (Dice::new(seed), RefCell::default());
            run(|| (0..200).for_each(|_| wait_somehow(&dice, &kept)));
            drop(kept);
            nothing_is_left();
        })
    });
    let os_threads: Vec<_> = os_threads.collect();
    os_threads.into_iter().for_each(|one| one.join().unwrap());
}

/// One step with a pair of sockets that have faults.
fn use_somehow(dice: &Dice, near: &Rc<UnixStream>, far: &Rc<UnixStream>) {
    let limit = dice.micros(900_000);
    match dice.throw(6) {
        0 => drop((&**near).write(&[1; 10])),
        1 => drop(timeout(limit, || (&**far).read(&mut [0; 4]))),
        2 => drop(catch_cancel(|| (&**near).read(&mut [0; 4]))),
        3 => near.close(),
        4 => {
            let slow = Faults::new(3).delays(1.0, Duration::from_millis(900));
            let _ = timeout(limit, || slow.inject(|| (&**far).write(b"x")));
        }
        _ => {
            let far = Rc::clone(far);
            let writes: Generator<(), usize, ()> = Generator::new(move |y| {
                Faults::new(9).short_writes(1.0).inject(|| {
                    y.yield_(1);
                    y.yield_((&*far).write(b"abc").unwrap_or(0));
                });
            });
            let _ = writes.take(1 + dice.throw(2) as usize).last();
        }
    }
}

#[test]
fn l16_l17_faults_cancels_limits_and_closes_in_any_order_leave_nobody_behind() {
    for seed in 0..200 {
        let faults = Faults::new(seed).delays(0.5, Duration::from_secs(1));
        let faults = faults.resets(0.1).short_reads(0.5).short_writes(0.5);
        let builder = Runtime::builder().virtual_time().shuffle(seed);
        builder.faults(faults).build().unwrap().run(|| {
            let dice = Rc::new(Dice::new(seed));
            let (near, far) = UnixStream::pair().unwrap();
            let (near, far) = (Rc::new(near), Rc::new(far));
            let users = [0; 6].map(|_| {
                let (dice, near, far) = (Rc::clone(&dice), Rc::clone(&near), Rc::clone(&far));
                spawn(move || {
                    let _waits = Waits;
                    (0..4).for_each(|_| use_somehow(&dice, &near, &far));
                })
            });
            sleep(dice.micros(2_000_000));
            let asked = users.iter().filter(|_| dice.throw(2) == 0);
            for user in asked {
                user.cancel();
            }
            sleep(dice.micros(500_000));
        });
        nothing_is_left();
    }
}
