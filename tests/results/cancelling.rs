//! Cancelling: in every kind of wait, with reasons, twice, while guards are held.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::Arc;

use greenthread::channel::{self, oneshot};
use greenthread::net::{TcpListener, TcpStream};
use greenthread::sync::{Condvar, Event, Mutex, Queue, Semaphore};
use greenthread::{
    GreenThread, JoinHandle, JoinSet, WaitFor, as_completed, catch_cancel, checkpoint, current,
    gather, join, park, park_timeout, race, run, scope, shield, sleep, sleep_until, spawn, time,
    timeout, try_gather, try_scope, wait, wait_until, yield_now,
};

use crate::support::teardown::leaves;
use crate::{SECOND, in_virtual_time};

/// Runs this when it is dropped.
pub(crate) struct AtDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A wait, by its name.
type Named = (&'static str, Box<dyn FnOnce()>);

const HOUR: time::Duration = time::Duration::from_secs(3600);

fn named<R>(name: &'static str, f: impl FnOnce() -> R + 'static) -> Named {
    let work = move || {
        let _ = f();
    };
    (name, Box::new(work))
}

fn long() -> JoinHandle<()> {
    spawn(|| sleep(HOUR))
}

/// Every kind of wait; none of them ends by itself before an hour has passed.
fn waits() -> Vec<Named> {
    let mut all = waits_for_moments();
    all.extend(waits_for_one());
    all.extend(waits_for_many());
    all.extend(waits_in_scopes());
    all.extend(waits_in_primitives());
    all.extend(waits_in_channels());
    all
}

fn waits_for_moments() -> Vec<Named> {
    vec![
        named("park", park),
        named("park_timeout", || park_timeout(HOUR)),
        named("sleep", || sleep(HOUR)),
        named("sleep_until", || sleep_until(time::now() + HOUR)),
        named("timeout", || timeout(HOUR, park)),
    ]
}

fn waits_for_one() -> Vec<Named> {
    vec![
        named("join", || long().join()),
        named("join_timeout", || long().join_timeout(HOUR)),
        named("shared join", || long().shared().join()),
        named("cancel_on_drop join", || long().cancel_on_drop().join()),
    ]
}

fn parked() -> Result<(), greenthread::JoinError> {
    park();
    Ok(())
}

fn waits_for_many() -> Vec<Named> {
    let set = || {
        let mut set = JoinSet::new();
        set.spawn(|| sleep(HOUR));
        set.join_next()
    };
    vec![
        named("gather", || gather([long(), long()])),
        named("try_gather", || try_gather([spawn(parked)])),
        named("wait", || wait([long()], WaitFor::First, Some(HOUR))),
        named("wait_until", || wait_until([long()], |_| true, None)),
        named("as_completed", || as_completed([long()]).next()),
        named("JoinSet", set),
        named("race", || race([|| sleep(HOUR)])),
        named("join!", || join!(|| sleep(HOUR), park)),
    ]
}

fn waits_in_scopes() -> Vec<Named> {
    let with_errors = || {
        try_scope(|s| {
            s.spawn(|| {
                park();
                Ok::<_, ()>(())
            });
            Ok(())
        })
    };
    vec![
        named("scope", || scope(|s| drop(s.spawn(|| sleep(HOUR))))),
        named("try_scope", with_errors),
    ]
}

fn waits_in_primitives() -> Vec<Named> {
    let full = || {
        let queue = Queue::bounded(1);
        queue.put(1).unwrap();
        queue.put(2)
    };
    let condvar = || {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let mut guard = mutex.lock();
        condvar.wait(&mut guard);
    };
    vec![
        named("Event", || Event::new().wait()),
        named("Semaphore", || drop(Semaphore::new(0).acquire())),
        named("Queue::get", || Queue::<()>::unbounded().get()),
        named("Queue::put", full),
        named("Mutex", wait_for_a_lock),
        named("Condvar", condvar),
    ]
}

fn wait_for_a_lock() {
    let mutex = Arc::new(Mutex::new(()));
    let (own, held) = (Arc::clone(&mutex), Arc::new(Event::new()));
    let told = Arc::clone(&held);
    let holder = spawn(move || {
        let _guard = own.lock();
        told.set();
        park();
    });
    held.wait();
    let _holder = holder.cancel_on_drop();
    drop(mutex.lock());
}

fn waits_in_channels() -> Vec<Named> {
    let send = || {
        let (sender, _receiver) = channel::bounded(0);
        sender.send(())
    };
    let receive = || {
        let (_sender, receiver) = channel::unbounded::<()>();
        receiver.recv()
    };
    let once = || {
        let (_sender, receiver) = oneshot::<()>();
        receiver.recv()
    };
    vec![
        named("send", send),
        named("recv", receive),
        named("oneshot", once),
    ]
}

#[test]
#[apply(on_roots)]
fn l9_every_kind_of_wait_ends_by_a_cancellation_with_its_reason() {
    for (name, work) in waits() {
        in_virtual_time(|| {
            let before = time::now();
            let waiting = spawn(work);
            sleep(SECOND);
            assert!(!waiting.is_finished(), "{name} did not wait");
            assert!(waiting.cancel_with(name));
            let error = waiting.join().unwrap_err();
            assert!(error.is_cancelled(), "{name}: {error}");
            assert_eq!(error.reason().unwrap().to_string(), name);
            assert_eq!(time::now() - before, SECOND, "{name} waited on");
            // Who is waited for is detached by some.
            leaves(1);
        });
    }
}

#[test]
#[apply(on_workers)]
fn l9_waits_on_sockets_end_by_a_cancellation_and_the_sockets_stay_usable() {
    let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let own = Rc::clone(&listener);
    let accepting = spawn(move || drop(own.accept()));
    yield_now();
    accepting.cancel_with("accept");
    let error = accepting.join().unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "accept");

    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let server = Rc::new(server);
    let own = Rc::clone(&server);
    let reading = spawn(move || drop((&*own).read(&mut [0; 8])));
    yield_now();
    reading.cancel_with("read");
    let error = reading.join().unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "read");
    client.write_all(b"all").unwrap();
    let mut buffer = [0; 3];
    (&*server).read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"all");
}

