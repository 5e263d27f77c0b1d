//! `Server`: a green thread for each connection, until it is stopped.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenthread::net::{Server, Stopper, TcpListener, TcpStream};
use greenthread::{JoinHandle, Runtime, catch_cancel, park, scope, sleep, spawn, time, timeout};

use crate::accept::exhaust;
use crate::support::everywhere::virtual_time;
use crate::{child, pair};

const SECOND: Duration = Duration::from_secs(1);

/// A server on a free port, what stops it, and where it is.
fn server() -> (Server, Stopper, SocketAddr) {
    pair::watch_for_hangs();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let stopper = server.stopper();
    let address = stopper.local_addr().unwrap();
    (server, stopper, address)
}

fn echo(stream: TcpStream, _: SocketAddr) -> io::Result<u64> {
    io::copy(&mut &stream, &mut &stream)
}

/// Asks an echo for its answer.
fn ask(mut stream: &TcpStream) {
    stream.write_all(b"?").unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"?");
}

/// Stops at once, and expects that nothing went wrong.
fn end(stopper: &Stopper, serving: JoinHandle<io::Result<()>>) {
    stopper.stop(Duration::ZERO);
    serving.join().unwrap().unwrap();
}

#[test]
#[apply(on_workers)]
fn each_connection_has_a_green_thread_of_its_own() {
    let (server, stopper, address) = server();
    let serving = spawn(|| server.serve(echo));
    let clients: Vec<_> = (0..50)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for _ in 0..3 {
        clients.iter().rev().for_each(ask);
    }
    end(&stopper, serving);
    for mut client in clients {
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    }
}

#[test]
#[apply(on_workers)]
fn the_handler_may_borrow_and_learns_who_is_there() {
    let (server, stopper, address) = server();
    let peers = RefCell::new(Vec::new());
    let mut expected = Vec::new();
    scope(|s| {
        let serving = s.spawn(|| {
            server.serve(|stream, peer| {
                peers.borrow_mut().push(peer);
                (&stream).write_all(b"!").unwrap();
            })
        });
        for _ in 0..3 {
            let mut client = TcpStream::connect(address).unwrap();
            client.read_exact(&mut [0]).unwrap();
            expected.push(client.local_addr().unwrap());
        }
        stopper.stop(Duration::ZERO);
        serving.join().unwrap().unwrap();
    });
    assert_eq!(peers.take(), expected);
}

#[test]
#[apply(on_workers)]
fn those_beyond_the_limit_are_served_when_one_leaves() {
    let (server, stopper, address) = server();
    let serving = spawn(|| server.limit(2).serve(echo));
    let mut seated: Vec<_> = (0..2)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    seated.iter().for_each(ask);
    let mut third = TcpStream::connect(address).unwrap();
    third.write_all(b"?").unwrap();
    seated.iter().for_each(ask);
    third
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let error = third.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "it waits in line");
    seated.pop();
    third.set_read_timeout(None).unwrap();
    third.read_exact(&mut [0]).unwrap();
    end(&stopper, serving);
}

/// A connection that comes from another address of the loopback.
#[cfg(target_os = "linux")]
fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    TcpStream::from_std(socket.into()).unwrap()
}

/// Whether a connection was closed before it was served.
#[cfg(target_os = "linux")]
fn is_refused(mut stream: &TcpStream) -> bool {
    stream.read(&mut [0]).unwrap() == 0
}

#[test]
#[apply(on_workers)]
#[cfg(target_os = "linux")]
fn those_beyond_the_limit_of_their_address_are_closed_and_others_are_served() {
    const ONE: [u8; 4] = [127, 0, 0, 1];
    const OTHER: [u8; 4] = [127, 0, 0, 2];
    for workers in [0, 2] {
        let (server, stopper, address) = server();
        let server = server.limit(4).max_connections_per_ip(2);
        let serving = spawn(move || match workers {
            0 => server.serve(echo),
            _ => server.workers(workers).serve(echo),
        });
        let mut seated: Vec<_> = (0..2).map(|_| connect_from(ONE, address)).collect();
        seated.iter().for_each(ask);
        // Each gives back the seat that it was let in by.
        for _ in 0..5 {
            assert!(is_refused(&connect_from(ONE, address)));
        }
        let others = [(); 2].map(|()| connect_from(OTHER, address));
        others.iter().for_each(ask);
        drop(others);
        let left = seated.pop().unwrap();
        left.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!((&left).read(&mut [0]).unwrap(), 0);
        drop(left);
        // Its place is given back when its handler has ended, which is soon.
        let again = (0..).map(|_| connect_from(ONE, address));
        let mut again = again.filter(|stream| (&mut &*stream).write_all(b"?").is_ok());
        let again = again.find(|mut stream| matches!(stream.read(&mut [0]), Ok(1)));
        ask(again.as_ref().unwrap());
        end(&stopper, serving);
    }
}

