//! Locks, permits, notifications, barriers, events and what is made once.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;

use greenthread::sync::{
    Barrier, Condvar, Event, Mutex, OnceLock, ReentrantMutex, RwLock, Semaphore,
};
use greenthread::{resume_if_cancelled, scope};

use super::{Books, Dice, Inside, TICK, crowd, try_out};

#[test]
#[apply(once)]
fn a_mutex_has_one_owner_and_none_in_the_end() {
    try_out(|dice| {
        let (mutex, inside) = (Arc::new(Mutex::new(0)), Inside::default());
        crowd(dice, 4, |_| {
            for _ in 0..3 {
                let limit = TICK * dice.roll(3);
                let guard = match dice.roll(4) {
                    0 => Some(mutex.lock_owned()),
                    1 => mutex.lock_owned_timeout(limit).ok(),
                    2 => mutex.try_lock_owned(),
                    _ => dice.limited(|| mutex.lock_owned()),
                };
                if let Some(mut guard) = guard {
                    let _inside = inside.enter(1);
                    assert_eq!(inside.weight(), 1);
                    dice.pause();
                    *guard += 1;
                }
            }
        });
        assert!(!mutex.is_locked());
    });
}

#[test]
#[apply(once)]
fn a_reentrant_mutex_has_one_owner_and_none_in_the_end() {
    try_out(|dice| {
        let (mutex, inside) = (ReentrantMutex::new(()), Inside::default());
        crowd(dice, 3, |_| {
            for _ in 0..2 {
                let outer = dice.limited(|| mutex.lock());
                if outer.is_some() {
                    let _inside = inside.enter(1);
                    assert_eq!(inside.weight(), 1);
                    dice.pause();
                    let _inner = mutex.lock();
                    dice.pause();
                }
            }
        });
        assert!(mutex.try_lock().is_some());
    });
}

#[test]
#[apply(once)]
fn a_lock_for_readers_and_writers_keeps_them_apart() {
    const WRITER: i32 = 1000;
    try_out(|dice| {
        let (lock, inside) = (RwLock::new(()), Inside::default());
        crowd(dice, 5, |_| {
            for _ in 0..2 {
                if dice.roll(3) == 0 {
                    let limit = TICK * dice.roll(3);
                    let guard = match dice.roll(3) {
                        0 => Some(lock.write()),
                        1 => lock.write_timeout(limit).ok(),
                        _ => dice.limited(|| lock.write()),
                    };
                    let Some(guard) = guard else { continue };
                    let entered = inside.enter(WRITER);
                    assert_eq!(inside.weight(), WRITER);
                    dice.pause();
                    drop(entered);
                    let _guard = greenthread::sync::RwLockWriteGuard::downgrade(guard);
                    let _inside = inside.enter(1);
                    assert!(inside.weight() < WRITER);
                    dice.pause();
                } else if let Some(_guard) = dice.limited(|| lock.read()) {
                    let _inside = inside.enter(1);
                    assert!(inside.weight() < WRITER);
                    dice.pause();
                }
            }
        });
        assert!(!lock.is_locked());
    });
}

#[test]
#[apply(once)]
fn a_semaphore_gives_out_what_it_has_and_has_all_of_it_in_the_end() {
    try_out(|dice| {
        let (permits, inside) = (Semaphore::new(3), Inside::default());
        crowd(dice, 5, |_| {
            for _ in 0..2 {
                let count = 1 + dice.roll(3) as usize;
                let limit = TICK * dice.roll(3);
                let permit = match dice.roll(3) {
                    0 => Some(permits.acquire_many(count)),
                    1 => permits.acquire_many_timeout(count, limit).ok(),
                    _ => dice.limited(|| permits.acquire_many(count)),
                };
                if permit.is_some() {
                    let _inside = inside.enter(count as i32);
                    assert!(inside.weight() <= 3);
                    dice.pause();
                }
            }
        });
        assert_eq!(permits.available(), 3);
    });
}

/// The buffer of every textbook: a lock and two conditions.
#[derive(Default)]
struct Buffer {
    items: Mutex<(Vec<u32>, bool)>,
    room: Condvar,
    filled: Condvar,
}

impl Buffer {
    fn put(&self, item: u32, books: &Books) {
        let mut held = self.items.lock();
        self.room
            .wait_while(&mut held, |(items, _)| items.len() == 2);
        held.0.push(item);
        books.note_put(item);
        self.filled.notify_one();
    }

