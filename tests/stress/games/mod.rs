//! The games. Each draws what it is made of from its own numbers, seats its players, and compares what went in with what came out.

mod channels;
mod disturbed;
mod families;
mod locks;
mod tokens;
mod wires;

use crate::house::Game;

/// Its name, and how it is played.
type Rules = (&'static str, fn(&Game<'_>));

/// All of them; they take turns.
pub(crate) const GAMES: &[Rules] = &[
    ("tokens by unpark", tokens::by_unpark),
    ("tokens by event", tokens::by_event),
    ("channel", channels::one),
    ("select", channels::select_of_two),
    ("ask and answer", channels::ask_and_answer),
    ("mutex", locks::mutex),
    ("semaphore", locks::semaphore),
    ("condition", locks::condition),
    ("disturbed channel", disturbed::channel),
    ("disturbed permits", disturbed::permits),
    ("disturbed mutex", disturbed::mutex),
    ("family", families::tree),
    ("scope", families::scope_across),
    ("wire", wires::passed_round),
];

/// Plays the game with this number. Its own panic is preceded by which it was.
pub(crate) fn play(game: &Game<'_>) {
    let (name, play) = GAMES[(game.number % GAMES.len() as u64) as usize];
    let _named = Named(game.number, name);
    play(game);
}

/// Says which game it was, when that panics.
struct Named(u64, &'static str);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in GREENTHREAD_STRESS_GAME={} ({})", self.0, self.1);
        }
    }
}
