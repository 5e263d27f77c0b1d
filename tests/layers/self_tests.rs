//! The checker can fail: small crates that break each rule, and some that do not.

use crate::checker::*;
use crate::imports::Tree;

const LAYERS: [(usize, &[&str]); 3] = [(0, &["base"]), (2, &["sched"]), (3, &["sync", "time"])];

fn files(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    list.iter().map(owned).collect()
}

fn tree(list: &[(&str, &str)]) -> Tree {
    Tree::new(&files(list))
}

fn upward_in(text: &str) -> Vec<String> {
    let root = "mod base; mod sched; mod sync; pub use sync::{Event as Flag, event};";
    upward(
        &tree(&[
            ("lib.rs", root),
            ("base/mod.rs", "pub mod lock;"),
            ("base/lock.rs", text),
            (
                "sched/mod.rs",
                "pub mod park; pub use park::{self as door, Park};",
            ),
            ("sched/park.rs", "pub struct Park;"),
            ("sync/mod.rs", "pub mod event; pub use event::*;"),
            ("sync/event.rs", "pub struct Event;"),
        ]),
        &LAYERS,
    )
}

#[test]
fn an_upward_import_is_found_with_its_line() {
    let found = upward_in("//! Head.\n\nuse crate::sched::park::Park;\n");
    assert_eq!(
        found,
        ["src/base/lock.rs:3: layer 0 names sched/park.rs of layer 2"]
    );
}

#[test]
fn an_upward_import_is_found_however_it_is_spelled() {
    let spelled = [
        "use crate::{sched::{park::{Park as P}}};",
        "use crate::sched::Park;",
        "use crate::sched::door;",
        "use super::super::sched::park;",
        "use self::super::super::sched::park::*;",
        "fn f() { let p = crate::sched::park::Park; }",
        "fn f(p: &crate::sched::park::Park) {}",
        "mod place { fn f() { super::super::super::sched::park::f(); } }",
        "mod place { mod deeper { } use super::super::super::sched::Park; }",
        "macro_rules! m { () => { $crate::sched::park::f() } }",
        "fn f() { for x in crate::sched::park::all() {} }",
    ];
    for text in spelled {
        let found = upward_in(text);
        assert_eq!(
            found,
            ["src/base/lock.rs:1: layer 0 names sched/park.rs of layer 2"],
            "{text}"
        );
    }
}

#[test]
fn a_name_that_the_root_passes_on_counts_as_where_it_lives() {
    for text in [
        "use crate::Flag;",
        "fn f() { crate::Flag::new() }",
        "use crate::event;",
    ] {
        let found = upward_in(text);
        assert_eq!(
            found,
            ["src/base/lock.rs:1: layer 0 names sync/event.rs of layer 3"],
            "{text}"
        );
    }
}

#[test]
fn a_name_that_only_the_root_has_is_upward() {
    assert_eq!(
        upward_in("use crate::Thing;"),
        ["src/base/lock.rs:1: layer 0 names what only the crate root has"]
    );
}

#[test]
fn what_is_no_import_is_not_taken_for_one() {
    let harmless = [
        "// use crate::sched::Park;",
        "/* use crate::sched::Park; /* nested */ use crate::sched; */",
        "//! [`crate::sched::Park`]\n/// [`crate::sched::Park`]\nstruct S;",
        "const TEXT: &str = \"use crate::sched::Park;\";",
        "const TEXT: &str = r#\"\"use crate::sched::Park;\"#;",
        "const QUOTE: char = '\"'; // use crate::sched::Park;",
        "#[cfg(test)]\nmod tests { use crate::sched::Park; }",
        "#[cfg(test)]\n#[allow(unused)]\nuse crate::sched::Park;",
        "#[cfg(all(test, not_loom))] fn f(x: [u8; 2]) { crate::sched::f() }",
        "pub(in crate::sched) fn f() {}",
        "use std::sync::Mutex; use loom::sched::park;",
        "fn f(sched: S) { sched.park::<u8>(); other::sched::park(); }",
        "fn f() -> impl Sized + use<'static> { crate::made!() }",
    ];
    for text in harmless {
        assert_eq!(upward_in(text), [""; 0], "{text}");
    }
}