    /// Whether there will be more.
    fn get(&self, books: &Books) -> bool {
        let mut held = self.items.lock();
        self.filled
            .wait_while(&mut held, |(items, closed)| items.is_empty() && !*closed);
        let item = held.0.pop();
        if let Some(item) = item {
            books.note_got(item);
            self.room.notify_one();
        }
        item.is_some()
    }

    fn close(&self) {
        self.items.lock().1 = true;
        self.filled.notify_all();
    }
}

#[test]
#[apply(once)]
fn a_buffer_of_a_lock_and_two_conditions_loses_nothing() {
    try_out(|dice| {
        let (buffer, books) = (Buffer::default(), Books::default());
        scope(|s| {
            let getters = [(); 2].map(|()| {
                s.spawn(|| {
                    while dice.limited(|| buffer.get(&books)) != Some(false) {
                        dice.pause();
                    }
                })
            });
            crowd(dice, 3, |_| {
                for _ in 0..3 {
                    let item = books.item();
                    let _ = dice.limited(|| buffer.put(item, &books));
                }
            });
            if dice.roll(2) == 0 {
                getters[0].cancel();
            }
            buffer.close();
        });
        while buffer.get(&books) {}
        books.close();
    });
}

#[test]
#[apply(once)]
fn a_barrier_lets_go_as_many_as_it_is_for() {
    try_out(|dice| {
        let (barrier, arrived) = (Barrier::new(3), Cell::new(0));
        let places = [(); 3].map(|()| Cell::new(0));
        scope(|s| {
            for _ in 0..6 {
                s.spawn(|| {
                    dice.pause();
                    let place = barrier.wait().unwrap().position();
                    places[place].set(places[place].get() + 1);
                    arrived.set(arrived.get() + 1);
                });
            }
        });
        assert_eq!(arrived.get(), 6);
        assert!(places.iter().all(|place| place.get() == 2));
        assert_eq!(barrier.waiting(), 0);
    });
}

#[test]
#[apply(once)]
fn a_barrier_goes_on_without_those_who_left_it() {
    try_out(|dice| {
        let barrier = Barrier::new(3);
        scope(|s| {
            let through = Cell::new(0);
            crowd(dice, 4, |_| {
                let limit = TICK * (1 + dice.roll(3));
                match dice.roll(3) {
                    0 => drop(barrier.wait_timeout(limit)),
                    _ => drop(dice.limited(|| barrier.wait_timeout(limit))),
                }
                through.set(through.get() + 1);
            });
            assert_eq!(barrier.waiting(), 0);
            // Whoever left has left no trace: a round of three goes through.
            let three = [(); 3].map(|()| s.spawn(|| barrier.wait().map(drop)));
            let broken = barrier.is_broken();
            for one in three {
                assert_eq!(one.join().unwrap().is_err(), broken);
            }
        });
    });
}

#[test]
#[apply(once)]
fn an_event_wakes_everybody_who_waits_for_it() {
    try_out(|dice| {
        let event = Event::new();
        scope(|s| {
            s.spawn(|| {
                for _ in 0..3 {
                    dice.pause();
                    event.set();
                    dice.pause();
                    event.clear();
                }
                event.set();
            });
            crowd(dice, 4, |_| {
                for _ in 0..2 {
                    let _ = dice.limited(|| event.wait());
                    event.wait();
                }
            });
        });
    });
}

#[test]
#[apply(once)]
fn what_is_made_once_is_made_by_one_at_a_time_and_seen_by_all() {
    try_out(|dice| {
        let (once, inside, made) = (OnceLock::new(), Inside::default(), Cell::new(0));
        let make = || {
            let _inside = inside.enter(1);
            assert_eq!(inside.weight(), 1);
            dice.pause();
            if dice.roll(4) == 0 {
                panic_any("not this time");
            }
            made.set(made.get() + 1);
            made.get()
        };
        crowd(dice, 4, |_| {
            let got = catch_unwind(AssertUnwindSafe(|| {
                dice.limited(|| *once.get_or_init(make))
            }));
            match got {
                Ok(Some(value)) => assert_eq!(value, 1),
                Ok(None) => {}
                Err(panic) => drop(resume_if_cancelled(panic)),
            }
        });
        while once.get().is_none() {
            drop(catch_unwind(AssertUnwindSafe(|| once.get_or_init(make))));
        }
        assert_eq!((once.get(), made.get()), (Some(&1), 1));
    });
}

#[test]
#[apply(once)]
fn a_dice_is_the_same_for_the_same_seed() {
    let rolls = |seed| {
        let dice = Dice::new(seed);
        (0..20).map(|_| dice.roll(6)).collect::<Vec<_>>()
    };
    assert_eq!(rolls(3), rolls(3));
    assert_ne!(rolls(3), rolls(4));
}
