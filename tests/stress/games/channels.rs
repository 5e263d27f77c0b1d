//! Messages, each a number: the sum of what was sent is the sum of what came.

use std::time::Duration;

use greenthread::channel::{Receiver, Sender, bounded, oneshot, unbounded};
use greenthread::select;

use crate::house::{Game, Hand, sum};
use crate::player::Player;

/// One of the sizes that matter.
pub(super) fn some_channel<T>(game: &Game<'_>) -> (Sender<T>, Receiver<T>) {
    match game.random.below(5) {
        0 => bounded(0),
        1 | 2 => bounded(1),
        3 => bounded(64),
        _ => unbounded(),
    }
}

/// Sends these numbers, and says what they come to.
fn send_all(player: &Player, to: &Sender<u64>, numbers: std::ops::Range<u64>) -> u64 {
    let mut total = 0;
    for number in numbers {
        assert!(player.send(to, number));
        total += number;
        player.pause();
    }
    total
}

/// Several senders, several receivers.
pub(super) fn one(game: &Game<'_>) {
    let (to, from) = some_channel(game);
    let each = 100 + game.random.below(400);
    let mut senders = Vec::new();
    for n in 0..=game.random.below(3) {
        let to = to.clone();
        senders.push(game.player(move |player| send_all(player, &to, n * each..(n + 1) * each)));
    }
    drop(to);
    let mut receivers = Vec::new();
    for _ in 0..=game.random.below(3) {
        let from = from.clone();
        let part = move |player: &Player| std::iter::from_fn(|| player.recv(&from)).sum();
        receivers.push(game.player(part));
    }
    drop(from);
    assert_eq!(sum(senders), sum(receivers));
}

/// Receives from both until both have ended.
fn receive_both(player: &Player, one: &Receiver<u64>, two: &Receiver<u64>) -> u64 {
    let mut total = 0;
    let limit = Duration::from_micros(player.random.below(400));
    loop {
        let (message, other) = select! {
            recv(one) -> message => (message, two),
            recv(two) -> message => (message, one),
            default(limit) => continue,
        };
        match message {
            Ok(number) => total += number,
            Err(_) => return total + std::iter::from_fn(|| player.recv(other)).sum::<u64>(),
        }
        player.woken();
    }
}

/// Sends each to whichever takes it.
fn send_either(player: &Player, one: &Sender<u64>, two: &Sender<u64>, count: u64) -> u64 {
    for number in 1..=count {
        select! {
            send(one, number) -> sent => sent.unwrap(),
            send(two, number) -> sent => sent.unwrap(),
        }
        player.pause();
    }
    (1..=count).sum()
}

/// Whoever selects among two, on both sides.
pub(super) fn select_of_two(game: &Game<'_>) {
    let ((one, from_one), (two, from_two)) = (some_channel(game), some_channel(game));
    let each = 50 + game.random.below(200);
    let mut senders: Vec<Hand> = Vec::new();
    for _ in 0..=game.random.below(2) {
        let (one, two) = (one.clone(), two.clone());
        senders.push(game.player(move |player| send_either(player, &one, &two, each)));
    }
    drop((one, two));
    let mut receivers: Vec<Hand> = Vec::new();
    for _ in 0..=game.random.below(2) {
        let (one, two) = (from_one.clone(), from_two.clone());
        receivers.push(game.player(move |player| receive_both(player, &one, &two)));
    }
    drop((from_one, from_two));
    assert_eq!(sum(senders), sum(receivers));
}

/// A number, and where the answer goes.
type Question = (u64, oneshot::Sender<u64>);

/// Questions through one channel, answers each through a oneshot.
pub(super) fn ask_and_answer(game: &Game<'_>) {
    let (ask, asked) = some_channel::<Question>(game);
    let each = 50 + game.random.below(150);
    let mut hands = Vec::new();
    for _ in 0..=game.random.below(2) {
        let asked = asked.clone();
        hands.push(game.player(move |player| answer(player, &asked)));
    }
    for _ in 0..=game.random.below(3) {
        let ask = ask.clone();
        hands.push(game.player(move |player| question(player, &ask, each)));
    }
    drop((ask, asked));
    assert_eq!(sum(hands), 0);
}

fn answer(player: &Player, asked: &Receiver<Question>) -> u64 {
    while let Some((number, to)) = player.recv(asked) {
        to.send(number * 2).unwrap();
        player.pause();
    }
    0
}

fn question(player: &Player, ask: &Sender<Question>, count: u64) -> u64 {
    for number in 0..count {
        let (to, answer) = oneshot();
        assert!(player.send(ask, (number, to)));
        assert_eq!(answer.recv(), Ok(number * 2));
        player.woken();
    }
    0
}
