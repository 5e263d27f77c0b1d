//! A dump on a signal, to stderr.
//!
//! The handler writes one byte into a socket, and nothing else; an OS thread of its own waits at the other end.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use signal_hook::SigId;
use signal_hook::consts::FORBIDDEN;
use signal_hook::low_level::{pipe, unregister};

use super::ask::{dump_from_outside, on_a_helper};

/// While it lives, a signal brings a dump.
#[derive(Debug)]
pub(crate) struct OnSignal {
    /// What handles it.
    id: SigId,

    /// The end that its OS thread reads, to tell it to go.
    read: UnixStream,
}

impl OnSignal {
    /// From now on this signal brings a dump.
    pub(crate) fn new(signal: i32) -> io::Result<Self> {
        if FORBIDDEN.contains(&signal) {
            let text = format!("dump_on_signal({signal}): this signal cannot be handled");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let (read, write) = UnixStream::pair()?;
        let mut bytes = read.try_clone()?;
        let id = pipe::register(signal, write)?;
        on_a_helper("greenthread-dump", move || dump_for_each(&mut bytes))?;
        Ok(OnSignal { id, read })
    }
}

impl Drop for OnSignal {
    fn drop(&mut self) {
        unregister(self.id);
        // It reads the end then, and goes.
        let _ = self.read.shutdown(Shutdown::Both);
    }
}

/// Those that come while one is written bring one more together.
fn dump_for_each(bytes: &mut UnixStream) {
    let mut some = [0; 64];
    while matches!(bytes.read(&mut some), Ok(1..)) {
        let text = dump_from_outside().to_string();
        // Nobody may listen.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
