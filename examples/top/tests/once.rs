//! One picture of a running program: this one.

use std::process::Command;

use greenthread::{Builder, channel::bounded, trace};

fn top(words: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenthread-top"));
    command.args(words).output().unwrap()
}

#[test]
fn one_picture_names_the_green_threads_and_what_they_wait_in() {
    let path = std::env::temp_dir().join(format!("gt-top-{}", std::process::id()));
    let serving = trace::serve(&path).unwrap();
    let (send, receive) = bounded::<()>(1);
    let named = Builder::new().name("cook".into());
    let cook = named.spawn(move || receive.recv()).unwrap();
    greenthread::yield_now();
    let socket = path.display().to_string();
    let look = move |words: &'static [&'static str]| {
        let socket = socket.clone();
        let looks = greenthread::spawn_blocking(move || {
            let mut all = words.to_vec();
            all.push(&socket);
            top(&all)
        });
        let output = looks.join().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let all = look(&["--once"]);
    let line = all.lines().find(|line| line.contains("cook")).unwrap();
    assert!(
        line.contains("parked") && line.contains("Receiver::recv"),
        "{all}"
    );
    assert!(line.contains("once.rs:"), "{all}");
    assert!(all.contains("switches "), "{all}");
    let ready = look(&["--once", "--state", "ready"]);
    assert!(!ready.contains("cook"), "{ready}");
    drop(send);
    assert!(cook.join().unwrap().is_err());
    drop(serving);
}

#[test]
fn a_socket_that_is_not_there_is_an_error_and_wrong_words_show_the_usage() {
    let output = top(&["--once", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/at/all"));
    let output = top(&["--sort", "colour", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage"));
}
