//! Records a program and draws it in four ways: for the terminal, as a picture, as a page to look around in, and for Perfetto.
//!
//! The program is number 05 of the parity tests: two tasks that interleave at their sleeps, and a main program that awaits the second first. Under virtual time it takes none, and
//! every run draws the same.
//!
//! ```sh
//! cargo run --example timeline                 # into a temporary folder
//! cargo run --example timeline -- --out docs   # into this one
//! ```

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, io};

use greenthread::Runtime;
use greenthread::trace::{self, Recording, Timeline};

#[path = "../tests/parity/p05_tasks_interleave/program.rs"]
mod program;

/// What the program calls its unit of time.
pub(crate) const U: Duration = Duration::from_millis(30);

/// What the program says, it says by marks.
#[derive(Clone, Debug)]
pub(crate) struct Log;

/// The program's way of saying a line.
mod log {
    macro_rules! say {
        ($log:expr, $($line:tt)*) => {{
            let _: &$crate::Log = &$log;
            greenthread::trace::mark(format_args!($($line)*))
        }};
    }
    pub(crate) use say;
}

fn main() -> io::Result<()> {
    let folder = folder()?;
    fs::create_dir_all(&folder)?;
    let timeline = record()?;
    print!("{}", timeline.to_text());
    println!();
    let drawings = [
        ("timeline.txt", timeline.to_text()),
        ("timeline.svg", timeline.to_svg()),
        ("timeline.html", timeline.to_html()),
        ("timeline.json", timeline.to_chrome_json()),
    ];
    for (name, drawing) in drawings {
        let path = folder.join(name);
        fs::write(&path, drawing)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Runs the program while everything is recorded.
fn record() -> io::Result<Timeline> {
    let runtime = Runtime::builder().virtual_time().build()?;
    Ok(runtime.run(|| {
        let recording = Recording::start_here();
        let returned = program::main(&Log, 1);
        trace::mark(format_args!("main returns {returned}"));
        recording.finish()
    }))
}

/// Where to write: what follows `--out`, or a temporary folder.
fn folder() -> io::Result<PathBuf> {
    let mut words = env::args().skip(1);
    match (words.next().as_deref(), words.next()) {
        (None, _) => {
            let name = format!("greenthread-timeline-{}", std::process::id());
            Ok(env::temp_dir().join(name))
        }
        (Some("--out"), Some(folder)) => Ok(folder.into()),
        _ => Err(io::Error::other("usage: timeline [--out FOLDER]")),
    }
}
