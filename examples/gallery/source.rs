//! Where the addresses come from: a generator over the arguments and a list, or over the embedded server's pictures.

use crate::{pictures, server};
use greenthread::generator::{Generator, Yielder};
use std::net::SocketAddr;
use std::path::Path;

/// Addresses to fetch, and how many.
pub(crate) struct Source {
    /// The embedded server, if it was started.
    pub(crate) server: Option<SocketAddr>,

    /// How many addresses will come.
    pub(crate) count: usize,

    /// Yields each address, unchecked.
    pub(crate) addresses: Generator<(), String, ()>,
}

impl Source {
    /// The given addresses, then those in the file `list`; with neither, those of a server that it starts.
    pub(crate) fn open(given: Vec<String>, list: Option<&Path>) -> Result<Self, String> {
        match list {
            None if given.is_empty() => embedded(),
            None => Ok(written(given, String::new())),
            Some(path) => Ok(written(given, read(path)?)),
        }
    }
}

/// Starts the embedded server and yields its pictures.
fn embedded() -> Result<Source, String> {
    let address = server::start().map_err(|e| format!("cannot start the embedded server: {e}"))?;
    let addresses = Generator::new(move |y: &Yielder<(), String>| {
        for number in 0..pictures::COUNT {
            y.yield_(server::address_of(address, number));
        }
    });
    Ok(Source {
        server: Some(address),
        count: pictures::COUNT,
        addresses,
    })
}

/// Yields what people wrote, on the command line and in a list.
fn written(given: Vec<String>, list: String) -> Source {
    let count = given.len() + lines(&list).count();
    let addresses = Generator::new(move |y: &Yielder<(), String>| {
        y.yield_all(given);
        for line in lines(&list) {
            y.yield_(line.to_owned());
        }
    });
    Source {
        server: None,
        count,
        addresses,
    }
}

/// The lines of a list that are addresses: not blank, not a comment.
fn lines(list: &str) -> impl Iterator<Item = &str> {
    let lines = list.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The text of a list; a byte that is not UTF-8 spoils its own line only.
fn read(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_first_then_the_list_without_blanks_and_comments() {
        let list = "# pictures\nhttp://b/\n\n  http://c/#x  \r\n\t# end";
        let source = written(vec!["http://a/".to_owned()], list.to_owned());
        assert_eq!(source.count, 3);
        let all: Vec<String> = source.addresses.collect();
        assert_eq!(all, ["http://a/", "http://b/", "http://c/#x"]);
    }

    #[test]
    fn a_list_that_is_not_there_is_named() {
        let line = Source::open(Vec::new(), Some(Path::new("/no/such/list")))
            .err()
            .unwrap();
        assert!(line.contains("/no/such/list"), "{line}");
    }
}
