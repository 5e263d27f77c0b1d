//! Entries of folders: batches, odd names, folders that vanish.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use greenthread::fs::{self, TempDir};

#[test]
#[apply(on_workers)]
fn every_entry_comes_once_in_however_many_batches() {
    let folder = TempDir::new().unwrap();
    for count in [0, 1, 255, 256, 257, 600] {
        let place = folder.path().join(count.to_string());
        fs::create_dir(&place).unwrap();
        let names: BTreeSet<OsString> = (0..count).map(|n| n.to_string().into()).collect();
        names
            .iter()
            .for_each(|name| std::fs::write(place.join(name), "").unwrap());
        let entries: Vec<_> = fs::read_dir(&place).unwrap().map(Result::unwrap).collect();
        assert_eq!(entries.len(), count);
        assert!(
            entries
                .iter()
                .map(|entry| entry.file_name())
                .eq_by_set(&names)
        );
    }
}

trait EqBySet {
    fn eq_by_set(self, names: &BTreeSet<OsString>) -> bool;
}

impl<I: Iterator<Item = OsString>> EqBySet for I {
    fn eq_by_set(self, names: &BTreeSet<OsString>) -> bool {
        self.collect::<BTreeSet<_>>() == *names
    }
}

#[test]
#[apply(on_workers)]
fn an_entry_knows_its_path_and_kind() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    fs::write(folder.path().join("file"), "five!").unwrap();
    fs::soft_link("nowhere", folder.path().join("link")).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
        assert_eq!(kind.is_dir(), name == "folder");
        assert_eq!(kind.is_file(), name == "file");
        assert_eq!(kind.is_symlink(), name == "link");
        assert_eq!(entry.path(), folder.path().join(&name));
        let known = entry.metadata().unwrap();
        assert_eq!(known.file_type(), kind);
        assert_eq!(std::os::unix::fs::MetadataExt::ino(&known), entry.ino());
        assert!(name != "file" || known.len() == 5);
    }
}

#[test]
#[apply(on_workers)]
fn names_need_not_be_utf_8() {
    let folder = TempDir::new().unwrap();
    let name = OsStr::from_bytes(b"caf\xe9 \xff\n");
    let path = folder.path().join(name);
    fs::write(&path, "odd").unwrap();
    let entries: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].file_name(), name);
    assert_eq!(fs::read_to_string(entries[0].path()).unwrap(), "odd");
    let renamed = folder.path().join(OsStr::from_bytes(b"\xfe"));
    fs::rename(&path, &renamed).unwrap();
    assert_eq!(
        fs::canonicalize(&renamed).unwrap().file_name(),
        renamed.file_name()
    );
    fs::remove_file(renamed).unwrap();
}

#[test]
#[apply(on_workers)]
fn a_name_with_a_nul_is_an_error() {
    let error = fs::read_dir("odd\0name").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        fs::read("odd\0name").unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[test]
#[apply(on_workers)]
fn a_folder_that_vanishes_while_it_is_read_ends() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("vanishing");
    fs::create_dir(&place).unwrap();
    for n in 0..2000 {
        std::fs::write(place.join(n.to_string()), "").unwrap();
    }
    let mut entries = fs::read_dir(&place).unwrap();
    let first = entries.next().unwrap().unwrap();
    fs::remove_dir_all(&place).unwrap();
    let error = first.metadata().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // What the system had given out already may still come; then it ends, or says why not.
    assert!(entries.by_ref().count() < 2000);
    assert!(entries.next().is_none());
    assert_eq!(
        fs::read_dir(&place).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
#[apply(on_workers)]
fn a_file_is_no_folder() {
    let error = fs::read_dir("Cargo.toml").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
}
