//! Every kind of arm, its grammar, and who is chosen.

use greenthread::channel::{RecvError, SendError, after, bounded, never, tick, unbounded};
use greenthread::{select, sleep, spawn, time, yield_now};

use crate::support::Log;
use crate::{SECOND, virtual_time};

#[test]
#[apply(on_workers)]
fn a_ready_receive_arm_gets_the_message() {
    let (sender, receiver) = bounded(1);
    sender.send(7).unwrap();
    let got = select! {
        recv(receiver) -> message => message,
        recv(never::<i32>()) -> _ => unreachable!(),
    };
    assert_eq!(got, Ok(7));
    assert!(receiver.is_empty());
}

#[test]
#[apply(on_roots)]
fn a_waiting_selection_gets_the_first_message_that_comes() {
    virtual_time(|| {
        let (one, from_one) = bounded::<u32>(1);
        let (two, from_two) = bounded::<u32>(1);
        let selecting = spawn(move || {
            let first = select! {
                recv(from_one) -> message => message.unwrap(),
                recv(from_two) -> message => message.unwrap() * 10,
            };
            let second = select! {
                recv(from_one) -> message => message.unwrap(),
                recv(from_two) -> message => message.unwrap() * 10,
            };
            (first, second)
        });
        sleep(SECOND);
        two.send(1).unwrap();
        sleep(SECOND);
        one.send(2).unwrap();
        assert_eq!(selecting.join().unwrap(), (10, 2));
    });
}

#[test]
#[apply(on_roots)]
fn a_send_arm_waits_for_room() {
    virtual_time(|| {
        let (sender, receiver) = bounded(1);
        sender.send(1).unwrap();
        let sending = spawn(move || {
            select! {
                send(sender, 2) -> result => result,
                recv(never::<()>()) -> _ => unreachable!(),
            }
        });
        sleep(SECOND);
        assert!(!sending.is_finished());
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.recv(), Ok(2));
        assert_eq!(sending.join().unwrap(), Ok(()));
    });
}

#[test]
#[apply(on_workers)]
fn a_rendezvous_hands_over_between_a_selection_and_a_plain_call() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        let selecting = spawn({
            let receiver = receiver.clone();
            move || select! { recv(receiver) -> message => message.unwrap() }
        });
        yield_now();
        sender.send("to a parked selection").unwrap();
        assert_eq!(selecting.join().unwrap(), "to a parked selection");
        let selecting = spawn(move || select! { send(sender, "from one") -> sent => sent });
        yield_now();
        assert_eq!(receiver.recv(), Ok("from one"));
        assert_eq!(selecting.join().unwrap(), Ok(()));
    });
}

#[test]
#[apply(on_roots)]
fn two_selections_meet_at_a_rendezvous_whichever_comes_first() {
    virtual_time(|| {
        for receiver_first in [true, false] {
            let (sender, receiver) = bounded(0);
            let sends = move || {
                select! {
                    send(sender, 5) -> sent => sent.unwrap(),
                    recv(after(SECOND)) -> _ => panic!("they did not meet"),
                }
            };
            let receives = move || {
                let got = select! {
                    recv(receiver) -> message => message.unwrap(),
                    recv(after(SECOND)) -> _ => panic!("they did not meet"),
                };
                assert_eq!(got, 5);
            };
            let pair = if receiver_first {
                [spawn(receives), spawn(sends)]
            } else {
                [spawn(sends), spawn(receives)]
            };
            for each in pair {
                each.join().unwrap();
            }
        }
    });
}

#[test]
#[apply(on_roots)]
fn a_selection_does_not_meet_itself() {
    virtual_time(|| {
        let (sender, receiver) = bounded(0);
        let chosen = select! {
            send(sender, 1) -> _ => "sent",
            recv(receiver) -> _ => "received",
            default(SECOND) => "nobody",
        };
        assert_eq!(chosen, "nobody");
    });
}

