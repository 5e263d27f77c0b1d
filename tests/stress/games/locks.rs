//! Locks, permits and conditions: a count that a second holder would spoil.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use greenthread::sync::{Condvar, Mutex, Semaphore};

use crate::house::{Game, Hand, sum};
use crate::player::Player;

/// Adds under a lock, in two steps with others between.
pub(super) fn mutex(game: &Game<'_>) {
    let shared = Arc::new(Mutex::new(0));
    let each = 50 + game.random.below(200);
    let hands: Vec<Hand> = (0..2 + game.random.below(4))
        .map(|_| {
            let shared = Arc::clone(&shared);
            game.player(move |player| {
                for _ in 0..each {
                    let mut held = player.lock(&shared);
                    let before = *held;
                    player.pause();
                    *held = before + 1;
                }
                each
            })
        })
        .collect();
    let wanted = sum(hands);
    assert_eq!(*shared.try_lock().expect("nobody is left"), wanted);
}

/// Permits, and how many are inside with them.
struct Room {
    /// How many may be inside.
    permits: Semaphore,

    /// How many are.
    inside: AtomicUsize,
}

impl Room {
    fn visit(&self, player: &Player, size: usize) {
        let count = 1 + player.random.below(size as u64) as usize;
        let permit = player.acquire(&self.permits, count);
        let others = self.inside.fetch_add(count, Ordering::Relaxed);
        assert!(others + count <= size);
        player.pause();
        self.inside.fetch_sub(count, Ordering::Relaxed);
        drop(permit);
    }
}

/// Never more inside than there are permits, and all come back.
pub(super) fn semaphore(game: &Game<'_>) {
    let size = 1 + game.random.below(4) as usize;
    let room = Arc::new(Room {
        permits: Semaphore::bounded(size),
        inside: AtomicUsize::new(0),
    });
    let each = 50 + game.random.below(200);
    let hands: Vec<Hand> = (0..2 + game.random.below(4))
        .map(|_| {
            let room = Arc::clone(&room);
            game.player(move |player| {
                (0..each).for_each(|_| room.visit(player, size));
                0
            })
        })
        .collect();
    assert_eq!(sum(hands), 0);
    assert_eq!(room.permits.available(), size);
}

/// A buffer made by hand of a mutex and two conditions.
struct Buffer {
    /// What is in it.
    items: Mutex<VecDeque<u64>>,

    /// Told of each item that was put in.
    filled: Condvar,

    /// Told of each that was taken.
    emptied: Condvar,

    /// How many it holds.
    size: usize,
}

impl Buffer {
    fn put(&self, player: &Player, item: u64) {
        let mut items = player.lock(&self.items);
        player.wait_while(&self.emptied, &mut items, |items| items.len() >= self.size);
        items.push_back(item);
        self.filled.notify_one();
    }

    fn take(&self, player: &Player) -> u64 {
        let mut items = player.lock(&self.items);
        player.wait_while(&self.filled, &mut items, |items| items.is_empty());
        self.emptied.notify_one();
        items.pop_front().expect("there is one")
    }
}

/// As many take as put.
pub(super) fn condition(game: &Game<'_>) {
    let buffer = Arc::new(Buffer {
        items: Mutex::default(),
        filled: Condvar::new(),
        emptied: Condvar::new(),
        size: 1 + game.random.below(4) as usize,
    });
    let each = 50 + game.random.below(200);
    let (mut put, mut taken) = (Vec::new(), Vec::new());
    for n in 1..=1 + game.random.below(2) {
        let (to, from) = (Arc::clone(&buffer), Arc::clone(&buffer));
        put.push(game.player(move |player| {
            (n..n + each).for_each(|item| to.put(player, item));
            (n..n + each).sum()
        }));
        taken.push(game.player(move |player| (0..each).map(|_| from.take(player)).sum()));
    }
    assert_eq!(sum(put), sum(taken));
    assert!(buffer.items.try_lock().expect("nobody is left").is_empty());
}
