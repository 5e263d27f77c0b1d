//! What cannot be started, and what cannot be waited for.

use std::io::ErrorKind;

use greenthread::process::Command;
use greenthread::{spawn, yield_now};

use crate::support::child;
use crate::{endless, shell};

#[test]
#[apply(once)]
fn a_program_that_does_not_exist_is_not_found() {
    let mut missing = Command::new("/no/such/program");
    assert_eq!(missing.spawn().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(missing.status().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(missing.output().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
#[apply(once)]
fn a_folder_that_does_not_exist_is_not_found() {
    let mut lost = shell("true");
    lost.current_dir("/no/such/folder");
    assert_eq!(lost.spawn().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
#[apply(once)]
fn what_is_no_program_is_refused() {
    let refused = Command::new("/").spawn().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let nul = Command::new("a\0b").spawn().unwrap_err();
    assert_eq!(nul.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(once)]
fn a_child_that_somebody_else_has_reaped_is_an_error() {
    let test = "failures::a_child_that_somebody_else_has_reaped_is_an_error";
    let ended = child::run(test, || {
        let first = endless();
        first.kill().unwrap();
        reap(first.id());
        let error = first.wait().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECHILD));

        let second = endless();
        let id = second.id();
        let waiting = spawn(move || second.wait());
        yield_now(); // it is parked
        kill(id);
        reap(id);
        // Told by the kernel or by another child's end.
        endless().kill().unwrap();
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
    });
    assert!(ended.succeeded(), "{ended:?}");
}

#[expect(unsafe_code, reason = "what another part of a program might do")]
fn reap(id: u32) {
    let mut status = 0;
    // SAFETY: writes a number.
    let reaped = unsafe { libc::waitpid(id.cast_signed(), &mut status, 0) };
    assert_eq!(reaped, id.cast_signed());
}

#[expect(unsafe_code, reason = "what another part of a program might do")]
fn kill(id: u32) {
    // SAFETY: takes two numbers.
    assert_eq!(unsafe { libc::kill(id.cast_signed(), libc::SIGKILL) }, 0);
}