#[test]
#[apply(on_workers)]
fn default_is_taken_when_nothing_is_ready_and_only_then() {
    let (sender, receiver) = bounded(1);
    let choose = || {
        select! {
            recv(receiver) -> message => message.unwrap(),
            default => 0,
        }
    };
    assert_eq!(choose(), 0);
    sender.send(4).unwrap();
    assert_eq!(choose(), 4);
}

#[test]
#[apply(on_roots)]
fn default_with_a_duration_is_taken_when_it_has_passed() {
    virtual_time(|| {
        let (sender, receiver) = bounded(1);
        let before = time::now();
        let choose = || {
            select! {
                recv(receiver) -> message => message.unwrap(),
                default(SECOND) => 0,
            }
        };
        assert_eq!(choose(), 0);
        assert_eq!(time::now() - before, SECOND);
        spawn(move || {
            sleep(SECOND / 2);
            sender.send(4).unwrap();
        });
        assert_eq!(choose(), 4);
        assert_eq!(time::now() - before, SECOND * 3 / 2);
    });
}

#[test]
#[apply(on_roots)]
fn default_alone_is_taken() {
    virtual_time(|| {
        assert_eq!(select! { default => 1 }, 1);
        let before = time::now();
        select! { default(SECOND) => {} }
        assert_eq!(time::now() - before, SECOND);
    });
}

#[test]
#[apply(on_workers)]
fn a_closed_channel_is_ready_with_its_error() {
    virtual_time(|| {
        let (sender, receiver) = bounded::<u32>(1);
        drop(sender);
        let got = select! { recv(receiver) -> message => message };
        assert_eq!(got, Err(RecvError));
        let (sender, receiver) = bounded(1);
        drop(receiver);
        let sent = select! { send(sender, 3) -> result => result };
        assert_eq!(sent, Err(SendError(3)));
    });
}

#[test]
#[apply(on_workers)]
fn closing_wakes_a_selection_that_waits() {
    virtual_time(|| {
        for capacity in [0, 1] {
            let (sender, receiver) = bounded::<u32>(capacity);
            let waiting = spawn(move || {
                select! {
                    recv(receiver) -> message => message,
                    recv(never::<()>()) -> _ => unreachable!(),
                }
            });
            yield_now();
            drop(sender);
            assert_eq!(waiting.join().unwrap(), Err(RecvError));
            let (sender, receiver) = bounded(capacity);
            while sender.try_send(0).is_ok() {}
            let waiting = spawn(move || select! { send(sender, 9) -> result => result });
            yield_now();
            drop(receiver);
            assert_eq!(waiting.join().unwrap(), Err(SendError(9)));
        }
    });
}

#[test]
#[apply(on_workers)]
fn messages_are_evaluated_in_order_and_dropped_before_another_arm_runs() {
    let log = Log::default();
    let value = |line, drop_line| {
        log.say(line);
        log.on_drop(drop_line)
    };
    let (one, _kept) = bounded(0);
    let (two, _kept_too) = bounded(0);
    let (sender, receiver) = bounded(1);
    sender.send(()).unwrap();
    select! {
        send(one, value("first", "first dropped")) -> _ => unreachable!(),
        send(two, value("second", "second dropped")) -> _ => unreachable!(),
        recv(receiver) -> _ => log.say("arm"),
    }
    let lines = log.lines();
    assert_eq!(lines[..2], ["first", "second"]);
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[4], "arm");
}

#[test]
#[apply(on_workers)]
fn of_two_arms_that_are_always_ready_each_has_its_share() {
    let (one, from_one) = unbounded();
    let (two, from_two) = unbounded();
    for _ in 0..1_000 {
        one.send(()).unwrap();
        two.send(()).unwrap();
    }
    let mut taken = [0, 0];
    for _ in 0..1_000 {
        select! {
            recv(from_one) -> _ => taken[0] += 1,
            recv(from_two) -> _ => taken[1] += 1,
        }
    }
    assert!(taken.iter().all(|taken| *taken > 300), "{taken:?}");
}

