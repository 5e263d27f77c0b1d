//! A timeline for the terminal: a column for each green thread, and at the left who holds the OS thread; time runs down, the program's own marks are at the right.

use std::fmt::Write as _;
use std::time::Duration;

use super::columns::Columns;
use super::picture::{Picture, Row, State, Tie};
use super::timeline::{Timeline, Who};

/// The most rows that are drawn: the last ones.
const ROWS: usize = 4_000;

/// The most columns that are drawn: the first ones.
const COLUMNS: usize = 64;

/// The widest that a column becomes, in characters.
const WIDEST: usize = 34;

/// What the signs mean.
const LEGEND: &str = "┃ runs   │ ready   ┊ waits   · has not begun   ║ drives a generator";

impl Timeline {
    /// Draws the timeline for a terminal.
    ///
    /// A column for each green thread, root, job and generator, and for each OS thread one that shows who holds it; time runs down, the program's own marks are at the right.
    /// Lines lead from whoever spawns, wakes, cancels or resumes to whom. With more than 16 people, those who come take the columns of those who have ended. Of a long
    /// recording the last 4,000 rows are drawn.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_text_of_last(ROWS)
    }

    /// The same with at most so many rows.
    pub(crate) fn to_text_of_last(&self, rows: usize) -> String {
        let picture = Picture::of(self);
        let mut page = Page::new(&picture, rows);
        page.head(self);
        page.body();
        page.foot(self);
        page.out
    }
}

/// A page in the making.
struct Page<'a> {
    /// What is to be drawn.
    picture: &'a Picture<'a>,

    /// Where everybody is.
    columns: Columns,

    /// Characters that each column takes.
    widths: Vec<usize>,

    /// Characters of the columns of OS threads.
    held: Vec<usize>,

    /// Whether each OS thread is held now.
    is_held: Vec<bool>,

    /// Digits of a second that are told.
    digits: usize,

    /// Who is in each column now, and how that one stands.
    now: Vec<(Option<usize>, State)>,

    /// On which OS thread everybody ran last, by person.
    ran_on: Vec<usize>,

    /// How many rows are left out at the beginning.
    skipped: usize,

    /// The page.
    out: String,
}

impl<'a> Page<'a> {
    fn new(picture: &'a Picture<'a>, rows: usize) -> Self {
        let columns = Columns::of(picture);
        let count = columns.count().min(COLUMNS);
        let whole = picture
            .rows
            .iter()
            .all(|row| row.at.subsec_nanos() % 1_000_000 == 0);
        let mut page = Page {
            picture,
            widths: vec![6; count],
            held: vec![4; picture.os_threads.len()],
            is_held: vec![false; picture.os_threads.len()],
            digits: if whole { 3 } else { 6 },
            now: vec![(None, State::Away); count],
            ran_on: vec![usize::MAX; picture.people.len()],
            skipped: picture.rows.len().saturating_sub(rows),
            columns,
            out: String::new(),
        };
        page.measure();
        page
    }

    /// How wide everything must be.
    fn measure(&mut self) {
        for column in 0..self.widths.len() {
            if let Some(first) = self.columns.first(column) {
                self.widen(column, &clean(&self.picture.people[first].name), 2);
            }
        }
        for row in &self.picture.rows[self.skipped..] {
            if let Some(column) = self.column(row.who) {
                match row.tie.and_then(|(other, _)| self.column(Some(other))) {
                    Some(other) => self.widen(column.min(other), &clean(&row.words), 7),
                    None => self.widen(column, &clean(&self.words(row)), 3),
                }
            }
            let told = self.told_of_holder(row);
            let held = &mut self.held[row.os_thread];
            *held = (*held).max(told.chars().count() + 2).min(WIDEST);
        }
        for (held, name) in self.held.iter_mut().zip(&self.picture.os_threads) {
            *held = (*held).max(clean(name).chars().count() + 2).min(WIDEST);
        }
    }

    fn widen(&mut self, column: usize, text: &str, more: usize) {
        let width = &mut self.widths[column];
        *width = (*width).max(text.chars().count() + more).min(WIDEST);
    }

    /// Where somebody is drawn, if at all.
    fn column(&self, person: Option<usize>) -> Option<usize> {
        let column = self.columns.of_person(person?)?;
        (column < self.widths.len()).then_some(column)
    }

    /// What is said in the column itself.
    fn words(&self, row: &Row) -> String {
        let names = self.columns.are_shared() && row.tie.is_none();
        match row.who.filter(|_| names && row.state == State::Fresh) {
            Some(who) => format!("{} {}", self.picture.people[who].name, row.words),
            None => row.words.clone(),
        }
    }

    /// What is said of an OS thread in this row.
    fn told_of_holder(&self, row: &Row) -> String {
        match row.holder {
            Some(holder) if row.handed => clean(&self.picture.people[holder].name),
            Some(_) => String::from("│"),
            None if row.who.is_none() => clean(&row.words),
            None => String::new(),
        }
    }

    fn head(&mut self, timeline: &Timeline) {
        if timeline.lost() + self.skipped as u64 > 0 {
            let (lost, skipped) = (timeline.lost(), self.skipped);
            let _ = writeln!(
                self.out,
                "{lost} events before these are lost, and {skipped} rows are left out"
            );
        }
        let mut line = format!("{:>width$}  ", "time", width = self.time_width());
        for (name, width) in self.picture.os_threads.iter().zip(&self.held) {
            let _ = write!(line, "{:<width$}", cut(&clean(name), width - 1));
        }
        for column in 0..self.widths.len() {
            let first = self.columns.first(column);
            let name = first.map_or("", |first| &self.picture.people[first].name);
            let width = self.widths[column];
            let _ = write!(line, "{:<width$}", cut(&clean(name), width - 1));
        }
        line.push_str("marks");
        let rule = "─".repeat(line.chars().count());
        let _ = writeln!(self.out, "{line}\n{rule}");
    }

