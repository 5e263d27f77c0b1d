//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

/// How it is called.
pub(crate) const USAGE: &str = "\
greenthread-fuzz: random programs on greenthread, and on a model of it

  --programs N    how many, from the seed up [1000000]
  --seed S        the first one [1]
  --seconds T     stop after so long
  --jobs J        so many processes at once [as many as there are cores]
  --file PATH     run this one program instead, and show what is seen
  --workers       on two workers in real time, without the model: only what must always hold is looked at
  --show          with one program, show what is seen also when both agree
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Task {
    /// Many programs.
    Many(Many),

    /// The programs from the first seed to before the second, for a parent who reads what comes of them.
    Work(u64, u64, World),

    /// The program in this file; whether to show it all.
    File(PathBuf, World, bool),

    /// The program of this seed; whether to show it all.
    One(u64, World, bool),

    /// Say how it is called.
    Help,
}

/// Where programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// On one OS thread under virtual time, beside the model.
    Alone,

    /// On two workers in real time.
    Workers,
}

impl World {
    /// The option that says so.
    pub(crate) fn option(self) -> Option<&'static str> {
        match self {
            World::Alone => None,
            World::Workers => Some("--workers"),
        }
    }
}

/// Many programs.
#[derive(Debug)]
pub(crate) struct Many {
    /// The first seed.
    pub(crate) first: u64,

    /// How many.
    pub(crate) programs: u64,

    /// Stop after so long.
    pub(crate) limit: Option<Duration>,

    /// Processes at once.
    pub(crate) jobs: usize,

    /// Where they run.
    pub(crate) world: World,
}

/// Reads the command line.
pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut arguments = arguments.peekable();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut many = Many {
        first: 1,
        programs: 1_000_000,
        limit: None,
        jobs: cores,
        world: World::Alone,
    };
    let (mut file, mut show) = (None, false);
    while let Some(word) = arguments.next() {
        let mut number = || number(&word, arguments.next());
        match word.as_str() {
            "--programs" => many.programs = number()?,
            "--seed" => many.first = number()?,
            "--seconds" => many.limit = Some(Duration::from_secs(number()?)),
            "--jobs" => many.jobs = number()?.max(1) as usize,
            "--work" => {
                let first = number()?;
                let end = number_of_last(&mut arguments)?;
                return Ok(Task::Work(first, end, many.world));
            }
            "--workers" => many.world = World::Workers,
            "--file" => file = Some(arguments.next().ok_or("--file wants a path")?.into()),
            "--show" => show = true,
            "--help" => return Ok(Task::Help),
            other => return Err(format!("{other:?} is no option")),
        }
    }
    Ok(match file {
        Some(path) => Task::File(path, many.world, show),
        None if many.programs == 1 => Task::One(many.first, many.world, show),
        None => Task::Many(many),
    })
}

fn number_of_last(arguments: &mut impl Iterator<Item = String>) -> Result<u64, String> {
    number("--work", arguments.next())
}

fn number(option: &str, word: Option<String>) -> Result<u64, String> {
    let word = word.ok_or(format!("{option} wants a number"))?;
    word.parse()
        .map_err(|_| format!("{option}: {word:?} is no number"))
}
