//! Cancellation, timeouts of ours, and ureq's own shutdown.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use greenthread::{Elapsed, park, sleep, spawn, timeout, yield_now};

use crate::server::{POLITE, Server};
use crate::support::everywhere::virtual_time;
use crate::{get, plain_agent};

const LIMIT: Duration = Duration::from_secs(5);

#[test]
#[apply(on_roots)]
fn a_request_that_waits_can_be_cancelled_and_the_agent_goes_on() {
    virtual_time(|| {
        let server = Server::start(POLITE);
        let agent = plain_agent();
        for path in ["/silent", "/half"] {
            let (own, address) = (agent.clone(), server.at(path));
            let waits = spawn(move || get(&own, &address));
            sleep(LIMIT); // until nobody can go on
            waits.cancel();
            assert!(waits.join().unwrap_err().is_cancelled());
        }
        assert_eq!(get(&agent, &server.at("/after")).unwrap(), "/after");
    });
}

#[test]
#[apply(on_roots)]
fn an_outer_timeout_ends_a_request_that_waits_for_its_head_or_its_body() {
    virtual_time(|| {
        let server = Server::start(POLITE);
        let agent = plain_agent();
        for path in ["/silent", "/half"] {
            let address = server.at(path);
            assert_eq!(
                timeout(LIMIT, || get(&agent, &address)).err(),
                Some(Elapsed)
            );
        }
        assert_eq!(get(&agent, &server.at("/after")).unwrap(), "/after");
        assert_eq!(
            server.taken.get(),
            3,
            "what was cut short is not used again"
        );
    });
}

#[test]
#[apply(on_roots)]
fn shutting_the_agent_down_ends_the_requests_that_wait() {
    virtual_time(|| {
        let server = Server::start(POLITE);
        let agent = plain_agent();
        let waiting = ["/silent", "/half"].map(|path| {
            let (own, address) = (agent.clone(), server.at(path));
            spawn(move || get(&own, &address))
        });
        sleep(LIMIT); // until nobody can go on
        agent.shutdown();
        for waits in waiting {
            assert!(waits.join().unwrap().is_err());
        }
    });
}

#[test]
#[apply(on_workers)]
fn a_request_in_a_destructor_of_a_cancelled_green_thread_fails_and_does_not_wait() {
    struct Farewell(ureq::Agent, String, Rc<Cell<bool>>);
    impl Drop for Farewell {
        fn drop(&mut self) {
            self.2.set(get(&self.0, &self.1).is_err());
        }
    }
    virtual_time(|| {
        let server = Server::start(POLITE);
        let failed = Rc::new(Cell::new(false));
        let farewell = Farewell(plain_agent(), server.at("/bye"), Rc::clone(&failed));
        let waits = spawn(move || {
            let _farewell = farewell;
            park();
        });
        yield_now();
        waits.cancel();
        assert!(waits.join().unwrap_err().is_cancelled());
        assert!(failed.get());
    });
}
