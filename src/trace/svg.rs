//! A timeline as a picture: the columns of the text, drawn. One file that names no other, readable on light and on dark.

use std::fmt::Write as _;
use std::time::Duration;

use super::escape::Xml;
use super::picture::{IDLE, Picture, Row, State, Tie, moment};
use super::places::{EDGE, Places, TIMES, cut};
use super::timeline::{Timeline, Who};

/// The most rows that are drawn: the last ones.
const ROWS: usize = 2_000;

/// Pixels from row to row.
const STEP: usize = 24;

/// Pixels above the first row.
const TOP: usize = 68;

/// Half the width of the bar of one who runs, in pixels.
const HALF: usize = 6;

/// How many colours there are; the first is for roots.
const COLOURS: usize = 8;

/// Colours, lines and letters.
const STYLE: &str = include_str!("svg.css");

impl Timeline {
    /// Draws the timeline as an SVG picture.
    ///
    /// What [`to_text`](Self::to_text) shows, in colours: thick where a green thread runs, thin where it is ready, dashed where it waits; arrows lead from whoever spawns, wakes,
    /// cancels or resumes to whom. It follows the reader's choice of light or dark, and needs no other file. Of a long recording the last 2,000 rows are drawn.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let picture = Picture::of(self);
        let mut sheet = Sheet::new(&picture);
        sheet.draw(self);
        sheet.out
    }
}

/// A stretch of a column that is not over.
#[derive(Clone, Copy)]
struct Open {
    /// Whose.
    who: usize,

    /// How that one stands.
    state: State,

    /// Where it began, in pixels.
    from: usize,

    /// When it began.
    at: Duration,
}

/// A picture in the making.
struct Sheet<'a> {
    /// What is to be drawn.
    picture: &'a Picture<'a>,

    /// The rows of it.
    rows: &'a [Row],

    /// Where everything is, from left to right.
    places: Places,

    /// What goes below everything.
    ground: String,

    /// What goes above the ground.
    bars: String,

    /// What goes on top.
    words: String,

    /// The picture.
    out: String,
}

impl<'a> Sheet<'a> {
    fn new(picture: &'a Picture<'a>) -> Self {
        let skipped = picture.rows.len().saturating_sub(ROWS);
        let rows = &picture.rows[skipped..];
        Sheet {
            picture,
            rows,
            places: Places::of(picture, rows),
            ground: String::new(),
            bars: String::new(),
            words: String::new(),
            out: String::new(),
        }
    }

