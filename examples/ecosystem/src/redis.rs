//! The redis crate on our sockets: its commands and its parser are its own, the connection is ours.
//!
//! Its own `Connection` is made of std's sockets, and would block the OS thread. But all its commands are written for whatever is a [`ConnectionLike`], and that is three
//! lines of writing and reading: no future is needed.

use std::fmt;
use std::io::Write;

use greenthread::net::{TcpStream, ToSocketAddrs};
use redis::{ConnectionLike, ErrorKind, Parser, RedisError, RedisResult, Value};

/// A connection to Redis; its calls park the green thread until the answer has come.
pub struct Connection {
    /// The socket.
    stream: TcpStream,

    /// Holds what has come of the next answer.
    parser: Parser,

    /// Whether every question has its answer. One that was broken off (a timeout, a cancellation) leaves its answer in the way of the next one's.
    open: bool,
}

impl Connection {
    /// Connects; parks until the connection stands.
    ///
    /// # Errors
    /// The socket's.
    pub fn connect(address: impl ToSocketAddrs) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            parser: Parser::new(),
            open: true,
        })
    }

    /// Sends what has `count` answers.
    fn ask(&mut self, questions: &[u8], count: usize) -> RedisResult<Vec<Value>> {
        if !std::mem::take(&mut self.open) {
            let text = "an earlier call was broken off";
            return Err(RedisError::from((ErrorKind::Io, text)));
        }
        self.stream.write_all(questions)?;
        let answers = (0..count).map(|_| self.parser.parse_value(&mut self.stream));
        let answers = answers.collect::<RedisResult<_>>()?;
        self.open = true;
        Ok(answers)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, command: &[u8]) -> RedisResult<Value> {
        let mut answers = self.ask(command, 1)?;
        answers.remove(0).extract_error()
    }

    fn req_packed_commands(
        &mut self,
        commands: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut answers = self.ask(commands, offset + count)?;
        let wanted = answers.split_off(offset);
        // Of a transaction: what was said to each part of it while it was queued.
        for queued in answers {
            queued.extract_error()?;
        }
        Ok(wanted)
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        redis::cmd("PING").exec(self).is_ok()
    }

    fn is_open(&self) -> bool {
        self.open
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
