//! The Trace Event Format, held against what its document says of each phase.

use std::collections::HashMap;

use greenthread::channel::bounded;
use greenthread::trace::{self, Timeline};
use greenthread::{spawn, yield_now};
use serde_json::Value;

use crate::{named, record, turn};

fn events(timeline: &Timeline) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&timeline.to_chrome_json()).unwrap();
    assert!(["ms", "ns"].contains(&trace["displayTimeUnit"].as_str().unwrap()));
    trace["traceEvents"].as_array().unwrap().clone()
}

fn busy() -> Timeline {
    // A panic is told to the flight recorders of other tests.
    let _turn = turn();
    record(|| {
        let (sender, receiver) = bounded(1);
        let sends = named("sends", move || {
            (0..3).for_each(|n| sender.send(n).unwrap())
        });
        let panics = named("<\"panics\">\\", || panic!("a \"quoted\" text"));
        assert_eq!(receiver.iter().count(), 3);
        trace::mark("all are here\n");
        assert!(panics.join().is_err());
        sends.join().unwrap();
        spawn(yield_now).join().unwrap();
    })
}

#[test]
#[apply(once)]
fn every_event_has_the_fields_of_its_phase() {
    for event in events(&busy()) {
        assert!(event["name"].is_string(), "{event}");
        assert!(event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
        let has_time = event["ts"].is_f64();
        match event["ph"].as_str().unwrap() {
            "X" => assert!(has_time && event["dur"].as_f64().unwrap() >= 0.0, "{event}"),
            "i" => assert!(has_time && event["s"] == "t", "{event}"),
            "s" => assert!(has_time && event["id"].is_u64() && event["cat"].is_string()),
            "f" => assert!(has_time && event["id"].is_u64() && event["bp"] == "e"),
            "M" => assert!(
                event["args"].is_object() && event["ts"].is_null(),
                "{event}"
            ),
            other => panic!("the phase {other:?} is not one that is written"),
        }
    }
}

#[test]
#[apply(once)]
fn flows_have_two_ends_at_the_same_moment() {
    let mut ends: HashMap<u64, Vec<Value>> = HashMap::new();
    for event in events(&busy()) {
        if let Some(id) = event["id"].as_u64() {
            ends.entry(id).or_default().push(event);
        }
    }
    assert!(!ends.is_empty());
    for ends in ends.values() {
        let [start, finish] = &ends[..] else {
            panic!("{ends:?}")
        };
        assert_eq!((&start["ph"], &finish["ph"]), (&"s".into(), &"f".into()));
        for field in ["cat", "name", "ts"] {
            assert_eq!(start[field], finish[field]);
        }
        assert_ne!(start["tid"], finish["tid"]);
    }
}

#[test]
#[apply(once)]
fn slices_of_one_thread_do_not_overlap() {
    let mut ends: HashMap<(u64, u64), f64> = HashMap::new();
    for event in events(&busy()) {
        if event["ph"] == "X" {
            let thread = (
                event["pid"].as_u64().unwrap(),
                event["tid"].as_u64().unwrap(),
            );
            let begin = event["ts"].as_f64().unwrap();
            let end = ends.entry(thread).or_insert(0.0);
            assert!(begin >= *end, "{event}");
            *end = begin + event["dur"].as_f64().unwrap();
        }
    }
}

#[test]
#[apply(once)]
fn threads_have_the_names_of_green_threads() {
    let events = events(&busy());
    let names: Vec<_> = events
        .iter()
        .filter(|event| event["name"] == "thread_name" && event["pid"] == 2)
        .map(|event| event["args"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[..3], ["root", "sends", "<\"panics\">\\"]);
}

#[test]
#[apply(once)]
fn marks_are_instant_events() {
    let events = events(&busy());
    let mark = events
        .iter()
        .find(|event| event["name"] == "all are here\n");
    assert_eq!(mark.unwrap()["ph"], "i");
}

#[test]
#[apply(on_workers)]
fn an_empty_timeline_is_a_trace_too() {
    let events = events(&Timeline::default());
    assert!(events.iter().all(|event| event["ph"] == "M"));
}
