//! The pool's behaviour. What ends a process, or limits it, happens in a child process.

use std::env;
use std::process::{Command, Output};
use std::thread;

use super::*;

/// Names the test that a child process is to play.
const CHILD: &str = "GREENTHREAD_POOL_CHILD";

/// Runs `part` in a child process that is this very test, and hands back how it ended. In the child it does not return.
fn in_child(test: &str, part: impl FnOnce()) -> Output {
    if env::var_os(CHILD).is_some() {
        part();
        std::process::exit(0);
    }
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("stack::pool::tests::{test}"),
            "--nocapture",
        ])
        .env(CHILD, test)
        .output()
        .unwrap()
}

fn assert_succeeded(child: &Output) {
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

/// Writes to the lowest and the highest byte of a stack.
fn touch(stack: &Stack) {
    for address in [stack.limit().get(), stack.top().get() - 1] {
        let byte = address as *mut u8;
        // SAFETY: between `limit` and `top` of a stack that this test owns.
        unsafe { byte.write_volatile(7) };
    }
}

/// Whether any mapping of this process contains the address.
fn is_mapped(address: usize) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().any(|line| {
        let (start, rest) = line.split_once('-').unwrap();
        let (end, _) = rest.split_once(' ').unwrap();
        let parse = |text| usize::from_str_radix(text, 16).unwrap();
        (parse(start)..parse(end)).contains(&address)
    })
}

#[test]
fn the_stack_given_back_last_is_taken_first() {
    let (first, second) = (take(DEFAULT_SIZE).unwrap(), take(DEFAULT_SIZE).unwrap());
    let (top_of_first, top_of_second) = (first.top(), second.top());
    drop(first);
    drop(second);
    assert_eq!(take(DEFAULT_SIZE).unwrap().top(), top_of_second);
    let _second = take(DEFAULT_SIZE).unwrap();
    assert_eq!(take(DEFAULT_SIZE).unwrap().top(), top_of_first);
}

#[test]
fn a_stack_has_the_room_asked_for_less_two_kibibytes() {
    for asked in [
        0,
        1,
        LEAST_SIZE,
        LEAST_SIZE + 1,
        DEFAULT_SIZE,
        1 << 20,
        GREATEST_SIZE,
    ] {
        let stack = take(asked).unwrap();
        let room = stack.top().get() - stack.limit().get();
        assert!(room + 2048 >= asked.max(LEAST_SIZE), "{asked}: {room}");
        touch(&stack);
    }
}

#[test]
fn the_default_stack_takes_a_quarter_mebibyte_of_address_space_with_its_guard() {
    let stack = take(DEFAULT_SIZE).unwrap();
    // SAFETY: the stack is taken.
    let span = unsafe { &*stack.link() }.span();
    assert_eq!(span.len() + GUARD, 256 * 1024);
}

