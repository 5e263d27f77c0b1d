//! What is done while a fault waits: each scene sets itself up, arms the fault, does one kind of thing, and returns a sum.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::channel::{bounded, broadcast, oneshot, unbounded, watch};
use greenthread::generator::Generator;
use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::{
    Barrier, Condvar, Event, Mutex, OnceLock, Queue, ReentrantMutex, RwLock, Semaphore,
};
use greenthread::{
    Builder, JoinHandle, JoinSet, Runtime, gather, run, scope, select, sleep, spawn,
    spawn_anywhere, spawn_blocking, timeout, try_scope, yield_now,
};

use crate::proof;
use crate::trial::{self, Verdict};

/// How long a call on a socket waits.
const PATIENCE: Duration = Duration::from_millis(20);

/// Does something, after it has called what it is given; or says which error came back.
pub(crate) type Play = fn(&dyn Fn()) -> Result<u64, String>;

/// One kind of thing to do.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    /// What it is called.
    pub(crate) name: &'static str,

    /// Does it.
    pub(crate) play: Play,

    /// What it returns when nothing fails.
    pub(crate) sum: u64,
}

/// A scene.
pub(crate) const fn scene(name: &'static str, sum: u64, play: Play) -> Scene {
    Scene { name, play, sum }
}

impl Scene {
    /// Plays it in a child under a fault, which `disarm` ends and says whether it came to pass; proves that the runtime is whole, and ends the child.
    pub(crate) fn play_and_conclude(&self, arm: impl Fn(), disarm: impl Fn() -> bool) -> ! {
        let played = (self.play)(&arm);
        let came_to_pass = disarm();
        let verdict = match played {
            Ok(sum) => {
                assert_eq!(sum, self.sum, "a wrong sum");
                match came_to_pass {
                    true => Verdict::Unnoticed,
                    false => Verdict::Untouched,
                }
            }
            Err(error) => {
                eprintln!("error: {error}");
                assert!(came_to_pass, "an error without a fault");
                Verdict::Error
            }
        };
        proof::assert_whole();
        trial::conclude(verdict)
    }
}

/// What concerns one OS thread.
pub(crate) const HERE: &[Scene] = &[
    scene("first use", 7, |arm| {
        arm();
        spawn(|| 7).join().map_err(|error| error.to_string())
    }),
    scene("spawn and join", 190, spawn_and_join),
    scene("a builder", 10, a_builder),
    scene("run", 21, |arm| {
        arm();
        Ok(run(|| spawn(|| 21).join().unwrap()))
    }),
    scene("a runtime", 21, |arm| {
        arm();
        let runtime = Runtime::builder().virtual_time().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        Ok(runtime.run(|| spawn(|| 21).join().unwrap()))
    }),
    scene("locks", 20, locks),
    scene("events", 20, events),
    scene("queues", 3 * 45, queues),
    scene("channels", 4 * 45, channels),
    scene("selections", 45, selections),
    scene("timers", 10, timers),
    scene("generators", 100, generators),
    scene("scopes", 380, scopes),
    scene("results", 380, results),
    scene("ends", 10, ends),
    scene("tcp", 40, tcp),
    scene("stacks", 50, stacks),
];

