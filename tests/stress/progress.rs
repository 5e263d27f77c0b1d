//! How far it is, and whether it goes on.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// No game takes so long, on any machine.
pub(crate) const STANDSTILL: Duration = Duration::from_secs(120);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// What has been played.
pub(crate) struct Progress {
    /// Of all games.
    pub(crate) seed: u64,

    /// How many wakes there are to be.
    wanted: u64,

    /// The one game to play, if it is one.
    only: Option<u64>,

    /// The next game.
    next: AtomicU64,

    /// Games that have ended.
    ended: AtomicU64,

    /// Wakes so far.
    wakes: AtomicU64,

    /// Waits that a deadline or a cancellation ended.
    cut_short: AtomicU64,

    /// Those under way.
    under_way: Mutex<BTreeSet<u64>>,
}

impl Progress {
    pub(crate) fn new(wanted: u64, seed: u64, only: Option<u64>) -> Arc<Self> {
        Arc::new(Progress {
            seed,
            wanted,
            only,
            next: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            wakes: AtomicU64::new(0),
            cut_short: AtomicU64::new(0),
            under_way: Mutex::default(),
        })
    }

    /// The number of the next game; none when there were wakes enough.
    pub(crate) fn begin(&self) -> Option<u64> {
        if self.wakes() >= self.wanted {
            return None;
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let number = self.only.unwrap_or(next);
        self.under_way.lock().unwrap().insert(number);
        Some(number)
    }

    /// That game has ended.
    pub(crate) fn end(&self, number: u64) {
        self.under_way.lock().unwrap().remove(&number);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what a player has counted.
    pub(crate) fn add(&self, wakes: u64, cut_short: u64) {
        self.wakes.fetch_add(wakes, Ordering::Relaxed);
        self.cut_short.fetch_add(cut_short, Ordering::Relaxed);
    }

    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::Relaxed)
    }

    /// Shows the bar, and looks whether games end.
    pub(crate) fn watch(self: &Arc<Self>) -> Watch {
        let (end, ends) = mpsc::channel::<()>();
        let progress = Arc::clone(self);
        let thread = thread::spawn(move || {
            let bar = progress.bar();
            let mut last = (0, Instant::now());
            while ends.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(progress.wakes().min(progress.wanted));
                progress.look(&mut last);
            }
            bar.finish_and_clear();
        });
        Watch { end, thread }
    }

    /// On the terminal's stderr; hidden when stderr is something else.
    fn bar(&self) -> ProgressBar {
        let template = "{wide_bar} {human_pos} of {human_len} wakes, {per_sec}, {eta} to go";
        let style = ProgressStyle::with_template(template).expect("a template");
        ProgressBar::new(self.wanted).with_style(style)
    }

    /// Aborts after a standstill.
    fn look(&self, last: &mut (u64, Instant)) {
        let ended = self.ended.load(Ordering::Relaxed);
        if ended != last.0 {
            *last = (ended, Instant::now());
        } else if last.1.elapsed() > STANDSTILL {
            eprintln!(
                "standing still: {self}; under way: {:?}",
                self.under_way.lock().unwrap()
            );
            eprintln!("{}", greenthread::dump());
            std::process::abort();
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.ended.load(Ordering::Relaxed);
        let cut_short = self.cut_short.load(Ordering::Relaxed);
        let (seed, wakes) = (self.seed, self.wakes());
        write!(
            f,
            "GREENTHREAD_STRESS_SEED={seed}: {wakes} wakes and {cut_short} waits cut short in {ended} games"
        )
    }
}

/// The OS thread that looks.
pub(crate) struct Watch {
    /// It ends when this is dropped.
    end: mpsc::Sender<()>,

    /// It.
    thread: thread::JoinHandle<()>,
}

impl Watch {
    pub(crate) fn end(self) {
        drop(self.end);
        self.thread.join().unwrap();
    }
}
