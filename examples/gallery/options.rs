//! The command line: what it may say, and one clear line for what it may not.

use crate::client::Limits;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Fetches pictures over HTTP/1.1 and HTTPS, many at a time, with green threads on one OS thread.

usage: gallery [options] [ADDRESS ...]

With neither an ADDRESS nor --from, a server in the same process serves 200 pictures;
one of them is missing and one is cut short, on purpose.

  --jobs N         downloads at a time, 1 to 10000 (default 16)
  --out DIR        where the pictures go (default: a fresh temporary folder)
  --from FILE      also fetch the addresses in FILE, one a line; `#` starts a comment
  --timeout SECS   longest wait for a connection, and for each read (default 10)
  --max-bytes N    the biggest picture that is taken (default 67108864, 64 MiB)
  --ca FILE        trust the certificates in FILE (PEM) for https, instead of the web's
  --help           this text

https:// addresses need a gallery that is built with `--features ureq`. Redirects are reported, not followed.
Exit status: 0 when all went well (planned failures aside), 1 when a picture failed,
2 when the options make no sense or nothing could be started.
";

/// The most green threads that `--jobs` may ask for: each may hold a descriptor.
const MOST_JOBS: usize = 10_000;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Print the help and end.
    Help,

    /// Fetch pictures.
    Fetch(Options),
}

/// How to fetch pictures.
#[derive(Debug)]
pub(crate) struct Options {
    /// How many green threads download.
    pub(crate) jobs: usize,

    /// The folder that receives the pictures; `None` is a fresh temporary one.
    pub(crate) out: Option<PathBuf>,

    /// A file with one address a line.
    pub(crate) from: Option<PathBuf>,

    /// A file with the certificates to trust; `None` is the web's.
    pub(crate) ca: Option<PathBuf>,

    /// What a server may cost one download.
    pub(crate) limits: Limits,

    /// The addresses among the arguments, unchecked.
    pub(crate) addresses: Vec<String>,
}

impl Options {
    /// Reads the arguments, without the program's name; the error is one line for people.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Request, String> {
        let mut options = Options {
            jobs: 16,
            out: None,
            from: None,
            ca: None,
            limits: Limits {
                timeout: Duration::from_secs(10),
                bytes: 64 << 20,
            },
            addresses: Vec::new(),
        };
        let mut arguments = arguments.into_iter().map(Into::into);
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            match &*text {
                "--help" | "-h" => return Ok(Request::Help),
                flag if flag.starts_with('-') => match flag.split_once('=') {
                    Some((flag, value)) => options.set(flag, Some(value.into()))?,
                    None => options.set(flag, arguments.next())?,
                },
                address => options.addresses.push(address.to_owned()),
            }
        }
        Ok(Request::Fetch(options))
    }

    /// Sets the option called `flag`.
    fn set(&mut self, flag: &str, value: Option<OsString>) -> Result<(), String> {
        let value = || value.ok_or_else(|| format!("{flag} needs a value (see --help)"));
        match flag {
            "--jobs" => self.jobs = number(flag, &value()?, 1, MOST_JOBS as u64)? as usize,
            "--max-bytes" => self.limits.bytes = number(flag, &value()?, 1, u64::MAX - 1)?,
            "--timeout" => self.limits.timeout = seconds(flag, &value()?)?,
            "--out" => self.out = Some(value()?.into()),
            "--from" => self.from = Some(value()?.into()),
            "--ca" => self.ca = Some(value()?.into()),
            _ => return Err(format!("there is no option {flag} (see --help)")),
        }
        Ok(())
    }
}

/// A whole number from `least` to `most`.
fn number(flag: &str, value: &OsString, least: u64, most: u64) -> Result<u64, String> {
    let text = value.to_string_lossy();
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| format!("{flag} takes a number from {least} to {most}, not {text:?}"))
}

/// A time in seconds, more than none; fractions are fine.
fn seconds(flag: &str, value: &OsString) -> Result<Duration, String> {
    let text = value.to_string_lossy();
    let time = text
        .parse()
        .ok()
        .and_then(|s| Duration::try_from_secs_f64(s).ok());
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| format!("{flag} takes a number of seconds above 0, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(arguments: &[&str]) -> Options {
        match Options::parse(arguments) {
            Ok(Request::Fetch(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_arguments_mean_sixteen_jobs_ten_seconds_and_64_mib() {
        let options = fetch(&[]);
        assert_eq!(options.jobs, 16);
        assert_eq!(options.limits.timeout, Duration::from_secs(10));
        assert_eq!(options.limits.bytes, 67_108_864);
        assert!(options.addresses.is_empty() && options.out.is_none() && options.from.is_none());
    }

    #[test]
    fn options_and_addresses_mix_in_any_order() {
        let options = fetch(&["http://a/", "--jobs", "3", "http://b/", "--timeout=0.5"]);
        assert_eq!(options.addresses, ["http://a/", "http://b/"]);
        assert_eq!(options.jobs, 3);
        assert_eq!(options.limits.timeout, Duration::from_millis(500));
    }

    #[test]
    fn misuse_is_one_line_that_names_option_and_value() {
        for (arguments, named) in [
            (&["--jobs", "0"][..], "\"0\""),
            (&["--jobs", "many"], "\"many\""),
            (&["--jobs", "10001"], "10000"),
            (&["--jobs"], "needs a value"),
            (&["--timeout", "0"], "\"0\""),
            (&["--timeout", "inf"], "\"inf\""),
            (&["--max-bytes", "-1"], "\"-1\""),
            (&["--colour", "red"], "--colour"),
        ] {
            let line = Options::parse(arguments).unwrap_err();
            assert!(
                line.contains(arguments[0]) && line.contains(named),
                "{line}"
            );
            assert!(!line.contains('\n'), "{line}");
        }
    }
}
