//! Timelines as text, as a picture and as a page.

use std::time::Duration;

use greenthread::generator::{Generator, Yielder};
use greenthread::trace::{self, Timeline};
use greenthread::{sleep, spawn, yield_now};

use crate::{named, record, turn};

fn tea() -> Timeline {
    record(|| {
        let tea = named("tea", || {
            trace::mark("water on");
            sleep(Duration::from_secs(180));
            trace::mark("tea is ready");
        });
        tea.join().unwrap();
    })
}

#[test]
#[apply(on_roots)]
fn the_text_is_the_same_byte_for_byte() {
    let expected = "
     time  OS thread   root                   tea          marks
────────────────────────────────────────────────────────────────
  0.000 s  root        ┃
           │           ┃─ spawns ────────────▶·
                       ┊ JoinHandle::join tea ·
           tea         ┊                      ┃            • water on
                       ┊                      ┊ sleep
           180 s idle  ┊                      ┊
180.000 s              ┊                      │ time is up
           tea         ┊                      ┃            • tea is ready
           │           │◀─ wakes ─────────────┃
                       │                      ╹ ends
           root        ┃

┃ runs   │ ready   ┊ waits   · has not begun   ║ drives a generator
";
    assert_eq!(tea().to_text(), &expected[1..]);
}

#[test]
#[apply(on_roots)]
fn generators_have_columns_and_their_drivers_a_double_line() {
    let timeline = record(|| {
        let drives = named("driver", || {
            let counts = Generator::new(|y: &Yielder<(), u8>| {
                trace::mark("one");
                y.yield_(1);
            });
            counts.start();
            counts.send(());
        });
        drives.join().unwrap();
    });
    let expected = "
   time  OS thread    root                      driver        generator 1  marks
────────────────────────────────────────────────────────────────────────────────
0.000 s  root         ┃
         │            ┃─ spawns ───────────────▶·
                      ┊ JoinHandle::join driver ·
         driver       ┊                         ┃
         generator 1  ┊                         ║─ resumes ──▶┃            • one
         driver       ┊                         ┃◀─ yields ───┊
         generator 1  ┊                         ║─ resumes ──▶┃
         driver       ┊                         ┃◀─ ends ─────╹
         │            │◀─ wakes ────────────────┃
                      │                         ╹ ends
         root         ┃

┃ runs   │ ready   ┊ waits   · has not begun   ║ drives a generator
";
    assert_eq!(timeline.to_text(), &expected[1..]);
}

/// A name and a mark with everything that could break out of where they stand.
const ODD: &str = "<b>&\"'</script>]]>\u{0}\u{1b}[31m\n½\u{2028}🦀";

fn odd() -> Timeline {
    // A panic is told to the flight recorders of other tests.
    let _turn = turn();
    record(|| {
        // A name cannot hold a NUL.
        let name = ODD.replace('\0', "");
        named(&name, || {
            trace::mark(ODD);
            assert!(
                spawn(|| std::panic::panic_any(ODD.to_owned()))
                    .join()
                    .is_err()
            );
        })
        .join()
        .unwrap();
    })
}

#[test]
#[apply(once)]
fn odd_names_cannot_move_the_cursor() {
    let text = odd().to_text();
    assert!(text.contains("<b>&\"'</script>"), "{text}");
    let control = text.chars().find(|char| char.is_control() && *char != '\n');
    assert_eq!(control, None, "{text}");
    assert!(text.contains("\\u{1b}[31m\\n½"), "{text}");
}

#[test]
#[apply(once)]
fn odd_names_are_text_in_the_picture() {
    let svg = odd().to_svg();
    assert!(!svg.contains("<b>") && !svg.contains("</script>"), "{svg}");
    assert!(svg.contains("&lt;b&gt;&amp;&quot;&#39;&lt;/script&gt;]]&gt;"));
    let control = svg.chars().find(|char| char.is_control() && *char != '\n');
    assert_eq!(control, None);
}

#[test]
#[apply(once)]
fn odd_names_cannot_end_the_script_of_the_page() {
    let html = odd().to_html();
    assert_eq!(html.matches("</script>").count(), 1);
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(!html.contains("<b>&"));
}

#[test]
#[apply(once)]
fn the_picture_is_well_formed() {
    for timeline in [tea(), odd(), Timeline::default()] {
        assert_well_formed(&timeline.to_svg());
    }
}

/// Every element that is opened is closed, in order; attributes are quoted.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(begin) = rest.find('<') {
        let end = begin + rest[begin..].find('>').expect("a tag is closed");
        let tag = &rest[begin + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
#[apply(on_roots)]
fn picture_and_page_follow_the_choice_of_light_or_dark_and_need_no_network() {
    let timeline = tea();
    for drawing in [timeline.to_svg(), timeline.to_html()] {
        assert!(drawing.contains("prefers-color-scheme: dark"));
        let foreign = drawing.replace("http://www.w3.org/2000/svg", "");
        for way_out in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!foreign.contains(way_out), "{way_out}");
        }
    }
}

#[test]
#[apply(on_workers)]
fn an_empty_timeline_says_so() {
    let empty = Timeline::default();
    assert!(empty.to_text().contains("nothing was recorded"));
    assert!(empty.to_svg().contains("nothing was recorded"));
    assert!(empty.to_html().contains("\"rows\":[\n]"));
}

#[test]
#[apply(on_workers)]
fn long_recordings_are_drawn_within_bounds() {
    let timeline = record(|| (0..40_000).for_each(|_| yield_now()));
    let text = timeline.to_text();
    assert!(text.lines().count() < 4_010, "{}", text.lines().count());
    assert!(text.contains("rows are left out"));
    let svg = timeline.to_svg();
    assert!(svg.contains("rows are left out") && svg.len() < 4_000_000);
    assert!(timeline.to_html().len() < 8_000_000);
}

#[test]
#[apply(on_workers)]
fn those_who_come_later_take_the_columns_of_those_who_have_ended() {
    let timeline = record(|| {
        for n in 0..100 {
            named(&format!("number {n}"), || ()).join().unwrap();
        }
    });
    let text = timeline.to_text();
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest < 100, "{widest}");
    // Who is in a column is said where its life begins.
    assert!(text.contains("number 99"));
}

#[test]
#[apply(on_workers)]
fn many_at_once_are_drawn_as_far_as_there_is_room() {
    let timeline = record(|| {
        let all: Vec<_> = (0..200).map(|_| spawn(yield_now)).collect();
        all.into_iter().for_each(|one| one.join().unwrap());
    });
    assert!(timeline.to_text().contains("more columns are left out"));
    assert!(timeline.to_svg().contains("more columns are left out"));
}

#[test]
#[apply(on_roots)]
fn two_green_threads_in_a_row_are_drawn_by_the_time_they_take() {
    let timeline = record(|| {
        let first = named("first", || sleep(Duration::from_millis(1500)));
        first.join().unwrap();
    });
    let text = timeline.to_text();
    assert!(text.contains("1.5 s idle"), "{text}");
    assert!(text.contains("1.500 s"), "{text}");
}
