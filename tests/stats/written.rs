//! The numbers as JSON.

use greenthread::{Stats, spawn, stats};
use serde_json::Value;

#[test]
#[apply(once)]
fn the_json_is_what_its_schema_says() {
    super::fresh(|| {
        spawn(greenthread::yield_now).join().unwrap();
        let stats: Stats = stats();
        let json: Value = serde_json::from_str(&stats.to_json()).unwrap();
        assert_eq!(json["greenthread_stats"], 1);
        assert_eq!(json["here"]["spawned"], 1);
        assert_eq!(json["here"]["yields"], stats.here.yields);
        assert_eq!(json["scheduling"]["switches"], stats.scheduling.switches);
        assert_eq!(json["unplaced"], stats.unplaced);
        assert_eq!(json["blocking"]["done"], stats.blocking.done);
        assert_eq!(json["stacks"]["live"], stats.stacks.live);
        let listed = json["os_threads"].as_array().unwrap();
        assert_eq!(listed.len(), stats.os_threads.len());
        let joins = json["parks"].as_array().unwrap();
        assert!(
            joins
                .iter()
                .any(|one| one["operation"] == "JoinHandle::join")
        );
        for (name, value) in json["here"].as_object().unwrap() {
            assert!(value.is_u64(), "{name}");
        }
    });
}
