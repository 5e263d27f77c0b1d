//! One family of locks, channels and sockets for green threads of several workers.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use greenthread::channel::{bounded, oneshot, unbounded};
use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::{Barrier, Condvar, Event, Mutex, Semaphore};
use greenthread::time::sleep;
use greenthread::{Runtime, gather, select, spawn, spawn_anywhere, timeout, yield_now};

use crate::help::{here, on_workers, with_workers};

/// One green thread on each of two workers, at once.
fn on_both<A, B>(
    runtime: &Runtime,
    first: impl FnOnce() -> A + Send + 'static,
    second: impl FnOnce() -> B + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let works = std::sync::Mutex::new((Some(first), Some(second)));
    let results = gather(runtime.run_on_each(move |number| {
        let mut works = works.lock().unwrap();
        if number == 0 {
            let first = works.0.take().unwrap();
            drop(works);
            (Some(first()), None)
        } else {
            let second = works.1.take().unwrap();
            drop(works);
            (None, Some(second()))
        }
    }));
    let mut results = results.into_iter().map(Result::unwrap);
    let first = results.next().unwrap().0.unwrap();
    (first, results.next().unwrap().1.unwrap())
}

#[test]
fn one_whose_messages_never_keep_it_waiting_lets_timers_and_others_of_its_worker_run() {
    let runtime = with_workers(2);
    let (there, far) = bounded(1);
    let (back, near) = bounded(1);
    let play = move || {
        let over = Arc::new(AtomicU64::new(0));
        let sets = Arc::clone(&over);
        let other = spawn(move || {
            sleep(Duration::from_millis(5));
            sets.store(1, Ordering::Relaxed);
        });
        while over.load(Ordering::Relaxed) == 0 {
            there.send(1).unwrap();
            assert_eq!(near.recv(), Ok(1));
        }
        other.join().unwrap();
    };
    let answer = move || far.iter().for_each(|value: u32| back.send(value).unwrap());
    on_both(&runtime, play, answer);
}

#[test]
fn a_mutex_is_held_by_one_of_all_workers() {
    let total = on_workers(3, || {
        let shared = Arc::new(Mutex::new(0_u64));
        let all = (0..30).map(|_| {
            let shared = Arc::clone(&shared);
            spawn_anywhere(move || {
                for _ in 0..200 {
                    let mut guard = shared.lock();
                    let seen = *guard;
                    yield_now();
                    *guard = seen + 1;
                }
            })
        });
        gather(all).into_iter().for_each(|result| result.unwrap());
        *shared.lock()
    });
    assert_eq!(total, 6_000);
}

#[test]
fn every_item_crosses_once_and_in_its_senders_order() {
    let runtime = with_workers(2);
    for capacity in [Some(0), Some(1), Some(64), None] {
        runtime.run(|| {
            let (tx, rx) = capacity.map_or_else(unbounded, bounded);
            let (_, seen) = on_both(
                &runtime,
                move || (0..2_000_u32).for_each(|n| tx.send(n).unwrap()),
                move || rx.iter().collect::<Vec<_>>(),
            );
            assert_eq!(seen, (0..2_000).collect::<Vec<_>>());
        });
    }
}

#[test]
fn two_workers_play_ping_pong() {
    let runtime = with_workers(2);
    runtime.run(|| {
        let (ping, pinged) = bounded::<u32>(1);
        let (pong, ponged) = bounded::<u32>(1);
        let (last, _) = on_both(
            &runtime,
            move || {
                let mut last = 0;
                for n in 0..1_000 {
                    ping.send(n).unwrap();
                    last = ponged.recv().unwrap();
                }
                last
            },
            move || pinged.iter().for_each(|n| pong.send(n + 1).unwrap()),
        );
        assert_eq!(last, 1_000);
    });
}

#[test]
fn a_condition_is_seen_by_waiters_of_other_workers() {
    on_workers(2, || {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let waiters: Vec<_> = (1..=20)
            .map(|wanted| {
                let shared = Arc::clone(&shared);
                spawn_anywhere(move || {
                    let mut count = shared.0.lock();
                    shared.1.wait_while(&mut count, |count| *count < wanted);
                    *count >= wanted
                })
            })
            .collect();
        for _ in 0..20 {
            let shared = Arc::clone(&shared);
            drop(spawn_anywhere(move || {
                *shared.0.lock() += 1;
                shared.1.notify_all();
            }));
        }
        assert!(gather(waiters).into_iter().all(Result::unwrap));
    });
}

