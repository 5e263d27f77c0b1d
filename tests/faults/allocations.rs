//! Every allocation fails in turn, alone or with all that come after it: an error, or an abort with a message, and never anything else.
//!
//! Each case is a child process of its own. The first is one in which the first allocation of the scene fails; the last, one in which the scene ends before its n-th.

use crate::failing::{self, Reach};
use crate::scenes::{ACROSS, HERE, Scene};
use crate::trial::{self, End, Verdict};

/// More allocations than any scene makes.
const MOST: i64 = 2000;

/// What came of a scene's cases.
#[derive(Debug, Default)]
struct Counts {
    /// Aborts, each with a message.
    aborted: usize,

    /// Errors of the call that met the fault.
    errors: usize,

    /// Nobody noticed.
    unnoticed: usize,
}

/// What a child is to play.
fn role(scene: &Scene, n: i64, for_good: bool) -> String {
    format!("{}/{n}/{for_good}", scene.name)
}

/// The child: plays what it was told.
fn play(role: &str, scenes: &[Scene], reach: Reach) -> ! {
    let parts: Vec<&str> = role.split('/').collect();
    let scene = scenes.iter().find(|scene| scene.name == parts[0]).unwrap();
    let (n, for_good) = (parts[1].parse().unwrap(), parts[2] == "true");
    scene.play_and_conclude(|| failing::arm(n, for_good, reach), failing::disarm)
}

/// Plays every case of a scene.
fn play_all(test: &str, scene: &Scene, for_good: bool) -> Counts {
    let mut counts = Counts::default();
    for n in 1..MOST {
        let role = role(scene, n, for_good);
        let ended = trial::play(test, &role);
        match ended.end {
            End::Verdict(Verdict::Untouched) => return counts,
            End::Verdict(Verdict::Unnoticed) => counts.unnoticed += 1,
            End::Verdict(Verdict::Error) => counts.errors += 1,
            End::Aborted if is_message(&ended.said) => counts.aborted += 1,
            _ => panic!("{role}: {ended:?}"),
        }
    }
    panic!("{} never ends", scene.name);
}

/// Whether it is what std says of an allocation that failed, and nothing else went wrong.
fn is_message(said: &str) -> bool {
    said.contains("memory allocation of ") && !said.contains("panicked")
}

fn assert_all(test: &str, scenes: &[Scene], reach: Reach, for_good: bool) {
    if let Some(role) = trial::role() {
        play(&role, scenes, reach);
    }
    for scene in scenes {
        let counts = play_all(test, scene, for_good);
        println!("{}: {counts:?}", scene.name);
        assert!(counts.aborted + counts.errors > 0, "{}", scene.name);
    }
}

#[test]
fn every_allocation_of_an_os_thread_that_fails_alone_is_an_error_or_an_abort_with_a_message() {
    let test = "allocations::every_allocation_of_an_os_thread_that_fails_alone_is_an_error_or_an_abort_with_a_message";
    assert_all(test, HERE, Reach::Own, false);
}

#[test]
fn every_allocation_of_an_os_thread_from_which_on_all_fail_is_an_error_or_an_abort_with_a_message()
{
    let test = "allocations::every_allocation_of_an_os_thread_from_which_on_all_fail_is_an_error_or_an_abort_with_a_message";
    assert_all(test, HERE, Reach::Own, true);
}

#[test]
fn every_allocation_of_a_process_that_fails_alone_is_an_error_or_an_abort_with_a_message() {
    let test = "allocations::every_allocation_of_a_process_that_fails_alone_is_an_error_or_an_abort_with_a_message";
    assert_all(test, ACROSS, Reach::Process, false);
}

#[test]
fn every_allocation_of_a_process_from_which_on_all_fail_is_an_error_or_an_abort_with_a_message() {
    let test = "allocations::every_allocation_of_a_process_from_which_on_all_fail_is_an_error_or_an_abort_with_a_message";
    assert_all(test, ACROSS, Reach::Process, true);
}