#[test]
fn what_a_test_item_hides_ends_with_the_item() {
    let text = "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::sched::Park;";
    assert_eq!(upward_in(text).len(), 1);
    let text = "#[cfg(not(test))]\nuse crate::sched::Park;";
    assert_eq!(upward_in(text).len(), 1);
}

#[test]
fn a_file_that_only_tests_see_may_name_anything() {
    let text = "use crate::sched::Park;";
    let found = upward(
        &tree(&[
            ("lib.rs", "mod base; mod sched;"),
            (
                "base/mod.rs",
                "mod lock;\n#[cfg(test)]\npub(crate) mod support;",
            ),
            (
                "base/lock.rs",
                "#[cfg(test)]\n#[path = \"lock_tests.rs\"]\nmod tests;",
            ),
            ("base/lock_tests.rs", text),
            ("base/support.rs", text),
            ("base/other.rs", text),
            ("sched/mod.rs", "pub struct Park;"),
        ]),
        &LAYERS,
    );
    assert_eq!(
        found,
        ["src/base/other.rs:1: layer 0 names sched/mod.rs of layer 2"]
    );
}

#[test]
fn a_folder_without_a_layer_is_found() {
    let found = without_layer(
        &tree(&[("lib.rs", "mod odd;"), ("odd/mod.rs", "")]),
        &LAYERS,
    );
    assert_eq!(found, ["src/odd/mod.rs:1: no layer has its folder"]);
}

#[test]
fn a_circle_is_found_through_siblings_and_parents() {
    let found = circles(&tree(&[
        ("lib.rs", "mod sync;"),
        ("sync/mod.rs", "mod a; mod b; mod c;"),
        ("sync/a.rs", "use super::b::B;"),
        ("sync/b.rs", "fn f() {}\nfn g() { super::c::f() }"),
        ("sync/c.rs", "use crate::sync::a;"),
    ]));
    assert_eq!(
        found,
        [
            "src/sync/a.rs:1: names sync/b.rs, in a circle",
            "src/sync/b.rs:2: names sync/c.rs, in a circle",
            "src/sync/c.rs:1: names sync/a.rs, in a circle",
        ]
    );
}

