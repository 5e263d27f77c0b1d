//! Cancels in every destructor, deadlines of zero around everything, and waits that are cut off with something lent (L4, L5, L9, L10, L16, L17).

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::channel::{bounded, oneshot};
use greenthread::generator::Generator;
use greenthread::net::{TcpListener, TcpStream};
use greenthread::process::{Command, Stdio};
use greenthread::sync::{Barrier, Condvar, Event, Mutex, Queue, RwLock, Semaphore};
use greenthread::{
    GreenThread, JoinSet, catch_cancel, checkpoint, current, fs, gather, park, scope, shield,
    sleep, spawn, spawn_blocking, timeout, yield_now,
};

use crate::help::{AtDrop, in_virtual_time, join_soon};

const LONG: Duration = Duration::from_secs(3600);

/// When it is dropped, it cancels whoever drops it and `other`, and waits in every way.
fn cancels(other: &Rc<RefCell<Option<GreenThread>>>) -> AtDrop<impl FnMut() + use<>> {
    let other = Rc::clone(other);
    AtDrop(move || {
        current().cancel_with("from a destructor");
        if let Some(other) = &*other.borrow() {
            other.cancel();
        }
        let _ = catch_unwind(checkpoint);
        let _ = catch_unwind(|| timeout(Duration::ZERO, yield_now));
        let _ = catch_unwind(|| shield(|| sleep(Duration::from_millis(1))));
        let _ = catch_cancel(yield_now);
        current().cancel();
    })
}

#[test]
#[apply(on_roots)]
fn l9_cancels_in_every_destructor_end_their_own_and_nobody_else() {
    in_virtual_time(|| {
        let none = Rc::default();
        let own = || cancels(&none);
        let (value, captured, thrown) = (own(), own(), own());
        let sends = std::panic::panic_any::<&str>;
        let handles = vec![
            // A local, a capture that never runs, a result that nobody claims, one that is claimed.
            spawn({
                let value = value;
                move || drop(value)
            }),
            spawn(move || {
                let _captured = &captured;
            }),
            spawn(move || {
                let _thrown = thrown;
                sends("a panic through it")
            }),
        ];
        drop(spawn({
            let none = Rc::clone(&none);
            move || cancels(&none)
        }));
        let claimed = spawn({
            let none = Rc::clone(&none);
            move || cancels(&none)
        });
        handles[1].cancel();
        for handle in handles {
            drop(handle.join());
        }
        let claimed = spawn(move || drop(claimed.join().unwrap()));
        drop(claimed.join());
        // In messages, locks, generators and scopes.
        let (sender, receiver) = bounded(2);
        sender.send(own()).unwrap();
        drop(spawn(move || drop(receiver)).join());
        let guarded = Mutex::new(own());
        drop(spawn(move || drop(guarded)).join());
        let (local, g) = (own(), own());
        drop(
            spawn(move || {
                let g = Generator::<(), (), ()>::new(move |y| {
                    let _local = &local;
                    y.yield_(());
                    drop(g);
                });
                g.start();
            })
            .join(),
        );
        let inside = own();
        let scoped = spawn(move || {
            scope(|s| {
                let inside = inside;
                drop(s.spawn(move || drop(inside)));
            })
        });
        drop(scoped.join());
        assert!(
            catch_cancel(checkpoint).is_ok(),
            "the root was not cancelled"
        );
        assert_eq!(spawn(|| 4).join().unwrap(), 4);
    });
}

#[test]
#[apply(on_roots)]
fn l9_two_that_cancel_each_other_in_their_destructors_both_end() {
    in_virtual_time(|| {
        let (a, b) = (Rc::default(), Rc::default());
        let (first, second) = (cancels(&a), cancels(&b));
        let first = spawn(move || {
            let _first = first;
            park();
        });
        let second = spawn(move || {
            let _second = second;
            park();
        });
        *a.borrow_mut() = Some(second.thread().clone());
        *b.borrow_mut() = Some(first.thread().clone());
        yield_now();
        first.cancel();
        assert!(first.join().unwrap_err().is_cancelled());
        assert!(second.join().unwrap_err().is_cancelled());
    });
}

