//! Functions and lines for addresses, from the program's debug information.

use std::collections::HashMap;

use super::fold::is_ours;
use super::frame::Frame;

/// What the addresses of a dump are called; each was looked up once.
#[derive(Debug)]
pub(crate) struct Names(HashMap<usize, Vec<Frame>>);

impl Names {
    /// Looks these up.
    pub(super) fn of<'a>(addresses: impl Iterator<Item = &'a usize>) -> Self {
        let mut names = HashMap::new();
        for address in addresses {
            names.entry(*address).or_insert_with(|| look_up(*address));
        }
        backtrace::clear_symbol_cache();
        Names(names)
    }

    /// The frames at an address: inlined functions first.
    pub(super) fn of_one(&self, address: usize) -> &[Frame] {
        self.0.get(&address).map_or(&[], Vec::as_slice)
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
