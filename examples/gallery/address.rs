//! Addresses of pictures: taken apart, and turned into file names that cannot do harm.

use std::fmt;
use std::str::FromStr;

/// The longest file name made from an address, in bytes.
const LONGEST_NAME: usize = 100;

/// An `http://` or `https://` address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether it asks for TLS.
    secure: bool,

    /// A name or an IP address, without the brackets of IPv6.
    host: String,

    /// The port, that of the scheme when the address says none.
    port: u16,

    /// Path and query, as they go into the request; starts with a slash.
    target: String,
}

/// Why a text is no address that we can fetch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadAddress(&'static str);

impl Address {
    /// Whether it is to be fetched over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host and the port, as `connect` takes them.
    pub(crate) fn endpoint(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// The host and the port, as the `Host` field spells them.
    pub(crate) fn authority(&self) -> String {
        let (host, port) = self.endpoint();
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        if port == default_port(self.secure) {
            host
        } else {
            format!("{host}:{port}")
        }
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// A file name for the picture: the path's last part, with letters, digits, `.`, `-` and `_` only.
    pub(crate) fn file_name(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let safe: String = percent_decoded(last)
            .iter()
            .map(|&byte| tame(byte))
            .collect();
        match safe.trim_start_matches('.') {
            "" => "picture".to_owned(),
            name => shortened(name),
        }
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        // Checked first: what passes can neither end a line of the request nor hide in a terminal.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadAddress(
                "it has a blank, a control or a non-ASCII character; write it as %xx",
            ));
        }
        let (secure, rest) = after_scheme(text)?;
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(default_port(secure));
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Address {
            secure,
            host,
            port,
            target: format!("{slash}{target}"),
        })
    }
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad address: {}", self.0)
    }
}

/// The port of an address that says none.
fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Whether the scheme asks for TLS, and what follows `http://` or `https://`.
fn after_scheme(text: &str) -> Result<(bool, &str), BadAddress> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or(BadAddress("it does not start with http:// or https://"))?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok((false, rest)),
        "https" => Ok((true, rest)),
        _ => Err(BadAddress("only http and https are supported")),
    }
}

/// Takes `host`, `host:port`, `[v6]` or `[v6]:port` apart.
fn host_and_port(authority: &str) -> Result<(String, Option<u16>), BadAddress> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or(BadAddress("a bracket of its host is not closed"))?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(BadAddress("its host is no IPv6 address"));
            }
            (host, port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            check_host(host)?;
            (host, port)
        }
    };
    Ok((host.to_ascii_lowercase(), port_number(port)?))
}

/// Lets names and IPv4 addresses pass.
fn check_host(host: &str) -> Result<(), BadAddress> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match host {
        "" => Err(BadAddress("it has no host")),
        _ if host.contains('@') => Err(BadAddress("user names in it are not supported")),
        _ if host.chars().all(fits) => Ok(()),
        _ => Err(BadAddress("its host has a character that no host has")),
    }
}

/// The port in `:port`, if it says one.
fn port_number(text: &str) -> Result<Option<u16>, BadAddress> {
    match text.strip_prefix(':') {
        // RFC 3986, 3.2.3: an empty port is the default one.
        None | Some("") if text.len() < 2 => Ok(None),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(port) if port > 0 => Ok(Some(port)),
            _ => Err(BadAddress("its port is not between 1 and 65535")),
        },
        _ => Err(BadAddress("its port is no number")),
    }
}

/// The bytes that `%xx` stands for; what is not written well stays as it is.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        let (byte, tail) = match (first, escaped(after)) {
            (b'%', Some(byte)) => (byte, &after[2..]),
            _ => (first, after),
        };
        decoded.push(byte);
        rest = tail;
    }
    decoded
}

/// The byte written as two hexadecimal digits at the start of `text`.
fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

/// The character itself where it is harmless in a file name, else `_`.
fn tame(byte: u8) -> char {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => byte.into(),
        _ => '_',
    }
}

