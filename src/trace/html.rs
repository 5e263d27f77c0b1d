//! A timeline as a page to look around in: one file with its own styles and script, which asks no network for anything.

use std::fmt::{self, Write as _};

use super::columns::Columns;
use super::escape::Json;
use super::picture::{Picture, Row, State, Tie};
use super::timeline::{Person, Timeline, Who};

/// What the page looks like.
const STYLE: &str = include_str!("page.css");

/// What draws it.
const SCRIPT: &str = include_str!("page.js");

/// What is above and below the drawing.
const FRAME: &str = r#"<header>
<h1>What ran when</h1><span class="note" id="note"></span>
<span class="right">
<input id="search" type="search" placeholder="search names, waits, marks ( / )" aria-label="search"><span id="hits"></span>
<select id="axis" aria-label="how time runs down"><option value="events">event by event</option><option value="time">true to time</option></select>
<button id="out" title="zoom out (−)">−</button><button id="in" title="zoom in (+)">+</button><button id="fit">fit</button>
</span>
</header>
<div id="view"><div id="heads"></div><div id="page"></div></div>
<div id="tip"></div>
<footer>Thick: runs. Thin: ready. Dashed: waits. Dotted: has not begun. Arrows lead from whoever spawns, wakes, cancels or resumes. Zoom with Ctrl and the wheel.</footer>
"#;

impl Timeline {
    /// Draws the timeline as a page: one file to open in a browser, which needs no network.
    ///
    /// It shows everything that was recorded, event by event or true to time: zoom with the buttons or with Ctrl and the wheel, rest on anything for details, and search for
    /// names, wait points and marks. It follows the reader's choice of light or dark.
    #[must_use]
    pub fn to_html(&self) -> String {
        let picture = Picture::of(self);
        let data = Data {
            picture: &picture,
            columns: Columns::of(&picture),
            lost: self.lost(),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>What ran when</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{FRAME}<script>\nconst D = {data};\n{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }
}

/// What the script draws, as JSON.
struct Data<'a> {
    /// The rows.
    picture: &'a Picture<'a>,

    /// Who is where.
    columns: Columns,

    /// How many events are lost.
    lost: u64,
}

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"people\":[")?;
        for (index, person) in self.picture.people.iter().enumerate() {
            comma(f, index)?;
            let column = self.columns.of_person(index);
            write_person(f, person, number(column))?;
        }
        f.write_str("],\n\"threads\":[")?;
        for (index, name) in self.picture.os_threads.iter().enumerate() {
            comma(f, index)?;
            write!(f, "{}", Json(name))?;
        }
        let (columns, lost) = (self.columns.count(), self.lost);
        write!(f, "],\n\"columns\":{columns},\"lost\":{lost},\"rows\":[\n")?;
        for (index, row) in self.picture.rows.iter().enumerate() {
            comma(f, index)?;
            write_row(f, row)?;
        }
        f.write_str("]}")
    }
}

fn comma(f: &mut fmt::Formatter<'_>, index: usize) -> fmt::Result {
    if index == 0 {
        Ok(())
    } else {
        f.write_str(",\n")
    }
}

/// An index, or -1 for none.
fn number(index: Option<usize>) -> i64 {
    index.map_or(-1, |index| index as i64)
}

fn write_person(f: &mut fmt::Formatter<'_>, person: &Person, column: i64) -> fmt::Result {
    let kind = match person.who {
        Who::Green(_) => "green thread",
        Who::Root(_) => "root",
        Who::Job(_) => "blocking job",
        Who::Generator(_) => "generator",
    };
    write!(
        f,
        "[{},{},{},{},{},{column}]",
        Json(&person.name),
        Json(kind),
        person.who.number(),
        Json(person.site.as_deref().unwrap_or("")),
        person.os_thread
    )
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let state = match row.state {
        State::Away => 0,
        State::Fresh => 1,
        State::Ready => 2,
        State::Running => 3,
        State::Waiting => 4,
    };
    let tie = |tie: Tie| match tie {
        Tie::Spawn => 0,
        Tie::Wake => 1,
        Tie::Cancel => 2,
        Tie::Resume => 3,
        Tie::Return => 4,
    };
    write!(
        f,
        "[{},{},{},{state},{},{},{},{},[",
        row.at.as_nanos(),
        row.os_thread,
        number(row.who),
        number(row.tie.map(|(other, _)| other)),
        row.tie.map_or(-1, |(_, kind)| tie(kind)),
        Json(&row.words),
        number(row.holder),
    )?;
    for (index, mark) in row.marks.iter().enumerate() {
        if index > 0 {
            f.write_char(',')?;
        }
        write!(f, "{}", Json(mark))?;
    }
    f.write_str("]]")
}
