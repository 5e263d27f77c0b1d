//! The cross-thread parts under the model checker: the real inbox, peers, judges and lists, on loom's atomics.
//!
//! Every interleaving of these small programs is run (`RUSTFLAGS='--cfg loom' cargo test --lib --release`). An owner here is an OS thread with nothing but its inbox:
//! it takes letters, and sleeps when there are none, as the loop does. A lost wake shows as a deadlock that loom reports.

#![expect(unsafe_code, reason = "links nodes of the models' own stacks")]

use std::ptr::NonNull;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::choice::{Line, Place};
use super::inbox::Home;
use super::list::{Node, WaitList};
use super::park::Grant;
use super::peer::{Held, Peer, mail, senders};
use super::ready::Ready;
use super::wait::{Ended, Operation, Wait};
use crate::base::biased::Biased;
use crate::base::lock::Lock;

static WAITING: Operation = Operation::new("model");

/// A peer with a count of its frees behind it.
#[repr(C)]
struct Green {
    /// First, so that its address is the peer's.
    peer: Peer,

    /// How often it was freed.
    freed: Arc<AtomicUsize>,
}

/// # Safety
/// The peer is part of a `Green` that `green` made.
unsafe fn free(peer: NonNull<Peer>) {
    // SAFETY: the caller's duty.
    let green = unsafe { Box::from_raw(peer.as_ptr().cast::<Green>()) };
    green.freed.fetch_add(1, Ordering::SeqCst);
}

/// A green thread of this home, with one reference.
pub(super) fn green(home: &Biased<Home>, freed: &Arc<AtomicUsize>) -> Held {
    make(Some(home.clone()), freed)
}

/// The same, of this home or of none yet.
pub(super) fn make(home: Option<Biased<Home>>, freed: &Arc<AtomicUsize>) -> Held {
    let green = Box::new(Green {
        peer: Peer::new(1, free, home),
        freed: Arc::clone(freed),
    });
    // SAFETY: made with one reference, which is this.
    unsafe { Held::from_raw(Box::leak(green) as *const Green as *const Peer) }
}

/// Runs every interleaving with at most three preemptions: more find nothing new in programs this small, and take hours.
pub(super) fn check(program: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(program);
}

pub(super) fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

/// Takes letters until the bits that have come satisfy `enough`, sleeping in between.
pub(super) fn read_mail(home: &Home, enough: impl Fn(u8) -> bool) -> u8 {
    let mut bits = 0;
    while !enough(bits) {
        for held in senders(home.take()) {
            bits |= held.take_mail();
        }
        if !enough(bits) && home.fall_asleep() {
            home.doze(None);
            home.wake_up();
        }
    }
    bits
}

