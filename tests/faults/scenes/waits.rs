//! Everything that a green thread waits for on its own OS thread: each primitive of `sync` and `channel`, and time.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::channel::{bounded, broadcast, oneshot, unbounded, watch};
use greenthread::sync::{
    Barrier, Condvar, Event, Mutex, OnceLock, Queue, ReentrantMutex, RwLock, Semaphore,
};
use greenthread::{select, sleep, spawn, timeout, yield_now};

use super::{sum, warm_up};

/// Each primitive that is held: taken by ten at once, who all have to wait for it.
pub(super) fn locks(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mutex = Arc::new(Mutex::new(0));
    let others = Rc::new((
        ReentrantMutex::new(()),
        RwLock::new(0),
        Arc::new(Semaphore::new(1)),
        Condvar::new(),
    ));
    let one = || {
        let (mutex, others) = (Arc::clone(&mutex), Rc::clone(&others));
        spawn(move || {
            let mut count = mutex.lock_owned();
            yield_now();
            *count += 1;
            drop(count);
            let _reentrant = others.0.lock();
            yield_now();
            *others.1.write() += 1;
            let _permit = others.2.acquire_owned();
            yield_now();
            others.3.notify_all();
            u64::from(*others.1.read() > 0)
        })
    };
    let all: Vec<_> = (0..10).map(|_| one()).collect();
    let mut count = mutex.lock();
    while *count < 10 {
        others.3.wait(&mut count);
    }
    drop(count);
    let read = sum(all.into_iter().map(|one| one.join()))?;
    Ok(read + *mutex.lock())
}

/// Each primitive that is awaited.
pub(super) fn events(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let meeting = Rc::new((
        Event::new(),
        Barrier::new(5),
        OnceLock::new(),
        Semaphore::new(0),
    ));
    let one = || {
        let meeting = Rc::clone(&meeting);
        spawn(move || {
            meeting.0.wait();
            let turn = meeting.1.wait().unwrap();
            meeting.3.acquire().forget();
            turn.position() as u64
                + meeting.2.get_or_init(|| {
                    yield_now();
                    2
                })
        })
    };
    let all: Vec<_> = (0..5).map(|_| one()).collect();
    yield_now();
    meeting.0.set();
    meeting.3.release(5);
    sum(all.into_iter().map(|one| one.join()))
}

pub(super) fn queues(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let all = [Queue::unbounded(), Queue::lifo(), Queue::priority()];
    let mut total = 0;
    for queue in all.map(Rc::new) {
        let puts = Rc::clone(&queue);
        let putting = spawn(move || {
            for n in 0..10 {
                puts.put(n).unwrap();
                yield_now();
            }
            puts.close();
        });
        total += queue.iter().sum::<u64>();
        putting.join().map_err(|error| error.to_string())?;
    }
    Ok(total)
}

pub(super) fn channels(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mut total = 0;
    for (to, from) in [bounded(0), bounded(2), unbounded()] {
        drop(spawn(move || (0..10).for_each(|n| to.send(n).unwrap())));
        total += from.iter().sum::<u64>();
    }
    let (to, from) = broadcast(16);
    let (newest, seen) = watch(0);
    let (once, took) = oneshot();
    drop(spawn(move || {
        (0..10).for_each(|n| assert!(to.send(n).is_ok()));
        newest.send(9).unwrap();
        once.send(9).unwrap();
    }));
    seen.changed().map_err(|error| error.to_string())?;
    let (last, same) = (took.recv().unwrap(), seen.get());
    assert_eq!(last, same);
    for _ in 0..10 {
        total += from.recv().map_err(|error| error.to_string())?;
    }
    Ok(total)
}

pub(super) fn selections(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let ((one, ones), (two, twos)) = (bounded(0), unbounded());
    drop(spawn(move || {
        for n in 0..10_u64 {
            match n % 2 {
                0 => one.send(n).unwrap(),
                _ => two.send(n).unwrap(),
            }
            yield_now();
        }
        sleep(Duration::from_secs(60));
    }));
    let mut total = 0;
    for _ in 0..10 {
        select! {
            recv(ones) -> n => total += n.unwrap(),
            recv(twos) -> n => total += n.unwrap(),
            default(Duration::from_secs(60)) => return Err(String::from("too late")),
        }
    }
    Ok(total)
}

pub(super) fn timers(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let one = |n: u64| {
        spawn(move || {
            sleep(Duration::from_micros(n % 7));
            let never = Event::new();
            let late = timeout(Duration::from_micros(n % 5), || never.wait());
            u64::from(late.is_err())
        })
    };
    let all: Vec<_> = (0..10).map(one).collect();
    sum(all.into_iter().map(|one| one.join()))
}
