//! Our streams under futures-io's traits; and what holds for every adapter, because all poll the same way.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use greenthread::future::{block_on, sleep};
use greenthread::net::{Faults, TcpListener, TcpStream, UnixStream};
use greenthread::{Runtime, spawn, timeout, yield_now};

use crate::support::panic_text;
use crate::{Count, both};

/// Two ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (one, listener.accept().unwrap().0)
}

async fn read(mut stream: impl AsyncRead + Unpin, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|context| Pin::new(&mut stream).poll_read(context, buffer)).await
}

async fn write_all(mut stream: impl AsyncWrite + Unpin, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let write = |context: &mut Context<'_>| Pin::new(&mut stream).poll_write(context, bytes);
        let written = poll_fn(write).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}

#[test]
#[apply(on_workers)]
fn bytes_go_through_and_then_the_end() {
    let (mut one, mut other) = pair();
    block_on(async {
        write_all(&mut one, b"hello").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(read(&mut other, &mut buffer).await.unwrap(), 5);
        assert_eq!(&buffer[..5], b"hello");
        poll_fn(|context| Pin::new(&mut one).poll_close(context))
            .await
            .unwrap();
        assert_eq!(read(&mut other, &mut buffer).await.unwrap(), 0);
    });
}

#[test]
#[apply(on_workers)]
fn faults_cut_what_a_future_reads_and_writes_and_break_its_connection() {
    let (mut one, mut other) = pair();
    let faults = Faults::new(1).short_reads(1.0).short_writes(1.0);
    faults.inject(|| {
        block_on(async {
            let write =
                |context: &mut Context<'_>| Pin::new(&mut one).poll_write(context, b"hello");
            assert!((1..5).contains(&poll_fn(write).await.unwrap()));
            write_all(&mut one, b"and more").await.unwrap();
            let got = read(&mut other, &mut [0; 8]).await.unwrap();
            assert!((1..8).contains(&got), "{got}");
        });
    });
    Faults::new(1).resets(1.0).inject(|| {
        let error = block_on(read(&mut other, &mut [0; 8])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    });
    let ended = block_on(write_all(&mut other, b"never"));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
#[apply(on_workers)]
fn unix_streams_have_the_traits_too() {
    let (mut one, mut other) = UnixStream::pair().unwrap();
    let mut buffer = [0; 3];
    let (written, read) = block_on(both(
        write_all(&mut one, b"abc"),
        read(&mut other, &mut buffer),
    ));
    assert_eq!((written.unwrap(), read.unwrap()), ((), 3));
    assert_eq!(&buffer, b"abc");
}

#[test]
#[apply(on_workers)]
fn a_read_that_waits_parks_its_green_thread_only() {
    let (mut one, mut other) = pair();
    let reader = spawn(move || {
        let mut buffer = [0; 3];
        block_on(read(&mut other, &mut buffer)).unwrap();
        buffer
    });
    yield_now();
    one.write_all(b"abc").unwrap();
    assert_eq!(&reader.join().unwrap(), b"abc");
}

/// More than the kernel's buffers hold goes both ways through one future: a read that blocked would keep the write from going on.
#[test]
#[apply(on_workers)]
fn one_future_reads_and_writes_at_once() {
    const SIZE: usize = 8 << 20;
    let (one, mut other) = pair();
    let echo = spawn(move || {
        let mut reader = other.try_clone().unwrap();
        io::copy(&mut reader, &mut other).unwrap()
    });
    let (mut sender, mut receiver) = (one.try_clone().unwrap(), one);
    let sent = vec![7; SIZE];
    let ((), received) = block_on(both(
        async {
            write_all(&mut sender, &sent).await.unwrap();
            poll_fn(|context| Pin::new(&mut sender).poll_close(context))
                .await
                .unwrap();
        },
        async {
            let (mut buffer, mut all) = (vec![0; 1 << 16], 0);
            loop {
                match read(&mut receiver, &mut buffer).await.unwrap() {
                    0 => return all,
                    more => all += more,
                }
            }
        },
    ));
    assert_eq!((received, echo.join().unwrap()), (SIZE, SIZE as u64));
}

#[test]
#[apply(on_workers)]
fn several_buffers_are_written_in_one_call() {
    let (mut one, mut other) = pair();
    let buffers = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    let write =
        |context: &mut Context<'_>| Pin::new(&mut one).poll_write_vectored(context, &buffers);
    assert_eq!(block_on(poll_fn(write)).unwrap(), 4);
    let mut buffer = [0; 4];
    other.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"abcd");
}

#[test]
#[apply(on_workers)]
fn l17_close_wakes_a_future_that_waits() {
    let (_one, mut other) = pair();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    let polled = Pin::new(&mut other).poll_read(&mut context, &mut [0]);
    assert!(polled.is_pending());
    other.close();
    while count.get() == 0 {
        yield_now();
    }
    let polled = Pin::new(&mut other).poll_read(&mut context, &mut [0]);
    let error = |error: io::Error| error.kind();
    assert_eq!(
        polled.map_err(error),
        Poll::Ready(Err(ErrorKind::NotConnected))
    );
}

#[test]
#[apply(on_workers)]
fn a_waker_of_somebody_elses_make_is_woken_too_and_once() {
    let (mut one, mut other) = pair();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut buffer = [0];
    let polled = Pin::new(&mut other).poll_read(&mut Context::from_waker(&waker), &mut buffer);
    assert!(polled.is_pending());
    one.write_all(b"x").unwrap();
    while count.get() == 0 {
        yield_now();
    }
    assert_eq!(block_on(read(&mut other, &mut buffer)).unwrap(), 1);
    one.write_all(b"y").unwrap();
    assert_eq!(block_on(read(&mut other, &mut buffer)).unwrap(), 1);
    assert_eq!(count.get(), 1);
}

#[test]
#[apply(on_workers)]
fn a_future_that_is_dropped_while_it_waits_leaves_the_stream_usable() {
    let (mut one, mut other) = pair();
    let mut buffer = [0; 2];
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut dropped = pin!(read(&mut other, &mut buffer));
        assert!(dropped.as_mut().poll(&mut context).is_pending());
    }
    one.write_all(b"ok").unwrap();
    assert_eq!(other.read(&mut buffer).unwrap(), 2);
    assert_eq!(&buffer, b"ok");
}

