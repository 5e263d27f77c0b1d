//! Spawns of every kind, each joined.

use std::sync::atomic::{AtomicU64, Ordering};

use greenthread::{Spawner, join, scope, spawn, spawn_anywhere};

use crate::house::{Game, sum};
use crate::player::Player;
use crate::random::Random;

/// Children and children's children; each level is spawned in another way.
fn grow(random: &Random, depth: u64, home: &Spawner) -> u64 {
    if depth == 0 {
        return 1;
    }
    let (left, right) = (random.fork(), random.fork());
    let part = |random: Random| {
        let home = home.clone();
        move || grow(&random, depth - 1, &home)
    };
    match random.below(4) {
        0 => spawn(part(left)).join().unwrap() + spawn(part(right)).join().unwrap(),
        1 => {
            let there = home.spawn(part(left));
            grow(&right, depth - 1, home) + there.join().unwrap()
        }
        2 => {
            let (one, other) = join!(part(left), part(right));
            one + other
        }
        _ => {
            let there = spawn(part(left));
            grow(&right, depth - 1, home) + there.join().unwrap()
        }
    }
}

/// A tree of spawns has as many leaves as it must.
pub(super) fn tree(game: &Game<'_>) {
    let depth = 3 + game.random.below(4);
    let hands = (0..2)
        .map(|_| {
            game.player(move |player: &Player| {
                let home = Spawner::current();
                let random = player.random.fork();
                player.join(home.spawn({
                    let home = home.clone();
                    move || grow(&random, depth, &home)
                }))
            })
        })
        .collect();
    let there = spawn_anywhere({
        let random = game.random.fork();
        move || grow(&random, depth, &Spawner::current())
    });
    assert_eq!(game.by_itself(|player| player.join(there)), 1 << depth);
    assert_eq!(sum(hands), 2 << depth);
}

/// Children on any worker borrow from whoever waits for them.
pub(super) fn scope_across(game: &Game<'_>) {
    let numbers: Vec<u64> = (0..64).map(|_| game.random.below(1_000)).collect();
    let wanted: u64 = numbers.iter().sum();
    let rounds = 1 + game.random.below(8);
    for _ in 0..rounds {
        let total = AtomicU64::new(0);
        scope(|s| {
            for chunk in numbers.chunks(8) {
                let total = &total;
                s.spawn_anywhere(move || {
                    total.fetch_add(chunk.iter().sum(), Ordering::Relaxed);
                });
            }
        });
        game.by_itself(Player::woken);
        assert_eq!(total.into_inner(), wanted);
    }
}
