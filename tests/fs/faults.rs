//! Full disks, limits, and files that vanish while they are open.

#![expect(unsafe_code, reason = "sets a resource limit in a child process")]

use std::io::{ErrorKind, Read, Seek, Write};

use greenthread::fs::{self, File, TempDir, TempFile};

use crate::support::child;

#[test]
#[apply(on_workers)]
fn a_full_disk_is_an_error_and_the_file_stays_usable() {
    let mut full = File::options()
        .read(true)
        .write(true)
        .open("/dev/full")
        .unwrap();
    let error = full.write_all(b"too much").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(full.write(b"").unwrap(), 0);
    let mut zeros = [1; 4];
    full.read_exact(&mut zeros).unwrap();
    assert_eq!(zeros, [0; 4]);
    let error = fs::write("/dev/full", "too much").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}

/// From now on no file of this process grows past so many bytes, and trying is an error.
fn limit_file_size(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: changes what a signal does whose default is to end this child process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    // SAFETY: reads the struct that it is given.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
}

#[test]
#[apply(once)]
fn a_limit_on_the_size_of_files_ends_a_write_where_it_is() {
    let name = "faults::a_limit_on_the_size_of_files_ends_a_write_where_it_is";
    let ended = child::run(name, || {
        limit_file_size(1000);
        let file = TempFile::new().unwrap();
        assert_eq!(file.file().write(&[b'.'; 1500]).unwrap(), 1000);
        let error = file.file().write(b"more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(file.file().stream_position().unwrap(), 1000);
        let other = file.path().with_extension("atomic");
        fs::write(&other, "old").unwrap();
        let error = fs::write_atomic(&other, [b'.'; 1500]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(fs::read_to_string(&other).unwrap(), "old");
        fs::remove_file(other).unwrap();
        drop(file);
        eprintln!("came to its end");
    });
    assert!(ended.succeeded(), "{}", ended.stderr());
    assert!(ended.stderr().contains("came to its end"));
}

#[test]
#[apply(on_workers)]
fn a_file_that_vanishes_while_open_goes_on() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("vanishing");
    let mut file = File::create_new(&path).unwrap();
    file.write_all(b"before ").unwrap();
    fs::remove_file(&path).unwrap();
    file.write_all(b"and after").unwrap();
    file.rewind().unwrap();
    let mut all = String::new();
    file.read_to_string(&mut all).unwrap();
    assert_eq!(all, "before and after");
    file.sync_all().unwrap();
    assert_eq!(file.metadata().unwrap().len(), 16);
    assert_eq!(File::open(&path).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
#[apply(on_workers)]
fn a_file_that_shrinks_while_it_is_read_ends() {
    let file = TempFile::new().unwrap();
    file.file().write_all(&[b'.'; 100_000]).unwrap();
    let mut reader = File::open(file.path()).unwrap();
    reader.read_exact(&mut [0; 50_000]).unwrap();
    file.file().set_len(10).unwrap();
    assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(reader.stream_position().unwrap(), 50_000);
}

#[test]
#[apply(on_workers)]
fn a_process_that_has_ended_is_an_error_and_no_end() {
    let mut child = std::process::Command::new("cat");
    let child = child.stdin(std::process::Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut status = File::open(format!("/proc/{}/status", child.id())).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let error = status.read(&mut [0; 64]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ESRCH));
}
