//! The same under short deadlines, with cancellations from a player who does nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use greenthread::sync::{Mutex, Semaphore};
use greenthread::{GreenThread, JoinHandle, catch_cancel, sleep, yield_now};

use super::channels::some_channel;
use crate::house::{Game, sum};
use crate::player::Player;

/// Cancels one of these after another until all have ended, from a seat of its own.
fn disturb(game: &Game<'_>, handles: Vec<JoinHandle<u64>>) {
    let threads: Vec<GreenThread> = handles
        .iter()
        .map(|handle| handle.thread().clone())
        .collect();
    let canceller = game.player(move |player| {
        while !threads.iter().all(GreenThread::is_finished) {
            let victim = player.random.below(threads.len() as u64) as usize;
            threads[victim].cancel();
            sleep(std::time::Duration::from_micros(player.random.below(200)));
        }
        0
    });
    for handle in handles {
        let ended = handle.join();
        assert!(ended.as_ref().is_ok_and(|_| true) || ended.unwrap_err().is_cancelled());
    }
    assert_eq!(sum(vec![canceller]), 0);
}

/// What went in, less what came out.
#[derive(Default)]
struct Books {
    /// The sum of what was put in.
    put: AtomicU64,

    /// The sum of what came out.
    got: AtomicU64,
}

/// Nothing of what was sent is lost, nothing comes twice.
pub(super) fn channel(game: &Game<'_>) {
    let (to, from) = some_channel::<u64>(game);
    let (books, each) = (Arc::new(Books::default()), 40 + game.random.below(100));
    let mut handles = Vec::new();
    for n in 0..1 + game.random.below(3) {
        let (to, kept) = (to.clone(), Arc::clone(&books));
        handles.push(game.green_player(move |player| {
            let one = |number| {
                player.disturbed(|| {
                    assert!(player.send(&to, number));
                    kept.put.fetch_add(number, Ordering::Relaxed);
                })
            };
            (0..each).map(|k| u64::from(one(n * 1_000 + k + 1))).sum()
        }));
        let (from, kept) = (from.clone(), Arc::clone(&books));
        handles.push(game.green_player(move |player| {
            let one = || {
                player.disturbed(|| {
                    let number = player.recv(&from).expect("one sender is kept");
                    kept.got.fetch_add(number, Ordering::Relaxed);
                })
            };
            (0..each).map(|_| u64::from(one())).sum()
        }));
    }
    disturb(game, handles);
    let left: u64 = from.try_iter().sum();
    let (put, got) = (
        books.put.load(Ordering::Relaxed),
        books.got.load(Ordering::Relaxed),
    );
    assert_eq!(put, got + left);
}

/// Every permit comes back.
pub(super) fn permits(game: &Game<'_>) {
    let size = 1 + game.random.below(3) as usize;
    let permits = Arc::new(Semaphore::bounded(size));
    let each = 40 + game.random.below(100);
    let visit = move |player: &Player, permits: &Semaphore| {
        let count = player.random.below(size as u64 + 1) as usize;
        let permit = player.acquire(permits, count);
        player.pause();
        drop(permit);
    };
    let handles = (0..2 + game.random.below(4)).map(|_| {
        let permits = Arc::clone(&permits);
        game.green_player(move |player| {
            let one = || player.disturbed(|| visit(player, &permits));
            (0..each).map(|_| u64::from(one())).sum()
        })
    });
    disturb(game, handles.collect());
    assert_eq!(permits.available(), size);
}

/// Adds one in two steps, and finishes what it has begun when it is cancelled between.
fn add(player: &Player, shared: &Mutex<(u64, u64)>) {
    let mut held = player.lock(shared);
    assert_eq!(held.0, held.1);
    held.0 += 1;
    let waited = catch_cancel(yield_now);
    held.1 += 1;
    drop(held);
    waited.unwrap_or_else(|cancelled| cancelled.resume());
}

/// The lock is free in the end, and nobody was inside with another.
pub(super) fn mutex(game: &Game<'_>) {
    let shared = Arc::new(Mutex::new((0, 0)));
    let each = 40 + game.random.below(100);
    let handles = (0..2 + game.random.below(4)).map(|_| {
        let shared = Arc::clone(&shared);
        game.green_player(move |player| {
            let one = || player.disturbed(|| add(player, &shared));
            (0..each).map(|_| u64::from(one())).sum()
        })
    });
    disturb(game, handles.collect());
    let sums = shared.try_lock().expect("nobody is left");
    assert_eq!(sums.0, sums.1);
}
