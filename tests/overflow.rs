//! What is said when a stack runs out (L2). Each overflow happens in a child process, whose stderr is read.

#![expect(
    unsafe_code,
    reason = "touches guards and other bad addresses on purpose"
)]

use std::hint::black_box;
use std::sync::{Arc, Barrier};

use greenthread::generator::{self, Generator, Yielder};
use greenthread::{Builder, Runtime, gather, grow, run, spawn};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::child::{self, Ended};

/// Uses up any stack: a kibibyte and a bit at each step.
#[expect(unconditional_recursion, reason = "overflows on purpose")]
#[inline(never)]
fn recurse_for_ever(depth: usize) -> usize {
    let frame = black_box([depth; 128]);
    recurse_for_ever(depth + 1) + black_box(frame)[depth % 128]
}

/// What C code without stack probes does: touches a place of a frame of 12 KiB before it has touched what is above it.
#[cfg(target_arch = "x86_64")]
fn twelve_kibibytes_without_probes() {
    // SAFETY: writes below the stack pointer, where nothing is kept. In a test that overflows, into a guard.
    unsafe { std::arch::asm!("mov byte ptr [rsp - 12288], 1", options(nostack)) };
}

/// Goes down in small steps to where less than 1 KiB is left above the guard of a stack of `bytes`.
#[inline(never)]
fn descend_then(bytes: usize, top: usize, f: fn()) {
    let here = black_box([0u8; 64]);
    if top - here.as_ptr().addr() < bytes - 1024 - 2048 {
        descend_then(bytes, top, f);
    } else {
        f();
    }
    black_box(here);
}

#[inline(never)]
fn address_of_a_local() -> usize {
    let local = black_box([0u8; 16]);
    local.as_ptr().addr()
}

fn assert_reported(ended: &Ended, parts: &[&str]) {
    let said = ended.stderr();
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
    assert!(ended.aborted(), "{ended:?}");
    assert_eq!(said.matches("greenthread: ").count(), 1, "{said}");
}

/// What every message has.
const WAYS_OUT: [&str; 2] = ["Builder::stack_size", "Runtime::builder().stack_size"];

#[test]
#[apply(once)]
fn l2_an_overflow_names_the_green_thread_and_how_to_raise_the_size() {
    let ended = child::run(
        "l2_an_overflow_names_the_green_thread_and_how_to_raise_the_size",
        || {
            let deep = Builder::new()
                .name("digger".into())
                .stack_size(100_000)
                .spawn(|| recurse_for_ever(0));
            let _ = deep.unwrap().join();
        },
    );
    let size = format!(
        "has overflowed its stack of {} bytes",
        128 * 1024 - 16 * 1024
    );
    assert_reported(&ended, &["green thread ", "(\"digger\") ", &size]);
    assert_reported(&ended, &["spawned at tests/overflow.rs:"]);
    assert_reported(&ended, &WAYS_OUT);
}

#[test]
#[apply(once)]
fn l2_an_overflow_shows_the_backtrace_of_the_stack_that_ran_out() {
    let ended = child::run(
        "l2_an_overflow_shows_the_backtrace_of_the_stack_that_ran_out",
        || drop(spawn(|| recurse_for_ever(0)).join()),
    );
    assert_reported(
        &ended,
        &["backtrace, innermost first:", " frames not shown "],
    );
    let said = ended.stderr();
    let named = said.matches("recurse_for_ever").count();
    assert!(named > 8, "{named} in {said}");
}

#[test]
#[apply(once)]
fn l2_an_overflow_in_a_generator_says_generator_and_who_drives_it() {
    let ended = child::run(
        "l2_an_overflow_in_a_generator_says_generator_and_who_drives_it",
        || {
            let driver = Builder::new().name("driver".into()).spawn(|| {
                let g: Generator<(), (), usize> = Generator::new(|_| recurse_for_ever(0));
                g.start();
            });
            let _ = driver.unwrap().join();
        },
    );
    assert_reported(
        &ended,
        &["a generator, driven by green thread ", "(\"driver\")"],
    );
    assert_reported(&ended, &["generator::Builder::stack_size"]);
    assert_reported(&ended, &WAYS_OUT);
}

