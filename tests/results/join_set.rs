//! `JoinSet`.

use std::cell::Cell;
use std::rc::Rc;

use greenthread::{JoinSet, catch_cancel, current, sleep, spawn, timeout, yield_now};

use crate::support::Counted;
use crate::{SECOND, in_virtual_time, quiet_panic};

/// A set of sleepers, each giving how long it slept.
fn sleepers(seconds: impl IntoIterator<Item = u32>) -> JoinSet<u32> {
    let mut set = JoinSet::new();
    for n in seconds {
        set.spawn(move || {
            sleep(n * SECOND);
            n
        });
    }
    set
}

#[test]
#[apply(on_roots)]
fn members_are_joined_in_the_order_of_their_ends() {
    in_virtual_time(|| {
        let mut set = sleepers([3, 1, 2]);
        assert_eq!((set.len(), set.is_empty()), (3, false));
        let mut order = Vec::new();
        while let Some(result) = set.join_next() {
            order.push(result.unwrap());
        }
        assert_eq!((order, set.len(), set.is_empty()), (vec![1, 2, 3], 0, true));
    });
}

#[test]
#[apply(on_roots)]
fn a_set_grows_while_it_is_joined_and_uses_its_places_again() {
    in_virtual_time(|| {
        let mut set = sleepers([1, 2]);
        let mut sum = 0;
        for _ in 0..100 {
            sum += set.join_next().unwrap().unwrap();
            set.spawn(|| {
                sleep(SECOND);
                1
            });
        }
        assert_eq!((sum, set.len()), (101, 2));
    });
}

#[test]
#[apply(on_roots)]
fn try_join_next_does_not_wait() {
    in_virtual_time(|| {
        let mut set = sleepers([1]);
        assert!(set.try_join_next().is_none());
        assert!(JoinSet::<()>::default().try_join_next().is_none());
        sleep(2 * SECOND);
        assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
        assert!(set.join_next().is_none());
    });
}

#[test]
#[apply(on_roots)]
fn cancel_all_keeps_the_members_until_they_are_joined() {
    in_virtual_time(|| {
        let mut set = sleepers([9, 8]);
        yield_now();
        set.cancel_all_with("enough");
        assert_eq!(set.len(), 2);
        for _ in 0..2 {
            let error = set.join_next().unwrap().unwrap_err();
            assert_eq!(error.reason().unwrap().to_string(), "enough");
        }
        let mut again = sleepers([9]);
        again.cancel_all();
        assert!(again.join_next().unwrap().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn dropping_a_set_cancels_its_members() {
    in_virtual_time(|| {
        let held = Counted::new();
        let mut set = JoinSet::new();
        let own = held.clone();
        set.spawn(move || {
            let _own = own;
            sleep(9 * SECOND);
        });
        yield_now();
        drop(set);
        assert_eq!(held.alive(), 2);
        yield_now();
        assert_eq!(held.alive(), 1);
    });
}

#[test]
#[apply(on_workers)]
fn a_members_panic_is_its_result() {
    let mut set = JoinSet::<()>::new();
    set.spawn(|| quiet_panic("bad"));
    assert!(set.join_next().unwrap().unwrap_err().is_panic());
}

#[test]
#[apply(on_roots)]
fn l4_a_timeout_around_join_next_at_the_moment_of_the_end_loses_nothing() {
    in_virtual_time(|| {
        let mut set = sleepers(1..=20);
        let mut sum = 0;
        while !set.is_empty() {
            if let Ok(result) = timeout(SECOND, || set.join_next()) {
                sum += result.unwrap().unwrap();
            }
        }
        assert_eq!(sum, 210);
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_cancelled_join_next_leaves_the_set_as_it_was() {
    in_virtual_time(|| {
        let joining = spawn(|| {
            let own = current();
            let mut set = JoinSet::new();
            set.spawn(move || {
                sleep(SECOND);
                own.cancel();
                7
            });
            assert!(catch_cancel(|| set.join_next()).is_err());
            assert_eq!(set.len(), 1);
            set.join_next().unwrap().unwrap()
        });
        assert_eq!(joining.join().unwrap(), 7);
    });
}

/// A small generator of numbers, so that the test is the same each time (xorshift, Marsaglia 2003).
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
#[apply(on_roots)]
fn ten_thousand_members_under_random_timeouts_and_cancellations_end_exactly_once() {
    const MEMBERS: u64 = 10_000;
    in_virtual_time(|| {
        let (mut seed, spawned) = (0x9e37_79b9_7f4a_7c15_u64, Rc::new(Cell::new(0)));
        let (mut set, mut joined, mut cancelled) = (JoinSet::new(), 0, 0);
        while spawned.get() < MEMBERS || !set.is_empty() {
            let random = next_random(&mut seed);
            if spawned.get() < MEMBERS && !random.is_multiple_of(3) {
                let (wait, spawned) = (random % 7, Rc::clone(&spawned));
                spawned.set(spawned.get() + 1);
                set.spawn(move || sleep(wait as u32 * SECOND));
            } else if random.is_multiple_of(5) {
                set.cancel_all();
            } else if let Ok(Some(result)) = timeout(random as u32 % 3 * SECOND, || set.join_next())
            {
                joined += 1;
                cancelled += u64::from(result.is_err());
            }
        }
        assert_eq!(joined, MEMBERS);
        assert!((1..MEMBERS).contains(&cancelled), "{cancelled}");
    });
}
