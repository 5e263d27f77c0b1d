//! The program that is looked at: what its socket says, as rows.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to it.
pub struct Program(BufReader<UnixStream>);

/// One green thread, or root.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub id: u64,

    /// Its name, if it has one.
    pub name: String,

    /// What it does, in a word.
    pub state: String,

    /// What it waits in.
    pub operation: String,

    /// For how long it has waited, in nanoseconds; zero when it does not.
    pub waited: u64,

    /// Bytes of its stack in use, and in all.
    pub stack: (u64, u64),

    /// The kernel's number for its OS thread.
    pub os_thread: i64,

    /// Where it was spawned.
    pub site: String,
}

/// What it does at one moment.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Everybody, by number.
    pub rows: Vec<Row>,

    /// OS threads that could not answer, with who runs there.
    pub silent: Vec<String>,

    /// Names and values of the line of numbers.
    pub numbers: Vec<(&'static str, u64)>,
}

impl Program {
    /// Connects to the socket of a program.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Program(BufReader::new(stream)))
    }

    /// Asks what goes on.
    pub fn picture(&mut self) -> io::Result<Picture> {
        let dump = self.ask("dump\n")?;
        let stats = self.ask("stats\n")?;
        Ok(Picture {
            rows: list(&dump["green_threads"]).map(row).collect(),
            silent: list(&dump["os_threads"]).filter_map(silent).collect(),
            numbers: numbers(&stats["scheduling"]),
        })
    }

    fn ask(&mut self, request: &str) -> io::Result<Value> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(io::Error::other(error.to_string())),
            None => Ok(answer),
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text that the program chose: nothing in it moves the terminal's cursor.
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.replace(char::is_control, "?")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn row(seen: &Value) -> Row {
    let site = &seen["spawned_at"];
    let is_root = seen["kind"] == "root";
    let name = text(&seen["name"]);
    Row {
        id: number(&seen["id"]),
        name: if is_root {
            format!("{name} (root)")
        } else {
            name
        },
        state: text(&seen["state"]),
        operation: text(&seen["operation"]),
        waited: number(&seen["waited_ns"]),
        stack: (number(&seen["stack_used"]), number(&seen["stack_size"])),
        os_thread: seen["os_thread"].as_i64().unwrap_or_default(),
        site: match site.is_object() {
            true => format!("{}:{}", text(&site["file"]), number(&site["line"])),
            false => String::new(),
        },
    }
}

fn silent(thread: &Value) -> Option<String> {
    let name = text(&thread["name"]);
    let runs = text(&thread["running"]["label"]);
    let line = format!("OS thread {} {name}: held by {runs}", thread["number"]);
    (thread["answered"] == false).then_some(line)
}

fn numbers(of: &Value) -> Vec<(&'static str, u64)> {
    let names = [
        "alive",
        "ready",
        "parked",
        "spawned",
        "switches",
        "yields",
        "wakes_local",
        "wakes_remote",
        "polls",
        "timers",
        "sources",
        "stacks",
    ];
    names.map(|name| (name, number(&of[name]))).into()
}