#[test]
#[apply(on_roots)]
fn clients_that_say_nothing_hold_their_places_until_a_read_timeout_frees_them() {
    virtual_time(|| {
        let (server, stopper, address) = server();
        let serving = spawn(|| {
            server.limit(3).serve(|stream, peer| {
                stream.set_read_timeout(Some(SECOND)).unwrap();
                echo(stream, peer)
            })
        });
        let _silent = [(); 3].map(|()| TcpStream::connect(address).unwrap());
        let half_closed = TcpStream::connect(address).unwrap();
        half_closed.shutdown(std::net::Shutdown::Write).unwrap();
        let honest = TcpStream::connect(address).unwrap();
        let before = time::now();
        ask(&honest);
        assert_eq!(time::now() - before, SECOND);
        end(&stopper, serving);
    });
}

#[test]
#[apply(on_workers)]
fn a_storm_of_connections_is_served_within_the_limit() {
    const CLIENTS: usize = 400;
    let (server, stopper, address) = server();
    let (open, most, served) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let storm = std::thread::spawn(move || {
        let clients = (0..CLIENTS).map(|_| {
            spawn(move || {
                let client = TcpStream::connect(address).unwrap();
                ask(&client);
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().for_each(|c| c.join().unwrap());
        stopper.stop(Duration::from_secs(60));
    });
    let handler = |stream, peer| {
        open.set(open.get() + 1);
        most.set(most.get().max(open.get()));
        echo(stream, peer).unwrap();
        open.set(open.get() - 1);
        served.set(served.get() + 1);
    };
    server.limit(7).serve(handler).unwrap();
    storm.join().unwrap();
    assert_eq!((served.get(), open.get()), (CLIENTS, 0));
    assert!((1..=7).contains(&most.get()), "{most:?}");
}

#[test]
#[apply(on_workers)]
fn those_who_were_accepted_have_their_turn_before_the_next() {
    let (server, stopper, address) = server();
    let _line = [(); 3].map(|()| TcpStream::connect(address).unwrap());
    let accepted = Rc::new(Cell::new(0));
    let seen = Rc::clone(&accepted);
    let serving = spawn(move || {
        server.serve(move |_, _| {
            seen.set(seen.get() + 1);
            // The other two are in line, and accept need not wait for them.
            if seen.get() == 1 {
                stopper.stop(Duration::ZERO);
            }
        })
    });
    serving.join().unwrap().unwrap();
    assert_eq!(accepted.get(), 1);
}

#[test]
#[apply(on_roots)]
fn l13_a_handler_that_panics_ends_its_own_connection_and_is_reported() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let runtime = Runtime::builder().on_panic(move |_, payload| {
        let text = payload.downcast_ref::<String>().unwrap();
        heard.lock().unwrap().push(text.clone());
    });
    runtime.build().unwrap().run(|| {
        let (server, stopper, address) = server();
        let serving = spawn(|| {
            server.limit(2).serve(|stream, peer| {
                let mut word = [0];
                (&stream).read_exact(&mut word).unwrap();
                if &word == b"!" {
                    std::panic::resume_unwind(Box::new(format!("{peer} said so")));
                }
                (&stream).write_all(&word).unwrap();
                echo(stream, peer)
            })
        });
        let honest = TcpStream::connect(address).unwrap();
        ask(&honest);
        let mut expected = Vec::new();
        for _ in 0..3 {
            let mut evil = TcpStream::connect(address).unwrap();
            evil.write_all(b"!").unwrap();
            assert!(matches!(evil.read(&mut [0]), Ok(0) | Err(_)));
            expected.push(format!("{} said so", evil.local_addr().unwrap()));
        }
        ask(&honest);
        end(&stopper, serving);
        assert_eq!(*said.lock().unwrap(), expected);
    });
}

#[test]
#[apply(once)]
fn a_handler_that_panics_is_said_to_be_spawned_where_its_server_serves() {
    let name = "server::a_handler_that_panics_is_said_to_be_spawned_where_its_server_serves";
    if child::role().is_none() {
        let mut child = child::of_this_program(name, "alone");
        let output = child.stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let reports = said
            .lines()
            .filter(|line| line.contains("nobody joined it: no more"));
        let sites = reports.filter(|line| line.contains("spawned at tests/net/server.rs:"));
        assert_eq!(sites.count(), 2, "{said}");
        return;
    }
    let evil = |_, _| std::panic::resume_unwind(Box::new("no more"));
    let (here, here_stopper, here_address) = server();
    let (there, there_stopper, there_address) = server();
    let serving = [
        spawn(move || here.serve::<_, ()>(evil)),
        spawn(move || there.workers(1).serve::<_, ()>(evil)),
    ];
    for address in [here_address, there_address] {
        let mut client = TcpStream::connect(address).unwrap();
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    }
    here_stopper.stop(Duration::ZERO);
    there_stopper.stop(Duration::ZERO);
    for serving in serving {
        serving.join().unwrap().unwrap();
    }
}

#[test]
#[apply(on_roots)]
fn handlers_that_end_within_the_grace_are_not_cancelled() {
    virtual_time(|| {
        let (server, stopper, address) = server();
        let done = Rc::new(Cell::new(0));
        let counts = Rc::clone(&done);
        let serving = spawn(move || {
            server.serve(move |_, _| {
                sleep(3 * SECOND);
                counts.set(counts.get() + 1);
            })
        });
        let _clients = [(); 2].map(|()| TcpStream::connect(address).unwrap());
        sleep(SECOND);
        let before = time::now();
        stopper.stop(60 * SECOND);
        sleep(SECOND);
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            ErrorKind::ConnectionRefused
        );
        serving.join().unwrap().unwrap();
        assert_eq!((time::now() - before, done.get()), (2 * SECOND, 2));
    });
}

/// How long `serve` goes on after the first of the stops: a handler that never ends, and one who stops after each pause with a grace, both in seconds.
fn stopped_after(stops: &'static [(u64, u64)]) -> (Duration, Option<String>) {
    virtual_time(|| {
        let (server, stopper, address) = server();
        let why = Rc::new(RefCell::new(None));
        let told = Rc::clone(&why);
        let serving = spawn(move || {
            server.serve(move |_, _| {
                let cancelled = catch_cancel(park).unwrap_err();
                *told.borrow_mut() = cancelled.reason().map(ToString::to_string);
                cancelled.resume()
            })
        });
        let _client = TcpStream::connect(address).unwrap();
        sleep(SECOND);
        let before = time::now();
        spawn(move || {
            for (pause, grace) in stops {
                sleep(Duration::from_secs(*pause));
                stopper.stop(Duration::from_secs(*grace));
            }
        });
        serving.join().unwrap().unwrap();
        (time::now() - before, why.take())
    })
}

#[test]
#[apply(on_roots)]
fn handlers_that_outlast_the_grace_are_cancelled_with_a_reason() {
    let (after, why) = stopped_after(&[(0, 5)]);
    assert_eq!(after, 5 * SECOND);
    assert_eq!(why.as_deref(), Some("the server stops"));
}

#[test]
#[apply(on_roots)]
fn a_second_stop_may_shorten_the_grace_and_not_lengthen_it() {
    let (after, _) = stopped_after(&[(0, 60), (2, 1)]);
    assert_eq!(after, 3 * SECOND);
    let (after, _) = stopped_after(&[(0, 5), (2, u64::MAX)]);
    assert_eq!(after, 5 * SECOND);
}

#[test]
#[apply(on_workers)]
fn a_server_that_was_stopped_before_it_served_returns_at_once() {
    let (server, stopper, address) = server();
    stopper.clone().stop(Duration::MAX);
    let error = stopper.local_addr().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    server.serve(|_, _| unreachable!()).unwrap();
    assert!(TcpListener::bind(address).is_ok(), "the port is free");
}

#[test]
#[apply(on_workers)]
fn a_server_that_is_dropped_listens_no_more() {
    let (server, stopper, address) = server();
    drop(server);
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(stopper.local_addr().is_err());
}

#[test]
#[apply(on_workers)]
fn a_stop_comes_from_another_os_thread_to_a_server_on_the_root() {
    let (server, stopper, address) = server();
    let served = AtomicUsize::new(0);
    let other = std::thread::spawn(move || {
        let client = TcpStream::connect(address).unwrap();
        ask(&client);
        stopper.stop(Duration::ZERO);
    });
    let count = |stream, peer| {
        served.fetch_add(1, Ordering::Relaxed);
        echo(stream, peer)
    };
    server.serve(count).unwrap();
    other.join().unwrap();
    assert_eq!(served.into_inner(), 1);
}

#[test]
#[apply(on_workers)]
fn a_stop_wakes_a_server_that_waits_for_a_free_place() {
    let (server, stopper, address) = server();
    let serving = spawn(|| server.limit(1).serve(echo));
    let client = TcpStream::connect(address).unwrap();
    ask(&client);
    end(&stopper, serving);
}

#[test]
#[apply(on_workers)]
fn l11_a_cancelled_server_cancels_its_handlers_and_ends_after_them() {
    let (server, stopper, address) = server();
    let ended = Rc::new(Cell::new(false));
    let tells = Rc::clone(&ended);
    let serving = spawn(move || {
        server.serve(move |_, _| {
            let cancelled = catch_cancel(park).unwrap_err();
            greenthread::shield(|| sleep(Duration::from_millis(1)));
            tells.set(true);
            cancelled.resume()
        })
    });
    let mut client = TcpStream::connect(address).unwrap();
    sleep(Duration::from_millis(1));
    serving.cancel();
    assert!(serving.join().unwrap_err().is_cancelled());
    assert!(ended.get());
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
    assert!(stopper.local_addr().is_err(), "it listens no more");
}

#[test]
#[apply(on_roots)]
fn a_timeout_around_a_server_ends_it() {
    virtual_time(|| {
        let (server, _stopper, address) = server();
        let client = spawn(move || {
            let mut client = TcpStream::connect(address).unwrap();
            ask(&client);
            client.read(&mut [0]).map_or(0, |n| n)
        });
        assert!(timeout(SECOND, || server.serve(echo)).is_err());
        assert_eq!(client.join().unwrap(), 0);
    });
}

#[test]
#[apply(on_workers)]
fn a_limit_of_nobody_panics() {
    let text = crate::support::panic_text(|| server().0.limit(0));
    assert!(text.contains("limit(0)"), "{text}");
}

#[test]
#[apply(on_workers)]
fn a_listener_that_cannot_accept_is_an_error() {
    use socket2::{Domain, Socket, Type};
    let raw = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let listener = TcpListener::from_std(raw.into()).unwrap();
    let error = Server::from_listener(listener).serve(echo).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(once)]
fn a_server_without_descriptors_pauses_and_serves_when_there_are_some_again() {
    let name = "server::a_server_without_descriptors_pauses_and_serves_when_there_are_some_again";
    if !child::is_alone(name) {
        return;
    }
    virtual_time(|| {
        let (server, stopper, address) = server();
        let serving = spawn(|| server.serve(echo));
        // Stands already, and goes on.
        let first = TcpStream::connect(address).unwrap();
        ask(&first);
        let late = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let late = late.unwrap();
        let files = exhaust();
        late.connect(&address.into()).unwrap();
        (&late).write_all(b"?").unwrap();
        // The clock jumps only when nobody is ready: a server that tries again and again would stop it.
        let before = time::now();
        sleep(100 * SECOND);
        assert!(time::now() - before >= 100 * SECOND);
        ask(&first);
        drop(files);
        sleep(2 * SECOND);
        late.set_nonblocking(true).unwrap();
        let mut answer = [0];
        (&late).read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"?");
        end(&stopper, serving);
    });
}

#[test]
#[apply(once)]
fn a_connection_that_ends_gives_its_descriptor_to_the_next() {
    let name = "server::a_connection_that_ends_gives_its_descriptor_to_the_next";
    if !child::is_alone(name) {
        return;
    }
    let (server, stopper, address) = server();
    let serving = spawn(|| server.serve(echo));
    let raw = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (first, late) = (raw(), raw());
    first.connect(&address.into()).unwrap();
    let first = TcpStream::from_std(first.into()).unwrap();
    ask(&first);
    let _files = exhaust();
    late.connect(&address.into()).unwrap();
    let late = TcpStream::from_std(late.into()).unwrap();
    first.shutdown(std::net::Shutdown::Write).unwrap();
    ask(&late);
    end(&stopper, serving);
}
