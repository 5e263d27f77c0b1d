//! What every drawing of a timeline shows, before it is drawn: one row after the other, in each of which one thing happens to one or two people, and how everybody stands
//! after it.

use std::collections::HashMap;
use std::time::Duration;

use super::event::{Awaited, Ending, Event, Waking, What};
use super::timeline::{Person, Timeline, Who};

/// The least time for which nobody holds an OS thread that is told.
pub(super) const IDLE: Duration = Duration::from_micros(100);

/// How somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not there yet, or not any more.
    Away,

    /// Spawned, and has not run.
    Fresh,

    /// Will run in its turn.
    Ready,

    /// Runs.
    Running,

    /// Waits; a generator stands at a yield.
    Waiting,
}

/// What kind of line leads from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// Made it.
    Spawn,

    /// Ended its wait.
    Wake,

    /// Asked it to end.
    Cancel,

    /// Goes on in it.
    Resume,

    /// Goes back to it: here the other one is where the line leads to.
    Return,
}

impl Tie {
    /// As a word, for classes of styles.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tie::Spawn => "spawn",
            Tie::Wake => "wake",
            Tie::Cancel => "cancel",
            Tie::Resume | Tie::Return => "drive",
        }
    }
}

/// One thing that has happened.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Since the beginning.
    pub(super) at: Duration,

    /// On which OS thread.
    pub(super) os_thread: usize,

    /// To whom, by index.
    pub(super) who: Option<usize>,

    /// How that one stands after it.
    pub(super) state: State,

    /// Who else takes part, and how.
    pub(super) tie: Option<(usize, Tie)>,

    /// In words, beside it.
    pub(super) words: String,

    /// Who holds the OS thread after it.
    pub(super) holder: Option<usize>,

    /// Who holds it has changed, or what was said when it is nobody.
    pub(super) handed: bool,

    /// The program's own marks.
    pub(super) marks: Vec<String>,
}

/// A drawing of a timeline before it is drawn.
pub(super) struct Picture<'a> {
    /// Who has a column.
    pub(super) people: &'a [Person],

    /// What the OS threads are called.
    pub(super) os_threads: Vec<&'a str>,

    /// From top to bottom.
    pub(super) rows: Vec<Row>,
}

impl<'a> Picture<'a> {
    pub(super) fn of(timeline: &'a Timeline) -> Self {
        let people = timeline.people();
        let mut painter = Painter {
            people,
            ids: ids_of(people),
            holders: vec![None; timeline.os_threads().len()],
            states: vec![State::Away; people.len()],
            driven: HashMap::new(),
            rows: Vec::new(),
        };
        for event in timeline.list() {
            painter.add(event);
        }
        Picture {
            people,
            os_threads: timeline.os_threads().collect(),
            rows: painter.rows,
        }
    }
}

/// Everybody's index, by what an event calls them; generators apart.
fn ids_of(people: &[Person]) -> HashMap<(bool, u64), usize> {
    let key = |person: &Person| match person.who {
        Who::Generator(number) => (true, number),
        who => (false, who.number()),
    };
    people
        .iter()
        .enumerate()
        .map(|(index, person)| (key(person), index))
        .collect()
}

/// A picture in the making.
struct Painter<'a> {
    /// Who has a column.
    people: &'a [Person],

    /// See [`ids_of`].
    ids: HashMap<(bool, u64), usize>,

    /// Who holds each OS thread: a generator, if one is driven.
    holders: Vec<Option<usize>>,

    /// How each of them stands.
    states: Vec<State>,

    /// The generators that somebody drives, outermost first.
    driven: HashMap<Option<usize>, Vec<usize>>,

    /// So far.
    rows: Vec<Row>,
}

