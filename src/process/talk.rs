//! Writing to a child and reading both of its outputs at once.

use std::io::{self, Read, Write};

use super::pipe::{ChildStderr, ChildStdin, ChildStdout};
use crate::thread::try_scope::try_scope;

/// Our ends of a child's streams.
type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

/// Feeds the child and returns what it said on each output; each stream has a green thread, the first error ends the others.
pub(super) fn talk((stdin, stdout, stderr): Pipes, input: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let talked = try_scope(|s| {
        if let Some(mut stdout) = stdout {
            let said = &mut said;
            s.spawn(move || stdout.read_to_end(said).map(drop));
        }
        if let Some(mut stderr) = stderr {
            let complained = &mut complained;
            s.spawn(move || stderr.read_to_end(complained).map(drop));
        }
        stdin.map_or(Ok(()), |stdin| feed(stdin, input))
    });
    talked.map_err(|failed| failed.into_first())?;
    Ok((said, complained))
}

/// Writes everything, as far as the child wants it, and closes the pipe.
fn feed(mut stdin: ChildStdin, input: &[u8]) -> io::Result<()> {
    match stdin.write_all(input) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        fed => fed,
    }
}
