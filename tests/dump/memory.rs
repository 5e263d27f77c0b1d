//! A dump gives back the pages that it touched, and holds nobody up for long.

use std::time::{Duration, Instant};

use greenthread::{dump, run, spawn, yield_now};

use crate::child;

/// Bytes of memory that this process has.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[test]
#[apply(once)]
fn a_second_after_a_dump_the_stacks_take_what_they_took_before() {
    child::run(
        "memory::a_second_after_a_dump_the_stacks_take_what_they_took_before",
        || {
            const MANY: usize = 4000;
            run(|| {
                let parked: Vec<_> = (0..MANY).map(|_| spawn(greenthread::park)).collect();
                yield_now();
                // What the library and the allocator keep for ever is there after the first.
                drop(dump());
                let before = (greenthread::stats().stacks.bytes_touched, resident());
                for _ in 0..3 {
                    assert!(dump().green_threads.len() > MANY);
                }
                greenthread::release_memory();
                let after = (greenthread::stats().stacks.bytes_touched, resident());
                // Of the stacks not one in ten has a page more; a walk touches some hundred bytes below a third of them.
                assert!(
                    after.0 < before.0 + MANY * 4096 / 10,
                    "{before:?} {after:?}"
                );
                assert!(after.1 < before.1 + MANY * 4096 / 2, "{before:?} {after:?}");
                parked.iter().for_each(|one| one.thread().unpark());
                parked.into_iter().for_each(|one| one.join().unwrap());
            });
        },
    )
    .succeeded();
}

#[test]
#[apply(once)]
fn others_run_while_many_are_seen() {
    child::run("memory::others_run_while_many_are_seen", || {
        run(|| {
            let parked: Vec<_> = (0..20_000).map(|_| spawn(greenthread::park)).collect();
            yield_now();
            let asker = spawn(|| dump().green_threads.len());
            let (mut turns, mut longest) = (0_u32, Duration::ZERO);
            while !asker.is_finished() {
                let before = Instant::now();
                yield_now();
                longest = longest.max(before.elapsed());
                turns += 1;
            }
            // Were it one go, there would be two turns.
            assert!(turns > 10, "{turns} turns, the longest {longest:?}");
            assert!(asker.join().unwrap() > 20_000);
            parked.iter().for_each(|one| one.thread().unpark());
            parked.into_iter().for_each(|one| one.join().unwrap());
        });
    })
    .succeeded();
}
