//! Files and folders that go with their handles.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use greenthread::fs::{self, TempDir, TempFile};
use greenthread::{park, spawn, yield_now};

#[test]
#[apply(on_workers)]
fn a_folder_goes_with_everything_in_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    fs::create_dir_all(path.join("a/b")).unwrap();
    fs::write(path.join("a/file"), "text").unwrap();
    drop(folder);
    assert!(!fs::exists(path).unwrap());
}

#[test]
#[apply(on_workers)]
fn a_folder_can_be_closed_or_kept() {
    let outer = TempDir::new().unwrap();
    let closed = TempDir::new_in(&outer).unwrap();
    let path = closed.path().to_owned();
    closed.close().unwrap();
    assert!(!path.exists());
    let kept = TempDir::new_in(&outer).unwrap().keep();
    assert!(kept.is_dir());
    let gone = TempDir::new_in(&outer).unwrap();
    std::fs::remove_dir(gone.path()).unwrap();
    assert!(gone.close().is_err());
}

#[test]
#[apply(on_workers)]
fn a_file_goes_unless_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let file = TempFile::new_in(folder.path()).unwrap();
    file.file().write_all(b"text").unwrap();
    assert_eq!(file.file().metadata().unwrap().mode() & 0o777, 0o600);
    let path = file.path().to_owned();
    drop(file);
    assert!(!path.exists());
    let (path, mut file) = TempFile::new_in(folder.path()).unwrap().keep();
    file.write_all(b"kept").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "kept");
}

#[test]
#[apply(on_workers)]
fn names_are_not_used_twice() {
    let folder = TempDir::new().unwrap();
    let folders: Vec<TempDir> = (0..50).map(|_| TempDir::new_in(&folder).unwrap()).collect();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), folders.len());
}

#[test]
#[apply(on_workers)]
fn a_cancellation_removes_the_folder_that_it_drops() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let dying = spawn(move || {
        let _folder = folder;
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    assert!(!path.exists());
}

#[test]
#[apply(on_workers)]
fn a_place_that_is_not_there_is_an_error() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    assert_eq!(
        TempDir::new_in(&missing).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
    assert_eq!(
        TempFile::new_in(&missing).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}