    fn name(&self, who: usize) -> &'a str {
        &self.picture.people[who].name
    }

    /// The number of somebody's colour.
    fn colour(&self, who: usize) -> usize {
        let colour = |who: usize| match self.picture.people[who].who {
            Who::Root(_) => 0,
            _ => 1,
        };
        let before = (0..who).filter(|who| colour(*who) == 1).count();
        colour(who) * (1 + before % (COLOURS - 1))
    }

    fn draw(&mut self, timeline: &Timeline) {
        self.heads();
        self.rows();
        let height = TOP + self.rows.len() * STEP + EDGE + 26;
        self.legend(height - EDGE - 4, timeline);
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
             <title>What ran when: a timeline of green threads</title>\n<style>\n{STYLE}</style>\n\
             <rect class=\"paper\" x=\".5\" y=\".5\" width=\"{w}\" height=\"{h}\" rx=\"10\"/>\n{}{}{}</svg>\n",
            self.ground,
            self.bars,
            self.words,
            width = self.places.width,
            w = self.places.width - 1,
            h = height - 1,
        );
    }

    fn heads(&mut self) {
        let y = EDGE + 16;
        let _ = writeln!(
            self.words,
            "<text class=\"time\" x=\"{}\" y=\"{y}\">time</text>",
            EDGE + TIMES
        );
        for ((x, width), name) in self.places.held.iter().zip(&self.picture.os_threads) {
            let middle = x + width / 2;
            let _ = writeln!(
                self.words,
                "<text class=\"head\" text-anchor=\"middle\" x=\"{middle}\" y=\"{y}\">{}</text>",
                Xml(name)
            );
        }
        for column in 0..self.places.middles.len() {
            let Some(first) = self.places.columns.first(column) else {
                continue;
            };
            let (x, colour) = (self.places.middles[column], self.colour(first));
            let _ = writeln!(
                self.words,
                "<circle class=\"f{colour}\" cx=\"{x}\" cy=\"{}\" r=\"5\"/><text class=\"name\" x=\"{}\" y=\"{y}\">{}</text>",
                y - 4,
                x + 11,
                Xml(self.name(first))
            );
        }
        let _ = writeln!(
            self.words,
            "<text class=\"head\" x=\"{}\" y=\"{y}\">marks</text><path class=\"rule\" d=\"M{EDGE} {y2}H{}\"/>",
            self.places.marks,
            self.places.width - EDGE,
            y2 = EDGE + 28
        );
    }

    fn rows(&mut self) {
        let mut open: Vec<Option<Open>> = vec![None; self.places.middles.len()];
        let mut held: Vec<Option<Open>> = vec![None; self.places.held.len()];
        let (mut told, mut ruled) = (String::new(), None);
        for (index, row) in self.rows.iter().enumerate() {
            let y = TOP + index * STEP;
            let time = moment(row.at);
            if told != time {
                let apart = ruled.is_some_and(|ruled| row.at - ruled >= IDLE);
                self.tell_time(&time, y, apart);
                ruled = ruled.filter(|_| !apart).or(Some(row.at));
                told = time;
            }
            self.hold(&mut held[row.os_thread], row, y);
            self.change(&mut open, row, y);
            self.say(row, y);
        }
        let end = TOP + self.rows.len() * STEP;
        let at = self.rows.last().map_or(Duration::ZERO, |row| row.at);
        for column in 0..open.len() {
            if let Some(open) = open[column].take() {
                self.stretch(column, open, end, at);
            }
        }
        for (thread, held) in held.into_iter().enumerate() {
            if let Some(held) = held {
                self.block(thread, held, end);
            }
        }
    }

    fn tell_time(&mut self, time: &str, y: usize, apart: bool) {
        let rule = if apart { "rule" } else { "" };
        let _ = writeln!(
            self.ground,
            "<path class=\"{rule}\" d=\"M{} {top}H{}\"/><text class=\"time\" x=\"{}\" y=\"{}\">{}</text>",
            EDGE + TIMES + 6,
            self.places.width - EDGE,
            EDGE + TIMES,
            y + 4,
            time,
            top = y - STEP / 2
        );
    }

    /// Who holds the OS thread.
    fn hold(&mut self, held: &mut Option<Open>, row: &Row, y: usize) {
        if held.map(|held| held.who) != row.holder {
            if let Some(held) = held.take() {
                // What is handed on at once ends before the next begins.
                let end = if row.holder.is_some() {
                    y - STEP / 2
                } else {
                    y
                };
                self.block(row.os_thread, held, end);
            }
            *held = row.holder.map(|who| Open {
                who,
                state: State::Running,
                from: y,
                at: row.at,
            });
        }
        if row.who.is_none() && row.holder.is_none() {
            let (x, width) = self.places.held[row.os_thread];
            let middle = x + width / 2;
            let _ = writeln!(
                self.ground,
                "<rect class=\"band\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"18\"/>",
                y - 9,
                self.places.width - EDGE - x
            );
            let _ = writeln!(
                self.words,
                "<text class=\"idle\" x=\"{middle}\" y=\"{}\">{}</text>",
                y + 4,
                Xml(&row.words)
            );
        }
    }

    /// One stretch for which somebody has held an OS thread.
    fn block(&mut self, thread: usize, held: Open, y: usize) {
        let (x, width) = self.places.held[thread];
        let (top, height) = (held.from - 10, (y + 10 - held.from).max(18));
        let colour = self.colour(held.who);
        let _ = writeln!(
            self.bars,
            "<rect class=\"held f{colour} s{colour}\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
        );
        let _ = writeln!(
            self.words,
            "<text class=\"who\" x=\"{}\" y=\"{}\">{}</text>",
            x + width / 2,
            top + height / 2 + 4,
            Xml(&cut(self.name(held.who), width / 7))
        );
    }

    /// Ends the stretches that are over with this row, and begins others.
    fn change(&mut self, open: &mut [Option<Open>], row: &Row, y: usize) {
        let Some((column, _)) = self.places.middle(row.who) else {
            return;
        };
        let who = row.who.unwrap_or(0);
        let same = open[column].is_some_and(|open| (open.who, open.state) == (who, row.state));
        if same {
            return;
        }
        if let Some(open) = open[column].take() {
            self.stretch(column, open, y, row.at);
        }
        if row.state != State::Away {
            open[column] = Some(Open {
                who,
                state: row.state,
                from: y,
                at: row.at,
            });
        }
    }

    /// One stretch of a column.
    fn stretch(&mut self, column: usize, open: Open, y: usize, at: Duration) {
        let (x, colour) = (self.places.middles[column], self.colour(open.who));
        let (class, words) = match open.state {
            State::Away => return,
            State::Fresh => ("fresh", "has not begun"),
            State::Ready => ("ready", "is ready"),
            State::Waiting => ("waiting", "waits"),
            State::Running => ("run", "runs"),
        };
        let title = format!(
            "{} {words}, {} to {}",
            self.name(open.who),
            moment(open.at),
            moment(at)
        );
        let title = Xml(&title);
        let _ = if open.state == State::Running {
            let (left, top) = (x - HALF, open.from - 10);
            writeln!(
                self.bars,
                "<rect class=\"f{colour}\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"{HALF}\"><title>{title}</title></rect>",
                HALF * 2,
                (y - top).max(14)
            )
        } else {
            writeln!(
                self.ground,
                "<path class=\"{class} s{colour}\" d=\"M{x} {}V{y}\"><title>{title}</title></path>",
                open.from
            )
        };
    }

    /// Arrows, words and marks of a row.
    fn say(&mut self, row: &Row, y: usize) {
        if let Some((column, x)) = self.places.middle(row.who) {
            let other = row
                .tie
                .and_then(|(other, tie)| Some((self.places.middle(Some(other))?, tie)));
            match other {
                Some(((other, from), tie)) if other != column => self.arrow(from, x, tie, row, y),
                _ if !row.words.is_empty() => {
                    let _ = writeln!(
                        self.words,
                        "<text class=\"words\" x=\"{}\" y=\"{}\">{}</text>",
                        x + 12,
                        y + 4,
                        Xml(&cut(&row.words, 42))
                    );
                }
                _ => {}
            }
            if self.places.columns.are_shared() && row.state == State::Fresh {
                self.tell_name(row, x, y);
            }
        }
        for (line, mark) in row.marks.iter().enumerate() {
            self.mark(row, mark, y + line * 12);
        }
    }

    /// A column that people share says who begins in it.
    fn tell_name(&mut self, row: &Row, x: usize, y: usize) {
        let name = row.who.map_or("", |who| self.name(who));
        let _ = writeln!(
            self.words,
            "<text class=\"words\" x=\"{}\" y=\"{}\">{}</text>",
            x + 8,
            y + 15,
            Xml(&cut(name, 24))
        );
    }

    fn arrow(&mut self, from: usize, to: usize, tie: Tie, row: &Row, y: usize) {
        let (from, to) = if tie == Tie::Return {
            (to, from)
        } else {
            (from, to)
        };
        let class = tie.name();
        let rightwards = from < to;
        let (begin, tip) = if rightwards {
            (from + HALF, to - HALF)
        } else {
            (from - HALF, to + HALF)
        };
        let back = if rightwards { tip - 8 } else { tip + 8 };
        let _ = writeln!(
            self.words,
            "<path class=\"tie {class}\" d=\"M{begin} {y}H{back}\"/><path class=\"to-{class}\" d=\"M{tip} {y}L{back} {}V{}Z\"/>",
            y - 4,
            y + 4
        );
        let left = from.min(to);
        let right = self.places.middles.iter().find(|x| **x > left).copied();
        let middle = (left + right.unwrap_or(left + 60)) / 2;
        let _ = writeln!(
            self.words,
            "<text class=\"onto to-{class}\" x=\"{middle}\" y=\"{}\">{}</text>",
            y - 5,
            Xml(&row.words)
        );
    }

    fn mark(&mut self, row: &Row, mark: &str, y: usize) {
        let colour = row.holder.map_or(0, |holder| self.colour(holder));
        if let Some((_, x)) = self.places.middle(row.holder) {
            let _ = writeln!(
                self.ground,
                "<path class=\"lead s{colour}\" d=\"M{} {y}H{}\"/>",
                x + HALF + 4,
                self.places.marks - 4
            );
        }
        let _ = writeln!(
            self.words,
            "<circle class=\"f{colour}\" cx=\"{}\" cy=\"{y}\" r=\"3.5\"/><text x=\"{}\" y=\"{}\">{}</text>",
            self.places.marks + 3,
            self.places.marks + 13,
            y + 4,
            Xml(&cut(mark, 100))
        );
    }

    /// What the signs mean, and what is missing.
    fn legend(&mut self, y: usize, timeline: &Timeline) {
        let line = y - 4;
        let mut x = EDGE + TIMES + 12;
        let _ = writeln!(
            self.words,
            "<rect class=\"f0\" x=\"{x}\" y=\"{}\" width=\"22\" height=\"8\" rx=\"4\"/>",
            line - 4
        );
        for (class, words) in [("run", "runs"), ("ready", "ready"), ("waiting", "waits")] {
            if class != "run" {
                let _ = writeln!(
                    self.words,
                    "<path class=\"{class} s0\" d=\"M{x} {line}h22\"/>"
                );
            }
            let _ = writeln!(
                self.words,
                "<text class=\"head\" x=\"{}\" y=\"{y}\">{words}</text>",
                x + 28
            );
            x += 80;
        }
        let _ = writeln!(
            self.words,
            "<path class=\"fresh s0\" d=\"M{x} {line}h22\"/><text class=\"head\" x=\"{}\" y=\"{y}\">has not begun{}</text>",
            x + 28,
            self.missing(timeline)
        );
    }

    fn missing(&self, timeline: &Timeline) -> String {
        let skipped = self.picture.rows.len() - self.rows.len();
        let columns = self.places.columns.count() - self.places.middles.len();
        let mut words = String::new();
        if timeline.list().is_empty() {
            words.push_str(" — nothing was recorded");
        }
        if timeline.lost() > 0 {
            let _ = write!(words, " — {} earlier events are lost", timeline.lost());
        }
        if skipped > 0 {
            let _ = write!(words, " — {skipped} rows are left out");
        }
        if columns > 0 {
            let _ = write!(words, " — {columns} more columns are left out");
        }
        words
    }
}
