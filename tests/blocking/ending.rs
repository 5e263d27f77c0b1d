//! What happens at ends: of a job, of its pool, of the OS thread that spawned it.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use greenthread::blocking::Pool;
use greenthread::{
    JoinHandle, Runtime, catch_cancel, checkpoint, park, sleep, spawn, spawn_blocking, time,
    timeout, yield_now,
};

use crate::Busy;
use crate::support::panic_text;

#[test]
#[apply(on_workers)]
fn dropping_a_pool_waits_for_its_jobs_those_that_have_not_begun_included() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let jobs: Vec<JoinHandle<i32>> = (0..3).map(|n| pool.spawn(move || n)).collect();
    let releaser = std::thread::spawn(move || drop(busy.end()));
    drop(pool);
    assert!(jobs.iter().all(JoinHandle::is_finished));
    releaser.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn green_threads_run_while_a_pool_is_being_dropped() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let dropper = spawn(move || drop(pool));
    yield_now();
    assert!(!dropper.is_finished());
    busy.end().join().unwrap();
    dropper.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn l11_the_drop_of_a_pool_is_not_cut_short_by_a_cancellation_or_a_timeout() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    drop(pool.spawn(move || send.send("ran").unwrap()));
    let dropper = spawn(move || {
        let limited = timeout(Duration::from_millis(1), || {
            drop(pool);
            let ran = received.try_recv();
            let caught = catch_cancel(checkpoint);
            assert!(caught.is_err(), "raised after the wait");
            ran
        });
        limited.map(Result::unwrap)
    });
    yield_now();
    dropper.cancel();
    yield_now();
    assert!(!dropper.is_finished());
    busy.end().join().unwrap();
    assert!(dropper.join().is_ok());
}

#[test]
#[apply(on_workers)]
fn a_pool_that_its_own_job_drops_last_does_not_wait_for_itself() {
    let pool = Arc::new(Pool::new(1));
    let (send, received) = mpsc::channel::<()>();
    let own = Arc::clone(&pool);
    let job = pool.spawn(move || {
        received.recv().unwrap();
        Arc::into_inner(own).is_some()
    });
    drop(pool);
    send.send(()).unwrap();
    assert!(job.join().unwrap());
}

#[test]
#[apply(on_roots)]
fn dropping_a_runtime_waits_for_the_jobs_of_its_pool_and_run_does_not() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    let busy = runtime.run(|| Busy::with(|work| spawn_blocking(work)));
    assert!(!busy.job.is_finished());
    let job = busy.end();
    drop(runtime);
    assert!(job.is_finished());
}

#[test]
#[apply(on_workers)]
fn callbacks_run_in_order_before_any_joiner_goes_on() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let said = Arc::new(Mutex::new(Vec::new()));
    for n in 0..3 {
        let said = Arc::clone(&said);
        busy.job
            .on_finish(move |result| said.lock().unwrap().push((n, *result.as_ref().unwrap())));
    }
    let removed = busy.job.on_finish(|_| unreachable!("it was taken back"));
    assert!(busy.job.remove_on_finish(removed));
    busy.end().join().unwrap();
    let expected = [0, 1, 2].map(|n| (n, "worked to its end"));
    assert_eq!(*said.lock().unwrap(), expected);
}

#[test]
#[apply(on_workers)]
fn a_callback_that_is_added_after_the_end_runs_where_the_job_was_spawned_and_join_waits() {
    let job = spawn_blocking(|| 8);
    while !job.is_finished() {
        yield_now();
    }
    let (send, received) = mpsc::channel();
    job.on_finish(move |result| {
        yield_now();
        let seen = *result.as_ref().unwrap();
        send.send((seen, std::thread::current().id())).unwrap();
    });
    assert_eq!(job.join().unwrap(), 8);
    let here = std::thread::current().id();
    assert_eq!(received.try_recv().unwrap(), (8, here));
}

#[test]
#[apply(on_workers)]
fn l19_the_handle_of_a_job_outlives_the_os_thread_that_spawned_it() {
    let (send, received) = mpsc::channel::<()>();
    let plain = std::thread::spawn(move || {
        spawn_blocking(move || {
            received.recv().unwrap();
            "came to its end"
        })
    });
    let job = plain.join().unwrap();
    send.send(()).unwrap();
    assert_eq!(job.join().unwrap(), "came to its end");
}

#[test]
#[apply(on_workers)]
fn l19_a_callback_that_is_added_when_that_os_thread_has_gone_is_forgotten_and_join_goes_on() {
    let job = std::thread::spawn(|| {
        let job = spawn_blocking(|| 9);
        while !job.is_finished() {
            yield_now();
        }
        job
    });
    let job = job.join().unwrap();
    job.on_finish(|_| unreachable!("nobody is there to run it"));
    assert_eq!(job.join().unwrap(), 9);
}