#[test]
#[apply(on_workers)]
fn a_stream_is_dropped_while_a_future_of_it_has_its_waker_there() {
    let (one, mut other) = pair();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let polled = Pin::new(&mut other).poll_read(&mut Context::from_waker(&waker), &mut [0]);
    assert!(polled.is_pending());
    drop(other);
    drop((one, waker));
    yield_now();
    assert_eq!((count.get(), Arc::strong_count(&count)), (0, 1));
}

#[test]
#[apply(on_workers)]
fn a_future_and_a_green_thread_wait_for_the_same_stream() {
    let (mut one, other) = pair();
    let (mut polled, other) = (other.try_clone().unwrap(), other);
    let blocking = spawn(move || (&other).read(&mut [0]).unwrap());
    let polling = spawn(move || block_on(read(&mut polled, &mut [0])).unwrap());
    yield_now();
    one.write_all(b"12").unwrap();
    assert_eq!((blocking.join().unwrap(), polling.join().unwrap()), (1, 1));
}

#[test]
#[apply(on_workers)]
fn a_timeout_around_it_loses_no_byte() {
    let (mut one, mut other) = pair();
    let mut buffer = [0; 3];
    let limit = Duration::from_millis(1);
    timeout(limit, || block_on(read(&mut other, &mut buffer))).unwrap_err();
    one.write_all(b"abc").unwrap();
    assert_eq!(block_on(read(&mut other, &mut buffer)).unwrap(), 3);
    assert_eq!(&buffer, b"abc");
}

