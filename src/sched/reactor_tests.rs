//! Tokens of the reactor.

use std::sync::Arc;

use super::*;

#[test]
fn r1_an_event_of_an_earlier_tenant_finds_nobody() {
    let (reactor, _waker) = Reactor::new().unwrap();
    let shared = Arc::clone(&reactor.shared());
    let (first, second) = (Watch::new(), Watch::new());
    let old = shared.slots.lock().move_in(Arc::clone(&first));
    assert!(Arc::ptr_eq(&shared.tenant(old).unwrap(), &first));
    shared.slots.lock().move_out(old);
    let new = shared.slots.lock().move_in(Arc::clone(&second));
    assert_eq!(slot(old), slot(new), "the slot is used anew");
    assert!(shared.tenant(old).is_none());
    assert!(Arc::ptr_eq(&shared.tenant(new).unwrap(), &second));
    // Nor does it take the new tenant out.
    shared.slots.lock().move_out(old);
    assert!(shared.tenant(new).is_some());
}

#[test]
fn no_slot_has_the_token_of_the_waker() {
    let (reactor, _waker) = Reactor::new().unwrap();
    let shared = Arc::clone(&reactor.shared());
    shared.slots.lock().generation = u32::MAX - 1;
    let token = shared.slots.lock().move_in(Watch::new());
    assert_eq!(generation(token), u32::MAX);
    assert_ne!(token, WAKER);
}

#[test]
fn a_closed_reactor_drops_its_descriptors_and_those_who_hold_it_find_nothing() {
    let (reactor, waker) = Reactor::new().unwrap();
    let shared = Arc::clone(&reactor.shared());
    let token = shared.slots.lock().move_in(Watch::new());
    reactor.close();
    assert!(waker.upgrade().is_none());
    assert!(shared.tenant(token).is_none());
    shared.deregister(-1, token);
    reactor.poll(None);
}