#[test]
#[apply(on_roots)]
fn l9_a_request_that_came_before_is_raised_by_every_kind_of_wait() {
    for (name, work) in waits() {
        in_virtual_time(|| {
            let before = time::now();
            let waiting = spawn(|| {
                current().cancel_with("before");
                work();
            });
            let error = waiting.join().unwrap_err();
            assert!(error.is_cancelled(), "{name}: {error}");
            assert_eq!(time::now(), before, "{name} waited");
            leaves(1);
        });
    }
}

#[test]
#[apply(on_workers)]
fn l9_one_cancelled_before_it_began_never_runs_and_keeps_the_reason() {
    let ran = Rc::new(Cell::new(false));
    let seen = Rc::clone(&ran);
    let unstarted = spawn(move || seen.set(true));
    assert!(unstarted.cancel_with("too early"));
    let error = unstarted.join().unwrap_err();
    assert_eq!(error.reason().unwrap().to_string(), "too early");
    assert!(!ran.get());
}

#[test]
#[apply(on_roots)]
fn l9_of_two_requests_the_first_reason_wins() {
    in_virtual_time(|| {
        let sleeper = spawn(|| sleep(9 * SECOND));
        yield_now();
        assert!(sleeper.cancel_with("first"));
        assert!(sleeper.cancel_with("second"));
        let thread = sleeper.thread().clone();
        let error = sleeper.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "first");
        assert!(!thread.cancel_with("too late"));
    });
}

