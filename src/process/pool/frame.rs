//! What a pool and its children say to each other: frames through a stream socket.
//!
//! ```text
//!   frame    kind (1 byte)  number of the call (4 bytes)  length (4 bytes, both little endian)  that many bytes
//!   CALL     length of the function's name (2 bytes, little endian)  the name  the argument
//! ```
//!
//! The descriptors come with the first byte. One CALL is answered by one frame of another kind, with its number: what else comes, from a fork that returned as well for example, is
//! taken for no answer.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::process::carry::Carried;
use crate::process::parcel;
use crate::sched::source::{Direction, Source};
use crate::sched::wait::Operation;

static SEND: Operation = Operation::new("sending to a process of a pool");

static RECEIVE: Operation = Operation::new("waiting for a process of a pool");

/// The most bytes of one frame: 1 GiB.
const MOST: usize = 1 << 30;

/// Kind, number and length.
const HEAD: usize = 9;

/// The socket between a pool and one child; does not block.
pub(super) type Link = Source<UnixStream>;

/// Makes a link of a socket.
pub(super) fn link(socket: UnixStream) -> io::Result<Link> {
    socket.set_nonblocking(true)?;
    Ok(Source::new(socket))
}

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Call a function.
    Call,

    /// It has returned this.
    Returned,

    /// It has panicked, and said this.
    Panicked,

    /// Its argument could not be decoded.
    BadArgument,

    /// Its result could not be encoded.
    BadResult,

    /// There is no function of this name.
    Unknown,
}

/// In the order of their numbers.
const KINDS: [Kind; 6] = [
    Kind::Call,
    Kind::Returned,
    Kind::Panicked,
    Kind::BadArgument,
    Kind::BadResult,
    Kind::Unknown,
];

/// One message.
#[derive(Debug)]
pub(super) struct Frame {
    /// What it says.
    pub(super) kind: Kind,

    /// A value, or a text.
    pub(super) body: Carried,
}

impl Frame {
    /// One that says something in words.
    pub(super) fn text(kind: Kind, text: String) -> Self {
        let (bytes, descriptors) = (text.into_bytes(), Vec::new());
        let body = Carried { bytes, descriptors };
        Frame { kind, body }
    }

    /// The words.
    pub(super) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.body.bytes).into_owned()
    }

    /// Asks for a call.
    pub(super) fn call(function: &str, mut argument: Carried) -> Self {
        let length =
            u16::try_from(function.len()).expect("names are checked when they are registered");
        let mut bytes = Vec::with_capacity(2 + function.len() + argument.bytes.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(function.as_bytes());
        bytes.append(&mut argument.bytes);
        let body = Carried { bytes, ..argument };
        Frame {
            kind: Kind::Call,
            body,
        }
    }

    /// The function and its argument; `None` when it is no call.
    pub(super) fn into_call(self) -> Option<(String, Carried)> {
        let (length, rest) = self.body.bytes.split_at_checked(2)?;
        let length = u16::from_le_bytes(length.try_into().ok()?);
        let (name, argument) = rest.split_at_checked(length.into())?;
        let argument = Carried {
            bytes: argument.to_vec(),
            descriptors: self.body.descriptors,
        };
        let name = String::from_utf8(name.to_vec()).ok()?;
        (self.kind == Kind::Call).then_some((name, argument))
    }

    /// Refuses one that is too long.
    pub(super) fn check(&self) -> Result<(), String> {
        let bytes = self.body.bytes.len();
        if bytes > MOST {
            return Err(format!("it takes {bytes} bytes, {MOST} are the most"));
        }
        Ok(())
    }

    /// Sends it, as part of the call with this number; parks while the other end does not take it.
    pub(super) fn send(&self, link: &Link, number: u32) -> io::Result<()> {
        let Carried { bytes, descriptors } = &self.body;
        let mut head = [self.kind as u8; HEAD];
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        head[1..5].copy_from_slice(&number.to_le_bytes());
        head[5..].copy_from_slice(&length.to_le_bytes());
        let socket = link.enter()?;
        let first = |socket: &UnixStream| parcel::send(socket, &[&head, bytes], descriptors);
        let sent = socket.retry(&SEND, Direction::Write, None, |_| false, first)?;
        if sent < HEAD {
            return Err(ErrorKind::WriteZero.into());
        }
        let mut rest = &bytes[sent - HEAD..];
        while !rest.is_empty() {
            let write = |mut socket: &UnixStream| socket.write(rest);
            let more = socket.retry(&SEND, Direction::Write, None, |_| false, write)?;
            rest = &rest[more..];
        }
        Ok(())
    }

    /// Receives one and the number of its call; parks until it is there. `None` when the other end was closed before it began.
    pub(super) fn receive(link: &Link) -> io::Result<Option<(u32, Frame)>> {
        let mut descriptors = Vec::new();
        let Some(head) = receive_head(link, &mut descriptors)? else {
            return Ok(None);
        };
        let kind = *KINDS
            .get(usize::from(head[0]))
            .ok_or(ErrorKind::InvalidData)?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (number, length) = (word(1), word(5) as usize);
        if length > MOST {
            return Err(ErrorKind::InvalidData.into());
        }
        let bytes = receive_exactly(link, length)?;
        let body = Carried { bytes, descriptors };
        Ok(Some((number, Frame { kind, body })))
    }
}

fn receive_head(link: &Link, descriptors: &mut Vec<OwnedFd>) -> io::Result<Option<[u8; HEAD]>> {
    let mut head = [0; HEAD];
    let mut filled = 0;
    let socket = link.enter()?;
    while filled < HEAD {
        let part = |socket: &UnixStream| parcel::receive(socket, &mut head[filled..], descriptors);
        match socket.retry(&RECEIVE, Direction::Read, None, |_| false, part)? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    Ok(Some(head))
}

fn receive_exactly(link: &Link, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    let socket = link.enter()?;
    while filled < length {
        let part = |mut socket: &UnixStream| socket.read(&mut bytes[filled..]);
        match socket.retry(&RECEIVE, Direction::Read, None, |_| false, part)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    Ok(bytes)
}
