//! Cancelled calls on files: nothing lost, nothing twice, no memory given back too early (L16); and none that waits in an unwind (L10).

use std::cell::Cell;
use std::io::{BufWriter, Read, Seek, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use greenthread::fs::{self, File, TempDir, TempFile};
use greenthread::{catch_cancel, current, park, scope, spawn, timeout, yield_now};

use crate::pool::{busy, made_up, made_up_text, with_one_thread};

#[test]
#[apply(on_roots)]
fn l16_a_read_that_is_cancelled_in_the_queue_has_moved_nothing() {
    with_one_thread(|| {
        let file = Rc::new(made_up().unwrap());
        (&*file).read_exact(&mut [0; 6]).unwrap();
        let busy = busy();
        let own = Rc::clone(&file);
        let reading = spawn(move || (&*own).read(&mut [0; 64]));
        yield_now();
        reading.cancel();
        assert!(reading.join().unwrap_err().is_cancelled());
        busy.end();
        let mut rest = String::new();
        (&*file).read_to_string(&mut rest).unwrap();
        assert_eq!(rest, made_up_text()[6..]);
    });
}

/// The moments of a cancellation: before the pool has the read, in it, and after.
#[test]
#[apply(on_workers)]
fn l16_reads_that_are_cancelled_at_any_moment_lose_no_byte_and_give_none_twice() {
    let file = made_up().unwrap();
    let read = std::cell::RefCell::new(Vec::new());
    let ended = Cell::new(false);
    for round in 0.. {
        let reading = || {
            let mut one = [0];
            while (&file).read(&mut one).unwrap() == 1 {
                read.borrow_mut().push(one[0]);
            }
            ended.set(true);
        };
        scope(|s| {
            let reader = s.spawn(reading);
            (0..1 + round % 60).for_each(|_| yield_now());
            reader.cancel();
        });
        if ended.get() {
            break;
        }
    }
    assert_eq!(String::from_utf8(read.take()).unwrap(), made_up_text());
}

#[test]
#[apply(on_roots)]
fn l16_a_write_that_is_cancelled_in_the_queue_is_not_done() {
    with_one_thread(|| {
        let file = TempFile::new().unwrap();
        let busy = busy();
        let lent = Arc::new(b"never".to_vec());
        let own = Arc::clone(&lent);
        let mut writer = file.file().try_clone().unwrap();
        let writing = spawn(move || writer.write_all(&own));
        yield_now();
        assert!(!writing.is_finished());
        writing.cancel();
        assert!(writing.join().unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&lent), 1, "given back");
        busy.end();
        assert_eq!(fs::read(file.path()).unwrap(), b"");
    });
}

/// Whoever is told that a record was written finds it in the file, and nobody else's.
#[test]
#[apply(on_workers)]
fn l16_writes_that_are_cancelled_at_any_moment_are_whole_and_told_or_not_done() {
    let file = TempFile::new().unwrap();
    let told = Cell::new(0u32);
    for round in 0..200 {
        let writing = || {
            while told.get() < 4000 {
                // On this stack, so that it goes with the cancellation.
                let record = format!("{:07}\n", told.get());
                assert_eq!(file.file().write(record.as_bytes()).unwrap(), 8);
                told.set(told.get() + 1);
            }
        };
        scope(|s| {
            let writer = s.spawn(writing);
            (0..1 + round % 97).for_each(|_| yield_now());
            writer.cancel();
        });
    }
    let written = fs::read_to_string(file.path()).unwrap();
    let expected: String = (0..told.get()).map(|n| format!("{n:07}\n")).collect();
    assert!(written == expected);
}

#[test]
#[apply(on_roots)]
fn a_timeout_around_a_call_that_waits_for_its_turn_takes_it_back() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("made");
        let busy = busy();
        let limit = Duration::from_millis(5);
        assert!(timeout(limit, || fs::create_dir(&path)).is_err());
        assert!(timeout(limit, || fs::write(&path, "text")).is_err());
        assert!(timeout(limit, || fs::read(&path)).is_err());
        busy.end();
        assert!(!fs::exists(&path).unwrap());
    });
}

