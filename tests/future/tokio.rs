//! Our streams under tokio's traits.

use std::future::poll_fn;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;

use greenthread::future::block_on;
use greenthread::net::{TcpListener, TcpStream, UnixStream};
use greenthread::{spawn, yield_now};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

#[test]
#[apply(on_workers)]
fn a_read_fills_what_is_free_and_no_more() {
    let (mut one, mut other) = pair();
    let reader = spawn(move || {
        let mut memory = [MaybeUninit::uninit(); 4];
        let mut buffer = ReadBuf::uninit(&mut memory);
        buffer.put_slice(b"a");
        let mut sizes = vec![];
        while buffer.remaining() > 0 {
            let read = poll_fn(|context| Pin::new(&mut other).poll_read(context, &mut buffer));
            block_on(read).unwrap();
            sizes.push(buffer.filled().len());
            yield_now();
        }
        (buffer.filled().to_vec(), sizes)
    });
    yield_now();
    one.write_all(b"bc").unwrap();
    yield_now();
    one.write_all(b"de").unwrap();
    let (bytes, sizes) = reader.join().unwrap();
    assert_eq!(bytes, b"abcd");
    assert_eq!(sizes.last(), Some(&4));
}

#[test]
#[apply(on_workers)]
fn unix_streams_have_the_traits_too() {
    let (mut one, mut other) = UnixStream::pair().unwrap();
    let mut memory = [0; 4];
    let mut buffer = ReadBuf::new(&mut memory);
    block_on(async {
        poll_fn(|context| Pin::new(&mut one).poll_write(context, b"ab"))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_shutdown(context))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut other).poll_read(context, &mut buffer))
            .await
            .unwrap();
    });
    assert_eq!(buffer.filled(), b"ab");
}

#[test]
#[apply(on_workers)]
fn the_end_fills_nothing() {
    let (one, mut other) = pair();
    drop(one);
    let mut memory = [0; 4];
    let mut buffer = ReadBuf::new(&mut memory);
    block_on(poll_fn(|context| {
        Pin::new(&mut other).poll_read(context, &mut buffer)
    }))
    .unwrap();
    assert!(buffer.filled().is_empty());
}

#[test]
#[apply(on_workers)]
fn writes_arrive_and_shutdown_ends_them() {
    let (mut one, mut other) = pair();
    block_on(async {
        assert!(AsyncWrite::is_write_vectored(&one));
        let buffers = [IoSlice::new(b"ab"), IoSlice::new(b"c")];
        poll_fn(|context| Pin::new(&mut one).poll_write_vectored(context, &buffers))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_write(context, b"d"))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_flush(context))
            .await
            .unwrap();
        poll_fn(|context| Pin::new(&mut one).poll_shutdown(context))
            .await
            .unwrap();
    });
    let mut text = String::new();
    other.read_to_string(&mut text).unwrap();
    assert_eq!(text, "abcd");
}
