//! Many children at once.

use std::cell::Cell;

use greenthread::process::Stdio;
use greenthread::{gather, scope, spawn};

use crate::shell;

const CHILDREN: i32 = 100;

#[test]
#[apply(once)]
fn a_hundred_children_end_in_any_order() {
    let children = (0..CHILDREN).map(|n| {
        let child = shell(&format!("exit {n}")).spawn().unwrap();
        spawn(move || child.wait().unwrap().code())
    });
    let children: Vec<_> = children.collect();
    let codes = gather(children).into_iter().map(Result::unwrap);
    assert!(codes.eq((0..CHILDREN).map(Some)));
}

#[test]
#[apply(once)]
fn a_hundred_children_are_talked_to_at_once() {
    let answered = Cell::new(0);
    scope(|s| {
        for n in 0..CHILDREN {
            let answered = &answered;
            s.spawn(move || {
                let mut command = shell("read -r n; echo $((n + 1))");
                command.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut child = command.spawn().unwrap();
                let output = child.communicate(format!("{n}\n")).unwrap();
                assert_eq!(output.stdout, format!("{}\n", n + 1).as_bytes());
                answered.set(answered.get() + 1);
            });
        }
    });
    assert_eq!(answered.get(), CHILDREN);
}
