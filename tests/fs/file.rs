//! An open file: reading, writing, seeking, positions, sizes.

use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, SystemTime};

use greenthread::fs::{self, File, Permissions, TempDir, TempFile};
use greenthread::{io, scope, spawn};

#[test]
#[apply(on_workers)]
fn what_is_written_is_read_after_a_seek() {
    let file = TempFile::new().unwrap();
    let mut file = file.file();
    file.write_all(b"0123456789").unwrap();
    assert_eq!(file.stream_position().unwrap(), 10);
    assert_eq!(file.seek(SeekFrom::Start(2)).unwrap(), 2);
    let mut two = [0; 2];
    file.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"23");
    assert_eq!(file.seek(SeekFrom::Current(1)).unwrap(), 5);
    file.write_all(b"X").unwrap();
    assert_eq!(file.seek(SeekFrom::End(-5)).unwrap(), 5);
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "X6789");
    assert_eq!(file.read(&mut two).unwrap(), 0);
    let error = file.seek(SeekFrom::Current(-11)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(file.stream_position().unwrap(), 10);
}

#[test]
#[apply(on_workers)]
fn a_write_is_seen_by_others_when_it_returns() {
    let file = TempFile::new().unwrap();
    let mut writer = file.file();
    let mut reader = File::open(file.path()).unwrap();
    for word in ["one", "two"] {
        writer.write_all(word.as_bytes()).unwrap();
        let mut seen = [0; 8];
        let some = reader.read(&mut seen).unwrap();
        assert_eq!(&seen[..some], word.as_bytes());
    }
}

#[test]
#[apply(on_workers)]
fn options_mean_what_they_mean_in_std() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    assert_eq!(File::open(&path).unwrap_err().kind(), ErrorKind::NotFound);
    File::create_new(&path).unwrap().write_all(b"old").unwrap();
    let error = File::create_new(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let mut appending = File::options().append(true).open(&path).unwrap();
    appending.write_all(b" and new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "old and new");
    assert!(appending.read(&mut [0]).is_err(), "not opened for reading");
    let error = File::options().open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    drop(File::create(&path).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"");
    let path = folder.path().join("private");
    let mut options = File::options();
    let file = options
        .write(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    let link = folder.path().join("link");
    fs::soft_link(&path, &link).unwrap();
    let mut options = File::options();
    let refused = options
        .read(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&link);
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::ELOOP));
}

#[test]
#[apply(on_workers)]
fn positioned_calls_leave_the_position_alone() {
    let file = TempFile::new().unwrap();
    let mut file = file.file();
    file.write_all_at(b"world", 6).unwrap();
    file.write_all_at(b"hello ", 0).unwrap();
    assert_eq!(file.stream_position().unwrap(), 0);
    let mut five = [0; 5];
    file.read_exact_at(&mut five, 6).unwrap();
    assert_eq!(&five, b"world");
    let error = file.read_exact_at(&mut five, 7).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(file.read_at(&mut five, 100).unwrap(), 0);
    assert_eq!(file.stream_position().unwrap(), 0);
    let error = file.read_at(&mut five, u64::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(on_workers)]
fn many_green_threads_read_and_write_parts_of_one_file() {
    const PART: usize = 100_000;
    let file = TempFile::new().unwrap();
    let file = file.file();
    scope(|s| {
        for n in 0..16 {
            s.spawn(move || {
                file.write_all_at(&vec![n as u8; PART], (n * PART) as u64)
                    .unwrap()
            });
        }
    });
    scope(|s| {
        for n in 0..16 {
            s.spawn(move || {
                let mut part = vec![0xff; PART];
                file.read_exact_at(&mut part, (n * PART) as u64).unwrap();
                assert!(part == vec![n as u8; PART]);
            });
        }
    });
}

#[test]
#[apply(on_workers)]
fn those_who_share_a_position_take_turns_and_no_byte_goes_twice() {
    let file = TempFile::new().unwrap();
    let bytes: Vec<u8> = (0..60_000).map(|n: u32| (n / 256) as u8).collect();
    file.file().write_all(&bytes).unwrap();
    file.file().rewind().unwrap();
    let clones = [(); 4].map(|()| file.file().try_clone().unwrap());
    let readers = clones.map(|mut clone| {
        spawn(move || {
            let (mut all, mut some) = (Vec::new(), [0; 777]);
            loop {
                match clone.read(&mut some).unwrap() {
                    0 => return all,
                    n => all.extend_from_slice(&some[..n]),
                }
                greenthread::yield_now();
            }
        })
    });
    let mut seen: Vec<u8> = readers
        .into_iter()
        .flat_map(|reader| reader.join().unwrap())
        .collect();
    seen.sort_unstable();
    assert!(seen == bytes);
}

#[test]
#[apply(on_workers)]
fn what_is_known_of_a_file_can_be_asked_and_changed() {
    let file = TempFile::new().unwrap();
    let file = file.file();
    file.set_len(5000).unwrap();
    file.sync_all().unwrap();
    file.sync_data().unwrap();
    assert_eq!(file.metadata().unwrap().len(), 5000);
    file.set_permissions(Permissions::from_mode(0o640)).unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o640);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    file.set_modified(long_ago).unwrap();
    assert_eq!(file.metadata().unwrap().modified().unwrap(), long_ago);
    let times = std::fs::FileTimes::new().set_modified(SystemTime::UNIX_EPOCH);
    file.set_times(times).unwrap();
    assert_eq!(file.metadata().unwrap().mtime(), 0);
}

