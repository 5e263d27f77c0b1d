//! What is done to paths.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use greenthread::fs::{self, Permissions, TempDir};

#[test]
#[apply(on_workers)]
fn files_and_folders_are_made_renamed_linked_and_removed() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("a/b/c")).unwrap();
    assert_eq!(
        fs::create_dir(at("a")).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    fs::write(at("a/file"), "text").unwrap();
    fs::rename(at("a/file"), at("a/b/file")).unwrap();
    assert!(!fs::exists(at("a/file")).unwrap() && fs::try_exists(at("a/b/file")).unwrap());
    fs::hard_link(at("a/b/file"), at("second")).unwrap();
    assert_eq!(fs::metadata(at("second")).unwrap().nlink(), 2);
    fs::soft_link("second", at("link")).unwrap();
    assert_eq!(fs::read_link(at("link")).unwrap().to_str(), Some("second"));
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert!(fs::metadata(at("link")).unwrap().is_file());
    let real = fs::canonicalize(at("second")).unwrap();
    assert_eq!(fs::canonicalize(at("link")).unwrap(), real);
    fs::remove_file(at("link")).unwrap();
    assert_eq!(
        fs::remove_dir(at("a")).unwrap_err().kind(),
        ErrorKind::DirectoryNotEmpty
    );
    fs::remove_dir(at("a/b/c")).unwrap();
    fs::remove_dir_all(at("a")).unwrap();
    assert_eq!(fs::read_to_string(at("second")).unwrap(), "text");
}

#[test]
#[apply(on_workers)]
fn errors_are_stds() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    assert_eq!(fs::read(&missing).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        fs::metadata(&missing).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        fs::remove_file(&missing).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        fs::copy(&missing, "x").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    fs::write(&missing, b"\xff").unwrap();
    let error = fs::read_to_string(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let below = missing.join("below");
    assert_eq!(
        fs::write(below, "").unwrap_err().kind(),
        ErrorKind::NotADirectory
    );
}

#[test]
#[apply(on_workers)]
fn a_copy_has_the_bytes_and_the_permissions() {
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let bytes: Vec<u8> = (0..9 << 20).map(|n: u32| (n >> 3) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    fs::set_permissions(&from, Permissions::from_mode(0o751)).unwrap();
    fs::write(&to, vec![b'.'; 10 << 20]).unwrap();
    assert_eq!(fs::copy(&from, &to).unwrap(), bytes.len() as u64);
    assert!(fs::read(&to).unwrap() == bytes);
    assert_eq!(fs::metadata(&to).unwrap().mode() & 0o777, 0o751);
    let error = fs::copy(folder.path(), &to).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
fn a_file_that_the_kernel_makes_up_is_copied_too() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("version");
    fs::copy("/proc/version", &to).unwrap();
    assert_eq!(fs::read_to_string(to).unwrap(), super::pool::made_up_text());
}
