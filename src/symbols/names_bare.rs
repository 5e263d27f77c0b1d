//! Functions for addresses, from the program's own table of symbols; stands in for `names` without the feature `symbols`, which knows lines too.

use std::collections::HashMap;

use super::fold::is_ours;
use super::frame::Frame;
use crate::stack::overflow::symbols::Symbols;

/// What the addresses of a dump are called; each was looked up once.
#[derive(Debug)]
pub(crate) struct Names(HashMap<usize, Vec<Frame>>);

impl Names {
    /// Looks these up.
    pub(crate) fn of<'a>(addresses: impl Iterator<Item = &'a usize>) -> Self {
        let symbols = Symbols::of_this_program();
        let mut names = HashMap::new();
        for address in addresses {
            names
                .entry(*address)
                .or_insert_with(|| vec![look_up(&symbols, *address)]);
        }
        Names(names)
    }

    /// The frames at an address.
    pub(crate) fn of_one(&self, address: usize) -> &[Frame] {
        self.0.get(&address).map_or(&[], Vec::as_slice)
    }
}

fn look_up(symbols: &Symbols, address: usize) -> Frame {
    let function = symbols.function(address);
    Frame {
        is_ours: is_ours(function.as_deref(), None),
        function,
        ..Frame::unnamed(address)
    }
}
