//! Where faults meet sockets (`Faults`): before a call is tried. What comes of a fault is done for real, so that all that follows is as the kernel has it.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;

use super::reset;
use crate::sched::faults::{self, Injector};
use crate::sched::park::{deadline_in, park_alone};
use crate::sched::source::{Direction, Operating, Source, refuse_in_unwind};
use crate::sched::wait::Operation;

/// What a read or a write may do after its faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// For how long it may still wait.
    pub(crate) limit: Option<Duration>,

    /// How many bytes it may move.
    pub(crate) bytes: usize,
}

/// What a read or a write of `wanted` bytes may do.
#[inline(always)]
pub(super) fn allowed<S: AsFd>(
    socket: &Operating<'_, S>,
    operation: &'static Operation,
    direction: Direction,
    limit: Option<Duration>,
    wanted: usize,
) -> io::Result<Allowed> {
    let bytes = wanted;
    if faults::may_be() {
        return meet(socket, operation, direction, Allowed { limit, bytes });
    }
    Ok(Allowed { limit, bytes })
}

#[cold]
fn meet<S: AsFd>(
    socket: &Operating<'_, S>,
    operation: &'static Operation,
    direction: Direction,
    whole: Allowed,
) -> io::Result<Allowed> {
    let Some(injector) = faults::here() else {
        return Ok(whole);
    };
    let limit = delay_by(&injector, socket, operation, whole.limit)?;
    let bytes = cut_by(&injector, socket, direction, whole.bytes)?;
    Ok(Allowed { limit, bytes })
}

/// For how long a call may wait that is delayed first, if it is.
#[inline(always)]
pub(super) fn delayed<S: AsFd>(
    socket: &Operating<'_, S>,
    operation: &'static Operation,
    limit: Option<Duration>,
) -> io::Result<Option<Duration>> {
    if faults::may_be() {
        return delay(socket, operation, limit);
    }
    Ok(limit)
}

#[cold]
fn delay<S: AsFd>(
    socket: &Operating<'_, S>,
    operation: &'static Operation,
    limit: Option<Duration>,
) -> io::Result<Option<Duration>> {
    match faults::here() {
        Some(injector) => delay_by(&injector, socket, operation, limit),
        None => Ok(limit),
    }
}

/// How many of `wanted` bytes a future may move: it meets resets and is cut short, but does not wait here.
pub(crate) fn allowed_to_poll<S: AsFd>(
    source: &Source<S>,
    direction: Direction,
    wanted: usize,
) -> io::Result<usize> {
    match faults::here_if_any() {
        Some(injector) => cut_by(&injector, &source.enter()?, direction, wanted),
        None => Ok(wanted),
    }
}

/// Waits, and says for how long the call may wait after that. In an unwind, where nothing waits, there is no delay (L10).
fn delay_by<S: AsFd>(
    injector: &Rc<Injector>,
    socket: &Operating<'_, S>,
    operation: &'static Operation,
    limit: Option<Duration>,
) -> io::Result<Option<Duration>> {
    let Some(delay) = injector.delay().filter(|_| refuse_in_unwind().is_ok()) else {
        return Ok(limit);
    };
    let shorter = limit.map_or(delay, |limit| limit.min(delay));
    park_alone(operation, Some(deadline_in(shorter)), || ());
    // Closed meanwhile is closed while it was parked (L17).
    socket.refuse_if_closed()?;
    let left = limit.map(|limit| limit.saturating_sub(delay));
    match left {
        Some(Duration::ZERO) => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

/// How many bytes may be moved, if the connection does not break.
fn cut_by<S: AsFd>(
    injector: &Rc<Injector>,
    socket: &Operating<'_, S>,
    direction: Direction,
    wanted: usize,
) -> io::Result<usize> {
    if injector.resets() {
        return Err(break_off(&**socket));
    }
    Ok(match direction {
        Direction::Read => injector.read(wanted),
        Direction::Write => injector.write(wanted),
    })
}

/// Breaks the connection, as the kernel does when a reset has come.
fn break_off(connection: &impl AsFd) -> io::Error {
    let socket = SockRef::from(connection);
    // Only TCP has resets. The rest cannot fail in a way that matters: a connection that is broken already stays so.
    reset::send(connection);
    drop(socket.shutdown(Shutdown::Both));
    drop(socket.take_error());
    io::ErrorKind::ConnectionReset.into()
}