#[test]
fn a_parent_that_uses_its_child_closes_a_circle() {
    let found = circles(&tree(&[
        ("sync/mod.rs", "mod a; fn f() { a::g() }"),
        ("sync/a.rs", "use super::f;"),
    ]));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn every_circle_is_found() {
    let found = circles(&tree(&[
        ("sync/mod.rs", "mod a; mod b; fn f() { a::g(); b::g() }"),
        ("sync/a.rs", "use super::f;"),
        ("sync/b.rs", "use super::f;"),
    ]));
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_parent_that_passes_a_name_on_and_uses_it_closes_a_circle() {
    let found = circles(&tree(&[
        ("sync/mod.rs", "mod a; pub use a::A; fn f() -> A { A }"),
        ("sync/a.rs", "use super::f; pub struct A;"),
    ]));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn a_parent_that_only_passes_names_on_closes_no_circle() {
    let found = circles(&tree(&[
        (
            "sync/mod.rs",
            "mod a; mod b; pub use a::A; pub(crate) use self::b::*;",
        ),
        ("sync/a.rs", "use super::{A as Me, B};"),
        ("sync/b.rs", "pub struct B;"),
    ]));
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_module_chosen_by_cfg_is_each_of_its_files() {
    let tree = tree(&[
        (
            "sched/mod.rs",
            "#[cfg_attr(\n    linux,\n    path = \"epoll.rs\"\n)]\nmod poll;\nmod a;",
        ),
        ("sched/epoll.rs", "use super::a;"),
        ("sched/a.rs", "use super::poll::wait;"),
    ]);
    assert_eq!(circles(&tree).len(), 2);
}

#[test]
fn only_the_wait_side_of_the_scheduler_is_seen_from_above() {
    let tree = tree(&[
        (
            "sched/mod.rs",
            "pub mod park; pub mod run; pub use park::wait; pub use run::spawn;",
        ),
        ("sched/park.rs", ""),
        ("sched/run.rs", ""),
        (
            "sync/mod.rs",
            "use crate::sched::{park::Park, wait};\nuse crate::sched::spawn;\nuse crate::sched::State;",
        ),
    ]);
    let found = past_the_wait_side(&tree, &LAYERS, &["park"]);
    assert_eq!(
        found,
        [
            "src/sync/mod.rs:3: layer 3 names sched/mod.rs, which is not of the wait side",
            "src/sync/mod.rs:2: layer 3 names sched/run.rs, which is not of the wait side",
        ]
    );
}

#[test]
fn unsafe_is_found_in_code_and_only_there() {
    let all = files(&[
        ("a.rs", "// unsafe\nfn f() { unsafe { g() } }"),
        (
            "b.rs",
            "/// unsafe\nconst U: &str = \"unsafe\"; fn unsafe_code() {}",
        ),
        ("c.rs", "unsafe fn f() {}"),
    ]);
    assert_eq!(
        unlisted_unsafe(&all, &["c.rs"]),
        ["src/a.rs:2: `unsafe` in a file that is not listed"]
    );
    assert_eq!(
        stale_list(&all, &["b.rs", "c.rs", "gone.rs"]),
        [
            "src/b.rs:1: listed for `unsafe`, but has none",
            "src/gone.rs:1: listed for `unsafe`, but has none",
        ]
    );
}

#[test]
fn unsafe_needs_its_reason_at_the_head_of_the_file() {
    let all = files(&[
        ("bare.rs", "fn f() {}\nunsafe fn g() {}"),
        (
            "sound.rs",
            "#![expect(unsafe_code, reason = \"why\")]\nunsafe fn f() {}\n#[cfg(test)]\nmod tests;",
        ),
        ("sound/tests.rs", "unsafe fn g() {}"),
        ("odd.rs", "#[cfg(test)]\nmod tests;"),
        ("odd/tests.rs", "unsafe fn g() {}"),
        (
            "outer.rs",
            "#[expect(unsafe_code, reason = \"why\")]\nunsafe fn g() {}",
        ),
        ("silent.rs", "#![expect(unsafe_code)]\nunsafe fn g() {}"),
        (
            "said.rs",
            "#![expect(unsafe_code, reason = \"why\")]\nunsafe fn g() {}",
        ),
        (
            "some.rs",
            "#![cfg_attr(not(loom), expect(unsafe_code, reason = \"why\"))]\nunsafe fn g() {}",
        ),
    ]);
    let found: Vec<String> = unexplained_unsafe(&all)
        .iter()
        .map(|line| {
            line.split_once(": ")
                .expect("a place, then why")
                .0
                .to_owned()
        })
        .collect();
    assert_eq!(
        found,
        [
            "src/bare.rs:2",
            "src/odd/tests.rs:1",
            "src/outer.rs:2",
            "src/silent.rs:2"
        ]
    );
}

#[test]
fn the_switch_is_named_in_code_by_its_file_alone() {
    let all = files(&[
        ("stack/coroutine.rs", "use corosensei::Coroutine;"),
        (
            "stack/pool.rs",
            "// corosensei\nuse corosensei::stack::Stack;",
        ),
    ]);
    assert_eq!(
        named_outside(&all, "corosensei", "stack/coroutine.rs"),
        ["src/stack/pool.rs:2: only src/stack/coroutine.rs may name `corosensei`"]
    );
}

#[test]
fn lines_of_code_are_counted_without_comments_and_with_long_strings() {
    let text = "//! Head\n\nfn f() {\n    // why\n    let s = \"a\n\n b\";\n}\n";
    assert_eq!(
        code_lines(text).into_iter().collect::<Vec<_>>(),
        [3, 5, 6, 7, 8]
    );
    let all = files(&[("long.rs", text)]);
    assert_eq!(
        too_long(&all, 4),
        ["src/long.rs:8: 5 lines of code, at most 4 are allowed"]
    );
    assert_eq!(too_long(&all, 5), [""; 0]);
}

#[test]
fn a_name_that_says_nothing_is_found_for_files_and_folders() {
    let all = files(&[
        ("sync/util.rs", ""),
        ("common/mod.rs", ""),
        ("sync/utility.rs", ""),
    ]);
    let found = empty_names(&all, &["util", "common"]);
    assert_eq!(
        found,
        [
            "src/sync/util.rs:1: a name that says nothing",
            "src/common/mod.rs:1: a name that says nothing",
        ]
    );
}
