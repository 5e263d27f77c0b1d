//! gdb finds green threads, in a process and in its core file, and shows where each stands.
//!
//! Without gdb there is nothing to try, and each test says so; where `CI` is set to `true` that is a failure.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "exports a function for a breakpoint")]

#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use greenthread::generator::Generator;
use greenthread::{Builder, park, run, spawn, yield_now};

/// Says to a child process that it is the one to be looked at.
const CHILD: &str = "GREENTHREAD_DEBUGGER_CHILD";

/// gdb stops here.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn greenthread_test_stops_here() {
    std::hint::black_box(());
}

#[inline(never)]
fn waits_in_this_function() {
    park();
    std::hint::black_box(());
}

#[inline(never)]
fn drives_a_generator() {
    Generator::<(), (), ()>::new(|_| waits_in_this_function()).start();
}

#[inline(never)]
fn calls_the_stop() {
    greenthread_test_stops_here();
    std::hint::black_box(());
}

/// What gdb looks at.
fn program() {
    run(|| {
        let first = Builder::new()
            .name("mute one".into())
            .spawn(waits_in_this_function)
            .unwrap();
        let second = spawn(drives_a_generator);
        yield_now();
        let third = Builder::new()
            .name("stopper".into())
            .spawn(calls_the_stop)
            .unwrap();
        third.join().unwrap();
        for one in [first, second] {
            one.thread().unpark();
            one.join().unwrap();
        }
    });
    std::process::exit(0);
}

fn has_gdb() -> bool {
    let found = Command::new("gdb")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let found = found.is_ok_and(|status| status.success());
    assert!(
        found || std::env::var("CI").as_deref() != Ok("true"),
        "gdb is missing"
    );
    if !found {
        eprintln!("skipped: gdb is missing");
    }
    found
}

/// What gdb says to these commands, with this test as the program.
fn gdb(file: Option<&str>, test: &str, commands: &[String]) -> String {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/debugger/greenthread-gdb.py"
    );
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new("gdb");
    command.args([
        "-nx",
        "-batch",
        "-iex",
        "set debuginfod enabled off",
        "-ex",
        "set pagination off",
        "-x",
        script,
    ]);
    for one in commands {
        command.args(["-ex", one]);
    }
    match file {
        Some(core) => command.arg(program).arg(core),
        None => command
            .arg("--args")
            .arg(program)
            .args(["--exact", test, "--test-threads=1"]),
    };
    let output: Output = command
        .env(CHILD, "1")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    format!("{text}\n{}", String::from_utf8_lossy(&output.stderr))
}

/// To where the program stops.
fn stopped(then: &[&str]) -> Vec<String> {
    let first = ["break greenthread_test_stops_here", "run"];
    first
        .iter()
        .chain(then)
        .map(|one| (*one).to_owned())
        .collect()
}

/// The number of the green thread with this name, in gdb's list; of the one without a name, for an empty one.
fn number(text: &str, name: &str) -> String {
    let is_wanted = |line: &&str| match name {
        "" => !line.contains('"'),
        name => line.contains(&format!("\"{name}\"")),
    };
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with("green thread "));
    let line = lines
        .find(is_wanted)
        .unwrap_or_else(|| panic!("no {name:?} in\n{text}"));
    line.split(' ').nth(2).unwrap().to_owned()
}

/// What stands behind this line.
fn after<'a>(text: &'a str, marker: &str) -> &'a str {
    text.split_once(marker)
        .unwrap_or_else(|| panic!("no {marker:?} in\n{text}"))
        .1
}

#[test]
fn gdb_lists_the_green_threads_of_a_process_and_shows_where_one_stands() {
    const NAME: &str = "gdb_lists_the_green_threads_of_a_process_and_shows_where_one_stands";
    if std::env::var_os(CHILD).is_some() {
        program();
    }
    if !has_gdb() {
        return;
    }
    let list = gdb(None, NAME, &stopped(&["info greenthreads"]));
    assert!(
        list.contains("\"mute one\" waits in park, spawned at tests/debugger/main.rs:"),
        "{list}"
    );
    assert!(list.contains("\"stopper\" runs on OS thread"), "{list}");
    assert!(list.contains("\n3 green threads"), "{list}");

    let (first, second) = (number(&list, "mute one"), number(&list, ""));
    let commands = [
        format!("greenthread {first}").as_str(),
        "bt",
        "echo =second=\\n",
        &format!("greenthread {second}"),
        "bt",
        "echo =back=\\n",
        "greenthread",
        "bt",
        "echo =none=\\n",
        "greenthread 999",
        "continue",
    ]
    .map(str::to_owned);
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let text = gdb(None, NAME, &stopped(&commands));
    let (one, rest) = text.split_once("=second=").unwrap();
    assert!(one.contains("waits_in_this_function"), "{one}");
    assert!(!one.contains("drives_a_generator"), "{one}");
    let (two, back) = rest.split_once("=back=").unwrap();
    assert!(
        after(two, "waits_in_this_function").contains("drives_a_generator"),
        "{two}"
    );
    assert!(
        back.contains("calls_the_stop") && !back.contains("drives_a_generator"),
        "{back}"
    );
    assert!(text.contains("there is no green thread 999"), "{text}");
    // It was only looked at.
    assert!(back.contains("exited normally"), "{back}");
}

#[test]
fn gdb_finds_the_same_in_a_core_file() {
    const NAME: &str = "gdb_finds_the_same_in_a_core_file";
    if std::env::var_os(CHILD).is_some() {
        // gdb's core files leave out a mapping with guards in it that it cannot read; the kernel's do not. This way guards are mappings of their own.
        const GUARD_INSTALL: u32 = 102;
        support::child::refuse(libc::SYS_madvise, 2, GUARD_INSTALL, libc::EINVAL);
        program();
    }
    if !has_gdb() {
        return;
    }
    let core =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("core.{}", std::process::id()));
    let core = core.to_str().unwrap();
    let make = format!("generate-core-file {core}");
    let live = gdb(None, NAME, &stopped(&["info greenthreads", &make, "kill"]));
    let list = gdb(Some(core), NAME, &["info greenthreads".to_owned()]);
    assert!(list.contains("\n3 green threads"), "{live}\n{list}");
    let first = number(&list, "mute one");
    let text = gdb(
        Some(core),
        NAME,
        &[format!("greenthread {first}"), "bt".to_owned()],
    );
    std::fs::remove_file(core).unwrap();
    assert!(text.contains("waits_in_this_function"), "{text}");
}

#[test]
fn the_script_is_for_the_version_that_the_crate_has() {
    let package = env!("CARGO_MANIFEST_DIR");
    let script =
        std::fs::read_to_string(format!("{package}/src/debugger/greenthread-gdb.py")).unwrap();
    let source = std::fs::read_to_string(format!("{package}/src/debugger/mod.rs")).unwrap();
    assert!(script.contains("\nVERSION = 1\n"));
    assert!(source.contains("\n    version: 1,\n"));
}
