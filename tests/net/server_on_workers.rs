//! A server whose handlers run on workers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use greenthread::net::{Server, ServerOnWorkers, Stopper, TcpStream};
use greenthread::{JoinHandle, Runtime, catch_cancel, park, sleep, spawn};

use crate::pair;
use crate::support::everywhere::virtual_time;

/// A server with two workers on a free port, what stops it, and where it is.
fn server() -> (ServerOnWorkers, Stopper, SocketAddr) {
    pair::watch_for_hangs();
    let server = Server::bind("127.0.0.1:0").unwrap().workers(2);
    let stopper = server.stopper();
    let address = stopper.local_addr().unwrap();
    (server, stopper, address)
}

fn echo(stream: TcpStream, _: SocketAddr) -> io::Result<u64> {
    io::copy(&mut &stream, &mut &stream)
}

fn ask(mut stream: &TcpStream) {
    stream.write_all(b"?").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

/// Sends the name of the OS thread that it runs on.
fn say_where(mut stream: TcpStream, _: SocketAddr) {
    let current = thread::current();
    stream
        .write_all(current.name().unwrap().as_bytes())
        .unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    // Stays until the client has gone.
    let _ = stream.read(&mut [0]);
}

fn hear(mut stream: &TcpStream) -> String {
    let mut name = String::new();
    stream.read_to_string(&mut name).unwrap();
    name
}

fn end(stopper: &Stopper, serving: JoinHandle<io::Result<()>>) {
    stopper.stop(Duration::ZERO);
    serving.join().unwrap().unwrap();
}

#[test]
#[apply(on_workers)]
fn connections_are_spread_over_the_workers_evenly() {
    let (server, stopper, address) = server();
    let serving = spawn(|| server.serve(say_where));
    let mut clients = Vec::new();
    let mut names = Vec::new();
    for _ in 0..6 {
        clients.push(TcpStream::connect(address).unwrap());
        names.push(hear(clients.last().unwrap()));
    }
    let [first, second] = ["greenthread-worker-0", "greenthread-worker-1"];
    assert_eq!(names, [first, second, first, second, first, second]);
    end(&stopper, serving);
}

#[test]
#[apply(once)]
fn the_limit_is_for_all_workers_together() {
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    const CLIENTS: usize = 100;
    let (server, stopper, address) = server();
    let handler = |stream, peer| {
        let open = OPEN.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(open, Ordering::SeqCst);
        echo(stream, peer).unwrap();
        OPEN.fetch_sub(1, Ordering::SeqCst);
    };
    let serving = spawn(move || server.limit(3).serve(handler));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| spawn(move || ask(&TcpStream::connect(address).unwrap())))
        .collect();
    clients.into_iter().for_each(|c| c.join().unwrap());
    stopper.stop(Duration::from_secs(60));
    serving.join().unwrap().unwrap();
    assert_eq!(OPEN.load(Ordering::SeqCst), 0);
    assert!((1..=3).contains(&MOST.load(Ordering::SeqCst)), "{MOST:?}");
}

#[test]
#[apply(on_roots)]
fn l13_a_handler_that_panics_on_a_worker_ends_its_own_connection_and_is_reported() {
    let (tell, told) = mpsc::channel();
    let runtime = Runtime::builder().on_panic(move |_, payload| {
        let text = payload.downcast_ref::<&str>().unwrap();
        tell.send(*text).unwrap();
    });
    runtime.build().unwrap().run(|| {
        let (server, stopper, address) = server();
        let serving = spawn(|| {
            server.limit(2).serve(|mut stream, peer| {
                let mut word = [0];
                stream.read_exact(&mut word).unwrap();
                if &word == b"!" {
                    std::panic::resume_unwind(Box::new("evil"));
                }
                stream.write_all(&word).unwrap();
                echo(stream, peer)
            })
        });
        let honest = TcpStream::connect(address).unwrap();
        ask(&honest);
        for _ in 0..3 {
            let mut evil = TcpStream::connect(address).unwrap();
            evil.write_all(b"!").unwrap();
            assert!(matches!(evil.read(&mut [0]), Ok(0) | Err(_)));
        }
        ask(&honest);
        end(&stopper, serving);
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["evil"; 3]);
    });
}

/// Parks in its handler until it is cancelled, and counts when that has happened.
fn stubborn(counts: &Arc<AtomicUsize>) -> impl Fn(TcpStream, SocketAddr) + Send + Sync + use<> {
    let counts = Arc::clone(counts);
    move |mut stream, _| {
        stream.write_all(b"!").unwrap();
        let cancelled = catch_cancel(park).unwrap_err();
        counts.fetch_add(1, Ordering::SeqCst);
        cancelled.resume()
    }
}

fn greeted(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.read_exact(&mut [0]).unwrap();
    client
}

#[test]
#[apply(on_workers)]
fn a_stop_cancels_the_handlers_on_all_workers_and_waits_for_them() {
    let ended = Arc::default();
    let (server, stopper, address) = server();
    let handler = stubborn(&ended);
    let serving = spawn(move || server.serve(handler));
    let _clients = [(); 4].map(|()| greeted(address));
    end(&stopper, serving);
    assert_eq!(ended.load(Ordering::SeqCst), 4);
}

#[test]
#[apply(on_workers)]
fn handlers_on_workers_that_end_within_the_grace_are_not_cancelled() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let says = Arc::clone(&said);
    let (server, stopper, address) = server();
    let serving = spawn(move || {
        server.serve(move |mut stream, _| {
            stream.write_all(b"!").unwrap();
            let read = stream.read(&mut [0]).unwrap();
            sleep(Duration::from_millis(1));
            says.lock().unwrap().push(read);
        })
    });
    let clients = [(); 2].map(|()| greeted(address));
    stopper.stop(Duration::from_secs(600));
    sleep(Duration::from_millis(1));
    assert!(!serving.is_finished());
    drop(clients);
    serving.join().unwrap().unwrap();
    assert_eq!(*said.lock().unwrap(), [0, 0]);
}

#[test]
#[apply(on_workers)]
fn l11_a_cancelled_server_ends_the_handlers_on_its_workers_first() {
    let ended = Arc::default();
    let (server, stopper, address) = server();
    let handler = stubborn(&ended);
    let serving = spawn(move || server.serve(handler));
    let _clients = [(); 3].map(|()| greeted(address));
    serving.cancel();
    assert!(serving.join().unwrap_err().is_cancelled());
    assert_eq!(ended.load(Ordering::SeqCst), 3);
    assert!(stopper.local_addr().is_err(), "it listens no more");
}

#[test]
#[apply(on_workers)]
fn it_serves_on_the_root_until_another_os_thread_stops_it() {
    let (server, stopper, address) = server();
    let other = thread::spawn(move || {
        let clients = [(); 8].map(|()| TcpStream::connect(address).unwrap());
        clients.iter().for_each(ask);
        stopper.stop(Duration::ZERO);
    });
    server.serve(echo).unwrap();
    other.join().unwrap();
}

#[test]
#[apply(on_roots)]
fn workers_under_virtual_time_are_an_error() {
    virtual_time(|| {
        let (server, _, _) = server();
        let error = server.serve(echo).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("workers(2)"), "{error}");
    });
}

#[test]
#[apply(on_workers)]
fn no_workers_at_all_is_a_panic() {
    let bind = || Server::bind("127.0.0.1:0").unwrap();
    let text = crate::support::panic_text(|| bind().workers(0));
    assert!(text.contains("workers(0)"), "{text}");
}