impl Painter<'_> {
    fn person(&self, id: u64) -> Option<usize> {
        self.ids.get(&(false, id)).copied()
    }

    fn generator(&self, number: u64) -> Option<usize> {
        self.ids.get(&(true, number)).copied()
    }

    fn name(&self, id: u64) -> &str {
        self.person(id)
            .map_or("?", |index| &self.people[index].name)
    }

    fn add(&mut self, event: &Event) {
        self.idle_until(event);
        match &event.what {
            What::Mark { text } => self.mark(event, text),
            What::Poll { began, slept } => self.poll(event, *began, *slept),
            What::Resume { generator } => self.resume(event, *generator),
            What::GeneratorYield { generator } => {
                self.come_back(event, *generator, State::Waiting, "yields");
            }
            What::GeneratorEnd { generator } => {
                self.come_back(event, *generator, State::Away, "ends");
            }
            What::Run { who } => self.run(event, *who),
            What::BlockingBegin { job } => self.run(event, *job),
            What::Yield { who } => self.stop(event, *who, State::Ready, "yields".into()),
            What::Park { who, operation, on } => {
                let words = self.wait_in_words(operation, *on);
                self.stop(event, *who, State::Waiting, words);
            }
            What::End { who, how } | What::BlockingEnd { job: who, how } => {
                self.stop(event, *who, State::Away, ended(*how).into());
            }
            What::Panic { who, message } => self.panic(event, *who, message),
            What::Spawn { who } => {
                self.tie(event, *who, State::Fresh, Tie::Spawn, ["spawns", "spawned"]);
            }
            What::SpawnBlocking { job } => {
                let words = ["to the pool", "to the pool"];
                self.tie(event, *job, State::Fresh, Tie::Spawn, words);
            }
            What::Wake { who, how, .. } => {
                self.tie(event, *who, State::Ready, Tie::Wake, woken(*how));
            }
            What::Cancel { who } => {
                let state = self
                    .person(*who)
                    .map_or(State::Away, |who| self.states[who]);
                self.tie(event, *who, state, Tie::Cancel, ["cancels", "asked to end"]);
            }
        }
    }

    /// Nobody has held the OS thread since the last row: says for how long.
    fn idle_until(&mut self, event: &Event) {
        let slept = matches!(event.what, What::Poll { .. });
        let Some(last) = self
            .rows
            .iter()
            .rfind(|row| row.os_thread == event.os_thread)
        else {
            return;
        };
        let idle = event.at.saturating_sub(last.at);
        if slept || idle < IDLE || self.holders[event.os_thread].is_some() {
            return;
        }
        let at = last.at;
        let words = format!("{} idle", span(idle));
        let event = Event {
            at,
            ..event.clone()
        };
        self.push(&event, None, State::Away, None, words, None);
    }

    fn run(&mut self, event: &Event, id: u64) {
        if let Some(who) = self.person(id) {
            let innermost = self.driven.get(&Some(who)).and_then(|driven| driven.last());
            let holder = Some(Some(*innermost.unwrap_or(&who)));
            self.push(
                event,
                Some(who),
                State::Running,
                None,
                String::new(),
                holder,
            );
        }
    }

    fn stop(&mut self, event: &Event, id: u64, state: State, words: String) {
        if let Some(who) = self.person(id) {
            self.push(event, Some(who), state, None, words, Some(None));
        }
    }

    fn panic(&mut self, event: &Event, id: u64, message: &str) {
        if let Some(who) = self.person(id) {
            let words = format!("panics: {message}");
            self.push(event, Some(who), self.states[who], None, words, None);
        }
    }

    /// Somebody does something to another; the first words are for that, the second for when it is not known who does it.
    fn tie(&mut self, event: &Event, id: u64, state: State, tie: Tie, words: [&str; 2]) {
        let Some(who) = self.person(id) else {
            return;
        };
        let by = event.by.and_then(|id| self.person(id));
        // Whoever holds the OS thread may be a generator that this one drives.
        let by = by.map(|by| self.holders[event.os_thread].unwrap_or(by));
        let words = words[usize::from(by.is_none() || by == Some(who))];
        let tie = by.filter(|by| *by != who).map(|by| (by, tie));
        self.push(event, Some(who), state, tie, words.into(), None);
    }

    fn wait_in_words(&self, operation: &str, on: Option<Awaited>) -> String {
        match on {
            None => operation.to_owned(),
            Some(Awaited::GreenThread(id)) => format!("{operation} {}", self.name(id)),
            Some(Awaited::Object(number)) => format!("{operation} ({number})"),
        }
    }

    fn resume(&mut self, event: &Event, number: u64) {
        let Some(generator) = self.generator(number) else {
            return;
        };
        let base = event.by.and_then(|id| self.person(id));
        let driver = self.holders[event.os_thread].or(base);
        self.driven.entry(base).or_default().push(generator);
        let tie = driver.map(|driver| (driver, Tie::Resume));
        let holder = Some(Some(generator));
        self.push(
            event,
            Some(generator),
            State::Running,
            tie,
            "resumes".into(),
            holder,
        );
    }

    fn come_back(&mut self, event: &Event, number: u64, state: State, words: &str) {
        let Some(generator) = self.generator(number) else {
            return;
        };
        let base = event.by.and_then(|id| self.person(id));
        let driven = self.driven.entry(base).or_default();
        driven.truncate(
            driven
                .iter()
                .position(|other| *other == generator)
                .unwrap_or(0),
        );
        let driver = driven.last().copied().or(base);
        let tie = driver.map(|driver| (driver, Tie::Return));
        self.push(
            event,
            Some(generator),
            state,
            tie,
            words.into(),
            Some(driver),
        );
    }

    fn poll(&mut self, event: &Event, began: Duration, slept: bool) {
        if slept {
            let words = format!("asleep {}", span(event.at.saturating_sub(began)));
            self.push(event, None, State::Away, None, words, None);
        }
    }

    fn mark(&mut self, event: &Event, text: &str) {
        let holder = self.holders[event.os_thread];
        // On the row of whoever runs, if nothing else has happened since it began to and there is no other mark.
        if let Some(last) = self.rows.last_mut()
            && last.at == event.at
            && last.os_thread == event.os_thread
            && last.marks.is_empty()
            && last.who == holder
            && last.state == State::Running
        {
            last.marks.push(text.to_owned());
            return;
        }
        let state = holder.map_or(State::Away, |_| State::Running);
        self.push(event, holder, state, None, String::new(), None);
        if let Some(last) = self.rows.last_mut() {
            last.marks.push(text.to_owned());
        }
    }

    fn push(
        &mut self,
        event: &Event,
        who: Option<usize>,
        state: State,
        tie: Option<(usize, Tie)>,
        words: String,
        holder: Option<Option<usize>>,
    ) {
        if let Some(who) = who {
            self.states[who] = state;
        }
        let before = self.holders[event.os_thread];
        let after = holder.unwrap_or(before);
        self.holders[event.os_thread] = after;
        self.rows.push(Row {
            at: event.at,
            os_thread: event.os_thread,
            who,
            state,
            tie,
            words,
            holder: after,
            handed: after != before,
            marks: Vec::new(),
        });
    }
}

