//! Results of several green threads at once, and cancelling: each law at the moment where the two events meet.
//!
//! "At once" is made exact on one OS thread: whoever is woken goes to the end of the line, so what stands in the line before it acts in between.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod across;
mod cancelling;
mod completed;
mod gather;
mod join_macro;
mod join_set;
mod parts;
mod race;
mod swallowing;
mod wait;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenthread::{JoinHandle, Runtime, sleep, spawn};

pub(crate) use support::everywhere::virtual_time as in_virtual_time;
use support::teardown::held;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A run in which time jumps, and the panics that were reported because nobody joined, in order.
pub(crate) fn with_reports<T>(f: impl FnOnce() -> T) -> (T, Vec<String>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&reports);
    let runtime = Runtime::builder()
        .virtual_time()
        .on_panic(move |_, payload| {
            let text = payload.downcast_ref::<&str>().copied();
            heard.lock().unwrap().push(text.unwrap_or("?").to_owned());
        })
        .build();
    let value = runtime.unwrap().run(|| held(f));
    let reports = std::mem::take(&mut *reports.lock().unwrap());
    (value, reports)
}

/// A green thread that gives `seconds` after so many.
pub(crate) fn after(seconds: u32) -> JoinHandle<u32> {
    spawn(move || {
        sleep(seconds * SECOND);
        seconds
    })
}

/// A panic without the hook's noise.
pub(crate) fn quiet_panic(text: &'static str) -> ! {
    std::panic::resume_unwind(Box::new(text))
}

/// What `f` panics with.
pub(crate) fn payload_of<R>(f: impl FnOnce() -> R) -> &'static str {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(f()))).expect_err("it did not panic");
    payload.downcast_ref::<&'static str>().expect("a text")
}

#[test]
#[apply(on_workers)]
fn what_holds_handles_may_leave_its_os_thread_with_them() {
    fn is_send<T: Send>() {}
    fn is_error<T: std::error::Error>() {}
    is_send::<greenthread::JoinSet<Vec<u8>>>();
    is_send::<greenthread::AsCompleted<Vec<u8>>>();
    is_send::<greenthread::Waited<Vec<u8>>>();
    is_send::<greenthread::GatherError<Vec<u8>, greenthread::JoinError>>();
    is_error::<greenthread::GatherError<Vec<u8>, greenthread::JoinError>>();
}
