//! Bodies of HTTP/1.1 messages in their three framings (RFC 9112, 6 and 7), copied with a bound on their size.

use crate::failure::Failure;
use crate::head::{Framing, LONGEST_HEAD, read_line};
use std::io::{BufRead, Read, Write};

/// The longest line that introduces a chunk.
const LONGEST_CHUNK_LINE: u64 = 4 << 10;

/// Copies a body from `reader` to `sink`, and returns its size; one of more than `limit` bytes is a failure.
pub(crate) fn read_body(
    reader: &mut impl BufRead,
    framing: Framing,
    limit: u64,
    sink: &mut impl Write,
) -> Result<u64, Failure> {
    match framing {
        Framing::Length(declared) => read_declared(reader, declared, limit, sink),
        Framing::Chunked => read_chunks(reader, limit, sink),
        // One byte above the limit is enough to know.
        Framing::UntilClose => match copy(reader, limit + 1, sink)? {
            came if came > limit => Err(Failure::TooBig(limit)),
            came => Ok(came),
        },
    }
}

/// Copies a body of a known length.
fn read_declared(
    reader: &mut impl BufRead,
    declared: u64,
    limit: u64,
    sink: &mut impl Write,
) -> Result<u64, Failure> {
    if declared > limit {
        return Err(Failure::TooBig(limit));
    }
    match copy(reader, declared, sink)? {
        came if came < declared => Err(Failure::CutShort { came, declared }),
        came => Ok(came),
    }
}

/// Copies a chunked body (RFC 9112, 7.1) and skips its extensions and its trailer.
fn read_chunks(
    reader: &mut impl BufRead,
    limit: u64,
    sink: &mut impl Write,
) -> Result<u64, Failure> {
    let mut total = 0;
    loop {
        match chunk_size(reader)? {
            0 => break,
            size if size > limit - total => return Err(Failure::TooBig(limit)),
            size if copy(reader, size, sink)? < size => return Err(Failure::CutOff),
            size => total += size,
        }
        end_chunk(reader)?;
    }
    skip_trailer(reader)?;
    Ok(total)
}

/// Reads the line before a chunk.
fn chunk_size(reader: &mut impl BufRead) -> Result<u64, Failure> {
    let line = read_line(
        reader,
        LONGEST_CHUNK_LINE,
        "the line before a chunk is too long",
    )?;
    match httparse::parse_chunk_size(&line) {
        Ok(httparse::Status::Complete((_, size))) => Ok(size),
        Ok(httparse::Status::Partial) => Err(Failure::CutOff),
        Err(_) => Err(Failure::Malformed("a chunk has no proper size")),
    }
}

/// Reads the end of line after a chunk.
fn end_chunk(reader: &mut impl BufRead) -> Result<(), Failure> {
    let too_long = "a chunk is longer than it says";
    match read_line(reader, 2, too_long)?.as_slice() {
        b"\r\n" => Ok(()),
        b"" => Err(Failure::CutOff),
        _ => Err(Failure::Malformed(too_long)),
    }
}

/// Reads the fields after the last chunk, up to the empty line.
fn skip_trailer(reader: &mut impl BufRead) -> Result<(), Failure> {
    let mut left = LONGEST_HEAD;
    loop {
        let line = read_line(reader, left, "its trailer is longer than 64 KiB")?;
        match line.as_slice() {
            [] => return Err(Failure::CutOff),
            b"\r\n" | b"\n" => return Ok(()),
            _ => left -= line.len() as u64,
        }
    }
}

/// Copies `size` bytes, fewer only where the connection ends; returns how many.
fn copy(reader: &mut impl BufRead, size: u64, sink: &mut impl Write) -> Result<u64, Failure> {
    let mut reader = reader.take(size);
    loop {
        let piece = reader.fill_buf().map_err(Failure::network)?;
        if piece.is_empty() {
            return Ok(size - reader.limit());
        }
        sink.write_all(piece).map_err(Failure::Save)?;
        let used = piece.len();
        reader.consume(used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Reads `text` in pieces of 3 bytes, as a slow connection would bring it.
    fn in_pieces(text: &str) -> impl BufRead + '_ {
        BufReader::with_capacity(3, text.as_bytes())
    }

    fn body(text: &str, framing: Framing, limit: u64) -> Result<String, Failure> {
        let mut sink = Vec::new();
        let size = read_body(&mut in_pieces(text), framing, limit, &mut sink)?;
        assert_eq!(size, sink.len() as u64);
        Ok(String::from_utf8(sink).unwrap())
    }

    #[test]
    fn a_declared_body_is_exactly_that_long() {
        assert_eq!(
            body("pictures and more", Framing::Length(8), 8).unwrap(),
            "pictures"
        );
        let short = body("pict", Framing::Length(8), 8).unwrap_err();
        assert!(matches!(
            short,
            Failure::CutShort {
                came: 4,
                declared: 8
            }
        ));
        assert!(matches!(
            body("pictures", Framing::Length(8), 7),
            Err(Failure::TooBig(7))
        ));
        assert_eq!(body("", Framing::Length(0), 7).unwrap(), "");
    }

    #[test]
    fn a_body_without_length_ends_with_the_connection() {
        assert_eq!(
            body("pictures", Framing::UntilClose, 8).unwrap(),
            "pictures"
        );
        assert!(matches!(
            body("pictures", Framing::UntilClose, 7),
            Err(Failure::TooBig(7))
        ));
    }

    #[test]
    fn chunks_are_joined_and_the_trailer_is_skipped() {
        let text = "4\r\npict\r\n4;note=\"x\"\r\nures\r\n0\r\nX: y\r\n\r\nHTTP/1.1 ..";
        let mut reader = in_pieces(text);
        let mut sink = Vec::new();
        assert_eq!(
            read_body(&mut reader, Framing::Chunked, 8, &mut sink).unwrap(),
            8
        );
        assert_eq!(sink, b"pictures");
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "HTTP/1.1 ..");
    }

    #[test]
    fn broken_chunks_are_failures() {
        let chunked = |text: &str| body(text, Framing::Chunked, 8).unwrap_err();
        for torn in [
            "",
            "4",
            "4\r\npi",
            "4\r\npict",
            "4\r\npict\r\n",
            "0\r\n",
            "0\r\nX: y\r\n",
        ] {
            assert!(
                matches!(chunked(torn), Failure::CutOff),
                "{torn:?}: {}",
                chunked(torn)
            );
        }
        for bad in [
            "x\r\n",
            "-4\r\npict\r\n",
            "4\r\npictures\r\n",
            "fffffffffffffffff\r\n",
        ] {
            assert!(
                matches!(chunked(bad), Failure::Malformed(_)),
                "{bad:?}: {}",
                chunked(bad)
            );
        }
        let endless = format!("4;{}", "x".repeat(5_000));
        assert!(matches!(chunked(&endless), Failure::Malformed(_)));
        let sum = "4\r\npict\r\n5\r\nures!\r\n0\r\n\r\n";
        assert!(matches!(chunked(sum), Failure::TooBig(8)));
        assert!(matches!(
            chunked("ffffffffffffffff\r\n"),
            Failure::TooBig(8)
        ));
    }
}