#[test]
fn a_size_out_of_range_is_invalid_input_and_names_the_range() {
    for size in [GREATEST_SIZE + 1, usize::MAX] {
        let error = take(size).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let text = format!("stack size {size} is outside 16384..=1073741824 bytes");
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn neighbouring_tops_differ_in_colour() {
    let stacks: Vec<_> = (0..16).map(|_| take(LEAST_SIZE).unwrap()).collect();
    let offsets = stacks.iter().map(|stack| stack.top().get() % 4096);
    let distinct: std::collections::HashSet<_> = offsets.collect();
    assert_eq!(distinct.len(), stacks.len());
}

#[test]
fn a_stack_is_aligned_for_its_link_and_for_calls() {
    let stack = take(DEFAULT_SIZE).unwrap();
    assert_eq!(stack.top().get() % 64, 0);
    assert_eq!(stack.link() as usize, stack.top().get());
}

#[test]
fn a_reused_stack_has_a_fresh_link() {
    let stack = take(DEFAULT_SIZE).unwrap();
    // SAFETY: the stack is taken.
    let link = unsafe { &*stack.link() };
    link.set_owner(ptr::dangling());
    link.set_frames(ptr::dangling());
    drop(stack);
    let stack = take(DEFAULT_SIZE).unwrap();
    // SAFETY: the stack is taken.
    let link = unsafe { &*stack.link() };
    assert!(link.owner().is_null() && link.frames().is_null());
}

#[cfg(unix)]
#[test]
fn l2_the_first_byte_of_the_guard_faults() {
    assert_faults("l2_the_first_byte_of_the_guard_faults", 1);
}

#[cfg(unix)]
#[test]
fn l2_the_last_byte_of_the_guard_faults() {
    assert_faults("l2_the_last_byte_of_the_guard_faults", 16 * 1024);
}

/// Asserts that a child dies of a write so many bytes below a stack.
#[cfg(unix)]
fn assert_faults(test: &str, below: usize) {
    use std::os::unix::process::ExitStatusExt;
    let child = in_child(test, || {
        let stack = take(DEFAULT_SIZE).unwrap();
        // The neighbour below is mapped and in use: only the guard stands between.
        let _neighbour = take(DEFAULT_SIZE).unwrap();
        let byte = (stack.limit().get() - below) as *mut u8;
        // SAFETY: deliberately none: the child is to die of it.
        unsafe { byte.write_volatile(1) };
    });
    assert_eq!(child.status.signal(), Some(libc::SIGSEGV));
}

#[cfg(target_os = "linux")]
#[test]
fn l3_a_refused_mapping_names_the_limit_and_harms_nothing() {
    let child = in_child(
        "l3_a_refused_mapping_names_the_limit_and_harms_nothing",
        || {
            let before = take(DEFAULT_SIZE).unwrap();
            let unlimited = limit_address_space(64 << 20);
            let mut stacks = Vec::new();
            let error = loop {
                match take(DEFAULT_SIZE) {
                    Ok(stack) => stacks.push(stack),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
            assert!(
                error.to_string().contains("RLIMIT_AS (ulimit -v) is "),
                "{error}"
            );
            assert!(
                stacks.len() > 100,
                "smaller slabs must fill the gap: {}",
                stacks.len()
            );
            stacks.iter().chain([&before]).for_each(touch);
            set_address_space(unlimited);
            touch(&take(DEFAULT_SIZE).unwrap());
        },
    );
    assert_succeeded(&child);
}

/// Allows this process so many bytes more; returns the limit that it had.
#[cfg(target_os = "linux")]
fn limit_address_space(more: u64) -> libc::rlimit {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
    let mut old = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the struct that it is given.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut old) }, 0);
    set_address_space(libc::rlimit {
        rlim_cur: pages * 4096 + more,
        ..old
    });
    old
}

#[cfg(target_os = "linux")]
fn set_address_space(limit: libc::rlimit) {
    // SAFETY: reads the struct that it is given.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn l3_forty_thousand_stacks_work_or_the_error_names_the_map_count() {
    let child = in_child(
        "l3_forty_thousand_stacks_work_or_the_error_names_the_map_count",
        || {
            let mut stacks = Vec::new();
            for _ in 0..40_000 {
                match take(LEAST_SIZE) {
                    Ok(stack) => stacks.push(stack),
                    Err(error) => {
                        assert!(
                            error.to_string().contains("vm.max_map_count is "),
                            "{error}"
                        );
                        assert!(stacks.len() > 1000);
                        break;
                    }
                }
            }
            stacks.iter().take(100).for_each(touch);
            stacks.truncate(10);
            stacks.push(take(LEAST_SIZE).unwrap());
            stacks.iter().for_each(touch);
        },
    );
    assert_succeeded(&child);
}

#[cfg(target_os = "linux")]
#[test]
fn an_exiting_os_thread_unmaps_its_idle_stacks() {
    let child = in_child("an_exiting_os_thread_unmaps_its_idle_stacks", || {
        let limits: Vec<usize> = thread::spawn(|| {
            let stacks: Vec<_> = (0..100).map(|_| take(LEAST_SIZE).unwrap()).collect();
            stacks.iter().map(|stack| stack.limit().get()).collect()
        })
        .join()
        .unwrap();
        assert!(!limits.into_iter().any(is_mapped));
    });
    assert_succeeded(&child);
}

#[test]
fn l1_a_leaked_stack_outlives_its_os_thread() {
    let limit = thread::spawn(|| {
        let stack = mem::ManuallyDrop::new(take(DEFAULT_SIZE).unwrap());
        stack.limit().get()
    })
    .join()
    .unwrap();
    // SAFETY: L1: nobody unmaps a stack that was never given back.
    unsafe { (limit as *mut u8).write_volatile(1) };
}

thread_local! {
    /// First touched before the pool, so it dies after the pool has closed.
    static KEEPER: RefCell<Option<Late>> = const { RefCell::new(None) };
}

/// Uses the pool from a thread-local destructor.
struct Late(Stack);

impl Drop for Late {
    fn drop(&mut self) {
        touch(&self.0);
        let another = take(DEFAULT_SIZE).unwrap();
        touch(&another);
    }
}

#[test]
fn a_stack_may_come_back_after_the_pool_has_closed() {
    thread::spawn(|| {
        KEEPER.with(|_| ());
        let _idle = take(LEAST_SIZE).unwrap();
        let kept = Late(take(DEFAULT_SIZE).unwrap());
        KEEPER.set(Some(kept));
    })
    .join()
    .unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_slab_goes_with_its_last_stack_after_the_pool_has_closed() {
    let child = in_child(
        "a_slab_goes_with_its_last_stack_after_the_pool_has_closed",
        || {
            let limit = thread::spawn(|| {
                KEEPER.with(|_| ());
                let stack = take(DEFAULT_SIZE).unwrap();
                let limit = stack.limit().get();
                KEEPER.set(Some(Late(stack)));
                limit
            })
            .join()
            .unwrap();
            assert!(!is_mapped(limit));
        },
    );
    assert_succeeded(&child);
}
