//! Heads of HTTP/1.1 messages (RFC 9112): read with a bound, and understood as far as fetching needs.
//!
//! Everything reads from a plain `BufRead`, as it would over std's sockets; nothing here knows of green threads.

use crate::failure::Failure;
use std::io::{BufRead, Read};

/// The most bytes that a head may have, and the trailer after a chunked body.
pub(crate) const LONGEST_HEAD: u64 = 64 << 10;

/// The most fields that a head may have.
pub(crate) const MOST_FIELDS: usize = 100;

/// What the head of an answer says, as far as we care.
#[derive(Debug)]
pub(crate) struct Head {
    /// The status code.
    pub(crate) status: u16,

    /// The words after the code, for people.
    pub(crate) words: String,

    /// Where a redirect points.
    pub(crate) location: Option<String>,

    /// How the end of the body is found.
    pub(crate) framing: Framing,

    /// Whether the connection may serve another request after this one.
    pub(crate) keeps_alive: bool,
}

/// How the end of a body is found (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After this many bytes.
    Length(u64),

    /// After the chunk of no bytes.
    Chunked,

    /// Where the connection ends.
    UntilClose,
}

/// Reads the bytes of a head, its empty line included; `None` when the connection ends before the first one.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Failure> {
    let mut head = Vec::new();
    let mut left = LONGEST_HEAD;
    loop {
        let line = read_line(reader, left, "its head is longer than 64 KiB")?;
        left -= line.len() as u64;
        match (line.as_slice(), head.is_empty()) {
            ([], true) => return Ok(None),
            ([], false) => return Err(Failure::CutOff),
            // RFC 9112, 2.2: an empty line or two before a head is forgiven.
            (b"\r\n" | b"\n", true) => continue,
            (b"\r\n" | b"\n", false) => {
                head.extend(line);
                return Ok(Some(head));
            }
            _ => head.extend(line),
        }
    }
}

/// Reads a line with its end, of at most `limit` bytes; it is empty at the end of the connection.
pub(crate) fn read_line(
    reader: &mut impl BufRead,
    limit: u64,
    too_long: &'static str,
) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let mut limited = reader.take(limit);
    limited
        .read_until(b'\n', &mut line)
        .map_err(Failure::network)?;
    match line.last() {
        None if limit > 0 => Ok(line),
        Some(b'\n') => Ok(line),
        _ if limited.limit() == 0 => Err(Failure::Malformed(too_long)),
        _ => Err(Failure::CutOff),
    }
}

impl Head {
    /// Understands the head of an answer to a GET.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut answer = httparse::Response::new(&mut fields);
        match answer.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(Failure::Malformed("its head is torn")),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Failure::Malformed("its head has more than 100 fields"));
            }
            Err(_) => return Err(Failure::Malformed("its head is not HTTP/1")),
        }
        let status = answer.code.unwrap_or_default();
        let fields = Fields(answer.headers);
        let framing = fields.framing(status)?;
        Ok(Head {
            status,
            words: answer.reason.unwrap_or_default().to_owned(),
            location: fields.values("location").next().map(str::to_owned),
            framing,
            keeps_alive: framing != Framing::UntilClose
                && fields.keep_alive(answer.version == Some(1)),
        })
    }
}

/// The fields of a head.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl Fields<'_> {
    /// The values of every field of this name; one that is not UTF-8 counts as empty.
    fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let named = self
            .0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.map(|field| std::str::from_utf8(field.value).unwrap_or_default().trim())
    }

    /// The members of every list in the fields of this name.
    fn members<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.values(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
    }

    /// Decides how the body ends.
    fn framing(&self, status: u16) -> Result<Framing, Failure> {
        if matches!(status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        let codings: Vec<&str> = self.members("transfer-encoding").collect();
        match codings.as_slice() {
            [] => self.length(),
            [only] if only.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            _ => Err(Failure::Malformed("its transfer coding is not chunked")),
        }
    }

    /// The declared length; several are fine as long as they agree.
    fn length(&self) -> Result<Framing, Failure> {
        let malformed = || Failure::Malformed("its Content-Length is not one number");
        let mut lengths = self.members("content-length").map(|text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or_else(malformed)
        });
        let Some(first) = lengths.next().transpose()? else {
            return Ok(Framing::UntilClose);
        };
        for other in lengths {
            if other? != first {
                return Err(malformed());
            }
        }
        Ok(Framing::Length(first))
    }

    /// Whether the connection stays open: HTTP/1.1 says when not, HTTP/1.0 says when.
    fn keep_alive(&self, is_1_1: bool) -> bool {
        let says = |word: &str| {
            self.members("connection")
                .any(|m| m.eq_ignore_ascii_case(word))
        };
        // A length beside a transfer coding is an error of the sender's or an attack: use the connection no more.
        let ambiguous = self.values("transfer-encoding").next().is_some()
            && self.values("content-length").next().is_some();
        !says("close") && !ambiguous && (is_1_1 || says("keep-alive"))
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

    fn head(text: &str) -> Result<Head, Failure> {
        Head::parse(&read_head(&mut in_pieces(text))?.expect("there is a head"))
    }

    #[test]
    fn a_head_says_status_framing_and_whether_the_connection_stays() {
        let head = head("\r\nHTTP/1.1 200 Fine\r\ncontent-length: 12\r\n\r\nrest").unwrap();
        assert_eq!((head.status, head.words.as_str()), (200, "Fine"));
        assert_eq!(head.framing, Framing::Length(12));
        assert!(head.keeps_alive);
    }

    #[test]
    fn a_connection_stays_only_where_both_sides_say_so() {
        let stays = |text: &str| head(text).unwrap().keeps_alive;
        assert!(!stays(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, Close\r\n\r\n"
        ));
        assert!(!stays("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"));
        assert!(stays(
            "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n"
        ));
        assert!(!stays("HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!stays(
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
    }

    #[test]
    fn framing_follows_the_rfc() {
        let framing =
            |fields: &str| head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).map(|h| h.framing);
        assert_eq!(framing("").unwrap(), Framing::UntilClose);
        assert_eq!(
            framing("Content-Length: 5, 5\r\n").unwrap(),
            Framing::Length(5)
        );
        assert_eq!(
            framing("Transfer-Encoding: Chunked\r\n").unwrap(),
            Framing::Chunked
        );
        for bad in [
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length:\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
        ] {
            assert!(matches!(framing(bad), Err(Failure::Malformed(_))), "{bad}");
        }
        assert_eq!(
            head("HTTP/1.1 304 Same\r\n\r\n").unwrap().framing,
            Framing::Length(0)
        );
    }

    #[test]
    fn a_connection_that_ends_early_is_told_apart_from_one_that_never_answered() {
        assert!(read_head(&mut in_pieces("")).unwrap().is_none());
        for torn in [
            "H",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nServer: x\r\n\r",
        ] {
            assert!(
                matches!(read_head(&mut in_pieces(torn)), Err(Failure::CutOff)),
                "{torn:?}"
            );
        }
    }

    #[test]
    fn a_head_has_at_most_64_kib_and_100_fields() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
        assert!(matches!(head(&endless), Err(Failure::Malformed(why)) if why.contains("64 KiB")));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101));
        assert!(matches!(head(&many), Err(Failure::Malformed(why)) if why.contains("100")));
        let lines = "X: y\r\n".repeat(20_000);
        assert!(matches!(head(&lines), Err(Failure::Malformed(why)) if why.contains("64 KiB")));
    }
}
