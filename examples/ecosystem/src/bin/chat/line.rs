//! One connection for two green threads: one reads, one writes, each through a `WebSocket` of its own.
//!
//! tungstenite's `WebSocket` takes `&mut` to read and to write, so one of it cannot be read by one green thread and written by another: whoever reads holds it while it
//! waits. But it is nothing but buffers and a state around a stream, and a stream of ours may be read and written at once through `&TcpStream`. So there are two of
//! them around the same socket. What they share is the order of frames: the reading one answers pings and closes, too. tungstenite hands over whole frames, as many as it has, in one `write`;
//! here that takes a lock that may be held across a wait, and returns when all is written. So frames do not mix.
//!
//! Three rules make it right. Nobody is cut off in the middle of a frame: the writing one is shielded there, and a time limit ends what never ends. After a close frame nothing is written: the
//! writing one has ended before the reading one answers it. And a connection on which a write failed is shut down, so that the reading one hears of it.

use std::io::{self, Read, Write};
use std::time::Duration;

use greenthread::net::{Shutdown, TcpStream};
use greenthread::sync::Mutex;

/// The longest that a guest may keep a frame waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
#[derive(Debug)]
pub(crate) struct Line {
    /// The socket.
    stream: TcpStream,

    /// Held while frames are written.
    writing: Mutex<()>,
}

/// The stream for one of the two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half<'a>(&'a Line);

impl Line {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Line {
            stream,
            writing: Mutex::new(()),
        })
    }

    pub(crate) fn half(&self) -> Half<'_> {
        Half(self)
    }

    /// Ends both directions.
    pub(crate) fn cut(&self) {
        // An error says that it is cut already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Read for Half<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0.stream).read(buffer)
    }
}

impl Write for Half<'_> {
    /// Writes all of it.
    fn write(&mut self, frames: &[u8]) -> io::Result<usize> {
        let _whole = self.0.writing.lock();
        (&self.0.stream).write_all(frames)?;
        Ok(frames.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
