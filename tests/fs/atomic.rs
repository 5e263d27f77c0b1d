//! A file that is whole at every moment.

use std::cell::Cell;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use greenthread::fs::{self, Permissions, TempDir, write_atomic};
use greenthread::{scope, sleep, yield_now};

use crate::pool::{busy, with_one_thread};

#[test]
#[apply(on_workers)]
fn it_makes_and_replaces_and_leaves_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    for contents in ["first", "", "and a longer one"] {
        write_atomic(&path, contents).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), contents);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
#[apply(on_workers)]
fn permissions_stay_and_links_are_followed() {
    let folder = TempDir::new().unwrap();
    let (path, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o604)).unwrap();
    fs::soft_link("file", &link).unwrap();
    write_atomic(&link, "new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o604);
}

#[test]
#[apply(on_workers)]
fn an_error_leaves_what_was_there() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("folder");
    fs::create_dir(&path).unwrap();
    assert!(write_atomic(&path, "not over a folder").is_err());
    assert!(write_atomic(folder.path().join("missing/file"), "text").is_err());
    assert!(write_atomic("/", "text").is_err());
    assert!(write_atomic("", "text").is_err());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
#[apply(on_roots)]
fn one_that_is_cancelled_in_the_queue_is_not_done() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        write_atomic(&path, "old").unwrap();
        let busy = busy();
        scope(|s| {
            let writing = s.spawn(|| write_atomic(&path, "new"));
            yield_now();
            writing.cancel();
            assert!(writing.join().unwrap_err().is_cancelled());
        });
        busy.end();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    });
}

/// Every version is one byte many times; a mixture or a part would show.
#[test]
#[apply(on_workers)]
fn readers_see_whole_versions_however_writers_are_cancelled() {
    const LENGTH: usize = 50_000;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let version = |n: u8| vec![n; LENGTH];
    write_atomic(&path, version(0)).unwrap();
    let done = Cell::new(false);
    scope(|s| {
        s.spawn(|| {
            while !done.get() {
                let seen = fs::read(&path).unwrap();
                assert_eq!(seen.len(), LENGTH);
                assert!(seen.iter().all(|byte| *byte == seen[0]));
            }
        });
        for n in 1..40 {
            let contents = version(n);
            let (path, told) = (&path, Cell::new(false));
            let told = &told;
            scope(|s| {
                let writing = s.spawn(move || {
                    write_atomic(path, contents).unwrap();
                    told.set(true);
                });
                yield_now();
                sleep(Duration::from_micros(u64::from(n) * 37 % 700));
                writing.cancel();
                drop(writing.join());
            });
            let seen = fs::read(path).unwrap()[0];
            assert_eq!(seen == n, told.get(), "whoever wrote it was told");
        }
        done.set(true);
    });
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
