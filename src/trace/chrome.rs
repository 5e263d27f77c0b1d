//! A timeline in the Trace Event Format, which Perfetto and `chrome://tracing` open.
//!
//! Two processes: in the first every OS thread is a thread, and its slices are who held it; in the second every green thread, root, job and generator is one, with slices for
//! running and for waiting. Flows lead from a waker to the one that was woken; marks are instant events.
//!
//! Source: "Trace Event Format", N. Duca and D. Sinclair, 2016.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::escape::Json;
use super::picture::{Picture, Row, State, Tie};
use super::timeline::Timeline;

/// The process whose threads are OS threads.
const OS_THREADS: u32 = 1;

/// The process whose threads are green threads.
const GREEN_THREADS: u32 = 2;

impl Timeline {
    /// Writes the timeline in the Trace Event Format (JSON), which <https://ui.perfetto.dev> opens.
    ///
    /// OS threads with who held them, and green threads with what they did; arrows from wakers to whom they woke, and the program's marks. Times are in microseconds, with
    /// nanoseconds after the point.
    #[must_use]
    pub fn to_chrome_json(&self) -> String {
        let picture = Picture::of(self);
        let mut writer = Writer::default();
        writer.names(&picture);
        writer.slices(&picture);
        writer.finish(self.lost())
    }
}

/// A slice that is not over.
#[derive(Clone)]
struct Open {
    /// What it is called.
    name: String,

    /// What kind of slice it is.
    kind: &'static str,

    /// When it began.
    at: Duration,
}

/// The events so far.
#[derive(Default)]
struct Writer {
    /// Separated by commas.
    out: String,

    /// The number of the last flow.
    flow: u64,
}

/// Where an event is.
#[derive(Clone, Copy)]
struct Place {
    /// The process.
    process: u32,

    /// The thread.
    thread: usize,
}

impl Place {
    fn of_person(person: usize) -> Self {
        Place {
            process: GREEN_THREADS,
            thread: person + 1,
        }
    }

    fn of_os_thread(index: usize) -> Self {
        Place {
            process: OS_THREADS,
            thread: index + 1,
        }
    }
}

impl Writer {
    /// One event: its phase, name and place, and what else there is to it.
    fn event(&mut self, phase: char, name: &str, place: Place, rest: fmt::Arguments<'_>) {
        if !self.out.is_empty() {
            self.out.push_str(",\n");
        }
        let Place { process, thread } = place;
        let name = Json(name);
        let _ = write!(
            self.out,
            "{{\"ph\":\"{phase}\",\"name\":{name},\"pid\":{process},\"tid\":{thread}{rest}}}"
        );
    }

    /// What processes and threads are called.
    fn names(&mut self, picture: &Picture<'_>) {
        for (process, name) in [(OS_THREADS, "OS threads"), (GREEN_THREADS, "green threads")] {
            let place = Place { process, thread: 0 };
            self.meta("process_name", place, name);
        }
        for (index, name) in picture.os_threads.iter().enumerate() {
            self.meta("thread_name", Place::of_os_thread(index), name);
        }
        for (index, person) in picture.people.iter().enumerate() {
            let place = Place::of_person(index);
            self.meta("thread_name", place, &person.name);
            self.event(
                'M',
                "thread_sort_index",
                place,
                format_args!(",\"args\":{{\"sort_index\":{index}}}"),
            );
        }
    }

    fn meta(&mut self, what: &str, place: Place, name: &str) {
        let name = Json(name);
        self.event(
            'M',
            what,
            place,
            format_args!(",\"args\":{{\"name\":{name}}}"),
        );
    }

