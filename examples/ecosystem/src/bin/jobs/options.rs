//! The command line.

use std::process::Command;
use std::time::Duration;

use greenthread_ecosystem::jobs::{Error, Terms};

/// What this process does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything, by itself or through processes that it starts.
    All,

    /// Adds jobs, from this number on.
    Produce(u64),

    /// Does jobs, under this name.
    Work(String),
}

/// What the command line says.
#[derive(Debug)]
pub(crate) struct Options {
    /// Host and port of a Redis.
    pub(crate) server: Option<String>,

    /// How many jobs there are in all; for a producer, how many it adds.
    pub(crate) jobs: u64,

    /// How long a job takes.
    pub(crate) time: Duration,

    /// See `Terms`.
    pub(crate) patience: Duration,

    /// What the stream is called.
    pub(crate) stream: String,

    /// What this process does.
    pub(crate) role: Role,
}

impl Options {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Options, Error> {
        let mut options = Options {
            server: None,
            jobs: 200,
            time: Duration::from_millis(20),
            patience: Duration::from_secs(5),
            stream: String::from("greenthread-jobs"),
            role: Role::All,
        };
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{word}: there is no value after it"))?;
            options.set(&word, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, word: &str, value: String) -> Result<(), Error> {
        match word {
            "--server" => self.server = Some(value),
            "--stream" => self.stream = value,
            "--jobs" => self.jobs = number(word, &value)?,
            "--time" => self.time = Duration::from_millis(number(word, &value)?),
            "--patience" => self.patience = Duration::from_millis(number(word, &value)?),
            "produce" => self.role = Role::Produce(number(word, &value)?),
            "work" => self.role = Role::Work(value),
            _ => return Err(format!("{word}: no such option; see the head of the program").into()),
        }
        Ok(())
    }

    /// What is told to the stream.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            server: self.server.clone().unwrap_or_default(),
            name: self.stream.clone(),
            jobs: self.jobs,
            patience: self.patience,
        }
    }

    /// This program again, with the same options but for the number of jobs.
    pub(crate) fn command(&self, jobs: u64) -> Result<Command, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--server", &self.terms().server, "--stream", &self.stream]);
        for (word, value) in [
            ("--jobs", u128::from(jobs)),
            ("--time", self.time.as_millis()),
            ("--patience", self.patience.as_millis()),
        ] {
            command.args([word, &value.to_string()]);
        }
        Ok(command)
    }
}

fn number(word: &str, value: &str) -> Result<u64, Error> {
    value
        .parse()
        .map_err(|_| format!("{word}: {value:?} is no number").into())
}
