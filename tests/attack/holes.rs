//! The documented holes (the crate's front page): each program shows how far one goes, and that it goes no further.

use std::cell::{Cell, RefCell};
use std::panic::set_hook;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use greenthread::generator::Generator;
use greenthread::{park, run, shield, sleep, spawn, yield_now};

use crate::child;
use crate::help::AtDrop;

thread_local! {
    static CURRENT: Cell<u32> = const { Cell::new(0) };
}

/// Saves, sets, calls out and restores.
fn with_current(value: u32) -> u32 {
    let before = CURRENT.replace(value);
    yield_now();
    let seen = CURRENT.get();
    CURRENT.set(before);
    seen
}

#[test]
#[apply(on_workers)]
fn hole_1_calls_that_are_trusted_to_nest_see_each_others_values() {
    let two = [1, 2].map(|value| spawn(move || with_current(value)));
    assert_eq!(two.map(|handle| handle.join().unwrap()), [2, 0]);
    assert_eq!(CURRENT.replace(0), 1);
    // One after the other, and on two OS threads, they nest.
    assert_eq!(
        (with_current(1), spawn(|| with_current(2)).join().unwrap()),
        (1, 2)
    );
    assert_eq!(std::thread::spawn(|| with_current(3)).join().unwrap(), 3);
}

/// Says when it goes; nothing of it is freed, so that looking at it later harms nothing.
struct Tells(Cell<Option<&'static AtomicBool>>);

impl Drop for Tells {
    fn drop(&mut self) {
        if let Some(gone) = self.0.get() {
            gone.store(true, Ordering::SeqCst);
        }
    }
}

thread_local! {
    static LENT: Tells = const { Tells(Cell::new(None)) };
    static OWNER: RefCell<Option<Generator<(), (), ()>>> = const { RefCell::new(None) };
    static LAST: Tells = const { Tells(Cell::new(None)) };
    static BLOCKS: Blocks = const { Blocks };
}

/// Lets everybody run when its OS thread ends.
struct Blocks;

impl Drop for Blocks {
    fn drop(&mut self) {
        shield(|| (0..5).for_each(|_| yield_now()));
    }
}

/// A flag for the rest of the process.
fn flag() -> &'static AtomicBool {
    Box::leak(Box::default())
}

#[test]
#[apply(on_workers)]
fn hole_2_a_stack_inside_a_thread_local_is_not_resumed_when_that_has_gone() {
    let gone = flag();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        drop(spawn(move || {
            LENT.with(|lent| {
                let _sends = AtDrop(|| sender.send(gone.load(Ordering::SeqCst)).unwrap());
                lent.0.set(Some(gone));
                park();
            });
        }));
        yield_now();
    })
    .join()
    .unwrap();
    assert!(gone.load(Ordering::SeqCst));
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Empty));
}

#[test]
#[apply(on_workers)]
fn hole_2_a_generator_in_another_thread_local_is_closed_after_it() {
    let gone = flag();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        OWNER.with_borrow_mut(|owner| {
            let generator = Generator::new(move |y| {
                LENT.with(|lent| {
                    // Runs although `lent` has gone: here it only asks for that.
                    let _sends = AtDrop(|| sender.send(gone.load(Ordering::SeqCst)).unwrap());
                    lent.0.set(Some(gone));
                    y.yield_(());
                });
            });
            generator.start();
            *owner = Some(generator);
        });
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok(true));
}

#[test]
#[apply(on_workers)]
fn hole_2_a_destructor_that_blocks_resumes_a_stack_inside_a_thread_local_that_has_gone() {
    let gone = flag();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Of the destructors the last comes first: `LENT`, then the one that blocks, then the scheduler's.
        yield_now();
        BLOCKS.with(|_| ());
        drop(spawn(move || {
            LENT.with(|lent| {
                lent.0.set(Some(gone));
                while !gone.load(Ordering::SeqCst) {
                    yield_now();
                }
                sender.send(()).unwrap();
            });
        }));
        yield_now();
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok(()));
}

#[test]
#[apply(on_workers)]
fn hole_2_inside_run_everything_has_ended_before() {
    let gone = flag();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        run(|| {
            BLOCKS.with(|_| ());
            drop(spawn(move || {
                LENT.with(|lent| {
                    let _sends = AtDrop(|| sender.send(gone.load(Ordering::SeqCst)).unwrap());
                    lent.0.set(Some(gone));
                    park();
                });
            }));
            yield_now();
        });
    })
    .join()
    .unwrap();
    assert_eq!(receiver.recv(), Ok(false));
}

#[test]
#[apply(on_workers)]
fn hole_2_a_wait_in_an_initialiser_lets_the_next_one_in() {
    thread_local! {
        static MADE: Cell<u32> = const { Cell::new(0) };
        static ONCE: () = {
            MADE.set(MADE.get() + 1);
            yield_now();
        };
    }
    let two = [(); 2].map(|()| spawn(|| ONCE.with(|()| ())));
    let _ = two.map(|green_thread| green_thread.join().unwrap());
    assert_eq!(MADE.get(), 2);
    // Once it stands, nobody makes it again.
    spawn(|| ONCE.with(|()| ())).join().unwrap();
    assert_eq!(MADE.get(), 2);
}

#[test]
#[apply(on_workers)]
fn hole_3_a_standard_lock_across_a_wait_is_had_by_nobody_and_poisoned_by_strangers() {
    let lock = Arc::new(Mutex::new(()));
    let own = Arc::clone(&lock);
    let holder = spawn(move || {
        let _guard = own.lock().unwrap();
        park();
    });
    yield_now();
    assert!(lock.try_lock().is_err());
    let panics = spawn(|| {
        let _waits = AtDrop(|| (0..4).for_each(|_| yield_now()));
        panic!("elsewhere");
    });
    yield_now();
    holder.thread().unpark();
    holder.join().unwrap();
    assert!(panics.join().unwrap_err().is_panic());
    assert!(lock.is_poisoned());
    // Ours know nothing of it.
    let lock = Arc::new(greenthread::sync::Mutex::new(1));
    let own = Arc::clone(&lock);
    let panics = spawn(move || {
        let _guard = own.lock();
        panic!("with a guard");
    });
    assert!(panics.join().unwrap_err().is_panic());
    assert_eq!(*lock.lock(), 1);
}

#[test]
#[apply(once)]
fn hole_3_a_wait_in_the_panic_hook_makes_the_next_panic_abort() {
    let name = "holes::hole_3_a_wait_in_the_panic_hook_makes_the_next_panic_abort";
    let ended = child::run(name, || {
        set_hook(Box::new(|_| yield_now()));
        // One alone is nothing but a panic.
        assert!(spawn(|| panic!("alone")).join().unwrap_err().is_panic());
        eprintln!("alone it ends as ever");
        let both = [(); 2].map(|()| spawn(|| panic!("aborts")));
        let _ = both.map(|green_thread| green_thread.join().unwrap_err());
        sleep(std::time::Duration::ZERO);
    });
    ended.aborted();
    ended.said("alone it ends as ever");
}
