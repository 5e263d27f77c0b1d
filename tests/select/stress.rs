//! Many selections at once, on several OS threads, with every message accounted for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use greenthread::channel::{Receiver, Sender, bounded};
use greenthread::{run, select, spawn, timeout};

const EACH: u64 = 2_000;

fn sum() -> u64 {
    (1..=EACH).sum()
}

/// Receives from both until both are closed.
fn receive_all(one: &Receiver<u64>, two: &Receiver<u64>) -> u64 {
    let (mut total, mut open) = (0, [true, true]);
    while open[0] || open[1] {
        let (arm, message) = match open {
            [true, true] => select! {
                recv(one) -> message => (0, message),
                recv(two) -> message => (1, message),
            },
            [true, false] => (0, one.recv()),
            _ => (1, two.recv()),
        };
        match message {
            Ok(message) => total += message,
            Err(_) => open[arm] = false,
        }
    }
    total
}

/// Sends each number to whichever takes it.
fn send_all(one: &Sender<u64>, two: &Sender<u64>) {
    for n in 1..=EACH {
        select! {
            send(one, n) -> sent => sent.unwrap(),
            send(two, n) -> sent => sent.unwrap(),
        }
    }
}

#[test]
#[apply(on_workers)]
fn l4_selections_on_several_os_threads_lose_and_double_nothing() {
    for capacity in [0, 1, 4] {
        let (one, from_one) = bounded(capacity);
        let (two, from_two) = bounded(capacity);
        let sending: Vec<_> = (0..2)
            .map(|_| {
                let (one, two) = (one.clone(), two.clone());
                std::thread::spawn(move || send_all(&one, &two))
            })
            .collect();
        let receiving: Vec<_> = (0..2)
            .map(|_| {
                let (one, two) = (from_one.clone(), from_two.clone());
                std::thread::spawn(move || {
                    run(|| {
                        let pair = (one.clone(), two.clone());
                        let green = spawn(move || receive_all(&pair.0, &pair.1));
                        receive_all(&one, &two) + green.join().unwrap()
                    })
                })
            })
            .collect();
        drop((one, two, from_one, from_two));
        for sending in sending {
            sending.join().unwrap();
        }
        let total: u64 = receiving.into_iter().map(|r| r.join().unwrap()).sum();
        assert_eq!(total, 2 * sum());
    }
}

#[test]
#[apply(on_workers)]
fn l4_selections_that_give_up_at_random_lose_and_double_nothing() {
    for capacity in [0, 2] {
        let (one, from_one) = bounded(capacity);
        let (two, from_two) = bounded(capacity);
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        let sending = std::thread::spawn(move || {
            for n in 1..=EACH {
                let wait = std::time::Duration::from_micros(n % 7 * 10);
                select! {
                    send(one, n) -> sent => { sent.unwrap(); counted.fetch_add(n, Ordering::Relaxed); }
                    send(two, n) -> sent => { sent.unwrap(); counted.fetch_add(n, Ordering::Relaxed); }
                    default(wait) => {}
                }
            }
        });
        let mut received = 0;
        let mut closed = false;
        while !closed {
            let wait = std::time::Duration::from_micros(received % 5 * 20);
            let _ = timeout(wait, || {
                select! {
                    recv(from_one) -> n => match n { Ok(n) => received += n, Err(_) => closed = true },
                    recv(from_two) -> n => match n { Ok(n) => received += n, Err(_) => closed = true },
                }
            });
        }
        sending.join().unwrap();
        received += from_one.try_iter().sum::<u64>() + from_two.try_iter().sum::<u64>();
        assert_eq!(received, sent.load(Ordering::Relaxed));
    }
}
