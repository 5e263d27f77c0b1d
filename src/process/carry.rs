//! Values between processes: bytes, and the descriptors that are in them.
//!
//! A value is written as MessagePack, which keeps names of fields, any keys, and every number as it is; as in JSON, an `Option` of what is itself nothing (`Some(None)`, `Some(())`)
//! comes out as `None`. A [`Channel`](super::Channel) inside a value is a descriptor: it is put into a
//! bag that lies beside the bytes, and the bytes have its place in there. The bag is the running green thread's own, and there only while a value is encoded or decoded.

use std::any::type_name;
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The most descriptors that one message of a socket takes along (the kernel's `SCM_MAX_FD`).
pub(super) const MOST_DESCRIPTORS: usize = 253;

/// Descriptors by their places; taken ones leave a gap.
type Bag = Rc<RefCell<Vec<Option<OwnedFd>>>>;

crate::green_local! {
    /// The bag of the value at hand.
    static BAG: Option<Bag> = None;
}

/// A value that can be sent.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// MessagePack.
    pub(super) bytes: Vec<u8>,

    /// What the bytes name by place.
    pub(super) descriptors: Vec<OwnedFd>,
}

/// Puts a descriptor beside the value that is being encoded, and returns its place; `None` when none is.
pub(super) fn put(descriptor: OwnedFd) -> Option<usize> {
    BAG.with(|bag| {
        let mut bag = bag.as_ref()?.borrow_mut();
        bag.push(Some(descriptor));
        Some(bag.len() - 1)
    })
}

/// Takes the descriptor at `place` from beside the value that is being decoded.
pub(super) fn take(place: usize) -> Option<OwnedFd> {
    BAG.with(|bag| bag.as_ref()?.borrow_mut().get_mut(place)?.take())
}

/// Encodes a value; on failure says which type could not be, and why.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Carried, String> {
    let bag = Bag::default();
    let own = Some(Rc::clone(&bag));
    let bytes = BAG.scope(own, || rmp_serde::to_vec_named(value));
    let bytes = bytes.map_err(|error| about::<T>("encoded", &error))?;
    let descriptors: Vec<OwnedFd> = bag.take().into_iter().flatten().collect();
    if descriptors.len() > MOST_DESCRIPTORS {
        let many = format!(
            "it has {} channels, {MOST_DESCRIPTORS} are the most",
            descriptors.len()
        );
        return Err(about::<T>("encoded", &many));
    }
    Ok(Carried { bytes, descriptors })
}

/// Decodes a value; on failure says which type could not be, and why.
pub(super) fn decode<T: DeserializeOwned>(carried: Carried) -> Result<T, String> {
    let bag: Bag = Rc::new(RefCell::new(
        carried.descriptors.into_iter().map(Some).collect(),
    ));
    let value = BAG.scope(Some(bag), || rmp_serde::from_slice(&carried.bytes));
    value.map_err(|error| about::<T>("decoded", &error))
}

fn about<T>(done: &str, why: &dyn std::fmt::Display) -> String {
    format!("`{}` cannot be {done}: {why}", type_name::<T>())
}
