//! Work that has not begun under the model checker: the real trays, beds and letters. What is checked, and how: see `model`.

use loom::sync::atomic::Ordering;
use loom::thread;

use super::inbox::Home;
use super::model::{check, counter, green, make, read_mail};
use super::peer::{Held, mail, senders};
use super::work::{Seat, Work};

#[test]
fn u2_what_is_asked_of_work_while_it_is_begun_is_read() {
    check(|| {
        let home = Home::new();
        let freed = counter();
        let piece = make(None, &freed);
        let (asked, unparked) = (piece.clone(), piece.clone());
        let posters = [
            thread::spawn(move || asked.post(mail::REQUEST).unwrap()),
            thread::spawn(move || unparked.post(mail::UNPARK).unwrap()),
        ];
        // As `begin_here`, then the loop.
        piece.settle(home.clone());
        let first = piece.take_mail();
        let all = mail::START | mail::REQUEST | mail::UNPARK;
        assert_eq!(first | read_mail(&home, |bits| first | bits == all), all);
        for poster in posters {
            poster.join().unwrap();
        }
        drop(piece);
        assert_eq!(freed.load(Ordering::SeqCst), 1);
    });
}

/// The loop of a worker until it has taken one piece, which keeps it busy for ever.
fn take_one(seat: &Seat, home: &Home) -> Held {
    loop {
        for held in senders(home.take()) {
            held.take_mail();
        }
        if let Some(piece) = seat.take() {
            return piece;
        }
        if seat.lie_down() && home.fall_asleep() {
            home.doze(None);
            home.wake_up();
        }
        if seat.get_up() {
            let piece = seat.take();
            seat.has_looked();
            if let Some(piece) = piece {
                return piece;
            }
        }
    }
}

/// Workers on OS threads of their own, each of which takes one piece.
fn hire(work: &std::sync::Arc<Work>, workers: usize) -> Vec<thread::JoinHandle<()>> {
    let hired = (0..workers).map(|number| {
        let home = Home::new();
        let seat = Seat::new(std::sync::Arc::clone(work), number);
        seat.is_of(green(&home, &counter()));
        thread::spawn(move || {
            drop(take_one(&seat, &home));
            senders(home.close()).for_each(drop);
        })
    });
    hired.collect()
}

#[test]
fn u5_a_worker_does_not_sleep_while_there_is_work() {
    check(|| {
        let work = Work::new(1);
        let workers = hire(&work, 1);
        work.put(make(None, &counter()));
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn u5_two_pieces_keep_two_workers_busy() {
    check(|| {
        let work = Work::new(2);
        let workers = hire(&work, 2);
        work.put(make(None, &counter()));
        work.put(make(None, &counter()));
        for worker in workers {
            worker.join().unwrap();
        }
    });
}
