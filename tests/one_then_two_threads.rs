//! Without a test harness, so that the process begins with one OS thread: its locks work before a second one exists, after, and when that has gone.

use std::sync::Arc;

use greenthread::sync::{Mutex, Queue};
use greenthread::{run, spawn, yield_now};

const ROUNDS: u64 = 20_000;

/// What every OS thread works on.
#[derive(Debug)]
struct Shared {
    sum: Mutex<u64>,
    queue: Queue<u64>,
}

/// Green threads of one OS thread add to the sum, and pass numbers through the queue.
fn work(shared: &Arc<Shared>) {
    run(|| {
        let handles: Vec<_> = (0..4)
            .map(|n| {
                let shared = Arc::clone(shared);
                spawn(move || {
                    for _ in 0..ROUNDS / 4 {
                        *shared.sum.lock() += 1;
                        if n % 2 == 0 {
                            shared.queue.put(1).unwrap();
                        } else {
                            shared.queue.get().unwrap();
                        }
                        yield_now();
                    }
                })
            })
            .collect();
        for handle in handles {
            handle.join().unwrap();
        }
    });
}

/// Whether the kernel knows already that this process will want barriers; true where it cannot be asked (before Linux 6.3).
#[cfg(all(target_os = "linux", not(greenthread_portable), not(miri)))]
#[expect(
    unsafe_code,
    reason = "asks the kernel what this process has registered"
)]
fn is_registered() -> bool {
    const GET_REGISTRATIONS: libc::c_int = 1 << 9;
    // SAFETY: takes no address.
    let registered = unsafe { libc::syscall(libc::SYS_membarrier, GET_REGISTRATIONS, 0, 0) };
    let wanted = libc::c_long::from(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    registered < 0 || registered & wanted != 0
}

#[cfg(not(all(target_os = "linux", not(greenthread_portable), not(miri))))]
fn is_registered() -> bool {
    true
}

fn main() {
    yield_now();
    assert!(is_registered(), "with a second OS thread that takes long");
    let shared = Arc::new(Shared {
        sum: Mutex::new(0),
        queue: Queue::bounded(3),
    });
    work(&shared);
    assert_eq!(*shared.sum.lock(), ROUNDS);
    let held = shared.sum.lock();
    let others = [(); 2].map(|()| {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || work(&shared))
    });
    drop(held);
    work(&shared);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(*shared.sum.lock(), 4 * ROUNDS);
    work(&shared);
    assert_eq!(*shared.sum.lock(), 5 * ROUNDS);
    assert!(shared.queue.is_empty());
}
