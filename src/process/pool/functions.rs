//! The functions that may be called in other processes, by name.

use std::any::{TypeId, type_name};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::frame::{Frame, Kind};
use super::serve;
use crate::process::carry::{Carried, decode, encode};

/// What this program has registered, by name.
static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Whether a function of this name was registered.
pub(super) fn is_known(name: &str) -> bool {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.contains(name)
}

/// Calls a function with an argument that came from elsewhere.
type Call = Box<dyn Fn(Carried) -> Frame>;

/// One function.
struct Registered {
    /// Tells apart what has the same name.
    id: TypeId,

    /// Calls it.
    call: Call,
}

/// The functions that a [`Pool`](super::Pool) may call: what its processes serve.
///
/// A process of a pool is this very program, started once more. So the head of `main` says what can be called, in the program and in its pool's processes alike;
/// there [`serve_if_child`](Self::serve_if_child) serves the calls and does not return.
#[derive(Default)]
#[must_use = "registers nothing before `serve_if_child`"]
pub struct Functions {
    /// By name.
    table: HashMap<&'static str, Registered>,
}

impl Functions {
    /// Starts with none.
    pub fn new() -> Self {
        Functions::default()
    }

    /// Adds a function of one argument (several are a tuple). It is known by its path, so it must have one of its own: a `fn`, not a closure.
    ///
    /// # Panics
    /// When another one has the same path.
    pub fn with<F, A, R>(mut self, function: F) -> Self
    where
        F: Fn(A) -> R + 'static,
        A: DeserializeOwned,
        R: Serialize,
    {
        let (name, id) = (type_name::<F>(), TypeId::of::<F>());
        assert!(
            name.len() <= usize::from(u16::MAX),
            "Functions::with: a function whose name has {} bytes",
            name.len()
        );
        let call: Call = Box::new(move |argument| call(&function, argument));
        let before = self.table.insert(name, Registered { id, call });
        assert!(
            before.is_none_or(|before| before.id == id),
            "Functions::with: two functions are called `{name}`: write each as a `fn` with a name of its own"
        );
        self
    }

    /// Registers the functions. In a process of a pool it then serves the pool's calls until the pool goes away, and does not return.
    ///
    /// To be called at the head of `main`, before anything that a process of a pool should not do: opening files, starting servers, reading arguments. Calling it
    /// again registers further functions, for pools whose processes reach that call as well.
    pub fn serve_if_child(self) {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(self.table.keys());
        drop(known);
        if serve::is_child() {
            serve::serve(|name, argument| self.call(name, argument));
        }
    }

    /// Calls what has this name.
    fn call(&self, name: &str, argument: Carried) -> Frame {
        match self.table.get(name) {
            Some(registered) => (registered.call)(argument),
            None => Frame::text(Kind::Unknown, name.to_owned()),
        }
    }
}

fn call<A: DeserializeOwned, R: Serialize>(function: &impl Fn(A) -> R, argument: Carried) -> Frame {
    let argument = match decode(argument) {
        Ok(argument) => argument,
        Err(reason) => return Frame::text(Kind::BadArgument, reason),
    };
    let result = function(argument);
    let kind = Kind::Returned;
    let frame = encode(&result).map(|body| Frame { kind, body });
    let checked = frame.and_then(|frame| frame.check().map(|()| frame));
    checked.unwrap_or_else(|reason| Frame::text(Kind::BadResult, reason))
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.table.keys().collect();
        names.sort_unstable();
        f.debug_tuple("Functions").field(&names).finish()
    }
}
