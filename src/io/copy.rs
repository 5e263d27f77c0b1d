//! Moving everything from a reader to a writer.

use std::io::{self, Read, Write};

/// How many bytes are moved at once. A trip to the blocking pool costs as much as moving some 64 KiB: with these, a copy between files comes near the speed of std's.
const CHUNK: usize = 1 << 20;

/// Copies all that `reader` gives to `writer`, and returns how many bytes that were.
///
/// Parks where the two do. A cancellation is raised there; what was read and not yet written is lost then, as on an error. On the root and on a plain OS
/// thread the waits run the event loop. It moves up to 1 MiB at once, from a buffer on the heap; from one path to another [`fs::copy`](crate::fs::copy) is faster.
///
/// # Errors
/// The first of the reader or the writer but `Interrupted`; `WriteZero` when the writer takes no more.
///
/// # Examples
/// ```
/// use greenthread::io;
/// let mut copied = Vec::new();
/// assert_eq!(io::copy(&mut &b"all of it"[..], &mut copied)?, 9);
/// assert_eq!(copied, b"all of it");
/// # io::Result::Ok(())
/// ```
pub fn copy<R, W>(reader: &mut R, writer: &mut W) -> io::Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    copy_with(reader, writer, |_| ())
}

/// As [`copy`], and tells `progress` how many bytes there are so far, each time that some were written.
///
/// Parks, and is cancelled, as [`copy`]; `progress` may park too.
///
/// # Errors
/// As [`copy`].
///
/// # Examples
/// ```
/// use greenthread::io;
/// let mut seen = Vec::new();
/// let text = vec![b'.'; 1_500_000];
/// io::copy_with(&mut &text[..], &mut io::sink(), |so_far| seen.push(so_far))?;
/// assert_eq!(seen, [1_048_576, 1_500_000]);
/// # io::Result::Ok(())
/// ```
pub fn copy_with<R, W>(
    reader: &mut R,
    writer: &mut W,
    mut progress: impl FnMut(u64),
) -> io::Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    let mut chunk = vec![0; CHUNK];
    let mut copied = 0;
    loop {
        let some = match reader.read(&mut chunk) {
            Ok(0) => return Ok(copied),
            Ok(some) => some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        writer.write_all(&chunk[..some])?;
        copied += some as u64;
        progress(copied);
    }
}
