//! Cancelling: a job that has not begun never does; one that has begun goes to its end.

use std::sync::mpsc::{self, Sender};
use std::thread::ThreadId;

use greenthread::blocking::Pool;
use greenthread::{current, spawn, yield_now};

use crate::Busy;

/// Says where it is dropped: on which OS thread, and on the stack of which green thread.
struct Tells(Sender<(ThreadId, u64)>);

impl Drop for Tells {
    fn drop(&mut self) {
        // The receiver has gone when nobody asks.
        let _ = self.0.send((std::thread::current().id(), current().id()));
    }
}

#[test]
#[apply(on_workers)]
fn a_job_that_has_not_begun_is_removed_and_its_handle_says_why() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel::<()>();
    let job = pool.spawn(move || send.send(()));
    assert!(job.cancel_with("not needed"));
    assert!(job.cancel(), "it has not ended yet");
    let error = job.join().unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.reason().unwrap().to_string(), "not needed");
    assert!(received.recv().is_err(), "it never ran");
    busy.end().join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l18_its_closure_is_dropped_on_a_green_thread_of_the_os_thread_that_spawned_it() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    let tells = Tells(send);
    let job = pool.spawn(move || drop(tells));
    job.cancel();
    assert!(received.try_recv().is_err(), "not by the caller of cancel");
    job.join().unwrap_err();
    let (thread, green) = received.recv().unwrap();
    assert_eq!(thread, std::thread::current().id());
    assert_ne!(green, current().id());
    busy.end().join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_job_can_be_cancelled_from_another_os_thread() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    let tells = Tells(send);
    let job = pool.spawn(move || drop(tells));
    let thread = job.thread().clone();
    assert!(std::thread::spawn(move || thread.cancel()).join().unwrap());
    assert!(job.join().unwrap_err().is_cancelled());
    assert_eq!(received.recv().unwrap().0, std::thread::current().id());
    busy.end().join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l19_when_its_home_has_gone_the_pool_drops_a_cancelled_job_in_its_turn() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    let (job, pool) = std::thread::spawn(move || {
        let tells = Tells(send);
        (pool.spawn(move || drop(tells)), pool)
    })
    .join()
    .unwrap();
    assert!(job.cancel());
    assert!(!job.is_finished());
    busy.end().join().unwrap();
    assert!(job.join().unwrap_err().is_cancelled());
    assert_ne!(received.recv().unwrap().0, std::thread::current().id());
    drop(pool);
}

#[test]
#[apply(on_workers)]
fn a_job_that_has_begun_cannot_be_cancelled_and_runs_to_its_end() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    assert!(!busy.job.cancel());
    assert!(!busy.job.cancel_with("too late"));
    assert!(!busy.job.thread().cancel());
    assert_eq!(busy.end().join().unwrap(), "worked to its end");
}

#[test]
#[apply(on_workers)]
fn a_job_that_has_ended_cannot_be_cancelled() {
    let pool = Pool::new(1);
    let job = pool.spawn(|| 1);
    while !job.is_finished() {
        yield_now();
    }
    assert!(!job.cancel());
    assert_eq!(job.join().unwrap(), 1);
}

#[test]
#[apply(on_workers)]
fn the_result_of_a_detached_job_is_dropped_and_its_os_thread_goes_back() {
    let pool = Pool::new(1);
    let (send, received) = mpsc::channel();
    let busy = Busy::on(&pool);
    drop(pool.spawn(move || Tells(send)));
    busy.end().join().unwrap();
    let (thread, _) = received.recv().unwrap();
    let next = pool.spawn(|| std::thread::current().id());
    assert_eq!(next.join().unwrap(), thread);
}

#[test]
#[apply(on_workers)]
fn cancel_on_drop_removes_a_job_and_leaves_one_that_has_begun() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    let tells = Tells(send.clone());
    drop(pool.spawn(move || drop(tells)).cancel_on_drop());
    let (thread, _) = spawn(move || received.recv().unwrap()).join().unwrap();
    assert_eq!(thread, std::thread::current().id());
    busy.end().cancel_on_drop().join().unwrap();
}

#[test]
#[apply(on_workers)]
fn the_request_and_the_beginning_are_judged_by_one_word() {
    let pool = Pool::new(2);
    for _ in 0..500 {
        let (send, received) = mpsc::channel();
        let job = pool.spawn(move || send.send("ran").unwrap());
        let accepted = job.cancel();
        let result = job.join();
        assert_eq!(accepted, result.is_err());
        assert_eq!(accepted, received.recv().is_err());
    }
}

#[test]
#[apply(on_workers)]
fn cancelled_jobs_hold_nobody_up() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let many: Vec<_> = (0..100).map(|n| pool.spawn(move || n)).collect();
    for (n, job) in many.iter().enumerate() {
        assert!(n % 2 == 0 || job.cancel());
    }
    busy.end().join().unwrap();
    for (n, job) in many.into_iter().enumerate() {
        assert_eq!(job.join().ok(), (n % 2 == 0).then_some(n));
    }
}
