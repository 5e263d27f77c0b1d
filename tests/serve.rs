//! `trace::serve`: what other programs are told, and what they cannot do to this one.

#![expect(unsafe_code, reason = "shortens a listener's line")]

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use greenthread::{Builder, spawn_blocking, trace};
use serde_json::Value;

/// A path of this test's own, with nothing there.
fn place(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gt-serve-{}-{name}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

/// A connection of a client.
struct Client(BufReader<UnixStream>);

impl Client {
    fn new(path: &PathBuf) -> Self {
        Client(BufReader::new(UnixStream::connect(path).unwrap()))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, what: &str) -> Value {
        self.0.get_mut().write_all(what.as_bytes()).unwrap();
        self.0.get_mut().write_all(b"\n").unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }
}

fn names(dump: &Value) -> Vec<&str> {
    let all = dump["green_threads"].as_array().unwrap();
    all.iter().filter_map(|one| one["name"].as_str()).collect()
}

#[test]
#[apply(once)]
fn a_client_sees_the_green_threads_and_the_numbers() {
    let serving = trace::serve(place("sees")).unwrap();
    let path = serving.path().to_owned();
    let named = Builder::new().name("seen from outside".into());
    let parked = named.spawn(greenthread::park).unwrap();
    greenthread::yield_now();
    let answers = spawn_blocking(move || {
        let mut client = Client::new(&path);
        (
            client.ask("dump"),
            client.ask("stats"),
            client.ask("nonsense"),
        )
    });
    let (dump, stats, nonsense) = answers.join().unwrap();
    assert_eq!(dump["greenthread_dump"], 1);
    assert!(names(&dump).contains(&"seen from outside"), "{dump}");
    assert_eq!(stats["greenthread_stats"], 1);
    assert!(stats["scheduling"]["spawned"].as_u64().unwrap() >= 1);
    assert!(nonsense["error"].is_string());
    parked.thread().unpark();
    parked.join().unwrap();
}

#[test]
#[apply(once)]
fn a_program_that_lets_nobody_else_run_is_seen_all_the_same() {
    let serving = trace::serve(place("busy")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stops = Arc::clone(&stop);
    let (began, begins) = std::sync::mpsc::channel();
    let busy = std::thread::spawn(move || {
        let holds = move || {
            began.send(()).unwrap();
            while !stops.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        let named = Builder::new().name("holds it".into());
        named.spawn(holds).unwrap().join().unwrap();
    });
    begins.recv().unwrap();
    let dump = Client::new(&serving.path().to_owned()).ask("dump");
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    let all = dump["os_threads"].as_array().unwrap();
    assert!(all.iter().any(|one| one["answered"] == false), "{dump}");
}

#[test]
#[apply(once)]
fn the_socket_is_for_its_owner_alone_and_goes_with_the_handle() {
    let path = place("mode");
    let serving = trace::serve(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = Client::new(&path);
    client.ask("stats");
    drop(serving);
    assert!(!path.exists());
    // Whoever was served is let go.
    assert_eq!(client.0.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
#[apply(once)]
fn a_socket_that_was_left_is_replaced_and_one_that_answers_is_not() {
    let path = place("left");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let serving = trace::serve(&path).unwrap();
    let second = trace::serve(&path).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AddrInUse, "{second}");
    Client::new(&path).ask("stats");
    drop(serving);
}

#[test]
#[apply(once)]
fn of_those_who_begin_at_one_path_at_once_one_serves_and_the_others_are_told() {
    const MANY: usize = 4;
    for round in 0..100 {
        let path = place("race");
        if round % 2 == 0 {
            // A socket that was left.
            drop(UnixListener::bind(&path).unwrap());
        }
        let start = std::sync::Barrier::new(MANY);
        let mut serving = std::thread::scope(|s| {
            let begin = || {
                start.wait();
                trace::serve(&path)
            };
            let all: Vec<_> = (0..MANY).map(|_| s.spawn(begin)).collect();
            let all = all.into_iter().map(|one| one.join().unwrap());
            let (serving, refused): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
            for error in refused.into_iter().map(Result::unwrap_err) {
                assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
            }
            serving
        });
        assert_eq!(serving.len(), 1);
        assert!(Client::new(&path).ask("stats")["greenthread_stats"] == 1);
        let beside = format!("{}.lock", path.display());
        assert!(!fs::exists(beside).unwrap());
        drop(serving.pop());
        assert!(!path.exists());
    }
}

#[test]
#[apply(once)]
fn a_program_that_takes_nobody_is_not_waited_for() {
    let path = place("full");
    let listener = UnixListener::bind(&path).unwrap();
    // SAFETY: the descriptor is the listener's; a line for one.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let _first = UnixStream::connect(&path).unwrap();
    let error = trace::serve(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
    fs::remove_file(path).unwrap();
}

#[test]
#[apply(once)]
fn a_file_of_another_kind_is_never_replaced() {
    let path = place("file");
    fs::write(&path, "mine").unwrap();
    let error = trace::serve(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("no socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fs::remove_file(path).unwrap();
}

#[test]
#[apply(once)]
fn an_error_names_the_path() {
    let error = trace::serve("/no-such-folder/socket").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.to_string().contains("/no-such-folder/socket"),
        "{error}"
    );
}

#[test]
#[apply(once)]
fn dropping_the_handle_leaves_a_socket_alone_that_somebody_else_put_there() {
    let path = place("other");
    let serving = trace::serve(&path).unwrap();
    // Made while the first is there, so that it is another file even where the system uses numbers again.
    let elsewhere = place("elsewhere");
    let _other = UnixListener::bind(&elsewhere).unwrap();
    fs::rename(&elsewhere, &path).unwrap();
    let is_other = fs::metadata(&path).unwrap();
    drop(serving);
    let after = fs::metadata(&path);
    assert!(after.is_ok_and(|after| after.ino() == is_other.ino()));
    fs::remove_file(path).unwrap();
}

#[test]
#[apply(once)]
fn a_client_that_sends_much_is_let_go() {
    let serving = trace::serve(place("much")).unwrap();
    let mut client = Client::new(&serving.path().to_owned());
    client.0.get_mut().write_all(&[b'x'; 64]).unwrap();
    let end = client.0.read(&mut [0; 1]);
    assert!(matches!(end, Ok(0)), "{end:?}");
}

#[test]
#[apply(once)]
fn those_who_are_too_many_are_told_and_one_who_takes_no_answers_harms_nobody() {
    let serving = trace::serve(place("many")).unwrap();
    let path = serving.path().to_owned();
    let mut all: Vec<Client> = (0..8).map(|_| Client::new(&path)).collect();
    for client in &mut all {
        client.ask("stats");
    }
    let refused = Client::new(&path).line();
    assert!(refused.contains("too many clients"), "{refused}");
    // Asks for far more than its socket holds, and reads nothing.
    let mute = all.pop().unwrap();
    mute.0.get_ref().set_nonblocking(true).unwrap();
    for _ in 0..1000 {
        if mute.0.get_ref().write(b"stats\n").is_err() {
            break;
        }
    }
    assert_eq!(all[0].ask("stats")["greenthread_stats"], 1);
    assert!(all[1].ask("dump")["green_threads"].is_array());
}