#[test]
#[apply(on_workers)]
fn l9_reasons_go_through_scopes_and_shared_handles() {
    in_virtual_time(|| {
        scope(|s| {
            let (one, two) = (s.spawn(park), s.spawn(park));
            one.cancel_with("handle");
            s.cancel_with("scope");
            for (child, expected) in [(one, "handle"), (two, "scope")] {
                let error = child.join().unwrap_err();
                assert_eq!(error.reason().unwrap().to_string(), expected);
            }
        });
        let ended = try_scope(|s| {
            let child = s.spawn(|| {
                park();
                Ok::<_, String>(())
            });
            s.cancel_with("try_scope");
            Ok(child.join().unwrap_err().reason().unwrap().to_string())
        });
        assert_eq!(ended.unwrap(), "try_scope");
        let shared = spawn(park).shared();
        yield_now();
        shared.cancel_with("shared");
        let error = shared.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "shared");
    });
}

#[test]
#[apply(on_workers)]
fn guards_are_given_back_on_the_way_out() {
    let mutex = Arc::new(Mutex::new(0));
    let permits = Arc::new(Semaphore::new(1));
    let (own_mutex, own_permits) = (Arc::clone(&mutex), Arc::clone(&permits));
    let holder = spawn(move || {
        let mut guard = own_mutex.lock();
        let _permit = own_permits.acquire();
        *guard = 1;
        park();
    });
    yield_now();
    assert!(mutex.is_locked());
    holder.cancel();
    assert!(holder.join().unwrap_err().is_cancelled());
    assert_eq!((*mutex.lock(), permits.available()), (1, 1));
}

#[test]
#[apply(on_roots)]
fn l10_guards_that_wait_in_their_drop_are_not_cancelled_again() {
    in_virtual_time(|| {
        let cleaned = Rc::new(Cell::new(false));
        let clean = Rc::clone(&cleaned);
        let holder = spawn(move || {
            let _end = AtDrop(|| {
                sleep(2 * SECOND);
                clean.set(true);
            });
            park();
        });
        sleep(SECOND);
        holder.cancel();
        sleep(SECOND);
        // It stands in its clean-up now.
        assert!(holder.cancel());
        assert!(holder.join().unwrap_err().is_cancelled());
        assert!(cleaned.get());
    });
}

#[test]
#[apply(on_roots)]
fn a_cancelled_join_leaves_the_joined_one_running() {
    in_virtual_time(|| {
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        let work = spawn(move || {
            sleep(2 * SECOND);
            end.set(true);
        });
        let joining = spawn(|| work.join().unwrap());
        sleep(SECOND);
        joining.cancel();
        assert!(joining.join().unwrap_err().is_cancelled());
        sleep(2 * SECOND);
        assert!(ended.get());
    });
}

#[test]
#[apply(on_roots)]
fn l4_a_join_that_is_granted_and_cancelled_at_once_gives_the_value() {
    in_virtual_time(|| {
        let got = Rc::new(Cell::new(0));
        let seen = Rc::clone(&got);
        let work = crate::after(1);
        let joining = spawn(move || {
            seen.set(work.join().unwrap());
            checkpoint();
        });
        let thread = joining.thread().clone();
        let meddler = spawn(move || {
            sleep(SECOND);
            thread.cancel()
        });
        assert!(joining.join().unwrap_err().is_cancelled());
        assert!(meddler.join().unwrap());
        assert_eq!(got.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn l9_a_request_in_a_shield_is_raised_at_the_first_wait_point_after() {
    in_virtual_time(|| {
        let told = Rc::new(Cell::new(false));
        let tell = Rc::clone(&told);
        let shielded = spawn(move || {
            shield(|| sleep(2 * SECOND));
            tell.set(true);
            checkpoint();
            unreachable!("raised at the checkpoint");
        });
        sleep(SECOND);
        shielded.cancel_with("patience");
        let error = shielded.join().unwrap_err();
        assert_eq!(error.reason().unwrap().to_string(), "patience");
        assert!(told.get());
    });
}

#[test]
#[apply(on_roots)]
fn a_root_can_be_cancelled_and_consume_it() {
    run(|| {
        let root: GreenThread = current();
        let canceller = spawn(move || root.cancel_with("root"));
        let caught = catch_cancel(park).unwrap_err();
        assert_eq!(caught.reason().unwrap().to_string(), "root");
        assert!(canceller.join().unwrap());
    });
}
