//! hyper's traits of a runtime: our streams, executor and timer.

#![expect(
    unsafe_code,
    reason = "reads into memory that is not initialised, and says how far it is now"
)]

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{self, ReadBufCursor};

use super::{Executor, Sleep, Timer, sleep, sleep_until, socket};
use crate::net::{TcpStream, UnixStream};
use crate::time;

macro_rules! hyper_traits {
    ($stream:ident) => {
        impl rt::Read for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                mut buffer: ReadBufCursor<'_>,
            ) -> Poll<io::Result<()>> {
                // SAFETY: a system call writes there, which initialises and makes nothing uninitialised.
                let free = unsafe { buffer.as_mut() };
                let read = ready!(socket::poll_receive(self.source(), context, free))?;
                // SAFETY: `poll_receive`: so many bytes were initialised.
                unsafe { buffer.advance(read) };
                Poll::Ready(Ok(()))
            }
        }

        impl rt::Write for $stream {
            socket::write_methods!(poll_shutdown);

            fn is_write_vectored(&self) -> bool {
                true
            }
        }
    };
}

hyper_traits!(TcpStream);
hyper_traits!(UnixStream);

impl<F> rt::Executor<F> for Executor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        drop(self.spawn(future));
    }
}

impl rt::Sleep for Sleep {}

impl rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(sleep(duration))
    }

    fn sleep_until(&self, moment: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(sleep_until(moment))
    }

    fn now(&self) -> Instant {
        time::now()
    }
}