/// Cuts a long name in its middle, so that its ending stays; the name is ASCII.
fn shortened(name: &str) -> String {
    match name.len().checked_sub(LONGEST_NAME) {
        None | Some(0) => name.to_owned(),
        Some(excess) => {
            let head = LONGEST_NAME * 3 / 4;
            format!("{}{}", &name[..head], &name[head + excess..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        text.parse().unwrap_or_else(|bad| panic!("{text}: {bad}"))
    }

    fn refusal(text: &str) -> String {
        text.parse::<Address>().unwrap_err().to_string()
    }

    #[test]
    fn a_full_address_is_taken_apart() {
        let address = parse("HTTP://Example.org:8080/a/b.png?size=2#top");
        assert_eq!(address.endpoint(), ("example.org", 8080));
        assert_eq!(address.authority(), "example.org:8080");
        assert_eq!(address.target(), "/a/b.png?size=2");
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(parse("http://host").target(), "/");
        assert_eq!(parse("http://host?q").target(), "/?q");
        assert_eq!(parse("http://host:/x").endpoint(), ("host", 80));
        assert_eq!(parse("http://host/x").authority(), "host");
        assert_eq!(parse("https://host/x").endpoint(), ("host", 443));
        assert_eq!(parse("https://host:443/x").authority(), "host");
        assert_eq!(parse("https://host:80/x").authority(), "host:80");
    }

    #[test]
    fn ipv6_hosts_stand_in_brackets() {
        let address = parse("http://[::1]:81/x");
        assert_eq!(address.endpoint(), ("::1", 81));
        assert_eq!(address.authority(), "[::1]:81");
    }

    #[test]
    fn a_bad_address_says_what_is_bad() {
        for (text, word) in [
            ("", "http://"),
            ("picture.png", "http://"),
            ("ftp://host/x", "only http"),
            ("http:///x", "no host"),
            ("http://:80/x", "no host"),
            ("http://me@host/x", "user names"),
            ("http://me:secret@host/x", "port"),
            ("http://ho,st/x", "character"),
            ("http://host:0/x", "1 and 65535"),
            ("http://host:65536/x", "1 and 65535"),
            ("http://host:+80/x", "no number"),
            ("http://host:http/x", "no number"),
            ("http://[::1/x", "bracket"),
            ("http://[::1]80/x", "no number"),
            ("http://[host]/x", "IPv6"),
            ("http://host/a b", "blank"),
            ("http://host/a\r\nX: y", "control"),
            ("http://host/\u{e9}", "non-ASCII"),
        ] {
            assert!(refusal(text).contains(word), "{text:?}: {}", refusal(text));
        }
    }

    #[test]
    fn a_name_is_the_last_part_of_the_path() {
        assert_eq!(parse("http://h/a/cat.png").file_name(), "cat.png");
        assert_eq!(parse("http://h/a/cat.png?s=/x.gif").file_name(), "cat.png");
        assert_eq!(parse("http://h/my%20cat.png").file_name(), "my_cat.png");
    }

    #[test]
    fn no_name_leaves_the_folder_or_hides_in_it() {
        for text in [
            "http://h",
            "http://h/",
            "http://h/..",
            "http://h/%2e%2E",
            "http://h/...",
        ] {
            assert_eq!(parse(text).file_name(), "picture", "{text}");
        }
        assert_eq!(
            parse("http://h/..%2f..%2fetc%2fpasswd").file_name(),
            "_.._etc_passwd"
        );
        assert_eq!(parse("http://h/a%5cb%00c%zz%").file_name(), "a_b_c_zz_");
        assert_eq!(parse("http://h/.profile").file_name(), "profile");
    }

    #[test]
    fn a_long_name_is_cut_and_keeps_its_ending() {
        let name = parse(&format!("http://h/{}.png", "x".repeat(400))).file_name();
        assert_eq!(name.len(), LONGEST_NAME);
        assert!(name.ends_with(".png"));
    }
}
