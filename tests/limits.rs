//! Refusals of memory are clear words, and harm nothing that runs (L3). Each limit is set for a child process alone, or played by a filter of system calls.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "sets limits of a child process")]

use std::io;
use std::rc::Rc;

use greenthread::sync::Event;
use greenthread::{Builder, JoinHandle, spawn, yield_now};

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;
use support::child;

/// The size of the stacks that `spawn` takes, in bytes.
const DEFAULT: usize = 240 << 10;

/// Green threads that wait for one event.
struct Waiting {
    /// Bytes of stack of each.
    size: usize,

    /// The event.
    go: Rc<Event>,

    /// All of them.
    handles: Vec<JoinHandle<()>>,
}

impl Waiting {
    /// One that waits already, so that everything which the first needs is there.
    fn begun() -> Self {
        Self::begun_with(16 << 10)
    }

    fn begun_with(size: usize) -> Self {
        let mut waiting = Waiting {
            size,
            go: Rc::new(Event::new()),
            handles: Vec::with_capacity(40_000),
        };
        waiting.more(1).unwrap();
        yield_now();
        waiting
    }

    fn more(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let go = self.go.clone();
            let one = Builder::new().stack_size(self.size);
            let one = one.spawn(move || go.wait());
            self.handles.push(one?);
        }
        Ok(())
    }

    /// Spawns until there is no stack.
    fn until_refused(&mut self) -> io::Error {
        self.more(1_000_000).unwrap_err()
    }

    /// Every one of them comes to its end.
    fn end(self) -> usize {
        yield_now();
        self.go.set();
        let count = self.handles.len();
        self.handles.into_iter().for_each(|one| one.join().unwrap());
        count
    }
}

fn assert_in_child(test: &str, part: fn()) {
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{}", ended.stderr());
}

fn assert_says(error: &io::Error, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

/// Advice 102 is `MADV_GUARD_INSTALL`.
fn pretend_an_older_kernel() {
    child::refuse(libc::SYS_madvise, 2, 102, libc::EINVAL);
}

#[test]
#[apply(once)]
fn l3_on_an_older_kernel_stacks_end_before_the_mappings_do() {
    assert_in_child(
        "l3_on_an_older_kernel_stacks_end_before_the_mappings_do",
        || {
            pretend_an_older_kernel();
            let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
            let limit: usize = limit.trim().parse().unwrap();
            if limit > 80_000 {
                return;
            }
            let mut waiting = Waiting::begun();
            let error = waiting.until_refused();
            let named = format!("vm.max_map_count is {limit} mappings");
            assert_says(
                &error,
                &[&named, "sysctl -w vm.max_map_count=", "Linux 6.13 or newer"],
            );
            // What the rest of the program needs is left: threads, and big blocks of memory.
            std::thread::spawn(|| drop(vec![1_u8; 64 << 20]))
                .join()
                .unwrap();
            let refused = spawn(|| ());
            assert!(waiting.end() > limit / 3);
            assert!(refused.join().unwrap_err().is_refused());
        },
    );
}

#[test]
#[apply(once)]
fn l3_a_spawn_that_finds_no_stack_at_its_first_run_is_refused() {
    assert_in_child(
        "l3_a_spawn_that_finds_no_stack_at_its_first_run_is_refused",
        || {
            let mut waiting = Waiting::begun_with(DEFAULT);
            let unlimited = child::limit_address_space(8 << 20);
            let error = waiting.until_refused();
            assert_says(&error, &["RLIMIT_AS (ulimit -v) is "]);
            let refused = spawn(|| unreachable!("there is no stack for it"));
            let error = refused.join().unwrap_err();
            assert!(error.is_refused(), "{error}");
            child::set_address_space(unlimited);
            assert!(waiting.end() > 10);
            spawn(|| ()).join().unwrap();
        },
    );
}

// The shim knows our mappings by `MAP_NORESERVE`, which the portable twin does not ask for.
#[cfg(not(greenthread_portable))]
#[test]
#[apply(once)]
fn l3_without_overcommit_the_error_names_it() {
    assert_in_child("l3_without_overcommit_the_error_names_it", || {
        let mut waiting = Waiting::begun();
        // With vm.overcommit_memory = 2 a mapping is refused although nobody has touched it.
        let flags = libc::MAP_NORESERVE as u32;
        child::refuse(libc::SYS_mmap, 3, flags, libc::ENOMEM);
        let error = waiting.until_refused();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        assert_says(&error, &["vm.overcommit_memory is ", "CommitLimit is "]);
        assert!(waiting.end() >= 8);
    });
}

#[test]
#[apply(once)]
fn l3_when_all_memory_is_locked_the_error_names_the_limit() {
    assert_in_child(
        "l3_when_all_memory_is_locked_the_error_names_the_limit",
        || {
            let mut waiting = Waiting::begun();
            // The limit does not hold for the superuser.
            // SAFETY: changes who this child process is, nothing else.
            unsafe { libc::seteuid(65_534) };
            let most = libc::rlimit {
                rlim_cur: 8 << 20,
                rlim_max: 8 << 20,
            };
            // SAFETY: reads the struct.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &most) }, 0);
            // SAFETY: concerns what this child maps from now on.
            assert_eq!(unsafe { libc::mlockall(libc::MCL_FUTURE) }, 0);
            let error = waiting.until_refused();
            // SAFETY: as above.
            unsafe { libc::munlockall() };
            assert_says(
                &error,
                &["RLIMIT_MEMLOCK (ulimit -l) is 8388608 bytes", "mlockall"],
            );
            assert!(waiting.end() >= 16);
        },
    );
}

// The shim knows our mappings by `MAP_NORESERVE`, which the portable twin does not ask for.
#[cfg(not(greenthread_portable))]
#[test]
#[apply(once)]
fn l3_a_generator_and_grow_name_the_limit_too() {
    assert_in_child("l3_a_generator_and_grow_name_the_limit_too", || {
        let mut waiting = Waiting::begun();
        child::refuse(libc::SYS_mmap, 3, libc::MAP_NORESERVE as u32, libc::ENOMEM);
        drop(waiting.until_refused());
        let text = support::panic_text(|| greenthread::grow(1 << 20, || ()));
        assert!(
            text.contains("`grow` found no stack of 1048576 bytes: "),
            "{text}"
        );
        assert!(text.contains("vm.overcommit_memory is "), "{text}");
        waiting.end();
    });
}
