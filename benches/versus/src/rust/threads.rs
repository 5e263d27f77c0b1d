//! std's own threads and channels.

use std::hint::black_box;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::{RustPeer, each_passing};

/// See the head of the file.
pub const PEER: RustPeer = RustPeer {
    name: "std-threads",
    package: "",
    rows: &[
        ("spawn_join", |count| spawn_join(count / 50)),
        ("channel_1", |count| channel(count / 20, 1)),
        ("channel_64", |count| channel(count / 5, 64)),
        ("channel_64_two", |count| channel(count, 64)),
        ("wake_asleep", wake),
    ],
};

fn spawn_join(count: u64) -> f64 {
    each_passing(count, || {
        for value in 0..count {
            let handle = thread::spawn(move || black_box(value));
            assert_eq!(handle.join().expect("a value"), value);
        }
    })
}

fn channel(count: u64, capacity: usize) -> f64 {
    let (sender, receiver) = sync_channel(capacity);
    each_passing(count, || {
        let produce = move || (0..count).for_each(|value| sender.send(value).expect("a receiver"));
        let producer = thread::spawn(produce);
        assert_eq!(receiver.iter().sum::<u64>(), count * (count - 1) / 2);
        producer.join().expect("a producer");
    })
}

fn wake(count: u64) -> f64 {
    let (there, other_end) = sync_channel::<u64>(1);
    let (back, end) = sync_channel::<u64>(1);
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
