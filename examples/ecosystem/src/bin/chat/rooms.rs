//! The rooms: each is a broadcast channel, made by its first guest and gone with its last.

use std::cell::RefCell;
use std::collections::HashMap;

use greenthread::channel::broadcast::{self, Receiver, Sender};
use tungstenite::Utf8Bytes;

/// All rooms of a server. Its green threads are on one OS thread, and nothing here waits: no lock.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// How many messages a room keeps for those who are slow.
    kept: usize,

    /// What is said in each room goes to everybody in it.
    open: RefCell<HashMap<String, Sender<Utf8Bytes>>>,
}

/// A place in a room; the guest leaves when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// Where the room is.
    rooms: &'a Rooms,

    /// Its name.
    name: String,

    /// Says something to everybody in it.
    pub(crate) say: Sender<Utf8Bytes>,

    /// Hears all that is said in it; taken out when the guest leaves.
    pub(crate) hear: Option<Receiver<Utf8Bytes>>,
}

impl Rooms {
    pub(crate) fn new(kept: usize) -> Self {
        Rooms {
            kept,
            open: RefCell::default(),
        }
    }

    /// Takes a place in the room called `name`.
    pub(crate) fn enter(&self, name: &str) -> Place<'_> {
        let mut open = self.open.borrow_mut();
        let room = open.entry(name.to_owned());
        let say = room
            .or_insert_with(|| broadcast::broadcast(self.kept).0)
            .clone();
        let hear = Some(say.subscribe());
        Place {
            rooms: self,
            name: name.to_owned(),
            say,
            hear,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.hear = None;
        if self.say.receiver_count() == 0 {
            self.rooms.open.borrow_mut().remove(&self.name);
        }
    }
}
