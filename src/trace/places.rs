//! Where in a picture everything is, from left to right.

use super::columns::Columns;
use super::picture::{Picture, Row};

/// Pixels at every edge.
pub(super) const EDGE: usize = 18;

/// Pixels of the column of times.
pub(super) const TIMES: usize = 74;

/// The most columns that are drawn: the first ones.
const COLUMNS: usize = 48;

/// Places, in pixels.
pub(super) struct Places {
    /// Who is in which column.
    pub(super) columns: Columns,

    /// The middle of each column that is drawn.
    pub(super) middles: Vec<usize>,

    /// The left end and the width of each OS thread's column.
    pub(super) held: Vec<(usize, usize)>,

    /// Where marks begin.
    pub(super) marks: usize,

    /// How wide the picture is.
    pub(super) width: usize,
}

impl Places {
    /// The places of what these rows of the picture need.
    pub(super) fn of(picture: &Picture<'_>, rows: &[Row]) -> Self {
        let mut places = Places {
            columns: Columns::of(picture),
            middles: Vec::new(),
            held: Vec::new(),
            marks: 0,
            width: 0,
        };
        places.measure(picture, rows);
        places
    }

    /// Finds a place for everything.
    fn measure(&mut self, picture: &Picture<'_>, rows: &[Row]) {
        let name_of = |who: usize| picture.people[who].name.as_str();
        let mut x = EDGE + TIMES + 12;
        for (thread, name) in picture.os_threads.iter().enumerate() {
            let names = rows.iter().filter(|row| row.os_thread == thread);
            let names = names.filter_map(|row| row.holder.map(name_of));
            let longest = names.chain([*name]).map(letters).max().unwrap_or(0);
            let width = (longest * 7 + 20).clamp(76, 180);
            self.held.push((x, width));
            x += width + 14;
        }
        let count = self.columns.count().min(COLUMNS);
        let mut widths = vec![70; count];
        for (column, width) in widths.iter_mut().enumerate() {
            let first = self.columns.first(column).map_or("", name_of);
            *width = (*width).max(letters(first) * 8 + 24);
        }
        for row in rows {
            if let Some(column) = self.columns.of_person(row.who.unwrap_or(usize::MAX)) {
                let tied = row
                    .tie
                    .and_then(|(other, _)| self.columns.of_person(other))
                    .map_or(column, |other| other.min(column));
                if let Some(width) = widths.get_mut(tied) {
                    *width = (*width).max(letters(&row.words) * 7 + 34).min(300);
                }
            }
        }
        for width in widths {
            self.middles.push(x + 16);
            x += width;
        }
        self.marks = x + 12;
        let marks = rows.iter().flat_map(|row| &row.marks);
        let longest = marks.map(|mark| letters(mark)).max().unwrap_or(0);
        self.width = self.marks + (longest * 7 + 16).clamp(40, 720) + EDGE;
    }

    /// The column of somebody, and its middle.
    pub(super) fn middle(&self, person: Option<usize>) -> Option<(usize, usize)> {
        let column = self.columns.of_person(person?)?;
        Some((column, *self.middles.get(column)?))
    }
}

pub(super) fn letters(text: &str) -> usize {
    text.chars().count()
}

/// At most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if letters(text) <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}