#[test]
#[apply(on_workers)]
fn a_race_with_a_sleep_is_won_by_the_bytes() {
    let (mut one, mut other) = pair();
    spawn(move || one.write_all(b"z").map(|()| one));
    let mut buffer = [0];
    let (mut bytes, mut alarm) = (
        pin!(read(&mut other, &mut buffer)),
        pin!(sleep(Duration::from_secs(3600))),
    );
    let first = block_on(poll_fn(|context| {
        if let Poll::Ready(read) = bytes.as_mut().poll(context) {
            return Poll::Ready(Some(read.unwrap()));
        }
        alarm.as_mut().poll(context).map(|()| None)
    }));
    assert_eq!(first, Some(1));
}

#[test]
#[apply(on_workers)]
fn a_stream_that_has_waited_here_is_polled_on_another_os_thread() {
    let (mut one, mut other) = pair();
    let mut buffer = [0];
    assert!(
        timeout(Duration::from_millis(1), || block_on(read(
            &mut other,
            &mut buffer
        )))
        .is_err()
    );
    let elsewhere = std::thread::spawn(move || {
        let mut buffer = [0];
        block_on(read(&mut other, &mut buffer)).unwrap();
        buffer
    });
    one.write_all(b"m").unwrap();
    // The loop here is not needed: it moved.
    assert_eq!(&elsewhere.join().unwrap(), b"m");
}

#[test]
#[apply(on_workers)]
fn l19_a_stream_whose_os_thread_has_gone_tells_its_future_to_look_again() {
    let (mut one, mut other) = pair();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut other = std::thread::spawn(move || {
        let mut context = Context::from_waker(&waker);
        let polled = Pin::new(&mut other).poll_read(&mut context, &mut [0]);
        assert!(polled.is_pending());
        other
    })
    .join()
    .unwrap();
    // Told by a passing OS thread: code of somebody else's does not run where one ends.
    while count.get() == 0 {
        std::thread::yield_now();
    }
    one.write_all(b"x").unwrap();
    assert_eq!(block_on(read(&mut other, &mut [0])).unwrap(), 1);
}

#[test]
#[apply(on_roots)]
fn l8_a_future_that_waits_for_a_socket_is_no_deadlock() {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    runtime.run(|| {
        let (one, mut other) = pair();
        let writer = std::thread::spawn(move || {
            let mut one = one.into_std().unwrap();
            std::thread::sleep(Duration::from_millis(20));
            one.write_all(b"late").map(|()| one)
        });
        let mut buffer = [0; 4];
        assert_eq!(block_on(read(&mut other, &mut buffer)).unwrap(), 4);
        writer.join().unwrap().unwrap();
    });
}

#[test]
#[apply(on_roots)]
fn l8_a_socket_whose_stream_is_gone_hides_no_deadlock() {
    let runtime = Runtime::builder().only_our_threads().build().unwrap();
    let text = panic_text(|| {
        runtime.run(|| {
            let (_one, mut other) = pair();
            let polled =
                Pin::new(&mut other).poll_read(&mut Context::from_waker(Waker::noop()), &mut [0]);
            assert!(polled.is_pending());
            drop(other);
            greenthread::park();
        });
    });
    assert!(text.contains("deadlock"), "{text}");
}

#[test]
#[apply(on_workers)]
fn l10_a_poll_that_would_wait_while_a_cancellation_unwinds_fails_at_once() {
    struct Reads(TcpStream, Arc<std::sync::Mutex<Option<ErrorKind>>>);
    impl Drop for Reads {
        fn drop(&mut self) {
            let error = block_on(read(&mut self.0, &mut [0])).unwrap_err();
            *self.1.lock().unwrap() = Some(error.kind());
        }
    }
    let (_one, other) = pair();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let reads = Reads(other, Arc::clone(&seen));
    let waiting = spawn(move || {
        let _reads = reads;
        greenthread::park();
    });
    yield_now();
    waiting.cancel();
    assert!(waiting.join().unwrap_err().is_cancelled());
    assert_eq!(*seen.lock().unwrap(), Some(ErrorKind::Other));
}