#[test]
#[apply(on_workers)]
fn l9_a_call_with_a_request_pending_raises_it_before_anything_is_done() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("made");
    let own = path.clone();
    let asked = spawn(move || {
        current().cancel();
        let refused = catch_cancel(|| fs::write(&own, "text")).is_err();
        (refused, fs::exists(&own).unwrap())
    });
    assert_eq!(asked.join().unwrap(), (true, false));
    assert!(!path.exists());
}

#[test]
#[apply(on_roots)]
fn l16_a_cancelled_read_dir_loses_no_entry() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let names: Vec<String> = (0..300).map(|n| format!("{n:03}")).collect();
        for name in &names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut entries = fs::read_dir(folder.path()).unwrap();
        let busy = busy();
        scope(|s| {
            let reading = s.spawn(|| entries.next().is_some());
            yield_now();
            reading.cancel();
            assert!(reading.join().unwrap_err().is_cancelled());
        });
        busy.end();
        let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<String> = found.collect();
        found.sort_unstable();
        assert_eq!(found, names);
    });
}

#[test]
#[apply(on_roots)]
fn l10_a_buf_writer_on_a_file_that_a_cancellation_drops_fails_at_once() {
    with_one_thread(|| {
        let file = TempFile::new().unwrap();
        let writer = file.file().try_clone().unwrap();
        let busy = busy();
        let dying = spawn(move || {
            let mut buffered = BufWriter::new(writer);
            buffered.write_all(b"buffered").unwrap();
            park();
        });
        yield_now();
        dying.cancel();
        assert!(dying.join().unwrap_err().is_cancelled());
        busy.end();
        assert_eq!(fs::read(file.path()).unwrap(), b"");
    });
}

/// Writes when it is dropped, and tells what came of it.
struct LastWord(File, Rc<Cell<Option<std::io::ErrorKind>>>);

impl Drop for LastWord {
    fn drop(&mut self) {
        self.1
            .set(self.0.write(b"last word").err().map(|error| error.kind()));
    }
}

#[test]
#[apply(on_workers)]
fn l10_while_a_cancellation_unwinds_a_call_that_needs_the_pool_fails_at_once() {
    let file = made_up().unwrap();
    let said = Rc::new(Cell::new(None));
    let word = LastWord(file, Rc::clone(&said));
    let dying = spawn(move || {
        let _word = word;
        park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    let kind = said.get().expect("it was not written");
    assert_ne!(kind, std::io::ErrorKind::Interrupted);
    assert_ne!(kind, std::io::ErrorKind::WouldBlock);
}

#[test]
#[apply(on_workers)]
fn l10_while_a_panic_unwinds_a_write_waits_and_is_done() {
    let file = TempFile::new().unwrap();
    let said = Rc::new(Cell::new(None));
    let word = LastWord(file.file().try_clone().unwrap(), Rc::clone(&said));
    let dying = spawn(move || {
        let _word = word;
        std::panic::resume_unwind(Box::new("no word of it"));
    });
    assert!(dying.join().unwrap_err().is_panic());
    assert!(said.get().is_none());
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "last word");
}

#[test]
#[apply(on_roots)]
fn a_file_is_given_to_std_while_the_pool_still_reads_it() {
    with_one_thread(|| {
        let mut file = made_up().unwrap();
        let busy = busy();
        scope(|s| {
            let reading = s.spawn(|| (&file).read(&mut [0; 8]));
            yield_now();
            reading.cancel();
            assert!(reading.join().unwrap_err().is_cancelled());
        });
        file.seek(std::io::SeekFrom::Start(6)).unwrap();
        let mut std = file.into_std().unwrap();
        busy.end();
        let mut rest = String::new();
        std.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, made_up_text()[6..]);
    });
}