#[test]
#[apply(on_workers)]
fn files_of_std_come_and_go_with_their_position() {
    let temporary = TempFile::new().unwrap();
    let mut std = std::fs::File::create(temporary.path()).unwrap();
    std.write_all(b"one ").unwrap();
    let mut file = File::from_std(std);
    file.write_all(b"two ").unwrap();
    let mut std = file.into_std().unwrap();
    std.write_all(b"three").unwrap();
    let file = File::from(OwnedFd::from(std));
    assert!(file.as_raw_fd() > 2);
    assert_eq!((&file).stream_position().unwrap(), 13);
    drop(OwnedFd::try_from(file).unwrap());
    assert_eq!(
        fs::read_to_string(temporary.path()).unwrap(),
        "one two three"
    );
}

#[test]
#[apply(on_workers)]
fn buffers_of_std_work_on_files() {
    let file = TempFile::new().unwrap();
    let mut writer = BufWriter::new(file.file());
    for n in 0..50_000 {
        writeln!(writer, "{n}").unwrap();
    }
    writer.flush().unwrap();
    let reader = BufReader::new(File::open(file.path()).unwrap());
    let lines = reader.lines().map(Result::unwrap);
    assert!(lines.eq((0..50_000).map(|n: u32| n.to_string())));
}

#[test]
#[apply(on_workers)]
fn big_files_are_copied_whole() {
    const BYTES: usize = 24 << 20;
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let bytes: Vec<u8> = (0..BYTES).map(|n| ((n * 31) >> 11) as u8).collect();
    fs::write(&from, &bytes).unwrap();
    let mut told = Vec::new();
    let (mut reader, mut writer) = (File::open(&from).unwrap(), File::create(&to).unwrap());
    let copied = io::copy_with(&mut reader, &mut writer, |so_far| told.push(so_far)).unwrap();
    assert_eq!(copied, BYTES as u64);
    assert_eq!(told.last(), Some(&copied));
    assert!(told.is_sorted() && told.len() > 4);
    assert!(fs::read(&to).unwrap() == bytes);
}

#[test]
#[apply(on_workers)]
fn sparse_files_reach_past_four_gigabytes() {
    const FAR: u64 = 5 << 30;
    let file = TempFile::new().unwrap();
    let mut file = file.file();
    file.seek(SeekFrom::Start(FAR)).unwrap();
    file.write_all(b"far").unwrap();
    let known = file.metadata().unwrap();
    assert_eq!(known.len(), FAR + 3);
    assert!(known.blocks() * 512 < 1 << 20, "it takes no room");
    file.seek(SeekFrom::Start(FAR - 2)).unwrap();
    let mut five = [1; 5];
    file.read_exact(&mut five).unwrap();
    assert_eq!(&five, b"\0\0far");
    let mut hole = [1; 8];
    file.read_exact_at(&mut hole, 1 << 31).unwrap();
    assert_eq!(hole, [0; 8]);
}

#[test]
#[apply(on_workers)]
fn a_folder_opens_and_does_not_read() {
    let folder = TempDir::new().unwrap();
    let mut opened = File::open(folder.path()).unwrap();
    let error = opened.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IsADirectory);
    assert!(opened.metadata().unwrap().is_dir());
}

#[test]
#[apply(on_roots)]
fn a_job_of_the_pool_uses_files_in_place() {
    super::pool::with_one_thread(|| {
        let job = || {
            let file = TempFile::new().unwrap();
            file.file().write_all(b"from inside").unwrap();
            assert!(fs::read_dir("src").unwrap().count() > 3);
            let mut zeros = [1; 4];
            File::open("/dev/full")
                .unwrap()
                .read_exact(&mut zeros)
                .unwrap();
            assert_eq!(zeros, [0; 4]);
            fs::read_to_string(file.path()).unwrap()
        };
        assert_eq!(
            greenthread::spawn_blocking(job).join().unwrap(),
            "from inside"
        );
    });
}

#[test]
#[apply(on_roots)]
fn others_go_on_while_one_waits_for_a_file() {
    super::pool::with_one_thread(|| {
        let busy = super::pool::busy();
        let reading = spawn(|| fs::read_to_string("/proc/version").unwrap());
        for _ in 0..10 {
            greenthread::yield_now();
        }
        assert!(!reading.is_finished());
        busy.end();
        assert_eq!(reading.join().unwrap(), super::pool::made_up_text());
    });
}

#[test]
#[apply(on_workers)]
fn files_and_entries_go_to_other_os_threads() {
    fn goes<T: Send>() {}
    fn is_shared<T: Sync>() {}
    goes::<(File, fs::ReadDir, fs::DirEntry, TempFile, TempDir)>();
    is_shared::<(File, TempFile, TempDir)>();
    let file = TempFile::new().unwrap();
    let elsewhere = std::thread::scope(|s| {
        let write = || file.file().write_all(b"from elsewhere");
        s.spawn(write).join().unwrap()
    });
    elsewhere.unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "from elsewhere");
}
