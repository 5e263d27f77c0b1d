//! Channels, and selections among them: each message that was sent is received once.

use greenthread::channel::{
    Receiver, Select, Sender, TryRecvError, bounded, broadcast, oneshot, unbounded, watch,
};
use greenthread::{catch_cancel, scope, select, spawn};

use super::{Books, Dice, TICK, crowd, try_out};

fn send(dice: &Dice, sender: &Sender<u32>, other: &Sender<u32>, books: &Books) {
    let item = books.item();
    let limit = TICK * dice.roll(3);
    let sent = match dice.roll(6) {
        0 => sender.send(item).is_ok(),
        1 => sender.send_timeout(item, limit).is_ok(),
        2 => sender.try_send(item).is_ok(),
        3 => dice
            .limited(|| sender.send(item))
            .is_some_and(|sent| sent.is_ok()),
        4 => select! {
            send(sender, item) -> sent => sent.is_ok(),
            send(other, item) -> sent => sent.is_ok(),
            default(limit) => false,
        },
        _ => {
            dice.limited(|| {
                select! {
                    send(sender, item) -> sent => sent.is_ok(),
                    send(other, item) -> sent => sent.is_ok(),
                }
            }) == Some(true)
        }
    };
    if sent {
        books.note_put(item);
    }
}

/// What came of a receive: a message, nothing this time, or the end.
fn receive(dice: &Dice, receiver: &Receiver<u32>, other: &Receiver<u32>, books: &Books) -> bool {
    let limit = TICK * dice.roll(3);
    let got = match dice.roll(6) {
        0 => receiver.recv().ok(),
        1 => receiver.recv_timeout(limit).ok(),
        2 => receiver.try_recv().ok(),
        3 => dice.limited(|| receiver.recv()).and_then(Result::ok),
        4 => select! {
            recv(receiver) -> got => got.ok(),
            recv(other) -> got => got.ok(),
            default(limit) => None,
        },
        _ => dice
            .limited(|| {
                let mut select = Select::new();
                let arms = [receiver, other];
                for arm in arms {
                    select.recv(arm);
                }
                let chosen = select.select();
                let index = chosen.index();
                chosen.recv(arms[index])
            })
            .and_then(Result::ok),
    };
    if let Some(item) = got {
        books.note_got(item);
        return true;
    }
    receiver.try_recv().map(|item| books.note_got(item)) != Err(TryRecvError::Disconnected)
}

/// Takes what has stayed in a channel; another's senders may be gone or not.
fn drain(receiver: &Receiver<u32>, books: &Books) {
    while let Ok(item) = receiver.try_recv() {
        books.note_got(item);
    }
}

fn exchange(make: fn() -> (Sender<u32>, Receiver<u32>)) {
    try_out(|dice| {
        let books = Books::default();
        let ((sender, receiver), (other_sender, other)) = (make(), make());
        scope(|s| {
            let receivers = [
                (&receiver, &other),
                (&other, &receiver),
                (&receiver, &other),
            ];
            let receivers = receivers.map(|(receiver, other)| {
                let books = &books;
                s.spawn(move || {
                    while receive(dice, receiver, other, books) {
                        dice.pause();
                    }
                })
            });
            crowd(dice, 3, |number| {
                for _ in 0..3 {
                    let (sender, other) = match number {
                        0 => (&other_sender, &sender),
                        _ => (&sender, &other_sender),
                    };
                    send(dice, sender, other, &books);
                }
            });
            if dice.roll(2) == 0 {
                receivers[0].cancel();
            }
            drop((sender, other_sender));
        });
        drain(&receiver, &books);
        drain(&other, &books);
        books.close();
    });
}

#[test]
#[apply(once)]
fn a_channel_without_room_loses_and_doubles_nothing() {
    exchange(|| bounded(0));
}

#[test]
#[apply(once)]
fn a_channel_of_one_loses_and_doubles_nothing() {
    exchange(|| bounded(1));
}

