//! Green threads by their places; a place that was left is taken again, the last one first.

use std::cell::RefCell;
use std::rc::Rc;

use super::thread::Thread;

/// The places.
#[derive(Default)]
pub(super) struct Places {
    /// Who is there.
    taken: RefCell<Vec<Option<Rc<Thread>>>>,

    /// Those that were left.
    free: RefCell<Vec<usize>>,
}

impl Places {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.taken.borrow().len() - self.free.borrow().len()
    }

    /// A place for one to come.
    pub(super) fn reserve(&self) -> usize {
        let free = self.free.borrow_mut().pop();
        free.unwrap_or_else(|| {
            self.taken.borrow_mut().push(None);
            self.taken.borrow().len() - 1
        })
    }

    pub(super) fn fill(&self, place: usize, thread: &Rc<Thread>) {
        self.taken.borrow_mut()[place] = Some(Rc::clone(thread));
    }

    pub(super) fn leave(&self, place: usize) -> Option<Rc<Thread>> {
        self.free.borrow_mut().push(place);
        self.taken.borrow_mut()[place].take()
    }

    /// Everybody, in the order of the places.
    pub(super) fn all(&self) -> Vec<Rc<Thread>> {
        self.taken.borrow().iter().flatten().cloned().collect()
    }
}
