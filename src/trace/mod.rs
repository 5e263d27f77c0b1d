//! Seeing what runs: timelines of green threads.
//!
//! A [`Recording`] keeps what happens while it is under way: who is spawned, runs, waits (and for what), is woken (and by whom), is cancelled, panics and ends; generators,
//! blocking jobs, and the program's own [marks](mark()). A [`Timeline`] is what comes out, and draws itself: [as text](Timeline::to_text), [as SVG](Timeline::to_svg),
//! [as a page to look around in](Timeline::to_html) and [for Perfetto](Timeline::to_chrome_json). A [`FlightRecorder`] keeps the last moments and writes them down when
//! something goes wrong.
//!
//! ```
//! use greenthread::{Builder, Runtime, sleep, trace};
//! use std::time::Duration;
//!
//! let runtime = Runtime::builder().virtual_time().build().unwrap();
//! let timeline = runtime.run(|| {
//!     let recording = trace::Recording::start();
//!     let tea = Builder::new().name("tea".into()).spawn(|| {
//!         trace::mark("water on");
//!         sleep(Duration::from_secs(180));
//!         trace::mark("tea is ready");
//!     });
//!     tea.unwrap().join().unwrap();
//!     recording.finish()
//! });
//! println!("{}", timeline.to_text());
//! ```
//!
//! draws this:
//!
//! ```text
//!      time  OS thread   root                   tea          marks
//! ────────────────────────────────────────────────────────────────
//!   0.000 s  root        ┃
//!            │           ┃─ spawns ────────────▶·
//!                        ┊ JoinHandle::join tea ·
//!            tea         ┊                      ┃            • water on
//!                        ┊                      ┊ sleep
//!            180 s idle  ┊                      ┊
//! 180.000 s              ┊                      │ time is up
//!            tea         ┊                      ┃            • tea is ready
//!            │           │◀─ wakes ─────────────┃
//!                        │                      ╹ ends
//!            root        ┃
//!
//! ┃ runs   │ ready   ┊ waits   · has not begun   ║ drives a generator
//! ```
//!
//! [`serve()`] lets another program see what every green thread does, while it does it.
//!
//! # Cost
//!
//! While nobody records, the hot paths do not change: they have no test for it, and the others test one word. While somebody does, every event costs some 20 ns, and each
//! OS thread keeps the last 65,536 of them.

mod chrome;
mod columns;
mod escape;
mod event;
mod flight;
mod html;
mod note;
mod picture;
mod place;
mod places;
mod recording;
mod serve;
mod svg;
mod text;
mod timeline;

use std::fmt;

pub use event::{Awaited, Ending, Event, Waking, What};

pub use flight::FlightRecorder;
pub use recording::Recording;
pub use serve::{Serving, serve};
pub use timeline::Timeline;

use crate::base::recorder;
use crate::sched::scheduler::Scheduler;

/// Puts a mark of the program's own into every recording that is under way.
///
/// Does not block, on whatever OS thread. The text is written out only while somebody records, and what is longer than 1024 bytes is cut.
///
/// # Examples
/// ```
/// let retries = 3;
/// greenthread::trace::mark(format_args!("gave up after {retries} tries"));
/// ```
pub fn mark(text: impl fmt::Display) {
    if recorder::is_on() {
        let id = Scheduler::if_made().map_or(0, |here| here.current_header().id());
        recorder::marked(id, note::Note::of(text).as_str());
    }
}

/// Returns whether anybody records, on whatever OS thread.
pub fn is_recording() -> bool {
    recorder::is_on()
}
