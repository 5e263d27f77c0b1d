//! How a picture is shown: its order, which part of it, and the drawing.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Row as Cells, Table, TableState};

use crate::program::{Picture, Row};

/// What rows are ordered by.
pub const ORDERS: [&str; 4] = ["id", "waited", "name", "stack"];

/// Which rows are shown, by state.
pub const STATES: [&str; 5] = ["all", "parked", "ready", "running", "not started"];

/// What the one who looks has chosen.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// A place in `ORDERS`.
    pub order: usize,

    /// A place in `STATES`.
    pub state: usize,

    /// Rows above the first that is shown.
    pub skipped: usize,

    /// Whether nothing new is asked for.
    pub paused: bool,
}

impl View {
    /// The rows that are shown, in their order.
    pub fn rows<'a>(&self, picture: &'a Picture) -> Vec<&'a Row> {
        let wanted = STATES[self.state];
        let shown = |row: &&Row| wanted == "all" || row.state == wanted;
        let mut rows: Vec<&Row> = picture.rows.iter().filter(shown).collect();
        match ORDERS[self.order] {
            "waited" => rows.sort_by_key(|row| (std::cmp::Reverse(row.waited), row.id)),
            "name" => rows.sort_by_key(|row| (row.name.is_empty(), row.name.clone(), row.id)),
            "stack" => rows.sort_by_key(|row| (std::cmp::Reverse(row.stack.0), row.id)),
            _ => rows.sort_by_key(|row| row.id),
        }
        rows
    }

    /// Draws a picture.
    pub fn draw(&self, frame: &mut Frame<'_>, picture: &Picture, before: Option<&Picture>) {
        let silent = picture.silent.len() as u16;
        let areas = Layout::vertical([
            Constraint::Length(2),
            Constraint::Length(silent),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .split(frame.area());
        frame.render_widget(Paragraph::new(numbers(picture, before)), areas[0]);
        let lines: Vec<Line<'_>> = picture
            .silent
            .iter()
            .map(String::as_str)
            .map(Line::raw)
            .collect();
        frame.render_widget(Paragraph::new(lines), areas[1]);
        let rows = self.rows(picture);
        let mut place = TableState::new().with_offset(self.skipped.min(rows.len()));
        frame.render_stateful_widget(table(&rows), areas[2], &mut place);
        frame.render_widget(Paragraph::new(self.foot(rows.len())), areas[3]);
    }

    fn foot(&self, shown: usize) -> String {
        let paused = if self.paused { "PAUSED  " } else { "" };
        let (order, state) = (ORDERS[self.order], STATES[self.state]);
        format!("{paused}{shown} shown  [s]ort: {order}  [f]ilter: {state}  [p]ause  [q]uit")
    }
}

/// Two lines: how it stands, and what has happened since the last picture, or ever.
fn numbers(picture: &Picture, before: Option<&Picture>) -> Vec<Line<'static>> {
    let value = |of: &Picture, name: &str| {
        let found = of.numbers.iter().find(|(each, _)| *each == name);
        found.map_or(0, |(_, value)| *value)
    };
    let now = ["alive", "ready", "parked", "timers", "sources", "stacks"];
    let standing = now.map(|name| format!("{name} {}", value(picture, name)));
    let since = [
        "spawned",
        "switches",
        "yields",
        "wakes_local",
        "wakes_remote",
        "polls",
    ];
    let happened = since.map(|name| {
        let earlier = before.map_or(0, |before| value(before, name));
        let more = value(picture, name).saturating_sub(earlier);
        format!("{} {more}", name.replace('_', " "))
    });
    let when = if before.is_some() {
        "since the last look: "
    } else {
        "so far: "
    };
    vec![
        Line::raw(standing.join("  ")),
        Line::raw(format!("{when}{}", happened.join("  "))),
    ]
}

fn table(rows: &[&Row]) -> Table<'static> {
    let widths = [
        Constraint::Length(7),
        Constraint::Length(22),
        Constraint::Length(11),
        Constraint::Length(26),
        Constraint::Length(9),
        Constraint::Length(13),
        Constraint::Length(8),
        Constraint::Fill(1),
    ];
    let head = [
        "ID",
        "NAME",
        "STATE",
        "WAITS IN",
        "FOR",
        "STACK",
        "THREAD",
        "SPAWNED AT",
    ];
    let bold = Style::new().add_modifier(Modifier::BOLD);
    Table::new(rows.iter().copied().map(cells), widths).header(Cells::new(head).style(bold))
}

fn cells(row: &Row) -> Cells<'static> {
    let waited = if row.state == "parked" {
        duration(row.waited)
    } else {
        String::new()
    };
    let (used, size) = row.stack;
    let stack = if size == 0 {
        String::new()
    } else {
        format!("{}/{}", bytes(used), bytes(size))
    };
    Cells::new([
        row.id.to_string(),
        row.name.clone(),
        row.state.clone(),
        row.operation.clone(),
        waited,
        stack,
        row.os_thread.to_string(),
        row.site.clone(),
    ])
}

fn duration(nanoseconds: u64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    match seconds {
        0.0..1.0 => format!("{:.0} ms", seconds * 1e3),
        1.0..600.0 => format!("{seconds:.1} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count}"),
        _ => format!("{}K", count / 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u64, state: &str, waited: u64) -> Row {
        Row {
            id,
            name: String::new(),
            state: state.into(),
            operation: String::new(),
            waited,
            stack: (0, 0),
            os_thread: 1,
            site: String::new(),
        }
    }

    #[test]
    fn rows_are_ordered_and_chosen() {
        let rows = vec![row(1, "ready", 0), row(2, "parked", 5), row(3, "parked", 9)];
        let picture = Picture {
            rows,
            ..Picture::default()
        };
        let ids = |view: &View| {
            view.rows(&picture)
                .iter()
                .map(|row| row.id)
                .collect::<Vec<_>>()
        };
        let mut view = View::default();
        assert_eq!(ids(&view), [1, 2, 3]);
        view.order = 1;
        assert_eq!(ids(&view), [3, 2, 1]);
        view.state = 1;
        assert_eq!(ids(&view), [3, 2]);
    }

    #[test]
    fn durations_and_bytes_are_short() {
        assert_eq!(duration(1_500_000), "2 ms");
        assert_eq!(duration(1_500_000_000), "1.5 s");
        assert_eq!(duration(900_000_000_000), "15 min");
        assert_eq!((bytes(953), bytes(245_760)), ("953".into(), "240K".into()));
    }
}
