//! What stands for `secure` in a gallery without the feature `ureq`: it says how to build one with it.

use crate::address::Address;
use crate::client::Limits;
use crate::failure::Failure;
use std::io::Write;
use std::path::Path;

/// How to get what is missing.
const REBUILD: &str =
    "this gallery is built without it: cargo run --release --features ureq --example gallery";

/// Fetches nothing.
#[derive(Clone, Debug)]
pub(crate) struct Secure;

impl Secure {
    /// There is nothing that could trust the certificates in `ca`.
    pub(crate) fn open(ca: Option<&Path>, _: Limits, _: usize) -> Result<Self, String> {
        match ca {
            Some(_) => Err(format!("--ca is for https, and {REBUILD}")),
            None => Ok(Secure),
        }
    }

    /// Fails, and says why.
    pub(crate) fn fetch(&self, _: &Address, _: u64, _: &mut impl Write) -> Result<u64, Failure> {
        Err(Failure::Https(REBUILD.to_owned()))
    }
}