    fn time_width(&self) -> usize {
        let last = self
            .picture
            .rows
            .last()
            .map_or(Duration::ZERO, |row| row.at);
        format!("{:.*} s", self.digits, last.as_secs_f64()).len()
    }

    fn body(&mut self) {
        let picture = self.picture;
        let mut told = String::new();
        for (index, row) in picture.rows.iter().enumerate() {
            let before = self.now.clone();
            self.take_in(row);
            if index >= self.skipped {
                let time = format!("{:.*} s", self.digits, row.at.as_secs_f64());
                let tell = if told == time { "" } else { &time };
                self.line(row, &before, tell);
                told = time;
            }
        }
    }

    /// How everybody stands after this row.
    fn take_in(&mut self, row: &Row) {
        self.is_held[row.os_thread] = row.holder.is_some();
        if let Some(column) = self.column(row.who) {
            self.now[column] = (row.who, row.state);
        }
        if let Some(who) = row.who.filter(|_| row.state == State::Running) {
            self.ran_on[who] = row.os_thread;
        }
    }

    fn line(&mut self, row: &Row, before: &[(Option<usize>, State)], time: &str) {
        let width = self.time_width();
        let mut line = format!("{time:>width$}  ");
        for (thread, width) in self.held.iter().enumerate() {
            let told = if thread == row.os_thread {
                self.told_of_holder(row)
            } else {
                String::from(if self.is_held[thread] { "│" } else { "" })
            };
            let _ = write!(line, "{:<width$}", cut(&told, *width - 1));
        }
        line.extend(self.cells(row, before));
        for mark in &row.marks {
            let _ = write!(line, "• {} ", clean(mark));
        }
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    /// The part with the green threads, one character after the other.
    fn cells(&self, row: &Row, before: &[(Option<usize>, State)]) -> Vec<char> {
        let mut cells = vec![' '; self.widths.iter().sum()];
        for column in 0..self.widths.len() {
            let (_, state) = self.now[column];
            let ends = row.who.is_some() && self.column(row.who) == Some(column);
            cells[self.begin(column)] = match state {
                State::Away if ends && before[column].1 != State::Away => '╹',
                state => self.sign(self.now[column].0, state, row),
            };
        }
        let Some(column) = self.column(row.who) else {
            return cells;
        };
        match row
            .tie
            .and_then(|(other, tie)| Some((self.column(Some(other))?, tie)))
        {
            Some((other, tie)) if other != column => {
                self.draw_tie(&mut cells, column, other, tie, row);
            }
            _ => {
                let words = cut(&clean(&self.words(row)), self.widths[column] - 3);
                put(&mut cells, self.begin(column) + 2, &words);
            }
        }
        cells
    }

    /// Where a column begins.
    fn begin(&self, column: usize) -> usize {
        self.widths[..column].iter().sum()
    }

    fn sign(&self, who: Option<usize>, state: State, row: &Row) -> char {
        match state {
            State::Away => ' ',
            State::Fresh => '·',
            State::Ready => '│',
            State::Waiting => '┊',
            State::Running if self.is_behind_generator(who, row) => '║',
            State::Running => '┃',
        }
    }

    /// Whether it runs, but drives a generator.
    fn is_behind_generator(&self, who: Option<usize>, row: &Row) -> bool {
        let is_generator = |who: usize| matches!(self.picture.people[who].who, Who::Generator(_));
        let here = who.is_some_and(|who| self.ran_on[who] == row.os_thread);
        here && row.holder != who && row.holder.is_some_and(is_generator)
    }

    /// A line with a head, and the words on it.
    fn draw_tie(&self, cells: &mut [char], column: usize, other: usize, tie: Tie, row: &Row) {
        let (from, to) = match tie {
            Tie::Return => (column, other),
            _ => (other, column),
        };
        let (left, right) = (self.begin(from.min(to)), self.begin(from.max(to)));
        for cell in &mut cells[left + 1..right] {
            if *cell == ' ' {
                *cell = '─';
            }
        }
        let head = if from < to { right - 1 } else { left + 1 };
        cells[head] = if from < to { '▶' } else { '◀' };
        let room = self.widths[from.min(to)] - 5;
        let words = format!(" {} ", cut(&clean(&row.words), room - 1));
        put(cells, left + 2 + usize::from(from > to), &words);
    }

    fn foot(&mut self, timeline: &Timeline) {
        let _ = writeln!(self.out, "\n{LEGEND}");
        let hidden = self.columns.count() - self.widths.len();
        if hidden > 0 {
            let _ = writeln!(self.out, "{hidden} more columns are left out");
        }
        if timeline.list().is_empty() {
            let _ = writeln!(self.out, "nothing was recorded");
        }
    }
}

fn put(cells: &mut [char], at: usize, text: &str) {
    for (cell, char) in cells.iter_mut().skip(at).zip(text.chars()) {
        *cell = char;
    }
}

/// At most so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Without what would move the cursor.
fn clean(text: &str) -> String {
    let show = |char: char| {
        if char.is_control() {
            char.escape_default().collect::<String>()
        } else {
            char.to_string()
        }
    };
    text.chars().map(show).collect()
}
