//! What to start, and how.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{self, CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};

use super::child::Child;

/// What to start, and how: [`std::process::Command`] for green threads.
///
/// Settings that are not here (`pre_exec`, `uid`, `process_group`, ..) are reached through [`as_std_mut`](Self::as_std_mut).
///
/// # Examples
/// ```
/// use greenthread::process::Command;
/// let output = Command::new("printf").args(["%s-%s", "one", "two"]).output()?;
/// assert!(output.status.success());
/// assert_eq!(output.stdout, b"one-two");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Command {
    /// All that std knows.
    command: process::Command,

    /// Which of the standard streams were set: input, output, error output.
    streams_set: [bool; 3],

    /// What the child begins with.
    kill_on_drop: bool,
}

impl Command {
    /// Names the program to start: a path, or a name that is looked for in `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Command::from(process::Command::new(program))
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(key, value);
        self
    }

    /// Sets environment variables.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        &mut self,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        self.command.envs(vars);
        self
    }

    /// Takes an environment variable away.
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Self {
        self.command.env_remove(key);
        self
    }

    /// Takes all environment variables away.
    pub fn env_clear(&mut self) -> &mut Self {
        self.command.env_clear();
        self
    }

    /// Sets the folder in which it starts.
    pub fn current_dir(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets its standard input: ours for `spawn` and `status`, nothing for `output`, unless said otherwise.
    pub fn stdin(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.command.stdin(stream);
        self.streams_set[0] = true;
        self
    }

    /// Sets its standard output: ours for `spawn` and `status`, piped for `output`, unless said otherwise.
    pub fn stdout(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.command.stdout(stream);
        self.streams_set[1] = true;
        self
    }

    /// Sets its standard error output, as [`stdout`](Self::stdout).
    pub fn stderr(&mut self, stream: impl Into<Stdio>) -> &mut Self {
        self.command.stderr(stream);
        self.streams_set[2] = true;
        self
    }

    /// Says whether dropping the [`Child`] kills the process, the one inside a cancelled [`output`](Self::output) or [`status`](Self::status) too. False unless set.
    pub fn kill_on_drop(&mut self, kill: bool) -> &mut Self {
        self.kill_on_drop = kill;
        self
    }

    /// Starts the program.
    ///
    /// Does not park, and blocks the OS thread until the kernel has replaced the new process's program, or refused to: about a millisecond, longer from a slow disk. It is
    /// not left to another OS thread, because what `pre_exec` does and who the child's parent is may hang on the one that starts it.
    ///
    /// # Errors
    /// The system's: `NotFound` when there is no such program, for example.
    pub fn spawn(&mut self) -> io::Result<Child> {
        Child::new(self.command.spawn()?, self.kill_on_drop)
    }

    /// Starts the program and waits for its end.
    ///
    /// Blocks to start it as [`spawn`](Self::spawn) does; then parks, and is cancelled, as [`Child::wait`].
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn) and [`Child::wait`].
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        self.spawn()?.wait()
    }

    /// Starts the program, waits for its end and returns what it said.
    ///
    /// Both outputs are collected and the input is empty, unless they were set otherwise. Blocks to start it as [`spawn`](Self::spawn) does; then parks, and is
    /// cancelled, as [`Child::communicate`].
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn) and [`Child::communicate`].
    pub fn output(&mut self) -> io::Result<Output> {
        let [stdin, stdout, stderr] = self.streams_set;
        self.lend_streams(
            [stdin, stdout, stderr],
            [Stdio::null, Stdio::piped, Stdio::piped],
        );
        let child = self.spawn();
        self.lend_streams([stdin, stdout, stderr], [Stdio::inherit; 3]);
        child?.wait_with_output()
    }

    /// Sets those streams that the user has not set.
    fn lend_streams(&mut self, set: [bool; 3], [stdin, stdout, stderr]: [fn() -> Stdio; 3]) {
        if !set[0] {
            self.command.stdin(stdin());
        }
        if !set[1] {
            self.command.stdout(stdout());
        }
        if !set[2] {
            self.command.stderr(stderr());
        }
    }

    /// Returns the program.
    #[must_use]
    pub fn get_program(&self) -> &OsStr {
        self.command.get_program()
    }

    /// Returns the arguments.
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.command.get_args()
    }

    /// Returns the environment variables that were set, or taken away.
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.command.get_envs()
    }

    /// Returns the folder in which it starts, if that was set.
    #[must_use]
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.command.get_current_dir()
    }

    /// Lends the command of std, for settings that are not here. Standard streams are set here, not there: [`output`](Self::output) would not know.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.command
    }
}

impl From<process::Command> for Command {
    /// Takes a command of std. [`output`](Command::output) collects the streams however they were set there.
    fn from(command: process::Command) -> Self {
        Command {
            command,
            streams_set: [false; 3],
            kill_on_drop: false,
        }
    }
}
