//! Which frames are the library's own, so that a text shows them as one line.

use super::frame::Frame;

/// What our functions' names begin with, also as the type of a trait's method.
const OURS: [&str; 4] = [
    "greenthread::",
    "corosensei::",
    "stack_init_trampoline",
    "stack_call_trampoline",
];

/// Where our sources stood when the library was compiled: inlined functions may have no more than a last name.
const OUR_SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// What is in the path of those of the switch.
const SWITCH_SOURCES: &str = "/corosensei-";

/// What the standard library puts between ours: it carries a closure or catches a panic.
const CARRIERS: [&str; 7] = [
    "std::panicking::",
    "std::panic::",
    "core::panic::",
    "core::ops::function::",
    "std::thread::local::",
    "__rust_try",
    "std::sys::backtrace::__rust_begin_short_backtrace",
];

/// What is in the path of the standard library's sources.
const STANDARD_SOURCES: [&str; 2] = ["/library/std/src/", "/library/core/src/"];

/// What stands between an OS thread's first frame and the program's: from it on outward, nothing is of the program.
const OUTERMOST: &str = "__rust_begin_short_backtrace";

/// Whether a function of this name, in this file, is of this library.
pub(crate) fn is_ours(name: Option<&str>, file: Option<&str>) -> bool {
    let by_file =
        file.is_some_and(|file| file.starts_with(OUR_SOURCES) || file.contains(SWITCH_SOURCES));
    by_file || name.is_some_and(|name| begins_with_one_of(name, &OURS))
}

fn is_carrier(frame: &Frame) -> bool {
    let standard = |file: &String| STANDARD_SOURCES.iter().any(|part| file.contains(part));
    let by_name = |name: &String| begins_with_one_of(name, &CARRIERS);
    frame.file.as_ref().is_some_and(standard) || frame.function.as_ref().is_some_and(by_name)
}

/// `<a::B as c::D>::e` is a function of `a`.
fn begins_with_one_of(name: &str, prefixes: &[&str]) -> bool {
    let name = name.trim_start_matches(['<', '&', '*', '[', '(']);
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

fn is_outermost(frame: &Frame) -> bool {
    let name = frame.function.as_ref();
    name.is_some_and(|name| name.contains(OUTERMOST))
}

/// What a text shows of some frames.
pub(crate) enum Part<'a> {
    /// This one.
    Frame(&'a Frame),

    /// So many of the library's, and of what carries them.
    Folded(usize),
}

/// Puts neighbours of ours together, with the carriers beside them, and leaves out what begins an OS thread.
pub(crate) fn fold<'a>(frames: impl Iterator<Item = &'a Frame>) -> Vec<Part<'a>> {
    let mut frames: Vec<&Frame> = frames.take_while(|frame| !is_outermost(frame)).collect();
    while frames.last().is_some_and(|last| is_carrier(last)) {
        frames.pop();
    }
    let foldable = |frame: &&&Frame| frame.is_ours || is_carrier(frame);
    let mut parts = Vec::new();
    let mut rest = frames.as_slice();
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(foldable).count();
        if rest[..run].iter().any(|frame| frame.is_ours) {
            parts.push(Part::Folded(run));
            rest = &rest[run..];
        } else {
            parts.push(Part::Frame(first));
            rest = &rest[1..];
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str) -> Frame {
        Frame {
            function: Some(name.into()),
            is_ours: is_ours(Some(name), None),
            ..Frame::unnamed(1)
        }
    }

    fn shown(names: &[&str]) -> Vec<String> {
        let frames: Vec<Frame> = names.iter().map(|name| frame(name)).collect();
        let parts = fold(frames.iter()).into_iter();
        let show = |part: Part<'_>| match part {
            Part::Frame(frame) => frame.function.clone().unwrap_or_default(),
            Part::Folded(count) => count.to_string(),
        };
        parts.map(show).collect()
    }

    #[test]
    fn neighbours_of_ours_are_one_line_with_what_carries_them() {
        let names = [
            "greenthread::sched::park::park",
            "<greenthread::sync::Mutex<T> as X>::y",
            "app::work",
            "core::ops::function::FnOnce::call_once",
            "std::panicking::catch_unwind",
            "greenthread::thread::block::run",
        ];
        assert_eq!(shown(&names), ["2", "app::work", "3"]);
    }

    #[test]
    fn a_catch_of_the_program_itself_is_shown() {
        assert_eq!(
            shown(&["std::panic::catch_unwind", "app::main"]),
            ["std::panic::catch_unwind", "app::main"]
        );
        assert_eq!(shown(&["greenthreadier::f"]), ["greenthreadier::f"]);
    }
}
