//! Servers under load.

use crate::outcome::Sample;
use crate::peer::Peer;
use crate::row::Row;

/// Puts the peer's server under load.
pub fn sample(_: &Row, _: &Peer) -> Result<Sample, String> {
    Err("not there yet".to_owned())
}
