//! What can be carried to another process and back, and what cannot.

use std::collections::HashMap;
use std::net::IpAddr;

use greenthread::process::{CallError, Channel, Functions};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::pool::{pool, result};

/// The functions of this file.
pub(crate) fn add(functions: Functions) -> Functions {
    functions
        .with(echo_all)
        .with(echo_bytes)
        .with(take_picky)
        .with(take_shy)
        .with(give_picky)
        .with(give_shy)
}

/// Cannot be decoded.
#[derive(Debug)]
pub(crate) struct Picky;

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("not to my taste"))
    }
}

/// Cannot be encoded.
#[derive(Debug)]
pub(crate) struct Shy;

impl Serialize for Shy {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("not in public"))
    }
}

impl<'de> Deserialize<'de> for Shy {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Shy)
    }
}

/// Of each kind something that some formats lose.
type All = (
    HashMap<(i8, char), Option<u128>>,
    [f64; 4],
    Result<String, ()>,
    (IpAddr, Vec<Vec<()>>),
);

fn echo_all(all: All) -> All {
    all
}

fn echo_bytes(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

fn take_picky(_: Picky) {}

fn take_shy(_: Shy) {}

fn give_picky((): ()) -> Picky {
    Picky
}

fn give_shy((): ()) -> Shy {
    Shy
}

#[test]
#[apply(once)]
fn values_come_back_as_they_were() {
    let map = HashMap::from([((-1, 'ß'), Some(u128::MAX)), ((1, '\0'), None)]);
    let floats = [f64::INFINITY, -0.0, 0.1, f64::MIN_POSITIVE];
    let all: All = (
        map,
        floats,
        Err(()),
        ("::1".parse().unwrap(), vec![vec![], vec![()]]),
    );
    let back = result(pool(1).spawn(echo_all, all.clone())).unwrap();
    assert_eq!(back, all);
}

#[test]
#[apply(once)]
fn much_comes_back_as_it_was() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let back = result(pool(1).spawn(echo_bytes, bytes.clone())).unwrap();
    assert!(back == bytes);
}

#[test]
#[apply(once)]
fn an_argument_that_cannot_be_carried_is_named() {
    let pool = pool(1);
    let error = result(pool.spawn(take_picky, Picky)).unwrap_err();
    assert!(matches!(error, CallError::Argument { .. }));
    let text = error.to_string();
    assert!(text.contains("take_picky` was not carried over"), "{text}");
    assert!(
        text.contains("Picky` cannot be decoded: not to my taste"),
        "{text}"
    );

    let error = result(pool.spawn(take_shy, Shy)).unwrap_err();
    assert!(matches!(error, CallError::Argument { .. }));
    let text = error.to_string();
    assert!(
        text.contains("Shy` cannot be encoded: not in public"),
        "{text}"
    );
    assert_eq!(result(pool.spawn(echo_bytes, vec![1])).unwrap(), [1]);
}

#[test]
#[apply(once)]
fn a_result_that_cannot_be_carried_is_named() {
    let pool = pool(1);
    let error = result(pool.spawn(give_picky, ())).unwrap_err();
    assert!(matches!(error, CallError::Result { .. }));
    let text = error.to_string();
    assert!(text.contains("give_picky` was not carried back"), "{text}");
    assert!(
        text.contains("Picky` cannot be decoded: not to my taste"),
        "{text}"
    );

    let error = result(pool.spawn(give_shy, ())).unwrap_err();
    assert!(matches!(error, CallError::Result { .. }));
    assert!(
        error.to_string().contains("Shy` cannot be encoded"),
        "{error}"
    );
    assert_eq!(result(pool.spawn(echo_bytes, vec![2])).unwrap(), [2]);
}

#[test]
#[apply(once)]
fn a_channel_is_written_nowhere_else() {
    let (ours, _theirs) = Channel::<u8>::pair().unwrap();
    let refused = rmp_serde::to_vec(&ours).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("goes to another process, and nowhere else")
    );
}
