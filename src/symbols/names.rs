//! Functions and lines for addresses, from the program's debug information.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::fold::is_ours;
use super::frame::Frame;
use crate::base::allocator;

/// What was looked up before: that stays true, and reading a program's debug information takes long. As many entries as the program has places where it waits.
static KNOWN: Mutex<Option<HashMap<usize, Arc<[Frame]>>>> = Mutex::new(None);

/// What the addresses of a dump are called.
#[derive(Debug)]
pub(crate) struct Names(HashMap<usize, Arc<[Frame]>>);

impl Names {
    /// Looks these up.
    pub(crate) fn of<'a>(addresses: impl Iterator<Item = &'a usize>) -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        let before = known.len();
        let mut names = HashMap::new();
        for address in addresses {
            names.entry(*address).or_insert_with(|| {
                let frames = known.entry(*address);
                Arc::clone(frames.or_insert_with(|| look_up(*address).into()))
            });
        }
        if known.len() > before {
            backtrace::clear_symbol_cache();
            allocator::return_pages();
        }
        Names(names)
    }

    /// The frames at an address: inlined functions first.
    pub(crate) fn of_one(&self, address: usize) -> &[Frame] {
        self.0.get(&address).map_or(&[], |frames| frames)
    }
}

fn look_up(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let place = std::ptr::without_provenance_mut(address);
    backtrace::resolve(place, |symbol| {
        let function = symbol.name().map(|name| format!("{name:#}"));
        let file = symbol.filename().map(|file| file.display().to_string());
        frames.push(Frame {
            address,
            is_ours: is_ours(function.as_deref(), file.as_deref()),
            function,
            file,
            line: symbol.lineno(),
        });
    });
    if frames.is_empty() {
        frames.push(Frame::unnamed(address));
    }
    frames
}
