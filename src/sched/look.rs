//! What an OS thread sees of its own green threads, without letting them go on.

#![expect(
    unsafe_code,
    reason = "reads the part of headers that belongs to this OS thread"
)]

use std::ops::Range;

use super::header::{Header, state};
use super::scheduler::Scheduler;
use super::sight::{Asked, Sight, Standing};
use super::wait::Wait;
use crate::base::atomic::Ordering;
use crate::base::os_thread;
use crate::stack::chain::{self, Link};
use crate::stack::grown;

impl Scheduler {
    /// Everybody who belongs here and has not ended, the root first; without traces.
    pub(super) fn sights(&self) -> Vec<Sight> {
        let mut sights = vec![self.sight(&self.root)];
        sights.extend(self.everybody().iter().map(|header| self.sight(header)));
        sights
    }

    /// What is seen of one that belongs here; called by the loop.
    pub(super) fn sight(&self, header: &Header) -> Sight {
        let is_root = self.is_root(header);
        // SAFETY: H2: this is its OS thread.
        let local = unsafe { header.local() };
        let wait = self.wait_of(header).filter(|wait| wait.is_open());
        let standing = match wait {
            Some(_) => Standing::Parked,
            None if header.state() == state::UNSTARTED => Standing::NotStarted,
            None => Standing::Ready,
        };
        let waited = wait.map(|_| self.clock().now().since(local.since.get()));
        let stack = own_stack(is_root, local.base.get());
        Sight {
            id: header.id(),
            name: header.shared_name(),
            site: header.site(),
            is_root,
            standing,
            operation: wait.map(|wait| wait.operation().name),
            sought: wait.map(Wait::sought).unwrap_or_default(),
            waited,
            asked: asked(header),
            stack_size: if is_root { 0 } else { stack.len() },
            stack_used: 0,
            more_stacks: more_stacks(local.base.get(), local.innermost.get()),
            stack,
            end: std::ptr::from_ref(header.finish()).addr(),
            tally: header.finish().lock().tally(),
            trace: Box::default(),
            is_cut: false,
        }
    }
}

fn asked(header: &Header) -> Asked {
    if header.payloads().load(Ordering::Relaxed) > 0 {
        Asked::Raised
    } else if header.is_requested() {
        Asked::Pending
    } else {
        Asked::No
    }
}

/// The addresses of the stack at the base of a chain; empty for one that has none yet.
fn own_stack(is_root: bool, base: *const Link) -> Range<usize> {
    if is_root {
        return os_thread::stack();
    }
    // SAFETY: C3 of `chain`: null, or the base of one that has not ended.
    unsafe { base.as_ref() }.map_or(0..0, |base| base.span().clone())
}

/// The addresses of the other stacks of a chain that is parked.
fn more_stacks(base: *const Link, innermost: *const Link) -> Vec<Range<usize>> {
    let mut more = Vec::new();
    // SAFETY: the chain of one that is switched away is parked as a whole.
    for link in unsafe { chain::outward(innermost) } {
        if !std::ptr::eq(link, base) {
            more.push(link.span().clone());
        }
        grown::each(|span, on| {
            if std::ptr::eq(on, link) {
                more.push(span.clone());
            }
        });
    }
    more
}
