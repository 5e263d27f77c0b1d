//! A small disk of one's own, where the system lets us have one: in a mount namespace of a child process, which goes with it.

use std::env;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;
use std::process::Command;

use greenthread::fs::{self, File, TempDir};

/// Where the small disk is, for the child.
const PLACE: &str = "GREENTHREAD_TEST_DISK";

/// How much fits on it, in bytes.
const SIZE: usize = 1 << 20;

const NAME: &str = "full_disk::a_full_disk_takes_what_fits_and_says_so";

#[test]
#[apply(once)]
fn a_full_disk_takes_what_fits_and_says_so() {
    if let Some(place) = env::var_os(PLACE) {
        fill(Path::new(&place));
        eprintln!("came to its end");
        std::process::exit(0);
    }
    let folder = TempDir::new().unwrap();
    let Some(ended) = ["-m", "-rm"]
        .iter()
        .find_map(|how| on_a_small_disk(how, folder.path()))
    else {
        eprintln!("{NAME}: mounting is not allowed here, so it is not tried");
        return;
    };
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        ended.status.success() && said.contains("came to its end"),
        "{said}"
    );
}

/// Runs the child in a mount namespace with a small disk at `place`; `None` where that is not to be had.
fn on_a_small_disk(how: &str, place: &Path) -> Option<std::process::Output> {
    let mount = format!("mount -t tmpfs -o size={SIZE} small \"$0\" || exit 77; exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args([how, "sh", "-c", &mount]).arg(place);
    command.arg(env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]);
    let ended = command.env(PLACE, place).output().ok()?;
    let was_mounted = String::from_utf8_lossy(&ended.stdout).contains("running 1 test");
    was_mounted.then_some(ended)
}

/// In the child.
fn fill(place: &Path) {
    let old = place.join("old");
    fs::write(&old, "old contents").unwrap();
    let path = place.join("big");
    let mut file = File::create_new(&path).unwrap();
    let mut written = 0;
    let error = loop {
        match file.write(&[b'x'; 100_000]) {
            Ok(some) => written += some as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(0 < written && written < SIZE as u64);
    assert_eq!(file.stream_position().unwrap(), written);
    assert_eq!(file.metadata().unwrap().len(), written);
    let error = fs::write_atomic(&old, vec![b'y'; 100_000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(fs::read_to_string(&old).unwrap(), "old contents");
    assert_eq!(
        fs::read_dir(place).unwrap().count(),
        2,
        "nothing else is left there"
    );
    assert!(fs::copy(&path, place.join("copy")).is_err());
    fs::remove_file(place.join("copy")).unwrap();
    file.rewind().unwrap();
    let mut all = Vec::new();
    file.read_to_end(&mut all).unwrap();
    assert!(all.len() as u64 == written && all.iter().all(|byte| *byte == b'x'));
}
