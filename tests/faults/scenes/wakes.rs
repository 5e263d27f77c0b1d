//! Wakes from other OS threads.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use greenthread::channel::{bounded, unbounded};
use greenthread::net::TcpListener;
use greenthread::sync::Semaphore;
use greenthread::{spawn, yield_now};

use super::{sum, warm_up};

/// Another OS thread wakes this one ten times out of its reactor.
pub(super) fn rings(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
    drop(spawn(move || drop(listener.accept())));
    yield_now();
    arm();
    let (to, from) = bounded(0);
    let sends = move || {
        for n in 0..10 {
            std::thread::sleep(Duration::from_millis(1));
            if to.send(n).is_err() {
                break;
            }
        }
    };
    let other = std::thread::Builder::new().spawn(sends);
    let other = other.map_err(|error| error.to_string())?;
    let total = from.iter().sum();
    other.join().unwrap();
    Ok(total)
}

/// Sixty-four who wait here are woken by two other OS threads, through the inbox.
pub(super) fn wakes_from_elsewhere(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    let (to, from) = unbounded();
    let ready = Arc::new(Semaphore::new(0));
    let one = || {
        let (from, ready) = (from.clone(), Arc::clone(&ready));
        spawn(move || {
            ready.acquire().forget();
            from.recv().unwrap()
        })
    };
    let all: Vec<_> = (0..64).map(|_| one()).collect();
    yield_now();
    arm();
    let sends = move || (0..64).for_each(|_| to.send(1).unwrap());
    let others = [
        std::thread::Builder::new().spawn(sends),
        std::thread::Builder::new().spawn(move || (0..64).for_each(|_| ready.release(1))),
    ];
    let others: Result<Vec<_>, _> = others.into_iter().collect();
    let others = others.map_err(|error| error.to_string())?;
    let total = sum(all.into_iter().map(|one| one.join()));
    others.into_iter().for_each(|other| other.join().unwrap());
    total
}
