//! futures-io's traits for our streams.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::socket;
use crate::net::{TcpStream, UnixStream};

macro_rules! futures_io_traits {
    ($stream:ident) => {
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                socket::poll_read(self.source(), context, buffer)
            }
        }

        impl AsyncWrite for $stream {
            socket::write_methods!(poll_close);
        }
    };
}

futures_io_traits!(TcpStream);
futures_io_traits!(UnixStream);