#[test]
#[apply(on_workers)]
fn bodies_may_be_blocks_or_expressions_with_or_without_a_last_comma() {
    let (sender, receiver) = unbounded();
    (0..6).for_each(|n| sender.send(n).unwrap());
    let receiver = &receiver;
    let mut sum = 0;
    select! { recv(receiver) -> n => sum += n.unwrap() }
    select! { recv(receiver) -> n => sum += n.unwrap(), }
    select! { recv(receiver) -> n => { sum += n.unwrap() } }
    select! { recv(receiver) -> n => { sum += n.unwrap() }, default => {} }
    select! {
        recv(receiver) -> n => { sum += n.unwrap() }
        default() => unreachable!(),
    }
    select! {
        default => unreachable!(),
        recv(receiver,) -> n => if let Ok(n) = n { sum += n },
    }
    assert_eq!(sum, 15);
}

#[test]
#[apply(on_workers)]
fn an_arm_may_leave_the_loop_and_take_the_channel_with_it() {
    fn first(receiver: greenthread::channel::Receiver<u32>) -> Option<u32> {
        let mut rounds = 0;
        loop {
            select! {
                recv(receiver) -> message => {
                    let message = message.ok();
                    drop(receiver);
                    return message;
                }
                default => {
                    rounds += 1;
                    if rounds == 3 {
                        break;
                    }
                }
            }
        }
        None
    }
    let (sender, receiver) = bounded(1);
    sender.send(1).unwrap();
    assert_eq!(first(receiver), Some(1));
    assert_eq!(sender.send(2), Err(SendError(2)));
}

#[test]
#[apply(on_workers)]
fn sixteen_arms_each_receive_what_is_theirs() {
    virtual_time(|| {
        let (senders, r): (Vec<_>, Vec<_>) = (0..16).map(|_| bounded::<usize>(0)).unzip();
        let selecting = spawn(move || {
            let mut seen = Vec::new();
            for _ in 0..16 {
                seen.push(select! {
                    recv(r[0]) -> n => (0, n), recv(r[1]) -> n => (1, n),
                    recv(r[2]) -> n => (2, n), recv(r[3]) -> n => (3, n),
                    recv(r[4]) -> n => (4, n), recv(r[5]) -> n => (5, n),
                    recv(r[6]) -> n => (6, n), recv(r[7]) -> n => (7, n),
                    recv(r[8]) -> n => (8, n), recv(r[9]) -> n => (9, n),
                    recv(r[10]) -> n => (10, n), recv(r[11]) -> n => (11, n),
                    recv(r[12]) -> n => (12, n), recv(r[13]) -> n => (13, n),
                    recv(r[14]) -> n => (14, n), recv(r[15]) -> n => (15, n),
                });
            }
            seen
        });
        for (n, sender) in senders.iter().enumerate().rev() {
            sender.send(n).unwrap();
        }
        let seen = selecting.join().unwrap();
        assert_eq!(seen, (0..16).rev().map(|n| (n, Ok(n))).collect::<Vec<_>>());
    });
}

#[test]
#[apply(on_roots)]
fn moments_are_arms_like_others() {
    virtual_time(|| {
        let start = time::now();
        let ticks = tick(SECOND);
        let end = after(SECOND * 7 / 2);
        let mut count = 0;
        loop {
            select! {
                recv(ticks) -> due => {
                    count += 1;
                    assert_eq!(due.unwrap() - start, SECOND * count);
                }
                recv(end) -> _ => break,
            }
        }
        assert_eq!(count, 3);
        assert_eq!(time::now() - start, SECOND * 7 / 2);
    });
}

#[test]
#[apply(on_workers)]
fn the_root_and_a_plain_os_thread_select_too() {
    let (sender, receiver) = bounded(0);
    let other = std::thread::spawn(move || {
        select! { send(sender, 3) -> sent => sent.unwrap(), recv(never::<()>()) -> _ => {} }
    });
    let got = select! { recv(receiver) -> n => n.unwrap(), recv(never::<()>()) -> _ => 0 };
    other.join().unwrap();
    assert_eq!(got, 3);
}
