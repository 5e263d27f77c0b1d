//! What a job gives, where it runs, and what it may do there.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use greenthread::blocking::Pool;
use greenthread::sync::Event;
use greenthread::{
    Runtime, Spawner, checkpoint, current, park, park_timeout, run, sleep, spawn, spawn_blocking,
    timeout, yield_now,
};

use crate::Busy;
use crate::support::panic_text;

#[test]
#[apply(on_workers)]
fn a_job_runs_on_another_os_thread_and_green_threads_run_meanwhile() {
    let (send, received) = mpsc::channel();
    let job = spawn_blocking(move || (received.recv().unwrap(), std::thread::current().id()));
    let other = spawn(move || {
        yield_now();
        send.send("from a green thread").unwrap();
    });
    let (said, thread) = job.join().unwrap();
    assert_eq!(said, "from a green thread");
    assert_ne!(thread, std::thread::current().id());
    other.join().unwrap();
}

#[test]
#[apply(on_workers)]
fn a_job_begins_although_nobody_waits_for_it() {
    let (send, received) = mpsc::channel();
    drop(spawn_blocking(move || send.send(7).unwrap()));
    assert_eq!(received.recv().unwrap(), 7);
}

#[test]
#[apply(on_workers)]
fn l13_a_panic_is_kept_in_the_handle_and_its_os_thread_goes_on() {
    let pool = Pool::new(1);
    let bad = pool.spawn(|| -> u32 { panic!("disk on strike") });
    let good = pool.spawn(|| 3);
    let error = bad.join().unwrap_err();
    assert!(error.is_panic());
    let payload = error.into_panic();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "disk on strike");
    assert_eq!(good.join().unwrap(), 3);
}

#[test]
#[apply(on_roots)]
fn l13_a_panic_that_nobody_joins_goes_to_on_panic_of_who_spawned() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let runtime = Runtime::builder().on_panic(move |_, payload| {
        let text = payload.downcast_ref::<&str>().copied();
        teller.lock().unwrap().push(text);
    });
    runtime.build().unwrap().run(|| {
        let pool = Pool::new(1);
        let (dropped, is_dropped) = mpsc::channel::<()>();
        drop(pool.spawn(move || {
            let _ = is_dropped.recv();
            panic!("nobody joins")
        }));
        drop(dropped);
        drop(pool);
    });
    assert_eq!(*told.lock().unwrap(), [Some("nobody joins")]);
}

#[test]
#[apply(on_workers)]
fn a_handle_can_be_joined_from_a_green_thread_a_plain_os_thread_and_another_job() {
    let from_green = spawn_blocking(|| 1);
    assert_eq!(spawn(|| from_green.join().unwrap()).join().unwrap(), 1);
    let from_plain = spawn_blocking(|| 2);
    let plain = std::thread::spawn(|| from_plain.join().unwrap());
    assert_eq!(plain.join().unwrap(), 2);
    let from_job = spawn_blocking(|| 3);
    let job = spawn_blocking(|| from_job.join().unwrap());
    assert_eq!(job.join().unwrap(), 3);
}

#[test]
#[apply(on_workers)]
fn join_timeout_gives_the_handle_back_while_the_job_runs() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let job = pool.spawn(|| 5);
    let job = job.join_timeout(Duration::from_millis(1)).unwrap_err();
    assert!(!job.is_finished());
    busy.end().join().unwrap();
    assert_eq!(job.join().unwrap(), 5);
}

#[test]
#[apply(on_workers)]
fn a_cancelled_join_leaves_the_job_running() {
    let pool = Pool::new(1);
    let busy = Busy::on(&pool);
    let (send, received) = mpsc::channel();
    let job = pool.spawn(move || send.send("ran").unwrap());
    let joiner = spawn(move || job.join());
    yield_now();
    joiner.cancel();
    assert!(joiner.join().unwrap_err().is_cancelled());
    busy.end().join().unwrap();
    assert_eq!(received.recv().unwrap(), "ran");
}

#[test]
#[apply(on_workers)]
fn wait_points_in_a_job_run_its_os_threads_own_scheduler() {
    let event = Arc::new(Event::new());
    let set = Arc::clone(&event);
    let job = spawn_blocking(move || {
        let count = Rc::new(Cell::new(0));
        let counter = Rc::clone(&count);
        let child = spawn(move || counter.set(1));
        event.wait();
        child.join().unwrap();
        sleep(Duration::from_millis(1));
        let late = timeout(Duration::from_millis(1), park);
        (count.get(), late.is_err())
    });
    spawn(move || set.set()).join().unwrap();
    assert_eq!(job.join().unwrap(), (1, true));
}

#[test]
#[apply(on_workers)]
fn run_can_be_called_in_a_job() {
    let job = spawn_blocking(|| run(|| spawn(|| 4).join().unwrap()));
    assert_eq!(job.join().unwrap(), 4);
}

#[test]
#[apply(on_workers)]
fn a_job_can_spawn_back_where_it_came_from() {
    let here = Spawner::current();
    let id = std::thread::current().id();
    let job = spawn_blocking(move || {
        let back = here.spawn(|| std::thread::current().id());
        back.join().unwrap()
    });
    assert_eq!(job.join().unwrap(), id);
}

#[test]
#[apply(on_workers)]
fn green_threads_that_a_job_leaves_behind_have_ended_when_its_handle_reads_finished() {
    struct Tells(mpsc::Sender<&'static str>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.send("ended").unwrap();
        }
    }
    let (send, received) = mpsc::channel();
    let job = spawn_blocking(move || {
        let tells = Tells(send);
        let left = spawn(move || {
            let _tells = tells;
            park();
        });
        yield_now();
        drop(left);
    });
    job.join().unwrap();
    assert_eq!(received.try_recv().unwrap(), "ended");
}

#[test]
#[apply(on_workers)]
fn a_job_finds_no_request_and_no_token_of_the_job_before() {
    let pool = Pool::new(1);
    let first = pool.spawn(|| {
        current().unpark();
        current().cancel();
    });
    first.join().unwrap();
    let second = pool.spawn(|| {
        checkpoint();
        let before = std::time::Instant::now();
        park_timeout(Duration::from_millis(2));
        before.elapsed() >= Duration::from_millis(2)
    });
    assert!(second.join().unwrap());
}

#[test]
#[apply(on_workers)]
fn whoever_keeps_the_root_of_a_pool_cannot_end_its_os_thread() {
    let pool = Pool::new(1);
    let kept = pool.spawn(current).join().unwrap();
    kept.cancel();
    let next = pool.spawn(|| (current(), yield_now()));
    assert_eq!(next.join().unwrap().0, kept);
    kept.cancel();
    drop(pool);
}

#[test]
#[apply(on_workers)]
fn a_job_that_is_asked_to_end_by_itself_ends_as_cancelled() {
    let job = spawn_blocking(|| {
        current().cancel_with("of my own accord");
        checkpoint();
    });
    let error = job.join().unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.reason().unwrap().to_string(), "of my own accord");
}

#[test]
#[apply(on_workers)]
fn a_pool_of_nobody_panics_and_names_the_size() {
    let text = panic_text(|| Pool::new(0));
    assert!(text.contains("Pool::new(0)"), "{text}");
    let text = panic_text(|| Runtime::builder().blocking_threads(0));
    assert!(text.contains("blocking_threads(0)"), "{text}");
    let text = panic_text(|| Pool::new(1).name("a\0b"));
    assert!(text.contains(r#""a\0b""#), "{text}");
}
