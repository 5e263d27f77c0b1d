//! Work of all kinds that comes after a fault: its sum proves that the runtime is whole.

use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use greenthread::channel::bounded;
use greenthread::generator::Generator;
use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::{Event, Mutex, Queue, Semaphore};
use greenthread::{scope, sleep, spawn, spawn_blocking, timeout, yield_now};

/// Asserts that this OS thread's runtime does what it should.
pub(crate) fn assert_whole() {
    assert_eq!(without_descriptors(), SUM);
    elsewhere();
    echo();
}

/// What `without_descriptors` returns.
pub(crate) const SUM: u64 = 45 * 20 + 30 + 5050 + 190;

/// The part of it that opens nothing and stays on this OS thread.
pub(crate) fn without_descriptors() -> u64 {
    timers();
    channel() + locks() + numbers() + children()
}

fn channel() -> u64 {
    let (to, from) = bounded(2);
    let senders = (0..20).map(|_| to.clone());
    senders.for_each(|to| drop(spawn(move || (0..10).for_each(|n| to.send(n).unwrap()))));
    drop(to);
    from.iter().sum()
}

fn locks() -> u64 {
    let shared = Rc::new((Mutex::new(0), Semaphore::new(2), Queue::bounded(1)));
    let one = || {
        let shared = Rc::clone(&shared);
        spawn(move || {
            let _permit = shared.1.acquire();
            let mut sum = shared.0.lock();
            yield_now();
            *sum += 1;
            drop(sum);
            shared.2.put(()).unwrap();
        })
    };
    let all: Vec<_> = (0..30).map(|_| one()).collect();
    all.iter().for_each(|_| shared.2.get().unwrap());
    all.into_iter().for_each(|one| one.join().unwrap());
    *shared.0.lock()
}

fn numbers() -> u64 {
    let numbers: Generator<(), u64, ()> = Generator::new(|y| y.yield_all(1..=100));
    numbers.sum()
}

fn children() -> u64 {
    let numbers: Vec<u64> = (0..20).collect();
    scope(|s| {
        let all: Vec<_> = numbers.iter().map(|n| s.spawn(move || *n)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    })
}

fn timers() {
    let all = (0..10).map(|n| spawn(move || sleep(Duration::from_micros(n * 50))));
    let all: Vec<_> = all.collect();
    all.into_iter().for_each(|one| one.join().unwrap());
    let never = Event::new();
    assert!(timeout(Duration::from_millis(1), || never.wait()).is_err());
}

/// A job of the pool, and a wake from another OS thread.
fn elsewhere() {
    assert_eq!(spawn_blocking(|| 7).join().unwrap(), 7);
    let me = greenthread::current();
    let other = std::thread::spawn(move || me.unpark());
    greenthread::park();
    other.join().unwrap();
}

fn echo() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut word = [0; 4];
        stream.read_exact(&mut word).unwrap();
        stream.write_all(&word).unwrap();
    });
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"echo").unwrap();
    let mut word = [0; 4];
    client.read_exact(&mut word).unwrap();
    assert_eq!(&word, b"echo");
    server.join().unwrap();
}

#[test]
fn the_proof_holds_where_nothing_has_failed() {
    assert_whole();
    greenthread::run(assert_whole);
}
