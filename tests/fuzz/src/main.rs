//! Random programs on greenthread, against a model of it: see README.md.

mod across;
mod check;
mod corpus;
mod crew;
mod generate;
mod history;
mod laws;
mod model;
mod objects;
mod op;
mod options;
mod program;
mod run;
mod shrink;
mod tally;
mod worker;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs, io, panic};

use indicatif::{ProgressBar, ProgressStyle};

use corpus::Kept;
use crew::{Found, Trouble};
use options::{Many, Task, World};
use program::Program;
use tally::Tally;

/// What comes of a task that could be done: whether nothing was wrong.
type Verdict = Result<bool, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let verdict = match options::read(env::args().skip(1)) {
        Ok(task) => perform(task),
        Err(error) => {
            eprintln!("greenthread-fuzz: {error}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match verdict {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("greenthread-fuzz: {error}");
            ExitCode::from(2)
        }
    }
}

fn perform(task: Task) -> Verdict {
    match task {
        Task::Many(many) => run_many(&many),
        Task::Work(first, end, world) => {
            hush();
            worker::work(first, end, world);
            Ok(true)
        }
        Task::File(path, world, show) => run_file(&path, world, show),
        Task::One(seed, world, show) => Ok(run_one(&generate::program(seed), world, show)),
        Task::Help => {
            print!("{}", options::USAGE);
            Ok(true)
        }
    }
}

/// Deadlocks are told by panics, and are expected: nothing is printed of a panic.
fn hush() {
    panic::set_hook(Box::new(|_| ()));
}

fn run_file(path: &Path, world: World, show: bool) -> Verdict {
    let program = Program::parse(&fs::read_to_string(path)?)?;
    Ok(run_one(&program, world, show))
}

fn run_one(program: &Program, world: World, show: bool) -> bool {
    if show {
        println!("{}", program.text());
        check::show(program);
    } else {
        hush();
    }
    let trouble = worker::trouble(program, world, &mut Tally::default());
    if let Some(trouble) = &trouble {
        println!("{}\n{trouble}", program.text());
    }
    trouble.is_none()
}

fn run_many(many: &Many) -> Verdict {
    let began = Instant::now();
    let kept = match many.world {
        World::Alone => corpus::run()?,
        World::Workers => Kept::default(),
    };
    let bar = ProgressBar::new(many.programs);
    bar.set_style(style()?);
    let found = crew::run(many, &bar)?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    println!("{} kept programs; {}", kept.programs, found.tally);
    println!(
        "{} divergences, {:.0} s, {:.0} programs a second",
        kept.wrong + found.troubles.len(),
        seconds,
        found.tally.programs as f64 / seconds
    );
    report(&found, many.world)?;
    Ok(kept.wrong == 0 && found.troubles.is_empty())
}

fn style() -> Result<ProgressStyle, indicatif::style::TemplateError> {
    ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} programs, {per_sec}, {eta} left")
}

/// Shows what is wrong, the first of it made as small as it gets.
fn report(found: &Found, world: World) -> io::Result<()> {
    let option = world.option().unwrap_or_default();
    for (seed, trouble) in &found.troubles {
        println!(
            "\nseed {seed}: {trouble:?}; again: greenthread-fuzz --programs 1 --seed {seed} {option}"
        );
    }
    let (Some((seed, trouble)), World::Alone) = (found.troubles.first(), world) else {
        return Ok(());
    };
    let smallest = shrink::shrink(&generate::program(*seed), trouble)?;
    println!("\nwhat is left of seed {seed}; as a file, again: greenthread-fuzz --file PATH\n");
    println!("{}", smallest.text());
    if *trouble == Trouble::Diverges {
        run_one(&smallest, world, false);
    }
    Ok(())
}
