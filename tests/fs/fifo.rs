//! FIFOs: opening one blocks an OS thread of the pool, reading and writing one does not.

#![expect(unsafe_code, reason = "makes FIFOs")]

use std::cell::Cell;
use std::ffi::CString;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use greenthread::fs::{File, TempDir};
use greenthread::{spawn, spawn_blocking, stats, yield_now};

use crate::pool::{busy, with_one_thread};

fn fifo(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("fifo");
    let name = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: it reads the name.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    path
}

/// Both ends at once: that never blocks.
fn both_ends(path: &Path) -> std::fs::File {
    let mut options = std::fs::File::options();
    options.read(true).write(true).open(path).unwrap()
}

#[test]
fn a_stalled_open_can_be_cancelled_and_its_os_thread_comes_back_when_somebody_opens_the_other_end()
{
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let path = fifo(&folder);
        let own = path.clone();
        let opening = spawn(move || File::open(own).map(drop));
        // Once the pool has begun it, nothing but the other end can bring it back.
        while stats().blocking.running == 0 {
            yield_now();
        }
        assert!(!opening.is_finished());
        opening.cancel();
        assert!(opening.join().unwrap_err().is_cancelled());
        let _both = both_ends(&path);
        assert_eq!(
            spawn_blocking(|| "free again").join().unwrap(),
            "free again"
        );
    });
}

#[test]
fn waiting_for_bytes_takes_no_os_thread_of_the_pool() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut far = both_ends(&fifo(&folder));
        let mut near = File::open(folder.path().join("fifo")).unwrap();
        let reading = spawn(move || {
            let mut word = [0; 5];
            near.read_exact(&mut word).map(|()| word)
        });
        yield_now();
        assert!(spawn_blocking(|| true).join().unwrap());
        assert!(!reading.is_finished());
        far.write_all(b"hello").unwrap();
        assert_eq!(&reading.join().unwrap().unwrap(), b"hello");
    });
}

#[test]
fn waiting_for_room_takes_no_os_thread_of_the_pool_and_can_be_cancelled() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut far = both_ends(&fifo(&folder));
        let mut near = File::options()
            .write(true)
            .open(folder.path().join("fifo"))
            .unwrap();
        let moved = Rc::new(Cell::new(0));
        let told = Rc::clone(&moved);
        let writing = spawn(move || {
            loop {
                told.set(told.get() + near.write(&[b'.'; 3000]).unwrap());
            }
        });
        // Until the FIFO is full.
        for _ in 0..10_000 {
            yield_now();
            assert!(spawn_blocking(|| true).join().unwrap());
            if !has_room(&far) {
                break;
            }
        }
        writing.cancel();
        assert!(writing.join().unwrap_err().is_cancelled());
        let mut received = vec![0; moved.get()];
        far.read_exact(&mut received).unwrap();
        assert_eq!(waiting(&far), 0);
    });
}

/// How many bytes wait to be read.
fn waiting(fifo: &std::fs::File) -> i32 {
    use std::os::fd::AsRawFd;
    let mut waiting = 0;
    // SAFETY: it writes to the one number.
    let failed = unsafe { libc::ioctl(fifo.as_raw_fd(), libc::FIONREAD, &raw mut waiting) };
    assert_eq!(failed, 0);
    waiting
}

/// Whether a page more would fit.
fn has_room(fifo: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;
    let mut asked = libc::pollfd {
        fd: fifo.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: it reads and writes the one struct.
    unsafe { libc::poll(&raw mut asked, 1, 0) == 1 }
}

#[test]
fn l16_what_the_pool_reads_for_a_cancelled_reader_is_for_the_next() {
    with_one_thread(|| {
        let folder = TempDir::new().unwrap();
        let mut far = both_ends(&fifo(&folder));
        let near = Rc::new(File::open(folder.path().join("fifo")).unwrap());
        far.write_all(b"kept").unwrap();
        let busy = busy();
        let own = Rc::clone(&near);
        let reading = spawn(move || (&*own).read(&mut [0; 8]));
        yield_now();
        reading.cancel();
        assert!(reading.join().unwrap_err().is_cancelled());
        busy.end();
        let mut kept = [0; 4];
        (&*near).read_exact(&mut kept).unwrap();
        assert_eq!(&kept, b"kept");
    });
}