#[test]
fn a_selection_takes_from_senders_of_all_workers() {
    on_workers(3, || {
        let (left, lefts) = bounded::<u64>(1);
        let (right, rights) = bounded::<u64>(0);
        let senders = (1..=300).map(|n| {
            let (left, right) = (left.clone(), right.clone());
            spawn_anywhere(move || {
                if n % 2 == 0 {
                    left.send(n)
                } else {
                    right.send(n)
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        let taker = spawn_anywhere(move || {
            let mut sum = 0;
            for _ in 0..300 {
                sum += select! {
                    recv(lefts) -> n => n.unwrap(),
                    recv(rights) -> n => n.unwrap(),
                };
            }
            sum
        });
        assert_eq!(taker.join().unwrap(), 300 * 301 / 2);
        gather(senders)
            .into_iter()
            .for_each(|sent| sent.unwrap().unwrap());
    });
}

#[test]
fn timeouts_that_race_grants_across_workers_lose_no_permit() {
    on_workers(3, || {
        let permits = Arc::new(Semaphore::new(2));
        let all = (0..12).map(|n| {
            let permits = Arc::clone(&permits);
            spawn_anywhere(move || {
                for round in 0..60 {
                    let limit = Duration::from_micros((n * 7 + round) % 40);
                    let _ = timeout(limit, || {
                        let _permit = permits.acquire();
                        yield_now();
                    });
                }
            })
        });
        gather(all.collect::<Vec<_>>())
            .into_iter()
            .for_each(|result| result.unwrap());
        assert_eq!(permits.available(), 2);
    });
}

#[test]
fn events_barriers_and_oneshots_work_across_workers() {
    on_workers(2, || {
        let (event, barrier) = (Arc::new(Event::new()), Arc::new(Barrier::new(8)));
        let all: Vec<_> = (0..8)
            .map(|_| {
                let (event, barrier) = (Arc::clone(&event), Arc::clone(&barrier));
                spawn_anywhere(move || {
                    event.wait();
                    barrier.wait().unwrap().position()
                })
            })
            .collect();
        event.set();
        let places: HashSet<_> = gather(all).into_iter().map(Result::unwrap).collect();
        assert_eq!(places.len(), 8);
        let (tx, rx) = oneshot();
        drop(spawn_anywhere(move || tx.send(here())));
        assert_ne!(rx.recv().unwrap(), here());
    });
}

/// A connected pair of streams, accepted on one worker and connected on the other.
fn connected(runtime: &Runtime) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    on_both(
        runtime,
        move || listener.accept().unwrap().0,
        move || TcpStream::connect(address).unwrap(),
    )
}

#[test]
fn l16_a_stream_that_was_waited_for_on_one_worker_is_used_on_another() {
    let runtime = with_workers(2);
    runtime.run(|| {
        let (mut near, mut far) = connected(&runtime);
        // Each waits on its own worker, so it is registered there.
        for round in 0..20_u8 {
            let ((back_near, seen), back_far) = on_both(
                &runtime,
                move || {
                    let mut byte = [0];
                    near.read_exact(&mut byte).unwrap();
                    (near, byte[0])
                },
                move || {
                    yield_now();
                    far.write_all(&[round]).unwrap();
                    far
                },
            );
            assert_eq!(seen, round);
            // And now the other way round: what was read on worker 0 is read on worker 1.
            (near, far) = (back_far, back_near);
            let (back_far, (back_near, seen)) = on_both(
                &runtime,
                move || {
                    yield_now();
                    far.write_all(&[round + 100]).unwrap();
                    far
                },
                move || {
                    let mut byte = [0];
                    near.read_exact(&mut byte).unwrap();
                    (near, byte[0])
                },
            );
            assert_eq!(seen, round + 100);
            (near, far) = (back_near, back_far);
        }
    });
}

#[test]
fn l17_two_workers_read_and_write_one_socket_at_once() {
    const BYTES: usize = 1 << 20;
    let runtime = with_workers(2);
    runtime.run(|| {
        let (near, far) = connected(&runtime);
        let near = Arc::new(near);
        let reading = Arc::clone(&near);
        let echo = spawn_anywhere(move || {
            let mut buffer = [0; 4096];
            let mut far = far;
            loop {
                match far.read(&mut buffer).unwrap() {
                    0 => return,
                    count => far.write_all(&buffer[..count]).unwrap(),
                }
            }
        });
        let (_, sum) = on_both(
            &runtime,
            move || {
                for chunk in 0..BYTES / 1024 {
                    (&*near).write_all(&[(chunk % 251) as u8; 1024]).unwrap();
                }
            },
            move || {
                let mut buffer = [0; 3000];
                let (mut left, mut sum) = (BYTES, 0_u64);
                while left > 0 {
                    let count = (&*reading).read(&mut buffer).unwrap();
                    left -= count;
                    sum += buffer[..count]
                        .iter()
                        .map(|byte| u64::from(*byte))
                        .sum::<u64>();
                }
                reading.shutdown(std::net::Shutdown::Both).unwrap();
                sum
            },
        );
        let wanted: u64 = (0..BYTES / 1024)
            .map(|chunk| (chunk % 251) as u64 * 1024)
            .sum();
        assert_eq!(sum, wanted);
        echo.join().unwrap();
    });
}

#[test]
fn l17_a_close_on_one_worker_wakes_those_who_wait_on_another() {
    let runtime = with_workers(2);
    runtime.run(|| {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let waiting = Arc::clone(&listener);
        let (accepted, ()) = on_both(
            &runtime,
            move || waiting.accept().map(|_| ()),
            move || {
                yield_now();
                listener.close();
            },
        );
        assert_eq!(
            accepted.unwrap_err().kind(),
            std::io::ErrorKind::NotConnected
        );
    });
}

#[test]
fn connections_are_accepted_in_one_place_and_served_on_all_workers() {
    let runtime = with_workers(2);
    runtime.run(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&served);
        let server = spawn_anywhere(move || {
            for _ in 0..40 {
                let (mut stream, _) = listener.accept().unwrap();
                let count = Arc::clone(&count);
                drop(spawn_anywhere(move || {
                    let mut text = String::new();
                    stream.read_to_string(&mut text).unwrap();
                    stream.write_all(text.to_uppercase().as_bytes()).unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }));
            }
        });
        let clients = (0..40).map(|n| {
            spawn_anywhere(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                write!(stream, "client {n}").unwrap();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                assert_eq!(text, format!("CLIENT {n}"));
            })
        });
        gather(clients.collect::<Vec<_>>())
            .into_iter()
            .for_each(|client| client.unwrap());
        server.join().unwrap();
    });
}
