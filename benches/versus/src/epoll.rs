//! epoll as the kernel has it: for the load generator, and for the server that is the floor.

#![expect(unsafe_code, reason = "epoll")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// Events taken from the kernel at once.
const BATCH: usize = 1024;

/// Descriptors that are waited for, and the last batch of events.
#[derive(Debug)]
pub struct Epoll {
    /// The set.
    set: OwnedFd,

    /// The memory for a batch.
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: it takes a number.
        let raw = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        let nothing = libc::epoll_event { events: 0, u64: 0 };
        Ok(Epoll {
            // SAFETY: it was made just now, and nobody else has it.
            set: unsafe { OwnedFd::from_raw_fd(raw) },
            events: vec![nothing; BATCH],
        })
    }

    /// Waits for whatever comes in on `descriptor` from now on, edge-triggered; `token` names it.
    pub fn add(&self, descriptor: &impl AsFd, token: u64) -> io::Result<()> {
        let events = (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: token };
        let (set, raw) = (self.set.as_raw_fd(), descriptor.as_fd().as_raw_fd());
        // SAFETY: both descriptors are open, and it reads the one struct that it is given.
        let failed = unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, raw, &raw mut event) };
        if failed == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Waits so many milliseconds, -1 for ever; says how many events there are for [`token`](Self::token).
    pub fn wait(&mut self, milliseconds: i32) -> io::Result<usize> {
        let (set, room) = (self.set.as_raw_fd(), self.events.len() as i32);
        let events = self.events.as_mut_ptr();
        // SAFETY: it writes no more than `room` structs to where there is room for so many.
        let count = unsafe { libc::epoll_wait(set, events, room, milliseconds) };
        match usize::try_from(count) {
            Ok(count) => Ok(count),
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                error => Err(error),
            },
        }
    }

    /// Whom an event of the last batch concerns.
    pub fn token(&self, event: usize) -> u64 {
        self.events[event].u64
    }
}