/// What has ended a wait, in words for who did it and for when that is not known.
fn woken(how: Waking) -> [&'static str; 2] {
    match how {
        Waking::Granted => ["wakes", "woken"],
        Waking::TimedOut => ["time is up"; 2],
        Waking::Interrupted => ["interrupts", "interrupted"],
    }
}

/// How somebody ends, in words.
fn ended(how: Ending) -> &'static str {
    match how {
        Ending::Returned => "ends",
        Ending::Panicked => "ends by its panic",
        Ending::Cancelled => "ends, cancelled",
        Ending::Refused => "no stack for it",
    }
}

/// A span of time in its unit, with at most three digits behind the point.
pub(super) fn span(time: Duration) -> String {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let digits = match nanos / unit {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let number = format!("{:.digits$}", nanos as f64 / unit as f64);
    let number = match number.split_once('.') {
        Some((whole, rest)) if rest.trim_end_matches('0').is_empty() => whole.to_owned(),
        Some(_) => number.trim_end_matches('0').to_owned(),
        None => number,
    };
    format!("{number} {name}")
}

/// A moment since the beginning, in seconds, to the microsecond where it needs it.
pub(super) fn moment(at: Duration) -> String {
    let digits = if at.subsec_nanos().is_multiple_of(1_000_000) {
        3
    } else {
        6
    };
    format!("{:.digits$} s", at.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_unit() {
        let told = [0, 7, 1_500, 12_340, 999_999, 120_000_000, 1_500_000_000];
        let told = told.map(|nanos| span(Duration::from_nanos(nanos)));
        let expected = [
            "0 ns", "7 ns", "1.5 µs", "12.3 µs", "1000 µs", "120 ms", "1.5 s",
        ];
        assert_eq!(told, expected);
    }
}
