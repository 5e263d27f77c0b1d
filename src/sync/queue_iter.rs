//! Items of a queue until it is closed and empty.

use std::fmt;

use super::queue::Queue;

/// Takes the items of a [`Queue`] until it is closed and empty; made by [`Queue::iter`].
pub struct Iter<'a, T> {
    /// Where they come from.
    queue: &'a Queue<T>,
}

impl<T> Queue<T> {
    /// Returns an iterator that takes items until the queue is closed and empty. It blocks as [`get`](Self::get) does.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }
}

impl<'a, T> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[inline(always)]
    fn next(&mut self) -> Option<T> {
        self.queue.next()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