/// One that waits for ever, and what it is called.
type Waiting = (&'static str, Box<dyn Fn()>);

/// Everything that waits for ever, done with a limit from outside.
fn waits() -> Vec<Waiting> {
    let lock = Arc::new(Mutex::new(()));
    let rw = Arc::new(RwLock::new(()));
    std::mem::forget(Arc::clone(&lock).lock_owned());
    std::mem::forget(Arc::clone(&rw).write_owned());
    let (sender, receiver) = bounded::<u8>(0);
    let (one, other) = oneshot::<u8>();
    let queue = Queue::<u8>::bounded(1);
    queue.put(1).unwrap();
    let kept = RefCell::new(Some((one, sender.clone(), receiver.clone())));
    vec![
        ("park", Box::new(park)),
        ("sleep", Box::new(|| sleep(LONG * 1000))),
        ("lock", Box::new(move || drop(lock.lock()))),
        (
            "read",
            Box::new({
                let rw = Arc::clone(&rw);
                move || drop(rw.read())
            }),
        ),
        ("write", Box::new(move || drop(rw.write()))),
        (
            "acquire",
            Box::new(|| drop(Semaphore::new(1).acquire_many(2))),
        ),
        ("event", Box::new(|| Event::new().wait())),
        (
            "condvar",
            Box::new(|| Condvar::new().wait(&mut Mutex::new(0).lock())),
        ),
        (
            "barrier",
            Box::new(|| {
                let _ = Barrier::new(2).wait();
            }),
        ),
        (
            "send",
            Box::new(move || {
                let _ = sender.send(1);
            }),
        ),
        (
            "recv",
            Box::new(move || {
                let _ = receiver.recv();
            }),
        ),
        (
            "oneshot",
            Box::new(move || {
                let _kept = &kept;
                let _ = other.recv();
            }),
        ),
        (
            "put",
            Box::new(move || {
                let _ = queue.put(2);
            }),
        ),
        (
            "get",
            Box::new(|| {
                let _ = Queue::<u8>::priority().get();
            }),
        ),
        (
            "join",
            Box::new(|| drop(spawn(park).cancel_on_drop().join())),
        ),
        (
            "gather",
            Box::new(|| drop(gather((0..3).map(|_| spawn(park))))),
        ),
        (
            "join_next",
            Box::new(|| {
                let mut set = JoinSet::new();
                set.spawn(park);
                drop(set.join_next());
            }),
        ),
        ("scope", Box::new(|| scope(|s| drop(s.spawn(park))))),
        (
            "generator",
            Box::new(|| {
                let _ = Generator::<(), (), ()>::new(|_| park()).start().complete();
            }),
        ),
    ]
}

#[test]
#[apply(on_roots)]
fn l5_deadlines_of_zero_around_everything_leave_nothing_behind() {
    in_virtual_time(|| {
        for (name, wait) in waits() {
            assert!(timeout(Duration::ZERO, &wait).is_err(), "{name}");
            assert!(
                timeout(Duration::from_nanos(1), || timeout(Duration::MAX, &wait)).is_err(),
                "{name}"
            );
            let outer = timeout(Duration::ZERO, || {
                catch_cancel(|| timeout(Duration::ZERO, &wait))
            });
            assert!(matches!(outer, Err(_) | Ok(Err(_) | Ok(Err(_)))), "{name}");
        }
    });
}

#[test]
#[apply(on_roots)]
fn l5_requests_at_every_moment_of_every_wait_end_it_once() {
    in_virtual_time(|| {
        for (name, wait) in waits() {
            let wait = Rc::from(wait);
            for turns in 0..4 {
                let own: Rc<dyn Fn()> = Rc::clone(&wait);
                let waiting = spawn(move || {
                    // Caught, held, raised again: the request stays until the end.
                    let first = catch_unwind(AssertUnwindSafe(|| own())).unwrap_err();
                    let second = catch_unwind(AssertUnwindSafe(|| own())).unwrap_err();
                    drop(first);
                    resume_unwind(second);
                });
                (0..turns).for_each(|_| yield_now());
                waiting.cancel();
                waiting.cancel_with("again");
                assert!(waiting.join().unwrap_err().is_cancelled(), "{name}");
            }
        }
    });
}

#[test]
#[apply(on_workers)]
fn l16_waits_for_files_processes_and_sockets_are_cut_off_with_buffers_lent() {
    let folder = fs::TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    for round in 0..30 {
        let path = folder.path().join("file");
        let writes = spawn(move || {
            let text = vec![b'w'; 3_000_000];
            fs::write(path, &text).unwrap();
        });
        let reads = spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let mut buffer = [0; 100];
            stream.write_all(&buffer).unwrap();
            stream.read_exact(&mut buffer).unwrap();
        });
        let child = spawn(|| {
            let mut child = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.kill_on_drop(true);
            child.communicate(vec![b'c'; 500_000]).unwrap().stdout.len()
        });
        let job = spawn(|| {
            let lent = Arc::new([7; 100]);
            let theirs = Arc::clone(&lent);
            spawn_blocking(move || theirs.iter().sum::<i32>())
                .join()
                .unwrap()
        });
        (0..round).for_each(|_| yield_now());
        writes.cancel();
        reads.cancel();
        child.cancel();
        job.cancel();
        assert!(join_soon(reads).unwrap_err().is_cancelled());
        drop((join_soon(writes), join_soon(child), join_soon(job)));
    }
    listener.close();
}

#[test]
#[apply(on_workers)]
fn l17_closing_and_dropping_in_destructors_of_those_who_wait_is_seen_by_all() {
    let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let closed = Rc::new(Cell::new(0));
    let handles: Vec<_> = (0..5)
        .map(|n| {
            let (own, closed) = (Rc::clone(&listener), Rc::clone(&closed));
            spawn(move || {
                let _closes = AtDrop(|| {
                    own.close();
                    closed.set(closed.get() + 1);
                });
                if n == 0 {
                    park();
                }
                own.accept().unwrap_err().kind()
            })
        })
        .collect();
    yield_now();
    handles[0].cancel();
    for handle in handles {
        let kind = join_soon(handle);
        assert!(kind.is_err() || kind.is_ok_and(|kind| kind == std::io::ErrorKind::NotConnected));
    }
    assert_eq!(closed.get(), 5);
    assert!(listener.accept().is_err());
}
