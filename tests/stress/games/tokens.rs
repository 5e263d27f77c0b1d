//! A token that goes round a ring: whoever has it wakes the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use greenthread::sync::Event;
use greenthread::{GreenThread, current};

use crate::house::{Game, Hand, sum};
use crate::player::Player;

/// A ring of those who park.
struct Ring {
    /// Whom each place wakes; told by whoever sits there.
    threads: Vec<(Event, std::sync::OnceLock<GreenThread>)>,

    /// How often the token came to each place and was not taken.
    tokens: Vec<AtomicU64>,
}

impl Ring {
    fn new(places: usize) -> Arc<Self> {
        Arc::new(Ring {
            threads: (0..places).map(|_| Default::default()).collect(),
            tokens: (0..places).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    /// Wakes whoever sits there, when they do.
    fn pass_to(&self, player: &Player, place: usize) {
        let (is_there, thread) = &self.threads[place];
        player.wait(is_there);
        self.tokens[place].fetch_add(1, Ordering::Release);
        thread.get().expect("set before the event").unpark();
    }

    /// So many times: waits for the token, and passes it on.
    fn sit(&self, player: &Player, place: usize, laps: u64) -> u64 {
        let (is_there, thread) = &self.threads[place];
        assert!(thread.set(current()).is_ok());
        is_there.set();
        let mine = &self.tokens[place];
        for _ in 0..laps {
            player.park_until(|| mine.load(Ordering::Acquire) > 0);
            mine.fetch_sub(1, Ordering::Relaxed);
            self.pass_to(player, (place + 1) % self.tokens.len());
        }
        laps
    }
}

/// By `park` and `unpark`, with more than one token.
pub(super) fn by_unpark(game: &Game<'_>) {
    let places = 2 + game.random.below(5) as usize;
    let laps = 50 + game.random.below(200);
    let tokens = 1 + game.random.below(places as u64) as usize;
    let ring = Ring::new(places);
    let hands: Vec<Hand> = (0..places)
        .map(|place| {
            let ring = Arc::clone(&ring);
            game.player(move |player| ring.sit(player, place, laps))
        })
        .collect();
    game.by_itself(|player| (0..tokens).for_each(|place| ring.pass_to(player, place)));
    assert_eq!(sum(hands), places as u64 * laps);
    let left: u64 = ring
        .tokens
        .iter()
        .map(|left| left.load(Ordering::Relaxed))
        .sum();
    assert_eq!(left, tokens as u64);
}

/// By events, one for each step.
pub(super) fn by_event(game: &Game<'_>) {
    let places = 2 + game.random.below(4) as usize;
    let laps = 20 + game.random.below(60) as usize;
    let steps: Arc<[Event]> = (0..=places * laps).map(|_| Event::new()).collect();
    let hands: Vec<Hand> = (0..places)
        .map(|place| {
            let steps = Arc::clone(&steps);
            game.player(move |player| {
                for step in (place..places * laps).step_by(places) {
                    player.wait(&steps[step]);
                    steps[step + 1].set();
                }
                laps as u64
            })
        })
        .collect();
    steps[0].set();
    assert_eq!(sum(hands), (places * laps) as u64);
    assert!(steps.iter().all(Event::is_set));
}