#[test]
fn l7_a_post_is_never_slept_through() {
    check(|| {
        let home = Home::new();
        let freed = counter();
        let owned = green(&home, &freed);
        let remote = owned.clone();
        let poster = thread::spawn(move || remote.post(mail::WAKE).unwrap());
        assert_eq!(read_mail(&home, |bits| bits != 0), mail::WAKE);
        poster.join().unwrap();
        drop(owned);
        assert_eq!(freed.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn l7_two_posts_about_one_green_thread_are_both_read() {
    check(|| {
        let home = Home::new();
        let freed = counter();
        let owned = green(&home, &freed);
        let posters: Vec<_> = [mail::WAKE, mail::REQUEST]
            .into_iter()
            .map(|bit| {
                let remote = owned.clone();
                thread::spawn(move || remote.post(bit).unwrap())
            })
            .collect();
        let all = mail::WAKE | mail::REQUEST;
        assert_eq!(read_mail(&home, |bits| bits == all), all);
        for poster in posters {
            poster.join().unwrap();
        }
        drop(owned);
        assert_eq!(freed.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn l7_posts_about_two_green_threads_are_both_read() {
    check(|| {
        let home = Home::new();
        let freed = counter();
        let owned = [green(&home, &freed), green(&home, &freed)];
        let bits = [mail::WAKE, mail::UNPARK];
        let remotes: Vec<_> = owned.iter().cloned().zip(bits).collect();
        let posters: Vec<_> = remotes
            .into_iter()
            .map(|(remote, bit)| thread::spawn(move || remote.post(bit).unwrap()))
            .collect();
        let all = mail::WAKE | mail::UNPARK;
        assert_eq!(read_mail(&home, |bits| bits == all), all);
        for poster in posters {
            poster.join().unwrap();
        }
        drop(owned);
        assert_eq!(freed.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn l19_a_post_at_the_end_of_an_os_thread_is_refused_or_found() {
    check(|| {
        let home = Home::new();
        let freed = counter();
        let owned = green(&home, &freed);
        let remote = owned.clone();
        let poster = thread::spawn(move || remote.post(mail::WAKE));
        let found = senders(home.close()).count();
        let posted = poster.join().unwrap();
        match posted {
            Ok(()) => assert_eq!(found, 1),
            Err(_) => assert_eq!(found, 0),
        }
        drop(owned);
        assert_eq!(freed.load(Ordering::SeqCst), 1);
    });
}

/// Permits, and who waits for one.
struct Permits {
    /// How many are free.
    free: usize,

    /// In the order in which they came.
    waiters: WaitList,
}

/// The least semaphore above the real lists: enough to lose a permit or to double it.
struct Gate(Lock<Permits>);

impl Gate {
    fn new(free: usize) -> Arc<Gate> {
        Arc::new(Gate(Lock::new(Permits {
            free,
            waiters: WaitList::new(),
        })))
    }

    fn release(&self) {
        let mut permits = self.0.lock();
        let wake = permits.waiters.wake_first();
        if wake.is_none() {
            permits.free += 1;
        }
        drop(permits);
        drop(wake);
    }

    fn free(&self) -> usize {
        self.0.lock().free
    }

    /// Waits for a permit on this model's OS thread; `give_up` ends the wait from the owner's side at once, as a timer or a request does.
    fn acquire(&self, owner: &Held, give_up: bool) -> bool {
        let ready = Ready::new();
        let wait = Wait::new(owner.as_ptr(), &ready, &WAITING);
        let node = Node::new(0, 1);
        let mut permits = self.0.lock();
        if permits.free > 0 {
            permits.free -= 1;
            return true;
        }
        // SAFETY: N2: node and wait stay in this frame until they were unlinked, below or by the waker.
        unsafe { permits.waiters.link(&node, &wait) };
        drop(permits);
        // As in the loop: who lost against a waker goes on only when the waker's message is here.
        if !(give_up && wait.time_out()) {
            read_mail(owner.home().unwrap(), |bits| bits & mail::WAKE != 0);
        }
        if let Ended::Granted(_) = wait.ended() {
            return true;
        }
        let permits = self.0.lock();
        // SAFETY: `permits` guards the list.
        unsafe { node.unlink() };
        drop(permits);
        false
    }
}

#[test]
fn l4_a_wake_from_another_os_thread_ends_the_wait_once() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gate = Gate::new(0);
        let other = Arc::clone(&gate);
        let releaser = thread::spawn(move || other.release());
        assert!(gate.acquire(&owner, false));
        releaser.join().unwrap();
        assert_eq!(gate.free(), 0);
    });
}

#[test]
fn l4_a_deadline_that_meets_a_grant_loses_no_permit_and_doubles_none() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gate = Gate::new(0);
        let other = Arc::clone(&gate);
        let releaser = thread::spawn(move || other.release());
        let got = gate.acquire(&owner, true);
        releaser.join().unwrap();
        assert_eq!(gate.free(), usize::from(!got));
    });
}

#[test]
fn l4_two_waiters_on_two_os_threads_share_two_permits() {
    check(|| {
        let gate = Gate::new(0);
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let gate = Arc::clone(&gate);
                thread::spawn(move || {
                    let home = Home::new();
                    let owner = green(&home, &counter());
                    assert!(gate.acquire(&owner, false));
                })
            })
            .collect();
        gate.release();
        gate.release();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(gate.free(), 0);
    });
}

#[test]
fn l19_a_waiter_whose_os_thread_ends_passes_its_grant_on() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gate = Gate::new(0);
        let ready = Ready::new();
        let wait = Wait::new(owner.as_ptr(), &ready, &WAITING);
        let node = Node::new(0, 1);
        // SAFETY: N2: both stay in this frame until unlinked below.
        unsafe { gate.0.lock().waiters.link(&node, &wait) };
        let other = Arc::clone(&gate);
        let releaser = thread::spawn(move || other.release());
        // What `exit` does: the inbox first, then the waits.
        senders(home.close()).for_each(drop);
        wait.end_with_thread();
        let held = gate.0.lock();
        // SAFETY: `held` guards the list.
        unsafe { node.unlink() };
        drop(held);
        if let Ended::Granted(_) = wait.ended() {
            gate.release();
        }
        releaser.join().unwrap();
        assert_eq!(gate.free(), 1);
    });
}

fn waiters(permits: &mut Permits) -> &mut WaitList {
    &mut permits.waiters
}

/// One wait at two gates, through the real places; `meanwhile` runs on the owner's OS thread between joining and parking, as another green thread would.
fn choose(owner: &Held, gates: &[Arc<Gate>; 2], meanwhile: impl FnOnce(&Wait)) -> Ended {
    let ready = Ready::new();
    ready.make_current();
    let wait = Wait::new(owner.as_ptr(), &ready, &WAITING).with_many_nodes();
    let place = |n: usize| {
        Place::new(
            n,
            &gates[n].0,
            waiters,
            |permits, _| permits.free > 0,
            Grant::Keep,
        )
    };
    let places = [place(0), place(1)];
    // SAFETY: N2: wait and places stay in this frame until both places have left below.
    let open = (0..2).find(|&n| !unsafe { places[n].join(&wait) });
    let taken_back = open.is_some() && wait.take_back();
    if !taken_back {
        meanwhile(&wait);
        if ready.is_empty() && wait.ended() != Ended::TimedOut {
            read_mail(owner.home().unwrap(), |bits| bits & mail::WAKE != 0);
        }
    }
    places.iter().for_each(Line::leave);
    Ready::forget_current();
    match open {
        Some(open) if taken_back => {
            gates[open].0.lock().free -= 1;
            Ended::Granted(u32::try_from(open).unwrap())
        }
        _ => wait.ended(),
    }
}

/// The permits that are free at both gates.
fn free_at(gates: &[Arc<Gate>; 2]) -> [usize; 2] {
    [gates[0].free(), gates[1].free()]
}

#[test]
fn l4_two_wakers_that_meet_at_one_choice_grant_it_once() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gates = [Gate::new(0), Gate::new(0)];
        let wakers = gates
            .clone()
            .map(|gate| thread::spawn(move || gate.release()));
        let ended = choose(&owner, &gates, |_| ());
        for waker in wakers {
            waker.join().unwrap();
        }
        match ended {
            Ended::Granted(0) => assert_eq!(free_at(&gates), [0, 1]),
            Ended::Granted(1) => assert_eq!(free_at(&gates), [1, 0]),
            other => panic!("ended as {other:?}"),
        }
    });
}