    fn slices(&mut self, picture: &Picture<'_>) {
        let mut people: Vec<Option<Open>> = vec![None; picture.people.len()];
        let mut held: Vec<Option<(usize, Open)>> = vec![None; picture.os_threads.len()];
        for row in &picture.rows {
            self.tie(row);
            self.person(&mut people, picture, row);
            self.os_thread(&mut held[row.os_thread], picture, row);
            self.marks(row);
        }
        let end = picture.rows.last().map_or(Duration::ZERO, |row| row.at);
        for (person, open) in people.into_iter().enumerate() {
            self.close(Place::of_person(person), open, end);
        }
        for (thread, held) in held.into_iter().enumerate() {
            let open = held.map(|(_, open)| open);
            self.close(Place::of_os_thread(thread), open, end);
        }
    }

    /// How somebody stands has changed.
    fn person(&mut self, people: &mut [Option<Open>], picture: &Picture<'_>, row: &Row) {
        let Some(who) = row.who else {
            return;
        };
        let (name, kind) = match row.state {
            State::Away => ("", ""),
            State::Fresh => ("has not begun", "ready"),
            State::Ready => ("ready", "ready"),
            State::Running => (picture.people[who].name.as_str(), "run"),
            State::Waiting => (row.words.as_str(), "wait"),
        };
        if people[who].as_ref().is_some_and(|open| open.kind == kind) {
            return;
        }
        let place = Place::of_person(who);
        self.close(place, people[who].take(), row.at);
        if row.state != State::Away {
            people[who] = Some(Open {
                name: name.to_owned(),
                kind,
                at: row.at,
            });
        } else if !row.words.is_empty() {
            self.instant(&row.words, place, row.at);
        }
    }

    fn os_thread(&mut self, held: &mut Option<(usize, Open)>, picture: &Picture<'_>, row: &Row) {
        if held.as_ref().map(|(who, _)| *who) == row.holder {
            return;
        }
        let open = held.take().map(|(_, open)| open);
        self.close(Place::of_os_thread(row.os_thread), open, row.at);
        *held = row.holder.map(|holder| {
            let open = Open {
                name: picture.people[holder].name.clone(),
                kind: "held",
                at: row.at,
            };
            (holder, open)
        });
    }

    fn close(&mut self, place: Place, open: Option<Open>, end: Duration) {
        let Some(Open { name, kind, at }) = open else {
            return;
        };
        let took = Micros(end.saturating_sub(at));
        let at = Micros(at);
        self.event(
            'X',
            &name,
            place,
            format_args!(",\"cat\":\"{kind}\",\"ts\":{at},\"dur\":{took}"),
        );
    }

    /// A flow from one to another.
    fn tie(&mut self, row: &Row) {
        let (Some(who), Some((other, tie))) = (row.who, row.tie) else {
            return;
        };
        let (from, to) = match tie {
            Tie::Return => (who, other),
            _ => (other, who),
        };
        self.flow += 1;
        let (id, kind, at) = (self.flow, tie.name(), Micros(row.at));
        let (from, to) = (Place::of_person(from), Place::of_person(to));
        let rest = format_args!(",\"cat\":\"{kind}\",\"id\":{id},\"ts\":{at}").to_string();
        self.event('s', &row.words, from, format_args!("{rest}"));
        self.event('f', &row.words, to, format_args!("{rest},\"bp\":\"e\""));
    }

    fn marks(&mut self, row: &Row) {
        let place = row
            .holder
            .map_or(Place::of_os_thread(row.os_thread), Place::of_person);
        for mark in &row.marks {
            self.instant(mark, place, row.at);
        }
    }

    fn instant(&mut self, name: &str, place: Place, at: Duration) {
        let at = Micros(at);
        self.event('i', name, place, format_args!(",\"ts\":{at},\"s\":\"t\""));
    }

    fn finish(self, lost: u64) -> String {
        let events = self.out;
        format!(
            "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"lost events\":\"{lost}\"}},\"traceEvents\":[\n{events}\n]}}\n"
        )
    }
}

/// A time as a number of microseconds.
struct Micros(Duration);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        write!(f, "{}.{:03}", nanos / 1000, nanos % 1000)
    }
}
