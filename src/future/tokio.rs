//! tokio's traits for our streams.

#![expect(
    unsafe_code,
    reason = "reads into memory that is not initialised, and says how far it is now"
)]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket;
use crate::net::{TcpStream, UnixStream};

macro_rules! tokio_traits {
    ($stream:ident) => {
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                // SAFETY: a system call writes there, which initialises and makes nothing uninitialised.
                let free = unsafe { buffer.unfilled_mut() };
                let read = ready!(socket::poll_receive(self.source(), context, free))?;
                // SAFETY: `poll_receive`: so many bytes were initialised.
                unsafe { buffer.assume_init(read) };
                buffer.advance(read);
                Poll::Ready(Ok(()))
            }
        }

        impl AsyncWrite for $stream {
            socket::write_methods!(poll_shutdown);

            fn is_write_vectored(&self) -> bool {
                true
            }
        }
    };
}

tokio_traits!(TcpStream);
tokio_traits!(UnixStream);
