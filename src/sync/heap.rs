//! A binary heap that keeps every item whatever its comparisons do.
//!
//! Items move by swaps inside one vector only, so a comparison that panics loses and doubles nothing; `std::collections::BinaryHeap` drops the item that it was about to
//! return. New items are kept unsorted until somebody takes the smallest.
//!
//! Invariants:
//! - K1 `items[..heaped]` is a heap: no item is smaller than its parent. What follows has not been compared yet.
//! - K2 `heaped` is 0 while comparisons are under way, so that after a panic everything counts as not compared.

/// An item with its number: equals leave in the order of arrival.
pub(super) struct Numbered<T> {
    /// Grows with each arrival.
    number: u64,

    /// Compared first.
    item: T,
}

impl<T> Numbered<T> {
    pub(super) fn new(number: u64, item: T) -> Self {
        Numbered { number, item }
    }
}

/// Gives the smallest first.
pub(super) struct Heap<T> {
    /// K1.
    items: Vec<Numbered<T>>,

    /// K1, K2.
    heaped: usize,

    /// The user's order.
    less: fn(&T, &T) -> bool,
}

impl<T> Heap<T> {
    pub(super) const fn new(less: fn(&T, &T) -> bool) -> Self {
        let items = Vec::new();
        Heap {
            items,
            heaped: 0,
            less,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes all new items over, and compares nothing.
    pub(super) fn append(&mut self, new: &mut Vec<Numbered<T>>) {
        self.items.append(new);
    }

    /// Takes the smallest out. Runs the user's comparisons.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.items.len().checked_sub(1)?;
        for place in std::mem::take(&mut self.heaped)..=last {
            self.rise(place);
        }
        self.items.swap(0, last);
        self.sink(last);
        self.heaped = last;
        self.items.pop().map(|numbered| numbered.item)
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.items[a], &self.items[b]);
        (self.less)(&a.item, &b.item) || (a.number < b.number && !(self.less)(&b.item, &a.item))
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if !self.is_before(place, parent) {
                return;
            }
            self.items.swap(place, parent);
            place = parent;
        }
    }

    /// Sinks the root within the first `len` items.
    fn sink(&mut self, len: usize) {
        let mut place = 0;
        while let Some(child) = self.first_child(place, len)
            && self.is_before(child, place)
        {
            self.items.swap(place, child);
            place = child;
        }
    }

    fn first_child(&self, place: usize, len: usize) -> Option<usize> {
        let (left, right) = (2 * place + 1, 2 * place + 2);
        if right < len && self.is_before(right, left) {
            Some(right)
        } else {
            (left < len).then_some(left)
        }
    }
}