/// What concerns several OS threads.
pub(crate) const ACROSS: &[Scene] = &[
    scene("spawn_anywhere", 10, |arm| {
        warm_up();
        arm();
        let all: Vec<_> = (0..5).map(|n| spawn_anywhere(move || n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    }),
    scene("workers", 190, |arm| {
        warm_up();
        arm();
        let runtime = Runtime::builder().workers(2).build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let all = || (0..20).map(|n| spawn_anywhere(move || n));
        runtime.run(|| sum(all().map(|one| one.join())))
    }),
    scene("spawn_blocking", 10, |arm| {
        warm_up();
        arm();
        let all: Vec<_> = (0..5).map(|n| spawn_blocking(move || n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    }),
    scene("wakes from elsewhere", 64, wakes_from_elsewhere),
    scene("rings", 45, rings),
];

/// Makes this OS thread's scheduler and all that a first green thread brings along.
fn warm_up() {
    spawn(|| ()).join().unwrap();
}

fn sum<E: ToString>(all: impl Iterator<Item = Result<u64, E>>) -> Result<u64, String> {
    all.map(|one| one.map_err(|error| error.to_string())).sum()
}

fn spawn_and_join(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let all: Vec<_> = (0..20).map(|n| spawn(move || n)).collect();
    sum(all.into_iter().map(|one| one.join()))
}

fn a_builder(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let build = |n| {
        let builder = Builder::new()
            .name(String::from("built"))
            .stack_size(64 << 10);
        builder.spawn(move || n).map_err(|error| error.to_string())
    };
    let all: Vec<_> = (0..5).map(build).collect::<Result<_, _>>()?;
    sum(all.into_iter().map(|one| one.join()))
}

/// Each primitive that is held: taken by ten at once, who all have to wait for it.
fn locks(arm: &dyn Fn()) -> Result<u64, String> {
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
fn events(arm: &dyn Fn()) -> Result<u64, String> {
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

fn queues(arm: &dyn Fn()) -> Result<u64, String> {
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

fn channels(arm: &dyn Fn()) -> Result<u64, String> {
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

fn selections(arm: &dyn Fn()) -> Result<u64, String> {
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

fn timers(arm: &dyn Fn()) -> Result<u64, String> {
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

fn generators(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mut total = 0;
    for _ in 0..10 {
        let echo: Generator<u64, u64, ()> = Generator::new(|y| {
            let mut sent = y.yield_(0);
            loop {
                sent = y.yield_(sent);
            }
        });
        echo.start();
        total += echo.send(10).unwrap_yielded();
        echo.close();
    }
    Ok(total)
}

fn scopes(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let numbers: Vec<u64> = (0..20).collect();
    let first = scope(|s| {
        let all: Vec<_> = numbers.iter().map(|n| s.spawn(move || *n)).collect();
        sum(all.into_iter().map(|one| one.join()))
    })?;
    let second = try_scope(|s| {
        let all: Vec<_> = numbers
            .iter()
            .map(|n| s.spawn(move || Ok::<_, String>(*n)))
            .collect();
        Ok(all.into_iter().map(|one| one.join().unwrap()).sum::<u64>())
    });
    Ok(first + second.map_err(|error| error.to_string())?)
}

fn results(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let one = |n: u64| {
        move || {
            yield_now();
            n
        }
    };
    let first = sum(gather((0..20).map(|n| spawn(one(n)))).into_iter())?;
    let mut set = JoinSet::new();
    (0..20).for_each(|n| set.spawn(one(n)));
    let second = sum(std::iter::from_fn(|| set.join_next()))?;
    Ok(first + second)
}

/// Cancellations with reasons, panics that are caught, callbacks.
fn ends(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let mut total = 0;
    for _ in 0..3 {
        let parked = spawn(greenthread::park);
        let called = Arc::new(Event::new());
        let tells = Arc::clone(&called);
        let _called = parked.on_finish(move |_| tells.set());
        yield_now();
        total += u64::from(parked.cancel_with("enough"));
        let error = parked.join().unwrap_err();
        total += u64::from(
            error
                .reason()
                .is_some_and(|why| why.to_string() == "enough"),
        );
        total += u64::from(called.is_set());
    }
    let panics = spawn(|| std::panic::resume_unwind(Box::new("on purpose")));
    total += u64::from(panics.join().is_err_and(|error| error.is_panic()));
    Ok(total)
}

/// Tries again while the call's own time is up: a fault that says "nothing there" about what is there brings no further event.
fn patiently<R>(mut call: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            done => return done,
        }
    }
}

fn read_word(mut stream: &TcpStream) -> io::Result<[u8; 4]> {
    let (mut word, mut length) = ([0; 4], 0);
    while length < word.len() {
        match patiently(|| stream.read(&mut word[length..]))? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => length += more,
        }
    }
    Ok(word)
}

fn write_word(mut stream: &TcpStream, word: [u8; 4]) -> io::Result<()> {
    assert_eq!(patiently(|| stream.write(&word))?, word.len());
    Ok(())
}

fn set_patience(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// The first source of this OS thread, an accepted connection, and ten messages there and back.
fn tcp(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let (address, server) = echo_server().map_err(|error| error.to_string())?;
    let asked = ask_ten_times(address);
    if asked.is_err() {
        server.cancel();
    }
    let served = server.join().map_err(|error| error.to_string());
    match (asked, served) {
        (Ok(total), Ok(Ok(()))) => Ok(total),
        (asked, served) => Err(format!("client {asked:?}, server {served:?}")),
    }
}

fn echo_server() -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let server = spawn(move || {
        let (stream, _) = listener.accept()?;
        set_patience(&stream)?;
        (0..10).try_for_each(|_| write_word(&stream, read_word(&stream)?))
    });
    Ok((address, server))
}

fn ask_ten_times(address: SocketAddr) -> io::Result<u64> {
    let stream = TcpStream::connect(address)?;
    set_patience(&stream)?;
    let mut total = 0;
    for _ in 0..10 {
        write_word(&stream, *b"echo")?;
        total += u64::from(read_word(&stream)? == *b"echo") * 4;
    }
    Ok(total)
}

/// Fifty of them stand on stacks at the same time.
fn stacks(arm: &dyn Fn()) -> Result<u64, String> {
    warm_up();
    arm();
    let go = Rc::new(Event::new());
    let one = |_| {
        let go = Rc::clone(&go);
        spawn(move || {
            go.wait();
            1
        })
    };
    let all: Vec<_> = (0..50).map(one).collect();
    yield_now();
    go.set();
    sum(all.into_iter().map(|one| one.join()))
}

/// Another OS thread wakes this one ten times out of its reactor.
fn rings(arm: &dyn Fn()) -> Result<u64, String> {
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
fn wakes_from_elsewhere(arm: &dyn Fn()) -> Result<u64, String> {
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
