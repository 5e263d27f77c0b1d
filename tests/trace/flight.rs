//! Flight recorders: the last moments, written when something goes wrong.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use greenthread::trace::{self, FlightRecorder, What};
use greenthread::{Runtime, park, sleep, spawn};

use crate::support::panic_text;
use crate::turn;

const LONG: Duration = Duration::from_secs(3600);

/// A file that is gone when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("greenthread-flight-{}-{name}", std::process::id());
        File(env::temp_dir().join(name))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl AsRef<Path> for File {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

#[test]
#[apply(once)]
fn a_panic_writes_what_led_to_it() {
    let _turn = turn();
    let file = File::new("panic.txt");
    let recorder = FlightRecorder::start(LONG).to_file(&file.0);
    trace::mark("just before");
    assert!(spawn(|| panic!("out of tea")).join().is_err());
    drop(recorder);
    let text = file.text();
    assert!(text.contains("just before"), "{text}");
    assert!(text.contains("panics: out of tea"), "{text}");
}

#[test]
#[apply(once)]
fn a_deadlock_writes_what_led_to_it() {
    let _turn = turn();
    let file = File::new("deadlock.txt");
    let recorder = FlightRecorder::start(LONG).to_file(&file.0);
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let said = panic_text(|| {
        runtime.run(|| {
            trace::mark("nobody will unpark me");
            park();
        });
    });
    assert!(said.contains("deadlock"), "{said}");
    drop(recorder);
    assert!(file.text().contains("nobody will unpark me"));
}

#[test]
#[apply(once)]
fn a_request_writes_in_the_way_that_the_name_says() {
    let _turn = turn();
    let recorder = FlightRecorder::start(LONG);
    trace::mark("asked");
    for (ending, head) in [
        ("txt", " "),
        ("svg", "<svg "),
        ("html", "<!DOCTYPE html>"),
        ("json", "{"),
    ] {
        let file = File::new(&format!("request.{ending}"));
        recorder.write(&file).unwrap();
        let text = file.text();
        assert!(text.starts_with(head), "{ending}: {text}");
        assert!(text.contains("asked"));
    }
}

#[test]
#[apply(once)]
fn a_file_that_cannot_be_written_is_an_error() {
    let _turn = turn();
    let recorder = FlightRecorder::start(LONG);
    let folder = env::temp_dir()
        .join("greenthread-no-such-folder")
        .join("x.txt");
    assert!(recorder.write(folder).is_err());
}

#[test]
#[apply(once)]
fn only_the_last_span_is_kept() {
    let _turn = turn();
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    let marks = runtime.run(|| {
        let recorder = FlightRecorder::start(Duration::from_secs(10));
        for second in 0..60 {
            trace::mark(second);
            sleep(Duration::from_secs(1));
        }
        let timeline = recorder.timeline();
        let marks = timeline.events().filter_map(|event| match &event.what {
            What::Mark { text } => Some(text.clone()),
            _ => None,
        });
        marks.collect::<Vec<_>>()
    });
    let expected: Vec<_> = (50..60).map(|second| second.to_string()).collect();
    assert_eq!(marks, expected);
}

#[test]
#[apply(once)]
fn trouble_after_trouble_is_told_once_in_a_span() {
    let _turn = turn();
    let told = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&told);
    let recorder = FlightRecorder::start(LONG).on_trouble(move |trouble, timeline| {
        let count = timeline.events().len();
        list.lock().unwrap().push((trouble.to_owned(), count > 0));
    });
    for _ in 0..3 {
        assert!(spawn(|| panic!("again")).join().is_err());
    }
    drop(recorder);
    assert!(spawn(|| panic!("after the end")).join().is_err());
    let told = told.lock().unwrap();
    assert_eq!(*told, [("a green thread panicked".to_owned(), true)]);
}

#[test]
#[apply(once)]
fn what_panics_at_trouble_changes_nothing() {
    let _turn = turn();
    let recorder = FlightRecorder::start(LONG).on_trouble(|_, _| panic!("at trouble"));
    let error = spawn(|| panic!("the first")).join().unwrap_err();
    assert!(error.to_string().contains("the first"), "{error}");
    drop(recorder);
}

#[test]
#[apply(once)]
fn a_recorder_that_a_panic_drops_writes_first() {
    let _turn = turn();
    let file = File::new("dropped.txt");
    let path = file.0.clone();
    let said = panic_text(move || {
        let _recorder = FlightRecorder::start(LONG).to_file(path);
        trace::mark("on the root");
        panic!("the root is done");
    });
    assert_eq!(said, "the root is done");
    assert!(file.text().contains("on the root"));
}
