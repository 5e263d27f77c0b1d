//! What a queue holds, in one of its three orders. No user code runs here: it is used under the lock (L6).

use std::collections::VecDeque;

use super::heap::{Heap, Numbered};

/// What a queue holds.
pub(super) enum Items<T> {
    /// Oldest first.
    Line(VecDeque<T>),

    /// Newest first.
    Pile(Vec<T>),

    /// Smallest first.
    Order(Order<T>),
}

/// Items in the user's order.
pub(super) struct Order<T> {
    /// Compared, some of them; lent to whoever compares.
    heap: Option<Heap<T>>,

    /// How many the heap held when it was lent.
    lent: usize,

    /// Came while the heap was lent, or since the last comparison.
    new: Vec<Numbered<T>>,

    /// The number of the next to come.
    next: u64,
}

impl<T> Items<T> {
    pub(super) fn in_order(less: fn(&T, &T) -> bool) -> Self {
        Items::Order(Order {
            heap: Some(Heap::new(less)),
            lent: 0,
            new: Vec::new(),
            next: 0,
        })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Items::Line(line) => line.len(),
            Items::Pile(pile) => pile.len(),
            Items::Order(order) => order.len(),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        match self {
            Items::Line(line) => line.push_back(item),
            Items::Pile(pile) => pile.push(item),
            Items::Order(order) => order.push(item),
        }
    }

    /// Takes the next one out, where that takes no comparison.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        match self {
            Items::Line(line) => line.pop_front(),
            Items::Pile(pile) => pile.pop(),
            Items::Order(_) => None,
        }
    }

    /// Lends the heap, with all that came since, to the one who compares.
    pub(super) fn lend(&mut self) -> Option<Heap<T>> {
        match self {
            Items::Order(order) => order.lend(),
            Items::Line(_) | Items::Pile(_) => None,
        }
    }

    /// Takes the heap back.
    pub(super) fn take_back(&mut self, heap: Heap<T>) {
        if let Items::Order(order) = self {
            order.heap = Some(heap);
        }
    }
}

impl<T> Order<T> {
    fn len(&self) -> usize {
        let compared = self.heap.as_ref().map_or(self.lent, Heap::len);
        compared + self.new.len()
    }

    fn push(&mut self, item: T) {
        self.new.push(Numbered::new(self.next, item));
        self.next += 1;
    }

    fn lend(&mut self) -> Option<Heap<T>> {
        let mut heap = self.heap.take()?;
        heap.append(&mut self.new);
        self.lent = heap.len();
        Some(heap)
    }
}