#[test]
#[apply(once)]
fn l2_an_overflow_in_a_generator_without_any_runtime_is_reported() {
    let ended = child::run(
        "l2_an_overflow_in_a_generator_without_any_runtime_is_reported",
        || {
            let body = |_: &Yielder<(), ()>| recurse_for_ever(0);
            generator::Builder::new().build(body).unwrap().start();
        },
    );
    assert_reported(
        &ended,
        &["a generator, driven by the root of this OS thread has"],
    );
}

#[test]
#[apply(once)]
fn l2_an_overflow_inside_grow_says_so() {
    let ended = child::run("l2_an_overflow_inside_grow_says_so", || {
        let deep = Builder::new().name("grower".into());
        let deep = deep.spawn(|| grow(1 << 20, || recurse_for_ever(0)));
        let _ = deep.unwrap().join();
    });
    assert_reported(
        &ended,
        &["in a call of `grow`, green thread ", "(\"grower\")"],
    );
    assert_reported(&ended, &["the bytes that `grow` is called with"]);
}

#[test]
#[apply(once)]
fn l2_an_overflow_of_a_green_thread_that_waited_on_a_nested_loop_is_reported() {
    let ended = child::run(
        "l2_an_overflow_of_a_green_thread_that_waited_on_a_nested_loop_is_reported",
        || {
            // The root waits inside a generator, so the loop runs while that generator is being driven.
            let g: Generator<(), (), ()> = Generator::new(|_| {
                let deep = Builder::new().name("nested".into()).spawn(|| {
                    greenthread::yield_now();
                    recurse_for_ever(0)
                });
                let _ = deep.unwrap().join();
            });
            run(|| g.start());
        },
    );
    assert_reported(&ended, &["greenthread: green thread ", "(\"nested\")"]);
}

#[test]
#[apply(once)]
fn l2_overflows_on_several_os_threads_at_once_give_one_whole_report() {
    let ended = child::run(
        "l2_overflows_on_several_os_threads_at_once_give_one_whole_report",
        || {
            let together = Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let deep = Builder::new().name("one of four".into());
                        together.wait();
                        let _ = deep.spawn(|| recurse_for_ever(0)).unwrap().join();
                    });
                }
            });
        },
    );
    assert_reported(
        &ended,
        &["(\"one of four\")", "backtrace", "recurse_for_ever"],
    );
}

#[test]
#[apply(once)]
fn l2_an_overflow_on_a_worker_names_the_green_thread_and_where_it_was_spawned() {
    let ended = child::run(
        "l2_an_overflow_on_a_worker_names_the_green_thread_and_where_it_was_spawned",
        || {
            let runtime = Runtime::builder().workers(2).build().unwrap();
            runtime.run(|| {
                let deep = Builder::new()
                    .name("deep on a worker".into())
                    .stack_size(100_000);
                let deep = deep.spawn_anywhere(|| {
                    eprintln!("id {}.", greenthread::current().id());
                    recurse_for_ever(0)
                });
                let _ = deep.unwrap().join();
            });
        },
    );
    let said = ended.stderr();
    let id = said
        .split("id ")
        .nth(1)
        .and_then(|rest| rest.split('.').next());
    let named = format!("green thread {} (\"deep on a worker\") ", id.unwrap());
    let size = format!(
        "has overflowed its stack of {} bytes",
        128 * 1024 - 16 * 1024
    );
    assert_reported(&ended, &[&named, &size, "spawned at tests/overflow.rs:"]);
    assert_reported(&ended, &["backtrace, innermost first:", "recurse_for_ever"]);
    assert_reported(&ended, &WAYS_OUT);
}

#[test]
#[apply(once)]
fn l2_overflows_on_several_workers_at_once_give_one_whole_report() {
    let ended = child::run(
        "l2_overflows_on_several_workers_at_once_give_one_whole_report",
        || {
            let runtime = Runtime::builder().workers(4).build().unwrap();
            let together = Arc::new(Barrier::new(4));
            runtime.run(|| {
                let deep = |_| {
                    let together = Arc::clone(&together);
                    let deep = Builder::new().name("one of four workers".into());
                    // Holds its worker at the barrier, so that each worker begins one.
                    deep.spawn_anywhere(move || {
                        together.wait();
                        recurse_for_ever(0)
                    })
                };
                gather((0..4).map(|n| deep(n).unwrap()).collect::<Vec<_>>());
            });
        },
    );
    assert_reported(&ended, &["(\"one of four workers\")", "backtrace"]);
    assert_reported(&ended, &["recurse_for_ever", "spawned at tests/overflow"]);
    assert_reported(&ended, &WAYS_OUT);
}