#[test]
fn l4_a_waker_here_and_one_across_grant_a_choice_once() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gates = [Gate::new(0), Gate::new(0)];
        let (near, far) = (Arc::clone(&gates[0]), Arc::clone(&gates[1]));
        let across = thread::spawn(move || far.release());
        let mut released = false;
        let ended = choose(&owner, &gates, |_| {
            released = true;
            near.release();
        });
        across.join().unwrap();
        match ended {
            Ended::Granted(0) => assert_eq!(free_at(&gates), [0, 1]),
            Ended::Granted(1) => assert_eq!(free_at(&gates), [usize::from(released), 0]),
            other => panic!("ended as {other:?}"),
        }
    });
}

#[test]
fn l4_a_deadline_and_two_wakers_end_a_choice_once() {
    check(|| {
        let home = Home::new();
        let owner = green(&home, &counter());
        let gates = [Gate::new(0), Gate::new(0)];
        let wakers = gates
            .clone()
            .map(|gate| thread::spawn(move || gate.release()));
        let ended = choose(&owner, &gates, |wait| {
            wait.time_out();
        });
        for waker in wakers {
            waker.join().unwrap();
        }
        let used = usize::from(ended != Ended::TimedOut);
        assert_eq!(free_at(&gates).iter().sum::<usize>(), 2 - used);
    });
}
