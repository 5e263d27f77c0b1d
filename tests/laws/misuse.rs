//! Bad input: each is a clear word, and harms nothing else.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use greenthread::{
    Builder, JoinHandle, Runtime, WaitFor, channel, park, race, run, scope, sleep, spawn, sync,
    time, timeout, wait, yield_now,
};

use crate::child;
use crate::help::{AtDrop, flag, in_virtual_time, until_finished};
use crate::limits::{leave_no_room, lift};
use crate::support::panic_text;

/// A handle that its own green thread can take.
type Slot<H> = Rc<RefCell<Option<H>>>;

fn joins_itself<H: 'static>(
    wrap: impl FnOnce(JoinHandle<String>) -> H,
    join: impl Fn(H) + 'static,
) -> String {
    let slot: Slot<H> = Rc::default();
    let own = Rc::clone(&slot);
    let (sender, receiver) = mpsc::channel();
    let builder = Builder::new().name("narcissus".into());
    let handle = builder
        .spawn(move || {
            let handle = own.borrow_mut().take().unwrap();
            let text = panic_text(|| join(handle));
            sender.send(text.clone()).unwrap();
            text
        })
        .unwrap();
    *slot.borrow_mut() = Some(wrap(handle));
    yield_now();
    receiver.try_recv().unwrap()
}

#[test]
#[apply(on_workers)]
fn join_on_oneself_is_a_clear_panic() {
    let plain = joins_itself(|handle| handle, |handle| drop(handle.join()));
    let timed = joins_itself(
        |handle| handle,
        |handle| drop(handle.join_timeout(Duration::MAX)),
    );
    let shared = joins_itself(JoinHandle::shared, |handle| drop(handle.join()));
    let cancelling = joins_itself(JoinHandle::cancel_on_drop, |handle| drop(handle.join()));
    for text in [plain, timed, shared, cancelling] {
        assert!(
            text.contains("narcissus") && text.contains("join on oneself"),
            "{text}"
        );
    }
}

#[test]
#[apply(once)]
fn a_callback_that_joins_its_own_green_thread_is_reported_and_harms_no_other_joiner() {
    let ended = child::run(
        "misuse::a_callback_that_joins_its_own_green_thread_is_reported_and_harms_no_other_joiner",
        || {
            let slot = Arc::new(Mutex::new(None));
            let handle = spawn(|| 5).shared();
            let other = spawn(|| 6);
            let own = Arc::clone(&slot);
            *slot.lock().unwrap() = Some(handle.clone());
            // `SharedHandle` has no callbacks: another green thread's callback joins, which is allowed.
            other.on_finish(move |_| {
                let handle = own.lock().unwrap().take().unwrap();
                assert_eq!(handle.join().unwrap(), 5);
            });
            assert_eq!(other.join().unwrap(), 6);
            assert_eq!(handle.join().unwrap(), 5);
        },
    );
    ended.succeeded();
    assert_eq!(ended.times("panicked"), 0, "{}", ended.stderr);
}

#[test]
#[apply(on_roots)]
fn a_nested_run_is_a_clear_panic_and_the_outer_one_goes_on() {
    let value = run(|| {
        assert!(panic_text(|| run(|| ())).contains("nested"));
        let runtime = Runtime::builder().virtual_time().build().unwrap();
        assert!(panic_text(|| runtime.run(|| ())).contains("nested"));
        spawn(|| 7).join().unwrap()
    });
    assert_eq!(value, 7);
    assert_eq!(run(|| 8), 8);
}

#[test]
#[apply(on_roots)]
fn run_on_a_green_thread_is_a_clear_panic() {
    let text = spawn(|| panic_text(|| run(|| ()))).join().unwrap();
    assert!(text.contains("green thread"), "{text}");
    run(|| {
        let text = spawn(|| panic_text(|| run(|| ()))).join().unwrap();
        assert!(text.contains("green thread"), "{text}");
    });
    run(|| ());
}

#[test]
#[apply(on_roots)]
fn a_stack_size_of_zero_is_rounded_up_to_the_least() {
    let handle = Builder::new()
        .stack_size(0)
        .spawn(|| format!("{}", 12))
        .unwrap();
    assert_eq!(handle.join().unwrap(), "12");
    let runtime = Runtime::builder().stack_size(0).build().unwrap();
    assert_eq!(runtime.run(|| spawn(|| 3).join().unwrap()), 3);
}

