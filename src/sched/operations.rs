//! The wait points of the crate, by name, so that each OS thread counts its parks in a table: the number of a name is found when the crate is compiled.

/// Every name; the first stands for all that are not listed. A test of this file holds the list against the source.
pub(crate) const NAMES: [&str; COUNT] = [
    "other",
    "AsCompleted::next",
    "Barrier::wait",
    "Barrier::wait_timeout",
    "Child::wait",
    "Child::wait_timeout",
    "ChildStderr::read",
    "ChildStdin::write",
    "ChildStdout::read",
    "Condvar::wait",
    "Condvar::wait_timeout",
    "Condvar::wait_timeout_while",
    "Event::wait",
    "Event::wait_timeout",
    "File::read",
    "File::write",
    "JoinHandle::join",
    "JoinSet::join_next",
    "Mutex::lock",
    "Mutex::lock_owned",
    "Mutex::lock_owned_timeout",
    "Mutex::lock_timeout",
    "OnceLock::get_or_init",
    "OnceLock::wait",
    "OnceLock::wait_timeout",
    "PipeReader::read",
    "PipeWriter::write",
    "Queue::get",
    "Queue::get_timeout",
    "Queue::join",
    "Queue::join_timeout",
    "Queue::put",
    "Queue::put_timeout",
    "Queue::try_get",
    "Receiver::recv",
    "Receiver::recv_timeout",
    "ReentrantMutex::lock",
    "ReentrantMutex::lock_timeout",
    "RwLock::read",
    "RwLock::read_owned",
    "RwLock::read_timeout",
    "RwLock::write",
    "RwLock::write_owned",
    "RwLock::write_timeout",
    "Semaphore::acquire",
    "Semaphore::acquire_many",
    "Semaphore::acquire_many_timeout",
    "Semaphore::acquire_owned",
    "Semaphore::acquire_owned_timeout",
    "Semaphore::acquire_timeout",
    "Sender::send",
    "Sender::send_timeout",
    "Server::serve",
    "Signals::recv",
    "Signals::recv_timeout",
    "Stderr::write",
    "Stdin::read",
    "Stdin::write",
    "Stdout::write",
    "TcpListener::accept",
    "TcpStream::connect",
    "TcpStream::peek",
    "TcpStream::read",
    "TcpStream::write",
    "UdpSocket::peek",
    "UdpSocket::peek_from",
    "UdpSocket::recv",
    "UdpSocket::recv_from",
    "UdpSocket::send",
    "UdpSocket::send_to",
    "UnixDatagram::recv",
    "UnixDatagram::recv_from",
    "UnixDatagram::send",
    "UnixDatagram::send_to",
    "UnixListener::accept",
    "UnixStream::connect",
    "UnixStream::read",
    "UnixStream::write",
    "blocking::Pool::drop",
    "broadcast::Receiver::recv",
    "broadcast::Receiver::recv_timeout",
    "end of scope",
    "future::block_on",
    "gather",
    "oneshot::Receiver::recv",
    "oneshot::Receiver::recv_timeout",
    "park",
    "process::Channel::recv",
    "process::Channel::recv_timeout",
    "process::Channel::send",
    "race",
    "reaping a child process that was dropped",
    "select!",
    "sending to a process of a pool",
    "signal::ctrl_c",
    "sleep",
    "try_gather",
    "wait",
    "wait_until",
    "waiting for a blocking job",
    "waiting for a process of a pool",
    "waiting for orders",
    "waiting for workers",
    "watch::Receiver::changed",
    "watch::Receiver::changed_timeout",
    "watch::Sender::closed",
    "watch::Sender::closed_timeout",
];

/// How many there are.
pub(crate) const COUNT: usize = 107;

/// The number of a name: its place in [`NAMES`], or zero.
pub(crate) const fn number_of(name: &str) -> u8 {
    let mut number = COUNT - 1;
    while number > 0 && !is_same(name.as_bytes(), NAMES[number].as_bytes()) {
        number -= 1;
    }
    number as u8
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

const _: () = assert!(COUNT <= 256, "a number is a byte");

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What a line of the source calls a wait point, if it makes one.
    fn name_in(line: &str) -> Option<&str> {
        let (_, rest) = line
            .split_once("Operation::new(\"")
            .or_else(|| line.split_once("Operation::joining(\""))?;
        rest.split_once('"').map(|(name, _)| name)
    }

    fn unlisted(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                unlisted(&path, found);
            } else if !path.ends_with("sched/model.rs") {
                let source = fs::read_to_string(&path).unwrap_or_default();
                let names = source.lines().filter_map(name_in);
                found.extend(names.filter(|name| number_of(name) == 0).map(String::from));
            }
        }
    }

    #[test]
    fn every_wait_point_of_the_crate_is_listed() {
        let mut found = Vec::new();
        unlisted(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.is_empty(), "add to NAMES: {found:?}");
    }

    #[test]
    fn a_name_has_one_number() {
        for (number, name) in NAMES.iter().enumerate() {
            assert_eq!(usize::from(number_of(name)), number, "{name}");
        }
        assert_eq!(number_of("Mutex::loc"), 0);
    }
}
