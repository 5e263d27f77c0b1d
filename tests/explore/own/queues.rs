//! Queues of every kind: each item that was put is got once.

use greenthread::scope;
use greenthread::sync::Queue;

use super::{Books, Dice, TICK, crowd, try_out};

fn put(dice: &Dice, queue: &Queue<u32>, books: &Books) {
    let item = books.item();
    let done = match dice.roll(4) {
        0 => queue.put(item).is_ok(),
        1 => queue.put_timeout(item, TICK * dice.roll(3)).is_ok(),
        2 => queue.try_put(item).is_ok(),
        _ => dice
            .limited(|| queue.put(item))
            .is_some_and(|done| done.is_ok()),
    };
    if done {
        books.note_put(item);
    }
}

/// Whether there will be more.
fn get(dice: &Dice, queue: &Queue<u32>, books: &Books) -> bool {
    let got = match dice.roll(4) {
        0 => queue.get().ok(),
        1 => queue.get_timeout(TICK * dice.roll(3)).ok(),
        2 => queue.try_get().ok(),
        _ => dice.limited(|| queue.get()).and_then(Result::ok),
    };
    match got {
        Some(item) => {
            books.note_got(item);
            queue.task_done();
            true
        }
        None => !queue.is_closed() || !queue.is_empty(),
    }
}

fn exchange(make: fn() -> Queue<u32>) {
    try_out(|dice| {
        let (queue, books) = (make(), Books::default());
        scope(|s| {
            let getters = [(); 3].map(|()| {
                s.spawn(|| {
                    while get(dice, &queue, &books) {
                        dice.pause();
                    }
                })
            });
            crowd(dice, 3, |_| (0..3).for_each(|_| put(dice, &queue, &books)));
            if dice.roll(3) == 0 {
                queue.join();
                assert!(queue.is_empty());
            }
            if dice.roll(2) == 0 {
                getters[0].cancel();
            }
            queue.close();
        });
        while let Ok(item) = queue.try_get() {
            books.note_got(item);
        }
        books.close();
    });
}

#[test]
#[apply(once)]
fn a_bounded_queue_loses_and_doubles_nothing() {
    exchange(|| Queue::bounded(2));
}

#[test]
#[apply(once)]
fn a_bounded_stack_loses_and_doubles_nothing() {
    exchange(|| Queue::lifo_bounded(1));
}

#[test]
#[apply(once)]
fn a_bounded_queue_by_priority_loses_and_doubles_nothing() {
    exchange(|| Queue::priority_bounded(2));
}

#[test]
#[apply(once)]
fn an_unbounded_queue_loses_and_doubles_nothing() {
    exchange(Queue::unbounded);
}
