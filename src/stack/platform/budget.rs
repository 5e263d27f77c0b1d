//! Mappings that guards may use: where each guard splits its mapping, `vm.max_map_count` ends it, and whoever comes after us finds none left for
//! a library, a thread, a block of memory. So we stop before.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::limits;

/// The mappings that one guard adds: itself, and what it cuts off.
const EACH: usize = 2;

/// One in so many mappings is left to the rest of the program.
const SHARE_LEFT: usize = 8;

/// How many mappings the guards of this process have added.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Counts one more guard and returns its mappings, to be given to [`release`] when they are gone.
pub(super) fn reserve() -> io::Result<usize> {
    static MOST: OnceLock<usize> = OnceLock::new();
    let most = *MOST.get_or_init(|| {
        limits::map_count_limit().map_or(usize::MAX, |limit| limit - limit / SHARE_LEFT)
    });
    if USED.fetch_add(EACH, Ordering::Relaxed) + EACH > most {
        release(EACH);
        return Err(limits::out_of_mappings(most));
    }
    Ok(EACH)
}

/// So many mappings are gone.
pub(super) fn release(mappings: usize) {
    USED.fetch_sub(mappings, Ordering::Relaxed);
}