#[test]
#[apply(on_workers)]
fn l19_a_callback_that_that_os_thread_has_not_read_of_at_its_end_is_forgotten_too() {
    let (send_job, receive_job) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let home = std::thread::spawn(move || {
        let job = spawn_blocking(|| 9);
        while !job.is_finished() {
            yield_now();
        }
        send_job.send(job).unwrap();
        ends.recv().unwrap_err();
    });
    let job = receive_job.recv().unwrap();
    job.on_finish(|_| unreachable!("nobody is there to run it"));
    assert!(job.is_finished());
    drop(end);
    assert_eq!(job.join().unwrap(), 9);
    home.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_green_thread_left_waiting_for_a_job_by_its_os_thread_harms_nobody() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let job = pool.spawn(|| 1);
    let left = std::thread::spawn(move || {
        let joiner = spawn(move || job.join().unwrap());
        yield_now();
        joiner
    });
    let left = left.join().unwrap();
    assert!(left.join().unwrap_err().is_abandoned());
    busy.end().join().unwrap();
}

#[test]
#[apply(on_roots)]
fn l8_silence_is_no_deadlock_while_a_job_runs() {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    runtime.run(|| {
        let (send, received) = mpsc::channel::<()>();
        let waiting = spawn(park);
        let target = waiting.thread().clone();
        let job = spawn_blocking(move || {
            received.recv().unwrap_err();
            target.unpark();
        });
        let releaser = std::thread::spawn(move || drop(send));
        waiting.join().unwrap();
        job.join().unwrap();
        releaser.join().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l8_when_the_last_job_has_ended_silence_is_a_deadlock_again() {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    let report = panic_text(|| {
        runtime.run(|| {
            spawn_blocking(|| ()).join().unwrap();
            drop(spawn_blocking(|| ()));
            park();
        })
    });
    assert!(report.contains("deadlock"), "{report}");
}

#[test]
#[apply(on_roots)]
fn l8_a_job_that_is_cancelled_before_it_begins_counts_no_more() {
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let pool = Pool::new(1);
    let busy = std::thread::scope(|s| s.spawn(|| Busy::on(&pool)).join().unwrap());
    runtime.run(|| {
        let job = pool.spawn(|| ());
        job.cancel();
        assert!(job.join().unwrap_err().is_cancelled());
        let before = time::now();
        sleep(Duration::from_secs(3600));
        assert_eq!(time::now() - before, Duration::from_secs(3600));
    });
    busy.end().join().unwrap();
}

#[test]
#[apply(on_roots)]
fn run_ends_a_late_callback_in_order_although_it_cancels_what_is_left() {
    let (send, received) = mpsc::channel();
    let job = greenthread::run(|| {
        let job = spawn(|| 1);
        yield_now();
        job.on_finish(move |_| send.send("called").unwrap());
        job
    });
    assert_eq!(received.try_recv().unwrap(), "called");
    assert_eq!(job.join().unwrap(), 1);
}

#[cfg(target_os = "linux")]
#[test]
#[apply(once)]
fn l3_without_an_os_thread_the_closure_is_dropped_and_the_handle_says_so() {
    use crate::support::child;
    let test = "ending::l3_without_an_os_thread_the_closure_is_dropped_and_the_handle_says_so";
    let ended = child::run(test, || {
        let (send, received) = mpsc::channel::<()>();
        spawn(|| ()).join().unwrap();
        let pool = Pool::new(2);
        let old = child::limit_address_space(1 << 20);
        let job = pool.spawn(move || drop(send));
        let error = job.join().unwrap_err();
        child::set_address_space(old);
        assert!(error.is_refused(), "{error}");
        let reason = error.reason().unwrap().to_string();
        assert!(reason.contains("no OS thread"), "{reason}");
        assert!(received.recv().is_err());
        assert_eq!(
            pool.spawn(|| "the next one runs").join().unwrap(),
            "the next one runs"
        );
    });
    assert!(ended.succeeded(), "{}", ended.stderr());
}

#[test]
#[apply(once)]
fn the_end_of_the_process_does_not_wait_for_jobs() {
    let ended = crate::support::child::run(
        "ending::the_end_of_the_process_does_not_wait_for_jobs",
        || {
            let (send, received) = mpsc::channel::<()>();
            drop(spawn_blocking(move || {
                send.send(()).unwrap();
                loop {
                    std::thread::park();
                }
            }));
            received.recv().unwrap();
        },
    );
    assert!(ended.succeeded(), "{}", ended.stderr());
}
