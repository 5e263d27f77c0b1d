//! How often one request was raised in one green thread: it shows code that swallows it (L9).
//!
//! A request is raised at every wait point until it is consumed, so code that catches every unwind and goes on waiting, a loop around `catch_unwind` most
//! often, goes round for ever. It is told once, on stderr, when the same request was raised for the hundredth time.

use crate::base::atomic::{AtomicU32, AtomicUsize, Ordering};

/// How often the same request is raised before it is reported. Honest code catches and passes on a few times: once for each level of `catch_unwind`.
pub(crate) const BOUND: u32 = 100;

/// The count of the latest request; touched on the green thread's own OS thread alone, atomic because headers are shared.
#[derive(Debug)]
pub(crate) struct Raises {
    /// Which request was raised: a frame's number, or zero for the cancellation of the green thread.
    request: AtomicUsize,

    /// How often.
    times: AtomicU32,
}

impl Raises {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Raises {
            request: AtomicUsize::new(0),
            times: AtomicU32::new(0),
        }
    }

    /// Counts one more of this request; true when it is the one to report.
    pub(crate) fn count(&self, request: usize) -> bool {
        let same = self.request.swap(request, Ordering::Relaxed) == request;
        let times = self.times.load(Ordering::Relaxed);
        let times = if same { times.saturating_add(1) } else { 1 };
        self.times.store(times, Ordering::Relaxed);
        times == BOUND
    }

    /// The request was consumed: the next one is another.
    pub(crate) fn forget(&self) {
        self.times.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hundredth_raise_of_one_request_is_reported_once() {
        let raises = Raises::new();
        let reported: Vec<u32> = (1..=300).filter(|_| raises.count(7)).collect();
        assert_eq!(reported, [100]);
    }

    #[test]
    fn another_request_and_a_consumed_one_are_counted_anew() {
        let raises = Raises::new();
        assert!((0..99).all(|_| !raises.count(0)));
        assert!(!raises.count(3));
        assert!((0..99).all(|_| !raises.count(0)));
        raises.forget();
        assert!((0..99).all(|_| !raises.count(0)));
        assert!(raises.count(0));
    }
}
