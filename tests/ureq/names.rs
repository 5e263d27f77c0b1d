//! Names, addresses and proxies.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use greenthread::bridge::ureq::Connector;
use greenthread::{Runtime, run, spawn_blocking};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Agent, Error, Proxy, Timeout};

use crate::server::{POLITE, Server};
use crate::{agent, config, get, plain_agent};

#[test]
#[apply(on_roots)]
fn a_name_is_looked_up() {
    run(|| {
        let server = Server::start(POLITE);
        let address = format!("http://localhost:{}/named", server.address.port());
        assert_eq!(get(&plain_agent(), &address).unwrap(), "/named");
    });
}

#[test]
#[apply(on_workers)]
fn a_name_that_cannot_be_is_an_error() {
    // Longer than any label of a name: no server is asked.
    let address = format!("http://{}.invalid/", "x".repeat(70));
    let error = get(&plain_agent(), &address).unwrap_err();
    assert!(
        matches!(error, Error::Io(_) | Error::HostNotFound),
        "{error}"
    );
}

#[test]
#[apply(on_roots)]
fn a_lookup_takes_no_longer_than_its_timeout() {
    let runtime = Runtime::builder().blocking_threads(1).build().unwrap();
    runtime.run(|| {
        // The pool's one OS thread is taken until the end.
        let (release, held) = mpsc::channel::<()>();
        let busy = spawn_blocking(move || held.recv());
        let agent = agent(
            config()
                .timeout_resolve(Some(Duration::from_millis(20)))
                .build(),
        );
        let error = get(&agent, "http://localhost:1/").unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::Resolve)), "{error}");
        drop(release);
        assert!(busy.join().unwrap().is_err());
    });
}

/// Knows two addresses for every name.
#[derive(Debug)]
struct Two([SocketAddr; 2]);

impl Resolver for Two {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        self.0
            .into_iter()
            .for_each(|address| addresses.push(address));
        Ok(addresses)
    }
}

/// An address of the loopback where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[test]
#[apply(on_roots)]
fn every_address_of_a_name_is_tried_and_the_last_error_is_kept() {
    run(|| {
        let server = Server::start(POLITE);
        let two = |addresses| Agent::with_parts(config().build(), Connector, Two(addresses));
        let agent = two([nobody(), server.address]);
        assert_eq!(get(&agent, "http://two/x").unwrap(), "/x");
        let error = get(&two([nobody(), nobody()]), "http://two/x").unwrap_err();
        let Error::Io(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
#[apply(on_roots)]
fn a_proxy_by_connect_is_asked_for_the_way() {
    run(|| {
        let proxy = Server::start(POLITE);
        let through = Proxy::new(&format!("http://{}", proxy.address)).unwrap();
        let agent = agent(config().proxy(Some(through)).build());
        // An address that is nobody's: without the proxy there is no way to it.
        assert_eq!(get(&agent, "http://203.0.113.1:9/x").unwrap(), "/x");
        assert_eq!(proxy.taken.get(), 1);
    });
}

#[test]
#[apply(on_roots)]
fn a_socks_proxy_is_refused_and_not_passed_by() {
    run(|| {
        let server = Server::start(POLITE);
        let socks = Proxy::new("socks5://127.0.0.1:1080").unwrap();
        let agent = agent(config().proxy(Some(socks)).build());
        let error = get(&agent, &server.at("/x")).unwrap_err();
        assert!(error.to_string().contains("SOCKS"), "{error}");
        assert_eq!(server.taken.get(), 0);
    });
}
