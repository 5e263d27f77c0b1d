//! L19: an OS thread that ends with green threads in line.

use std::sync::Arc;
use std::sync::mpsc;

use greenthread::channel::{self, bounded};
use greenthread::sync::{Event, Queue, Semaphore};
use greenthread::{run, spawn, yield_now};

use crate::subjects::*;

type Shared = Arc<dyn Subject>;

fn subjects() -> Vec<Shared> {
    vec![
        Arc::new(MutexLock::new()),
        Arc::new(ReentrantLock::new()),
        Arc::new(RwLockWrite::new()),
        Arc::new(RwLockRead::new()),
        Arc::new(BarrierWaits::new()),
        Arc::new(OnceWait::default()),
        Arc::new(OnceInit::new()),
        Arc::new(SemaphoreAcquire(Semaphore::new(0))),
        Arc::new(SemaphoreMany(Semaphore::new(0))),
        Arc::new(EventWait(Event::new())),
        Arc::new(CondvarWait::default()),
        Arc::new(QueueGet(Queue::unbounded())),
        Arc::new(QueueGet(Queue::priority())),
        Arc::new(QueuePut::of(Queue::bounded(2))),
        Arc::new(QueueJoin::new()),
        Arc::new(Recv(roomy())),
        Arc::new(Recv(bounded(0))),
        Arc::new(Sending::of(bounded(1))),
        Arc::new(Sending::of(bounded(0))),
    ]
}

/// An OS thread on which a green thread waits, and which ends when it is told to: it runs nothing in between.
struct Leaving {
    /// Tells it to end.
    end: mpsc::Sender<()>,

    /// The OS thread.
    thread: std::thread::JoinHandle<()>,
}

impl Leaving {
    fn with_waiter(subject: &Shared) -> Self {
        let (end, told) = mpsc::channel();
        let (parked, is_parked) = mpsc::channel();
        let subject = Arc::clone(subject);
        let thread = std::thread::spawn(move || {
            drop(spawn(move || subject.wait()));
            yield_now();
            parked.send(()).unwrap();
            told.recv().unwrap();
        });
        is_parked.recv().unwrap();
        Leaving { end, thread }
    }

    fn leave(self) {
        self.end.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[test]
#[apply(on_roots)]
fn l19_a_waiter_whose_os_thread_has_gone_is_out_of_the_line() {
    for subject in subjects() {
        Leaving::with_waiter(&subject).leave();
        run(|| {
            let own = Arc::clone(&subject);
            let next = spawn(move || own.wait());
            yield_now();
            subject.grant();
            next.join().unwrap();
        });
    }
}

#[test]
#[apply(on_roots)]
fn l19_a_grant_that_an_os_thread_ends_with_goes_to_the_next() {
    for subject in subjects() {
        // A sender whose message was taken has nothing left to hand on.
        let handed_over = subject.kind() == Kind::Delivery;
        let leaving = Leaving::with_waiter(&subject);
        run(|| {
            let own = Arc::clone(&subject);
            let next = spawn(move || own.wait());
            yield_now();
            subject.grant();
            leaving.leave();
            if !handed_over {
                next.join().unwrap();
            }
        });
    }
}

#[test]
#[apply(on_roots)]
fn l19_those_behind_a_big_request_whose_os_thread_has_gone_are_served() {
    let semaphore = Arc::new(Semaphore::new(1));
    let big: Shared = Arc::new(Big(Arc::clone(&semaphore)));
    let leaving = Leaving::with_waiter(&big);
    run(|| {
        let own = Arc::clone(&semaphore);
        let small = spawn(move || own.acquire().forget());
        yield_now();
        assert!(!small.is_finished());
        leaving.leave();
        small.join().unwrap();
    });
}

/// Asks for more than there is.
struct Big(Arc<Semaphore>);

impl Subject for Big {
    fn wait(&self) {
        self.0.acquire_many(2).forget();
    }

    fn wait_timeout(&self, _: std::time::Duration) -> bool {
        unreachable!()
    }

    fn grant(&self) {
        unreachable!()
    }

    fn kind(&self) -> Kind {
        Kind::Token
    }
}

#[test]
#[apply(on_roots)]
fn l19_a_message_handed_to_a_receiver_that_never_runs_goes_to_the_next() {
    for waits_already in [true, false] {
        let (sender, receiver) = channel::bounded(0);
        let (end, told) = mpsc::channel::<()>();
        let (parked, is_parked) = mpsc::channel();
        let own = receiver.clone();
        let leaving = std::thread::spawn(move || {
            drop(spawn(move || own.recv()));
            yield_now();
            parked.send(()).unwrap();
            told.recv().unwrap();
        });
        is_parked.recv().unwrap();
        run(|| {
            sender.try_send(7).unwrap();
            let next = spawn(move || receiver.recv());
            if waits_already {
                yield_now();
            }
            end.send(()).unwrap();
            leaving.join().unwrap();
            assert_eq!(next.join().unwrap(), Ok(7));
        });
    }
}

#[test]
#[apply(on_roots)]
fn l19_a_message_that_was_handed_on_does_not_disturb_a_sender_that_waits() {
    let (sender, receiver) = channel::bounded(0);
    let own: Shared = Arc::new(Receives(receiver.clone()));
    let leaving = Leaving::with_waiter(&own);
    run(|| {
        sender.try_send(7).unwrap();
        leaving.leave();
        let sending = spawn(move || sender.send(8));
        yield_now();
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(7), Ok(8)));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

/// Receives once.
struct Receives(channel::Receiver<u32>);

impl Subject for Receives {
    fn wait(&self) {
        let _ = self.0.recv();
    }

    fn wait_timeout(&self, _: std::time::Duration) -> bool {
        unreachable!()
    }

    fn grant(&self) {
        unreachable!()
    }

    fn kind(&self) -> Kind {
        Kind::Delivery
    }
}
