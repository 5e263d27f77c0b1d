//! Always recording, and writing the last moments down when something goes wrong.
//!
//! What is called and written runs on the stack of whoever panicked, or of the root that reports a deadlock: never on the loop (L18), and never in a signal handler. The stack
//! is grown for it, because the smallest ones have no room for a page.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::recording::Recording;
use super::timeline::Timeline;
use crate::base::{moment, recorder};
use crate::sched::payload;
use crate::stack::grow::grow;

/// Bytes of stack for drawing.
const ROOM: usize = 1 << 20;

/// Every flight recorder there is.
static ALL: Mutex<Vec<Weak<Flight>>> = Mutex::new(Vec::new());

/// What is told of trouble.
type Told = Box<dyn Fn(&str, &Timeline) + Send + Sync>;

/// Keeps the last moments of every OS thread, and writes them when a green thread panics, at a deadlock, and when asked.
///
/// It records until it is dropped. Each OS thread keeps its last 65,536 events, so it may be less than the span that was asked for. What is written because of trouble is not written
/// again before the span has passed, however often there is more. When it is dropped by a panic, it writes too.
///
/// # Examples
/// ```
/// use greenthread::{spawn, trace::FlightRecorder};
/// use std::time::Duration;
///
/// let path = std::env::temp_dir().join(format!("flight-{}.txt", std::process::id()));
/// let recorder = FlightRecorder::start(Duration::from_secs(5)).to_file(&path);
/// assert!(spawn(|| panic!("out of tea")).join().is_err());
/// assert!(std::fs::read_to_string(&path).unwrap().contains("out of tea"));
/// # std::fs::remove_file(&path).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends it"]
pub struct FlightRecorder(Arc<Flight>);

/// What is behind a flight recorder.
struct Flight {
    /// It goes on for ever.
    recording: Recording,

    /// How much is kept.
    span: Duration,

    /// What to do at trouble, in this order.
    told: Mutex<Vec<Told>>,

    /// When it was last done, in nanoseconds; zero for never.
    last: AtomicU64,
}

impl FlightRecorder {
    /// Begins to record; what is older than `span` is left out of what is written.
    ///
    /// Does not block. See [`Recording::start`] for when other OS threads follow.
    ///
    /// # Panics
    /// In a thread-local's destructor, when greenthread's own is gone already.
    pub fn start(span: Duration) -> Self {
        recorder::tell_of_trouble(trouble);
        let flight = Arc::new(Flight {
            recording: Recording::start(),
            span,
            told: Mutex::default(),
            last: AtomicU64::new(0),
        });
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&flight));
        drop(all);
        FlightRecorder(flight)
    }

    /// Writes the timeline to the file at `path` when there is trouble, in place of what is there.
    ///
    /// The name's ending says how: `.svg`, `.html` or `.json` as by the methods of [`Timeline`], everything else as text. A file that cannot be written is reported on stderr.
    pub fn to_file(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.on_trouble(move |trouble, timeline| match write(&path, timeline) {
            Ok(()) => say(format_args!("{trouble}: see {}", path.display())),
            Err(error) => say(format_args!(
                "{trouble}; cannot write {}: {error}",
                path.display()
            )),
        })
    }

    /// Has `f` called when there is trouble, with what it is and the timeline.
    ///
    /// It is called on the green thread that panics, before anybody learns of the panic, or on the root that is about to report a deadlock. A panic in it goes no further.
    pub fn on_trouble(self, f: impl Fn(&str, &Timeline) + Send + Sync + 'static) -> Self {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(Box::new(f));
        drop(told);
        self
    }

    /// Returns what has happened in the last span.
    ///
    /// Does not block, and the recorder goes on.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        self.0.timeline()
    }

    /// Writes what has happened in the last span to the file at `path`; its ending says how, as in [`to_file`](Self::to_file).
    ///
    /// Blocks the OS thread while the file is written.
    ///
    /// # Errors
    /// Those of writing a file.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        write(path.as_ref(), &self.timeline())
    }
}

impl Drop for FlightRecorder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.tell("a panic ends the flight recorder");
        }
    }
}

impl Flight {
    fn timeline(&self) -> Timeline {
        self.recording.so_far().last(self.span)
    }

    /// Does what is to be done at trouble, unless that was just done.
    fn tell(&self, trouble: &str) {
        let now = moment::now().max(1);
        let last = self.last.load(Ordering::Relaxed);
        let recent = last != 0 && now.saturating_sub(last) < moment::nanos(self.span);
        if recent || !self.claim(last, now) {
            return;
        }
        let timeline = self.timeline();
        // A wait point in what is called must not find the lock held, so each is called with a turn of its own.
        let told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        for told in &told {
            let called = catch_unwind(AssertUnwindSafe(|| told(trouble, &timeline)));
            // A request that was raised there is raised again at the next wait point.
            if let Err(Err(panic)) = called.map_err(payload::sort) {
                say(format_args!("{trouble}; what is called for that panicked"));
                std::mem::forget(panic);
            }
        }
        let mut now = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let added = std::mem::replace(&mut *now, told);
        now.extend(added);
    }

    /// Whether nobody else has just begun to.
    fn claim(&self, last: u64, now: u64) -> bool {
        let claimed = self
            .last
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        claimed.is_ok()
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

/// Tells every flight recorder. Does not unwind.
fn trouble(what: &str) {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let all: Vec<_> = all.iter().filter_map(Weak::upgrade).collect();
    if all.is_empty() {
        return;
    }
    let tell = || all.iter().for_each(|flight| flight.tell(what));
    // Without a stack for it nothing is written.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| grow(ROOM, tell))) {
        std::mem::forget(panic);
    }
}

/// Writes a timeline in the way that the file's name asks for.
fn write(path: &Path, timeline: &Timeline) -> io::Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let drawing = match ending {
        Some("svg") => timeline.to_svg(),
        Some("html" | "htm") => timeline.to_html(),
        Some("json") => timeline.to_chrome_json(),
        _ => timeline.to_text(),
    };
    fs::write(path, drawing)
}

fn say(what: fmt::Arguments<'_>) {
    // `eprintln` would panic when nobody can be told.
    let _ = writeln!(io::stderr(), "greenthread: flight recorder: {what}");
}
