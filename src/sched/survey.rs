//! What everybody does, on every OS thread that has a scheduler: asked from any OS thread, answered by each loop for its own.
//!
//! ```text
//!   asker     Survey ──▶ a letter to each root ── waits, at most so long ──▶ the answers that came
//!   each loop            takes the letter ──▶ some, a turn of the others, some more, .. ──▶ answer
//!   each of them         is switched to, says where it stands on a stack that is lent, and switches away again
//! ```
//!
//! Nothing of the user's runs for it, and no wait notices: the node stays in its line, the timer in its place, and a wake that comes meanwhile stands in line as ever.
//! No borrow is held while one is switched to (L6).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::vec;

use super::clock::Deadline;
use super::header::Counted;
use super::sight::Sight;
use crate::stack::backtrace::Backtrace;

/// The shortest wait for an answer.
const SHORTEST: Duration = Duration::from_millis(1);

/// How much longer an answer is waited for that was begun.
const MORE_WHEN_BEGUN: u32 = 10;

/// A question to all.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Who asks; zero for an OS thread without a scheduler.
    pub(super) asker: u64,

    /// What came back.
    answers: Mutex<Vec<Answer>>,

    /// Told of every answer.
    came: Condvar,
}

/// What one OS thread says.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The number of its root.
    pub(crate) root: u64,

    /// The kernel's number for it.
    pub(crate) thread: i32,

    /// Its name.
    pub(crate) name: Option<Arc<str>>,

    /// How it stands.
    pub(crate) word: Word,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// Nothing yet: its loop has not come to it.
    Awaited,

    /// Its loop is at it.
    Begun,

    /// Everybody there, the root first.
    Seen(Vec<Sight>),

    /// It has gone meanwhile.
    Gone,
}

impl Survey {
    /// A question that nobody has been asked yet.
    pub(super) fn new(asker: u64) -> Arc<Survey> {
        Arc::new(Survey {
            asker,
            answers: Mutex::default(),
            came: Condvar::new(),
        })
    }

    /// One more answer is to come: from the OS thread with this root, and with this number of the kernel's.
    pub(super) fn expect(&self, root: &Counted, thread: i32) {
        self.answers().push(Answer {
            root: root.id(),
            thread,
            name: root.shared_name(),
            word: Word::Awaited,
        });
    }

    fn answers(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how it stands with the OS thread of `root`.
    pub(super) fn say(&self, root: u64, word: Word) {
        let mut answers = self.answers();
        if let Some(answer) = answers.iter_mut().find(|answer| answer.root == root) {
            answer.word = word;
        }
        drop(answers);
        self.came.notify_all();
    }

    /// Whether all have answered.
    pub(crate) fn is_complete(&self) -> bool {
        let answered = |answer: &Answer| matches!(answer.word, Word::Seen(_) | Word::Gone);
        self.answers().iter().all(answered)
    }

    /// Waits, as an OS thread, until all have answered: for one that has not begun for `limit`, for others ten times as long.
    #[allow(
        clippy::disallowed_methods,
        reason = "an OS thread waits here, by real time"
    )]
    pub(crate) fn wait(&self, limit: Duration) -> Vec<Answer> {
        let start = Deadline::real_now();
        let mut answers = self.answers();
        loop {
            let passed = Deadline::real_now().since(start);
            let wants = |word: &Word| match word {
                Word::Awaited => passed < limit,
                Word::Begun => passed < limit * MORE_WHEN_BEGUN,
                Word::Seen(_) | Word::Gone => false,
            };
            if !answers.iter().any(|answer| wants(&answer.word)) {
                return std::mem::take(&mut *answers);
            }
            let left = limit.saturating_sub(passed).max(SHORTEST);
            let woken = self.came.wait_timeout(answers, left);
            answers = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A survey that a loop is at.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Whose question it is.
    pub(super) survey: Arc<Survey>,

    /// Who is still to be seen.
    pub(super) left: vec::IntoIter<Counted>,

    /// Who was seen.
    pub(super) seen: Vec<Sight>,

    /// Where the one who is asked writes.
    pub(super) trace: Box<Backtrace>,

    /// When to go on, if there is anybody in line.
    pub(super) again: Deadline,
}
