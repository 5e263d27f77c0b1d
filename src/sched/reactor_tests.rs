//! Tokens of the reactor, and its end.

use std::net::TcpListener;
use std::os::fd::AsRawFd;

use super::*;

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn r1_a_slot_is_used_anew_only_after_a_poll() {
    let (reactor, _waker) = Reactor::new().unwrap();
    let listeners = [(); 3].map(|()| listen());
    let [first, second, third] = listeners.each_ref().map(|listener| listener.as_raw_fd());
    let register = |fd| reactor.register(fd, &Watch::new()).unwrap();
    let (shared, left) = register(first);
    shared.deregister(first, left);
    let (_, other) = register(second);
    assert_ne!(other, left);
    reactor.poll(Some(Duration::ZERO));
    let (_, anew) = register(third);
    assert_eq!(anew, left);
}

#[test]
fn a_descriptor_that_is_refused_leaves_no_tenant() {
    let (reactor, _waker) = Reactor::new().unwrap();
    assert!(reactor.register(-1, &Watch::new()).is_err());
    assert!(reactor.open.borrow().as_ref().unwrap().tenants.is_empty());
}

#[test]
fn a_closed_reactor_drops_its_waker_and_whoever_was_registered_may_still_leave() {
    let (reactor, waker) = Reactor::new().unwrap();
    let (listener, watch) = (listen(), Watch::new());
    let (shared, token) = reactor.register(listener.as_raw_fd(), &watch).unwrap();
    reactor.close();
    assert!(waker.upgrade().is_none());
    assert_eq!(Arc::strong_count(&watch), 1);
    assert!(!reactor.is(&shared));
    shared.deregister(listener.as_raw_fd(), token);
    reactor.poll(None);
}
