//! Tasks start in creation order, interleave at their sleeps, and run on their own whichever one main awaits first.

mod program;

use crate::log::say;
use crate::{Log, run};

#[test]
#[apply(on_roots)]
fn says_what_python_says() {
    let log = Log::new();
    for number in [1, 2] {
        let returned = run(|| program::main(&log, number));
        say!(log, "asyncio.run returned {returned}");
    }
    log.assert_says(include_str!("python/05_tasks_interleave.out"));
}