#[test]
#[apply(once)]
fn a_stack_of_48_kib_is_enough_for_a_panic_with_a_backtrace() {
    let ended = child::run_with(
        "misuse::a_stack_of_48_kib_is_enough_for_a_panic_with_a_backtrace",
        |command| {
            command.env("RUST_BACKTRACE", "full");
        },
        || {
            let small = Builder::new().stack_size(48 * 1024);
            let handle = small.clone().spawn(|| panic!("on a small stack")).unwrap();
            assert!(JoinHandle::<()>::join(handle).unwrap_err().is_panic());
            let handle = small.spawn(park).unwrap();
            yield_now();
            handle.cancel();
            assert!(handle.join().unwrap_err().is_cancelled());
        },
    );
    ended.succeeded();
}

#[test]
#[apply(on_workers)]
fn a_stack_size_past_the_greatest_is_invalid_input_and_names_the_range() {
    let (dropped, guard) = flag();
    let refused = Builder::new()
        .stack_size(usize::MAX)
        .spawn(move || drop(guard));
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let text = error.to_string();
    assert!(
        text.contains(&usize::MAX.to_string()) && text.contains(".."),
        "{text}"
    );
    assert!(dropped.get());
    let error = Runtime::builder()
        .stack_size(usize::MAX)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
#[should_panic(expected = "workers(0): a runtime with workers needs at least 1")]
fn no_workers_at_all_is_a_panic_that_names_the_least() {
    let _ = Runtime::builder().workers(0);
}

#[test]
#[apply(on_workers)]
fn workers_under_virtual_time_are_refused() {
    let error = Runtime::builder()
        .workers(2)
        .virtual_time()
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
fn a_name_with_a_nul_is_invalid_input_and_says_where() {
    let refused = Builder::new().name("nu\0l".into()).spawn(|| unreachable!());
    let error = JoinHandleError::from(refused);
    assert_eq!(error.0.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.0.to_string().contains("byte 2"), "{}", error.0);
    assert_eq!(spawn(|| 1).join().unwrap(), 1);
}

struct JoinHandleError(std::io::Error);

impl From<std::io::Result<JoinHandle<()>>> for JoinHandleError {
    fn from(refused: std::io::Result<JoinHandle<()>>) -> Self {
        JoinHandleError(refused.unwrap_err())
    }
}

#[test]
#[apply(on_workers)]
fn into_panic_of_what_is_no_panic_is_a_clear_panic() {
    let handle = spawn(park);
    handle.cancel();
    let error = handle.join().unwrap_err();
    assert!(panic_text(|| error.into_panic()).contains("no panic"));
}

#[test]
#[apply(on_workers)]
fn a_sleep_of_the_longest_duration_does_not_end_by_itself() {
    let sleeper = spawn(|| sleep(Duration::MAX));
    let parked = spawn(|| greenthread::park_timeout(Duration::MAX));
    for _ in 0..1000 {
        yield_now();
    }
    assert!(!sleeper.is_finished() && !parked.is_finished());
    parked.thread().unpark();
    parked.join().unwrap();
    sleeper.cancel();
    assert!(sleeper.join().unwrap_err().is_cancelled());
}

#[test]
#[apply(on_workers)]
fn a_green_thread_that_panics_harms_no_other() {
    let handles: Vec<_> = (0..50)
        .map(|i| {
            spawn(move || {
                for _ in 0..i % 7 {
                    yield_now();
                }
                assert!(i % 3 != 0, "every third");
                i
            })
        })
        .collect();
    for (i, handle) in handles.into_iter().enumerate() {
        assert_eq!(handle.join().ok(), (i % 3 != 0).then_some(i));
    }
}

#[test]
#[apply(on_roots)]
fn blocking_in_a_destructor_during_an_unwind_blocks_and_goes_on() {
    in_virtual_time(|| {
        let (done, guard) = flag();
        let handle = spawn(move || {
            let _guard = guard;
            let _blocks = AtDrop(|| {
                sleep(Duration::from_secs(1));
                spawn(yield_now).join().unwrap();
                scope(|s| {
                    s.spawn(|| sleep(Duration::from_secs(1)));
                });
                greenthread::generator::Generator::<(), (), ()>::new(|y| {
                    sleep(Duration::from_secs(1));
                    y.yield_(());
                })
                .start();
            });
            panic!("unwinds");
        });
        assert_eq!(
            timeout(Duration::from_secs(2), || sleep(Duration::from_secs(1))),
            Ok(())
        );
        assert!(handle.join().unwrap_err().is_panic());
        assert!(done.get());
    });
}

/// Takes every stack of the default size that is left, and keeps it.
fn take_all_stacks() -> Vec<JoinHandle<()>> {
    std::iter::from_fn(|| Builder::new().spawn(park).ok()).collect()
}

#[test]
#[apply(once)]
fn l3_a_builder_that_finds_no_stack_returns_an_error_that_names_the_limit() {
    let ended = child::run(
        "misuse::l3_a_builder_that_finds_no_stack_returns_an_error_that_names_the_limit",
        || {
            yield_now();
            leave_no_room();
            let taken = take_all_stacks();
            let (dropped, guard) = flag();
            let error = Builder::new().spawn(move || drop(guard)).unwrap_err();
            assert!(error.to_string().contains("RLIMIT_AS"), "{error}");
            assert!(dropped.get());
            for one in &taken {
                one.thread().unpark();
            }
            for one in taken {
                one.join().unwrap();
            }
            assert_eq!(spawn(|| 4).join().unwrap(), 4);
        },
    );
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l3_a_first_run_that_finds_no_stack_is_refused_and_nobody_else_is_harmed() {
    let ended = child::run(
        "misuse::l3_a_first_run_that_finds_no_stack_is_refused_and_nobody_else_is_harmed",
        || {
            yield_now();
            leave_no_room();
            let taken = take_all_stacks();
            yield_now();
            let ids = Rc::new(RefCell::new(Vec::new()));
            let refused: Vec<_> = (0..5)
                .map(|_| {
                    let note = Rc::clone(&ids);
                    let guard = AtDrop(move || {
                        // On a green thread's stack, where it may wait.
                        yield_now();
                        note.borrow_mut().push(greenthread::current().id());
                    });
                    spawn(move || {
                        let _guard = guard;
                        unreachable!("there is no stack");
                    })
                })
                .collect();
            let expected: Vec<_> = refused.iter().map(|handle| handle.thread().id()).collect();
            for handle in refused {
                let error = JoinHandle::<()>::join(handle).unwrap_err();
                assert!(error.is_refused() && !error.is_cancelled());
                let reason = error.reason().unwrap().to_string();
                assert!(reason.contains("RLIMIT_AS"), "{reason}");
            }
            assert_eq!(*ids.borrow(), expected);
            // Nobody joins: reported.
            let lonely = spawn(|| ());
            until_finished(&lonely);
            drop(lonely);
            // Late callbacks are called although there is no stack for them either.
            let (sender, receiver) = mpsc::channel();
            let late = spawn(|| ());
            until_finished(&late);
            late.on_finish(move |result| sender.send(result.is_err()).unwrap());
            assert!(late.join().unwrap_err().is_refused());
            assert_eq!(receiver.try_recv(), Ok(true));
            for one in &taken {
                one.thread().unpark();
            }
            for one in taken {
                one.join().unwrap();
            }
            assert_eq!(spawn(|| 4).join().unwrap(), 4);
        },
    );
    ended.succeeded();
    assert_eq!(
        ended.times("did not run, and nobody joined it"),
        1,
        "{}",
        ended.stderr
    );
}

#[test]
#[apply(once)]
fn l3_a_scope_whose_children_find_no_stack_ends() {
    let ended = child::run(
        "misuse::l3_a_scope_whose_children_find_no_stack_ends",
        || {
            yield_now();
            leave_no_room();
            let taken = take_all_stacks();
            yield_now();
            scope(|s| {
                let child = s.spawn(|| unreachable!());
                assert!(
                    greenthread::ScopedJoinHandle::<()>::join(child)
                        .unwrap_err()
                        .is_refused()
                );
                drop(s.spawn(|| unreachable!()));
            });
            drop(taken);
        },
    );
    ended.succeeded();
}

#[test]
#[apply(once)]
fn l3_a_first_wait_that_finds_no_stack_for_the_loop_unlinks_nothing_it_has_not_linked() {
    let ended = child::run(
        "misuse::l3_a_first_wait_that_finds_no_stack_for_the_loop_unlinks_nothing_it_has_not_linked",
        || {
            std::thread::spawn(|| {
                leave_no_room();
                // Taken without a scheduler.
                let generators: Vec<_> = std::iter::from_fn(|| {
                    let built = greenthread::generator::Builder::new();
                    built
                        .build(|y: &greenthread::generator::Yielder<(), ()>| y.yield_(()))
                        .ok()
                })
                .collect();
                let ran = Arc::new(Mutex::new(Vec::new()));
                let text = panic_text(|| {
                    let on_this_stack = [0x5a_u8; 64];
                    let borrowed = &on_this_stack;
                    let ran = &ran;
                    scope(|s| {
                        s.spawn(move || ran.lock().unwrap().extend_from_slice(borrowed));
                    });
                });
                assert!(text.contains("RLIMIT_AS"), "{text}");
                lift();
                // What borrowed from the frame that is gone must not run now.
                for _ in 0..10 {
                    yield_now();
                }
                assert!(ran.lock().unwrap().is_empty());
                drop(generators);
                assert_eq!(spawn(|| 4).join().unwrap(), 4);
            })
            .join()
            .unwrap();
        },
    );
    ended.succeeded();
}

#[test]
#[apply(once)]
fn a_generator_that_finds_no_stack_panics_in_its_driver_alone() {
    let ended = child::run(
        "misuse::a_generator_that_finds_no_stack_panics_in_its_driver_alone",
        || {
            yield_now();
            let g = greenthread::generator::Generator::<(), u8, ()>::new(|y| y.yield_(1));
            let driver = Builder::new()
                .spawn(move || {
                    let caught = catch_unwind(AssertUnwindSafe(|| g.start()));
                    assert!(caught.is_err());
                    g
                })
                .unwrap();
            leave_no_room();
            let taken = take_all_stacks();
            let g = driver.join().unwrap();
            lift();
            assert_eq!(g.start().yielded(), Some(1));
            drop(taken);
        },
    );
    ended.succeeded();
}

/// Where a panic of misuse says that it is, in a hook that notes it.
fn blamed(misuse: impl FnOnce()) -> String {
    let place = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&place);
    std::panic::set_hook(Box::new(move |panic| {
        *noted.lock().unwrap() = panic.location().unwrap().file().to_owned();
    }));
    catch_unwind(AssertUnwindSafe(misuse)).unwrap_err();
    drop(std::panic::take_hook());
    place.lock().unwrap().clone()
}

#[test]
#[apply(once)]
fn misuse_is_blamed_on_whoever_calls() {
    // The hook is the whole process's.
    let ended = child::run("misuse::misuse_is_blamed_on_whoever_calls", || {
        let misuses: [(&str, fn()); 11] = [
            ("release", || sync::Semaphore::bounded(1).release(1)),
            ("acquire_many", || {
                drop(sync::Semaphore::bounded(1).acquire_many(2));
            }),
            ("bounded", || drop(sync::Queue::<()>::bounded(0))),
            ("task_done", || sync::Queue::<()>::unbounded().task_done()),
            ("Barrier", || drop(sync::Barrier::new(0))),
            ("interval", || drop(time::interval(Duration::ZERO))),
            ("race", || race(Vec::<fn()>::new())),
            ("wait", || drop(wait::<()>([], WaitFor::All, None))),
            ("broadcast", || drop(channel::broadcast::<()>(0))),
            ("nested run", || run(|| run(|| ()))),
            ("into_panic", || {
                let handle = spawn(park);
                handle.cancel();
                drop(handle.join().unwrap_err().into_panic());
            }),
        ];
        for (name, misuse) in misuses {
            assert_eq!(blamed(misuse), file!(), "{name}");
        }
    });
    ended.succeeded();
}

#[test]
#[apply(on_roots)]
fn joining_oneself_from_a_late_callback_is_a_panic_and_no_hang() {
    run(|| {
        let handle = spawn(|| 7);
        until_finished(&handle);
        let said = Arc::new(Mutex::new(String::new()));
        let slot: Arc<Mutex<Option<greenthread::SharedHandle<i32>>>> = Arc::default();
        let (tell, own) = (Arc::clone(&said), Arc::clone(&slot));
        handle.on_finish(move |_| {
            let own = own.lock().unwrap().take().unwrap();
            *tell.lock().unwrap() = panic_text(|| own.join());
        });
        let shared = handle.shared();
        *slot.lock().unwrap() = Some(shared.clone());
        assert_eq!(shared.join().unwrap(), 7);
        assert!(said.lock().unwrap().contains("join on oneself"), "{said:?}");
    });
}
