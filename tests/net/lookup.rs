//! Names and addresses.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::mpsc;
use std::time::Duration;

use greenthread::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket, lookup_host};
use greenthread::{Runtime, spawn, spawn_blocking, timeout, yield_now};

use crate::{child, pair};

/// No name of this length is even asked for: no network is needed to say so.
fn impossible() -> String {
    format!("{}.invalid", "x".repeat(64))
}

fn addresses(host: impl ToSocketAddrs) -> Vec<SocketAddr> {
    lookup_host(host).unwrap().collect()
}

#[test]
#[apply(on_workers)]
fn what_is_an_address_already_is_not_looked_up() {
    let v4 = Ipv4Addr::new(127, 0, 0, 1);
    let v6 = Ipv6Addr::LOCALHOST;
    let (first, second) = (SocketAddr::from((v4, 80)), SocketAddr::from((v6, 80)));
    let other = spawn(|| ());
    assert_eq!(addresses(first), [first]);
    assert_eq!(addresses(SocketAddrV4::new(v4, 80)), [first]);
    assert_eq!(addresses(SocketAddrV6::new(v6, 80, 0, 0)), [second]);
    assert_eq!(addresses((IpAddr::V4(v4), 80)), [first]);
    assert_eq!(addresses((v4, 80)), [first]);
    assert_eq!(addresses((v6, 80)), [second]);
    assert_eq!(addresses("127.0.0.1:80"), [first]);
    assert_eq!(addresses("[::1]:80"), [second]);
    let text = String::from("127.0.0.1:80");
    assert_eq!(addresses(&text), [first]);
    assert_eq!(addresses(text), [first]);
    assert_eq!(addresses(("127.0.0.1", 80)), [first]);
    assert_eq!(addresses(("::1", 80)), [second]);
    assert_eq!(addresses((String::from("127.0.0.1"), 80)), [first]);
    assert_eq!(addresses(&[first, second][..]), [first, second]);
    assert!(!other.is_finished(), "none of them parked");
}

/// Runs `f` where lookups wait, until the sender that it is given is dropped: the one OS thread that may block does so.
fn while_the_resolver_is_slow<R>(f: impl FnOnce(mpsc::Sender<()>) -> R) -> R {
    pair::watch_for_hangs();
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    let (answer, answers) = mpsc::channel();
    runtime.run(|| {
        let busy = spawn_blocking(move || answers.recv().is_err());
        let returned = f(answer);
        assert!(busy.join().unwrap());
        returned
    })
}

#[test]
#[apply(on_roots)]
fn a_name_is_looked_up_elsewhere_and_its_green_thread_alone_waits() {
    let found = while_the_resolver_is_slow(|answer| {
        // Runs only if the lookup lets it.
        spawn(move || drop(answer));
        lookup_host("localhost:80").unwrap()
    });
    let found: Vec<_> = found.collect();
    assert!(!found.is_empty());
    assert!(found.iter().all(|a| a.ip().is_loopback() && a.port() == 80));
    let (_listener, address) = pair::listener();
    let stream = while_the_resolver_is_slow(|answer| {
        spawn(move || drop(answer));
        TcpStream::connect(("localhost", address.port())).unwrap()
    });
    assert!(stream.peer_addr().unwrap().ip().is_loopback());
}

#[test]
#[apply(once)]
fn an_address_starts_no_os_thread_and_a_name_does() {
    if !child::is_alone("lookup::an_address_starts_no_os_thread_and_a_name_does") {
        return;
    }
    let count = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let (_listener, address) = pair::listener();
    let before = count();
    TcpStream::connect(address.to_string()).unwrap();
    assert_eq!(count(), before);
    TcpStream::connect(("localhost", address.port())).unwrap();
    assert_eq!(count(), before + 1);
}

#[test]
#[apply(on_workers)]
fn a_name_that_nobody_has_is_an_error_that_names_it() {
    pair::watch_for_hangs();
    let name = impossible();
    let errors = [
        lookup_host((&*name, 80)).unwrap_err(),
        TcpStream::connect((&*name, 80)).unwrap_err(),
        TcpStream::connect(format!("{name}:80")).unwrap_err(),
        TcpListener::bind((name.clone(), 80)).unwrap_err(),
        UdpSocket::bind((&*name, 80)).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains(&name), "{error}");
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = socket.send_to(b"x", (&*name, 80)).unwrap_err();
    assert!(error.to_string().contains(&name), "{error}");
}

#[test]
#[apply(on_workers)]
fn what_is_no_name_and_port_is_invalid_input_that_shows_it() {
    for text in [
        "localhost",
        "localhost:",
        "localhost:http",
        "127.0.0.1:65536",
        "",
    ] {
        let error = TcpStream::connect(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
    let error = TcpStream::connect(("a\0b", 80)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
#[apply(on_roots)]
fn a_cancelled_lookup_ends_at_once() {
    while_the_resolver_is_slow(|_answer| {
        let looking = spawn(|| lookup_host("localhost:80").map(drop));
        yield_now();
        looking.cancel();
        assert!(looking.join().unwrap_err().is_cancelled());
    });
}

#[test]
#[apply(on_roots)]
fn a_timeout_around_connect_bounds_the_lookup_too() {
    while_the_resolver_is_slow(|_answer| {
        let connect = || TcpStream::connect("localhost:80").map(drop);
        assert!(timeout(Duration::from_millis(20), connect).is_err());
    });
}

#[test]
#[apply(on_workers)]
fn l10_while_a_cancellation_unwinds_a_lookup_fails_at_once() {
    use std::{cell::RefCell, rc::Rc};
    type Said = Rc<RefCell<Option<std::io::Error>>>;
    struct LooksUp(Said);
    impl Drop for LooksUp {
        fn drop(&mut self) {
            *self.0.borrow_mut() = lookup_host("localhost:80").err();
        }
    }
    let said: Said = Rc::default();
    let in_drop = Rc::clone(&said);
    let dying = spawn(move || {
        let _looks_up = LooksUp(in_drop);
        greenthread::park();
    });
    yield_now();
    dying.cancel();
    assert!(dying.join().unwrap_err().is_cancelled());
    assert_ne!(said.take().unwrap().kind(), ErrorKind::Interrupted);
}