#[test]
#[apply(once)]
fn an_unbounded_channel_loses_and_doubles_nothing() {
    exchange(unbounded);
}

#[test]
#[apply(once)]
fn selections_on_both_sides_of_a_meeting_agree() {
    try_out(|dice| {
        let books = Books::default();
        let ((left, from_left), (right, from_right)) = (bounded(0), bounded(0));
        crowd(dice, 4, |number| {
            for _ in 0..3 {
                let item = books.item();
                let limit = TICK * dice.roll(3);
                // Each would send in one direction or receive from the other, whichever comes first.
                let (to, from) = match number % 2 {
                    0 => (&left, &from_right),
                    _ => (&right, &from_left),
                };
                select! {
                    send(to, item) -> sent => if sent.is_ok() { books.note_put(item) },
                    recv(from) -> got => if let Ok(item) = got { books.note_got(item) },
                    default(limit) => {}
                }
            }
        });
        books.close();
    });
}

#[test]
#[apply(once)]
fn a_message_of_a_oneshot_is_received_or_given_back() {
    try_out(|dice| {
        let (sender, receiver) = oneshot();
        let receiving = spawn({
            let (limit, patient) = (TICK * dice.roll(3), dice.roll(2) == 0);
            move || {
                let got = catch_cancel(|| match patient {
                    true => receiver.recv().ok(),
                    false => receiver.recv_timeout(limit).ok(),
                });
                match got {
                    Ok(Some(7)) => true,
                    Ok(Some(other)) => panic!("{other} was never sent"),
                    // What was sent meanwhile is still there.
                    _ => receiver.try_recv().is_ok(),
                }
            }
        });
        dice.pause();
        if dice.roll(2) == 0 {
            receiving.cancel();
        }
        dice.pause();
        let sent = sender.send(7).is_ok();
        match receiving.join() {
            Ok(received) => assert!(sent || !received),
            // It never began.
            Err(error) => assert!(error.is_cancelled()),
        }
    });
}

#[test]
#[apply(once)]
fn everybody_hears_a_broadcast_in_order() {
    try_out(|dice| {
        let (sender, receiver) = broadcast(16);
        scope(|s| {
            let hear = |receiver: broadcast::Receiver<u32>| {
                let mut expected = 0;
                loop {
                    match dice.limited(|| receiver.recv()) {
                        Some(Ok(message)) => {
                            assert_eq!(message, expected);
                            expected += 1;
                        }
                        Some(Err(_)) => break expected,
                        None => dice.pause(),
                    }
                }
            };
            let all = [(); 3].map(|()| {
                let receiver = receiver.resubscribe();
                s.spawn(move || hear(receiver))
            });
            drop(receiver);
            for number in 0..6 {
                let _ = sender.send(number);
                dice.pause();
            }
            drop(sender);
            for one in all {
                assert_eq!(one.join().unwrap(), 6);
            }
        });
    });
}

#[test]
#[apply(once)]
fn everybody_sees_the_last_value_of_a_watch() {
    try_out(|dice| {
        let (sender, receiver) = watch(0);
        scope(|s| {
            crowd(dice, 1, |_| {
                for number in 1..5 {
                    dice.pause();
                    let _ = sender.send(number);
                }
            });
            let all = [(); 3].map(|()| {
                let receiver = receiver.clone();
                s.spawn(move || {
                    let mut last = *receiver.borrow_and_update();
                    loop {
                        match dice.limited(|| receiver.changed()) {
                            Some(Ok(())) => {
                                let value = *receiver.borrow_and_update();
                                assert!(value > last, "{value} after {last}");
                                last = value;
                            }
                            Some(Err(_)) => break last,
                            None => dice.pause(),
                        }
                    }
                })
            });
            for number in 5..8 {
                let _ = sender.send(number);
                dice.pause();
            }
            drop(sender);
            for one in all {
                assert_eq!(one.join().unwrap(), 7);
            }
        });
    });
}
