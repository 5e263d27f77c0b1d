//! Everything at once: games with checked sums, on four workers and four plain OS threads, until so many waits have ended.
//!
//! A game is a small program with players: they pass tokens, send, lock, cancel each other, hand sockets around. Where each player sits (on any worker, on a certain one, on a plain OS
//! thread or its very root, beside whoever spawned it) and what it does comes from the seed and the game's number, and what is put in is compared with what comes out: nothing is lost,
//! nothing doubled, nobody left waiting. How the OS threads interleave is up to the machine, so a failure that was a race may need several tries with the same inputs.
//!
//! What is counted is a wake: a wait that was entered after its `try_` had failed, and that ended with what was waited for.
//!
//! | variable | meaning |
//! |---|---|
//! | `GREENTHREAD_STRESS_WAKES` | how many wakes, in all; a million unless set, and the long form is `GREENTHREAD_STRESS_WAKES=100000000 cargo test --release --test stress` |
//! | `GREENTHREAD_STRESS_SEED` | the seed, else a new one for each run; every failure names it |
//! | `GREENTHREAD_STRESS_GAME` | plays the game with this number alone, again and again |
//!
//! On a terminal a bar shows how far it is. A run in which no game ends for [`progress::STANDSTILL`] is taken for a wake that was lost: it names the games, dumps every green thread, and aborts.

mod games;
mod house;
mod player;
mod progress;
mod random;

use std::sync::Arc;

use greenthread::Runtime;

use games::GAMES;
use house::{House, WORKERS};
use progress::Progress;

/// The wakes of an ordinary run.
const WAKES: u64 = 1_000_000;

/// Games that go on at once.
const TABLES: usize = 2 * WORKERS;

/// The number in this variable of the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text}: not a number")),
    )
}

/// Another one for each run.
fn new_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| u64::from(since.subsec_nanos()))
}

/// Plays until there were so many wakes.
fn play(wakes: u64, seed: u64, only: Option<u64>) -> Arc<Progress> {
    println!("GREENTHREAD_STRESS_SEED={seed}");
    let progress = Progress::new(wakes, seed, only);
    let runtime = Runtime::builder().workers(WORKERS).build().unwrap();
    let watch = progress.watch();
    runtime.run(|| {
        let house = House::open(&runtime, &progress);
        let tables: Vec<_> = (0..TABLES).map(|_| house.table()).collect();
        for table in tables {
            table.join().unwrap();
        }
        house.close();
    });
    watch.end();
    progress
}

#[test]
fn l4_a_million_wakes_of_all_kinds_across_workers_and_os_threads_lose_and_double_nothing() {
    let wakes = number("GREENTHREAD_STRESS_WAKES").unwrap_or(WAKES);
    let seed = number("GREENTHREAD_STRESS_SEED").unwrap_or_else(new_seed);
    let progress = play(wakes, seed, number("GREENTHREAD_STRESS_GAME"));
    println!("{progress}");
    assert!(progress.wakes() >= wakes);
}

#[test]
fn every_game_is_played_to_its_end() {
    for number in 0..GAMES.len() as u64 {
        assert!(play(1, 7, Some(number)).wakes() > 0);
    }
}
