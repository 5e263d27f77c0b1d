//! Panics in every callback and in every destructor (L13, L18).

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use greenthread::blocking::Pool;
use greenthread::{
    Runtime, catch_cancel, current, park, run, scope, spawn, spawn_anywhere, yield_now,
};

use crate::child;
use crate::help::{AtDrop, join_soon};

/// A reason, the drop of which panics.
#[derive(Debug)]
struct Bad;

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad")
    }
}

impl Error for Bad {}

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("a reason panics in its drop");
    }
}

#[test]
#[apply(once)]
fn l18_a_reason_that_panics_in_its_drop_on_a_pool_does_not_end_the_pools_os_thread() {
    let name =
        "panics::l18_a_reason_that_panics_in_its_drop_on_a_pool_does_not_end_the_pools_os_thread";
    let ended = child::run(name, || {
        let pool = Pool::new(1);
        let first = pool.spawn(|| current().cancel_with(Bad));
        let _ = join_soon(first);
        assert_eq!(join_soon(pool.spawn(|| 5)).unwrap(), 5);
        drop(pool);
    });
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l18_a_request_that_a_destructor_lets_out_may_have_a_reason_that_panics() {
    let name = "panics::l18_a_request_that_a_destructor_lets_out_may_have_a_reason_that_panics";
    let ended = child::run(name, || {
        let captured = AtDrop(|| {
            let first = catch_unwind(park).unwrap_err();
            let second = catch_unwind(park).unwrap_err();
            // The request is taken back, and its reason is held by what unwinds alone.
            drop(catch_cancel(|| resume_unwind(second)).unwrap_err());
            resume_unwind(first);
        });
        let handle = spawn(move || {
            let _captured = &captured;
        });
        handle.cancel_with(Bad);
        let _ = join_soon(handle);
        assert_eq!(join_soon(spawn(|| 6)).unwrap(), 6);
    });
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l18_a_scope_whose_reason_panics_in_its_drop_ends_no_worker() {
    let name = "panics::l18_a_scope_whose_reason_panics_in_its_drop_ends_no_worker";
    let ended = child::run(name, || {
        std::panic::set_hook(Box::new(|_| ()));
        let runtime = Runtime::builder().workers(1).build().unwrap();
        runtime.run(|| {
            for _ in 0..2000 {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    scope(|s| {
                        drop(s.spawn_anywhere(|| ()));
                        s.cancel_with(Bad);
                    });
                }));
            }
            assert_eq!(join_soon(spawn_anywhere(|| 7)).unwrap(), 7);
        });
        drop(runtime);
    });
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l18_a_runtime_whose_every_callback_panics_works() {
    let name = "panics::l18_a_runtime_whose_every_callback_panics_works";
    let ended = child::run(name, || {
        let runtime = Runtime::builder()
            .workers(2)
            .on_worker_start(|_| panic!("on_worker_start panics"))
            .on_panic(|_, _| panic!("on_panic panics"))
            .build()
            .unwrap();
        runtime.run(|| {
            drop(spawn(|| panic!("here")));
            drop(spawn_anywhere(|| panic!("there")));
            let handle = spawn(|| 1);
            handle.on_finish(|_| panic!("on_finish panics"));
            assert_eq!(handle.join().unwrap(), 1);
            let each = runtime.run_on_each(|number| assert!(number > 7, "on each"));
            assert!(
                each.into_iter()
                    .all(|handle| handle.join().unwrap_err().is_panic())
            );
            assert_eq!(spawn_anywhere(|| 2).join().unwrap(), 2);
        });
    });
    ended.succeeded();
}

#[test]
#[apply(on_workers)]
fn a_pool_may_be_dropped_by_its_own_job() {
    let pool = Arc::new(Pool::new(1));
    let theirs = Arc::clone(&pool);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let handle = pool.spawn(move || {
        wait.recv().unwrap();
        drop(theirs);
        3
    });
    drop(pool);
    go.send(()).unwrap();
    assert_eq!(join_soon(handle).unwrap(), 3);
}

#[test]
#[apply(on_roots)]
fn a_runtime_may_be_dropped_inside_its_neighbours_run_and_in_an_unwind() {
    let runtime = || Runtime::builder().workers(1).build().unwrap();
    let (one, other) = (runtime(), runtime());
    one.run(|| drop(other));
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _other = one;
        run(|| panic!("out of a run"));
    }));
    assert!(caught.is_err());
    assert_eq!(
        greenthread::timeout(Duration::from_secs(20), || spawn(yield_now).join().unwrap()),
        Ok(())
    );
}
