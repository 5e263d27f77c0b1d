//! crossbeam's channels between two OS threads.

use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{RustPeer, each_passing};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "crossbeam",
    package: "crossbeam-channel",
    rows: &[
        ("channel_1_two", |count| channel(count, bounded(1))),
        ("channel_64_two", |count| channel(count, bounded(64))),
        ("channel_all_two", |count| channel(count, unbounded())),
        ("wake_asleep", wake),
    ],
};

fn channel(count: u64, (sender, receiver): (Sender<u64>, Receiver<u64>)) -> f64 {
    each_passing(count, || {
        let produce = move || (0..count).for_each(|value| sender.send(value).expect("a receiver"));
        let producer = thread::spawn(produce);
        assert_eq!(receiver.iter().sum::<u64>(), count * (count - 1) / 2);
        producer.join().expect("a producer");
    })
}

fn wake(count: u64) -> f64 {
    let (there, other_end) = bounded::<u64>(1);
    let (back, end) = bounded::<u64>(1);
    let answer = move || {
        other_end
            .iter()
            .for_each(|value| back.send(value).expect("the asker"))
    };
    let other = thread::spawn(answer);
    let cost = each_passing(count * 2, || {
        for value in 0..count {
            there.send(value).expect("the answerer");
            assert_eq!(end.recv(), Ok(value));
        }
    });
    drop(there);
    other.join().expect("the answerer");
    cost
}
