//! Futures that bring no runtime: they run in `block_on`.

use std::future::poll_fn;
use std::task::Poll;

use greenthread::future::block_on;
use greenthread::{run, spawn};
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[test]
fn async_channel_flume_and_tokio_sync_wake_green_threads_of_the_same_os_thread() {
    run(|| {
        let (to, from) = async_channel::bounded(1);
        let (to_flume, from_flume) = flume::bounded(1);
        let (to_tokio, mut from_tokio) = tokio::sync::mpsc::channel(1);
        let sends = spawn(move || {
            for number in 0..100 {
                block_on(to.send(number)).unwrap();
                block_on(to_flume.send_async(number)).unwrap();
                block_on(to_tokio.send(number)).unwrap();
            }
        });
        for number in 0..100 {
            assert_eq!(block_on(from.recv()), Ok(number));
            assert_eq!(block_on(from_flume.recv_async()), Ok(number));
            assert_eq!(block_on(from_tokio.recv()), Some(number));
        }
        sends.join().unwrap();
    });
}

#[test]
fn a_tower_service_with_a_limit_serves_green_threads() {
    run(|| {
        let handler = service_fn(|number: u32| async move {
            let mut waited = false;
            // Lets the others try to get in.
            let wait = poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            });
            wait.await;
            Ok::<_, std::io::Error>(number * 2)
        });
        let service = ServiceBuilder::new().concurrency_limit(2).service(handler);
        let asked: Vec<_> = (0..20)
            .map(|number| {
                let service = service.clone();
                spawn(move || block_on(service.oneshot(number)).unwrap())
            })
            .collect();
        let doubled: Vec<u32> = asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect();
        assert_eq!(
            doubled,
            (0..20).map(|number| number * 2).collect::<Vec<_>>()
        );
    });
}
