//! One side of a kept-alive HTTP connection: the same for every server that is written by hand with httparse.

/// What every request is answered with.
pub(super) const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

/// Bytes of requests that may lie here at once.
const ROOM: usize = 8192;

/// What has come and is not answered yet, and the answers to the rest.
pub(super) struct Dialogue {
    /// Requests, the last one perhaps in part.
    input: Box<[u8]>,

    /// How much of that there is.
    filled: usize,

    /// The answers to the last piece.
    output: Vec<u8>,
}

impl Dialogue {
    pub(super) fn new() -> Self {
        Dialogue {
            input: vec![0; ROOM].into(),
            filled: 0,
            output: Vec::with_capacity(ROOM),
        }
    }

    /// Where to read to.
    pub(super) fn free(&mut self) -> &mut [u8] {
        &mut self.input[self.filled..]
    }

    /// Takes what was read there: the answers to all that is whole now, or nothing when the connection should end.
    pub(super) fn hear(&mut self, count: usize) -> Option<&[u8]> {
        self.filled += count;
        self.output.clear();
        let mut done = 0;
        while let Some(length) = request_length(&self.input[done..self.filled])? {
            done += length;
            self.output.extend_from_slice(ANSWER);
        }
        self.input.copy_within(done..self.filled, 0);
        self.filled -= done;
        (count > 0).then_some(&self.output)
    }
}

/// Bytes of the first request if it is whole; nothing when it is none.
fn request_length(input: &[u8]) -> Option<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    match httparse::Request::new(&mut headers).parse(input) {
        Ok(httparse::Status::Complete(length)) => Some(Some(length)),
        Ok(httparse::Status::Partial) => Some(None),
        Err(_) => None,
    }
}
