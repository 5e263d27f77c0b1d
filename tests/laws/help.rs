//! Small things that several modules need.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use greenthread::{JoinError, JoinHandle, yield_now};

pub(crate) use crate::support::everywhere::virtual_time as in_virtual_time;

/// Long enough for anything that another OS thread does at once; only a failing test waits it out.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Joins, or fails instead of hanging.
#[track_caller]
pub(crate) fn join_soon<T>(handle: JoinHandle<T>) -> Result<T, JoinError> {
    handle.join_timeout(LONG).expect("join hangs")
}

/// Waits until the green thread has ended, without claiming its result.
pub(crate) fn until_finished<T>(handle: &JoinHandle<T>) {
    while !handle.is_finished() {
        yield_now();
    }
}

/// Runs this when it is dropped.
pub(crate) struct AtDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A flag that is set when this is dropped.
pub(crate) fn flag() -> (Rc<Cell<bool>>, AtDrop<impl FnMut()>) {
    let flag = Rc::new(Cell::new(false));
    let set = Rc::clone(&flag);
    (flag, AtDrop(move || set.set(true)))
}