#[test]
#[apply(once)]
fn l2_an_overflow_on_an_os_thread_without_an_alternate_stack_is_reported() {
    let ended = child::run(
        "l2_an_overflow_on_an_os_thread_without_an_alternate_stack_is_reported",
        || {
            extern "C" fn body(_: *mut libc::c_void) -> *mut libc::c_void {
                let deep = Builder::new().name("on a foreign thread".into());
                let _ = deep.spawn(|| recurse_for_ever(0)).unwrap().join();
                std::ptr::null_mut()
            }
            let mut thread = 0;
            let (defaults, nothing) = (std::ptr::null(), std::ptr::null_mut());
            // SAFETY: std knows nothing of this thread, which needs nothing of it.
            let made = unsafe { libc::pthread_create(&mut thread, defaults, body, nothing) };
            assert_eq!(made, 0);
            // SAFETY: made above, joined once.
            unsafe { libc::pthread_join(thread, std::ptr::null_mut()) };
        },
    );
    assert_reported(&ended, &["(\"on a foreign thread\")"]);
}

#[cfg(target_arch = "x86_64")]
#[test]
#[apply(once)]
fn l2_a_frame_of_twelve_kibibytes_without_probes_is_caught_by_the_guard() {
    let ended = child::run(
        "l2_a_frame_of_twelve_kibibytes_without_probes_is_caught_by_the_guard",
        || {
            let bytes = 256 * 1024 - 16 * 1024;
            let deep = spawn(move || {
                let top = address_of_a_local();
                descend_then(bytes, top, twelve_kibibytes_without_probes);
            });
            let _ = deep.join();
        },
    );
    assert_reported(&ended, &["has overflowed its stack", "descend_then"]);
}

#[test]
#[apply(once)]
fn l2_an_overflow_of_the_roots_own_stack_stays_with_the_standard_library() {
    let ended = child::run(
        "l2_an_overflow_of_the_roots_own_stack_stays_with_the_standard_library",
        || {
            spawn(|| ()).join().unwrap();
            recurse_for_ever(0);
        },
    );
    let said = ended.stderr();
    assert!(said.contains("has overflowed its stack"), "{said}");
    assert!(!said.contains("greenthread: "), "{said}");
    assert!(ended.aborted(), "{ended:?}");
}

#[test]
#[apply(once)]
fn l2_a_fault_elsewhere_goes_to_the_handler_that_was_there_before() {
    extern "C" fn previous(_: libc::c_int) {
        let said = b"the previous handler\n";
        // SAFETY: writes these bytes.
        unsafe { libc::write(2, said.as_ptr().cast(), said.len()) };
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(7) };
    }
    let ended = child::run(
        "l2_a_fault_elsewhere_goes_to_the_handler_that_was_there_before",
        || {
            // SAFETY: the handler above does what a handler may do.
            unsafe { libc::signal(libc::SIGSEGV, previous as *const () as usize) };
            spawn(|| touch(8)).join().unwrap();
        },
    );
    assert_eq!(ended.stderr(), "the previous handler\n");
    assert_eq!(ended.code(), Some(7));
}

#[test]
#[apply(once)]
fn l2_a_fault_elsewhere_ends_the_process_as_ever() {
    let ended = child::run("l2_a_fault_elsewhere_ends_the_process_as_ever", || {
        spawn(|| touch(8)).join().unwrap();
    });
    assert_eq!(ended.stderr(), "");
    assert_eq!(ended.signal(), Some(libc::SIGSEGV));
}

#[test]
#[apply(once)]
fn l2_a_touch_of_another_stacks_guard_is_no_overflow() {
    let ended = child::run("l2_a_touch_of_another_stacks_guard_is_no_overflow", || {
        // The root's stack pointer is far from the slot of the green thread.
        // A local stands at most 12 KiB below the end of the slot, and the guard has its first 16.
        let inside = spawn(address_of_a_local).join().unwrap();
        touch(inside + 12 * 1024 - 256 * 1024);
    });
    assert_eq!(ended.stderr(), "");
    assert_eq!(ended.signal(), Some(libc::SIGSEGV));
}

fn touch(address: usize) {
    let place = std::ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: not sound, and the end of this child process.
    unsafe { place.write_volatile(1) };
}
