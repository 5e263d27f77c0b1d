//! The numbers in Prometheus' text format: read back by the rules of that format, as its own reader would.

use std::collections::BTreeMap;

use greenthread::{Runtime, spawn, stats};

/// One family: its kind, its help, and its samples by their labels.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    samples: BTreeMap<String, f64>,
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// `a="x",b="y"`, without escapes: ours have none.
fn check_labels(labels: &str) {
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (name, value) = label.split_once("=\"").unwrap();
        assert!(is_name(name) && !name.contains(':'), "{labels}");
        let value = value.strip_suffix('"').unwrap_or(value);
        assert!(!value.contains(['"', '\\', '\n']), "{labels}");
    }
}

/// Reads a page, and holds it to the format: every line ends, a family's lines stand together, HELP and TYPE come once and first, no sample comes twice.
fn read(page: &str) -> BTreeMap<String, Family> {
    assert!(page.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut last = String::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(is_name(name), "{line}");
            let family = Family {
                help: help.into(),
                ..Family::default()
            };
            assert!(families.insert(name.into(), family).is_none(), "{line}");
            last = name.into();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, last, "{line}");
            let family = families.get_mut(name).unwrap();
            assert!(family.kind.is_empty() && family.samples.is_empty());
            family.kind = kind.into();
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            assert_eq!(name, last, "{line}");
            let labels = labels.strip_suffix('}').unwrap();
            check_labels(labels);
            let family = families.get_mut(name).unwrap();
            let value = value.parse().unwrap();
            let before = family.samples.insert(labels.into(), value);
            assert!(before.is_none(), "{line}");
        }
    }
    families
}

#[test]
#[apply(once)]
fn the_page_is_well_formed_and_its_names_keep_the_conventions() {
    super::fresh(|| {
        spawn(greenthread::yield_now).join().unwrap();
        let families = read(&stats().to_prometheus());
        for (name, family) in &families {
            assert!(name.starts_with("greenthread_"), "{name}");
            let grows = match &*family.kind {
                "counter" => true,
                "gauge" => false,
                other => panic!("{name} is a {other}"),
            };
            assert_eq!(name.ends_with("_total"), grows, "{name}");
            assert!(family.help.ends_with('.'), "{name}: {}", family.help);
        }
    });
}

#[test]
#[apply(once)]
fn the_page_says_what_stats_says() {
    let runtime = Runtime::builder().workers(2).build().unwrap();
    runtime.run(|| {
        let handles = runtime.run_on_each(|_| greenthread::yield_now());
        handles.into_iter().for_each(|one| one.join().unwrap());
        let stats = stats();
        let families = read(&stats.to_prometheus());
        let one = |name: &str| families[name].samples[""];
        assert_eq!(
            one("greenthread_spawns_total"),
            stats.scheduling.spawned as f64
        );
        assert_eq!(
            one("greenthread_switches_total"),
            stats.scheduling.switches as f64
        );
        assert_eq!(one("greenthread_timers"), stats.scheduling.timers as f64);
        assert_eq!(
            one("greenthread_blocking_jobs_done_total"),
            stats.blocking.done as f64
        );
        assert_eq!(
            one("greenthread_stack_pool_resident_bytes"),
            stats.stacks.bytes_touched as f64
        );
        for (number, worker) in stats.workers.iter().enumerate() {
            let label = format!("worker=\"{number}\"");
            let begun = families["greenthread_worker_begun_total"].samples[&label];
            assert_eq!(begun, worker.begun as f64);
            let switches = families["greenthread_worker_switches_total"].samples[&label];
            assert_eq!(switches, worker.scheduling.switches as f64);
        }
        for one in &stats.parks {
            let label = format!("operation=\"{}\"", one.operation);
            let parks = families["greenthread_operation_parks_total"].samples[&label];
            assert_eq!(parks, one.parks as f64);
        }
    });
}
