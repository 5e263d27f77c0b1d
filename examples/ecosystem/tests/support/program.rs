//! A program of this package that serves until it is stopped.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A process of ours; killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    /// The process.
    child: Child,

    /// What it says.
    output: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Program {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Program { child, output }
    }

    /// The next line that it says; empty at its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().into()
    }

    /// What it says after this word, which the next line begins with.
    pub(crate) fn says(&mut self, word: &str) -> String {
        let line = self.line();
        let rest = line.strip_prefix(word);
        rest.unwrap_or_else(|| panic!("it says {line:?}"))
            .trim()
            .into()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many OS threads it has.
    pub(crate) fn os_threads(&self) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        tasks.unwrap().count()
    }

    /// Waits for its end; whether that was a success.
    pub(crate) fn succeeds(mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
