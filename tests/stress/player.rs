//! One who plays: numbers of its own, and a count of the waits that were ended for it.
//!
//! Each wait first tries, so that it counts only when there was something to wait for.

use std::cell::Cell;
use std::time::Duration;

use greenthread::channel::{Receiver, Sender, TryRecvError, TrySendError};
use greenthread::sync::{Condvar, Event, Mutex, MutexGuard, Permit, Semaphore};
use greenthread::{JoinHandle, catch_cancel, park, timeout, yield_now};

use crate::random::Random;

/// See the head of the file.
pub(crate) struct Player {
    /// Its own.
    pub(crate) random: Random,

    /// Waits that ended with what was waited for.
    wakes: Cell<u64>,

    /// Waits that a deadline or a cancellation ended.
    cut_short: Cell<u64>,
}

impl Player {
    pub(crate) fn new(random: Random) -> Self {
        Player {
            random,
            wakes: Cell::new(0),
            cut_short: Cell::new(0),
        }
    }

    /// Wakes, and waits cut short.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.wakes.get(), self.cut_short.get())
    }

    /// A wait has ended with what was waited for.
    pub(crate) fn woken(&self) {
        self.wakes.set(self.wakes.get() + 1);
    }

    pub(crate) fn recv<T>(&self, from: &Receiver<T>) -> Option<T> {
        match from.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                let message = from.recv().ok();
                self.woken();
                message
            }
        }
    }

    /// False when nobody receives any more.
    pub(crate) fn send<T>(&self, to: &Sender<T>, message: T) -> bool {
        match to.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(message)) => {
                let sent = to.send(message).is_ok();
                self.woken();
                sent
            }
        }
    }

    pub(crate) fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        mutex.try_lock().unwrap_or_else(|| {
            let guard = mutex.lock();
            self.woken();
            guard
        })
    }

    pub(crate) fn acquire<'a>(&self, permits: &'a Semaphore, count: usize) -> Permit<'a> {
        permits.try_acquire_many(count).unwrap_or_else(|| {
            let permit = permits.acquire_many(count);
            self.woken();
            permit
        })
    }

    pub(crate) fn wait(&self, event: &Event) {
        if !event.is_set() {
            event.wait();
            self.woken();
        }
    }

    pub(crate) fn wait_while<T>(
        &self,
        condition: &Condvar,
        guard: &mut MutexGuard<'_, T>,
        mut blocked: impl FnMut(&mut T) -> bool,
    ) {
        while blocked(guard) {
            condition.wait(guard);
            self.woken();
        }
    }

    /// Parks until `came` says so.
    pub(crate) fn park_until(&self, came: impl Fn() -> bool) {
        while !came() {
            park();
            self.woken();
        }
    }

    /// Its value; its panic goes on here.
    pub(crate) fn join<T: 'static>(&self, handle: JoinHandle<T>) -> T {
        let is_over = handle.is_finished();
        let result = handle.join();
        if !is_over {
            self.woken();
        }
        result.unwrap()
    }

    /// Runs `operation` under a short deadline, and consumes a cancellation; true when it came to its end.
    pub(crate) fn disturbed(&self, operation: impl FnOnce()) -> bool {
        let limit = Duration::from_micros(self.random.below(300));
        let done = matches!(catch_cancel(|| timeout(limit, operation)), Ok(Ok(())));
        if !done {
            self.cut_short.set(self.cut_short.get() + 1);
        }
        done
    }

    /// Lets others run, now and then.
    pub(crate) fn pause(&self) {
        if self.random.once_in(8) {
            yield_now();
        }
    }
}
