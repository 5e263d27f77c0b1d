//! ureq over our sockets with TLS: clients and server are green threads of one OS thread, so whatever blocked it would be for ever.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Write};
use std::rc::Rc;
use std::time::Duration;

use greenthread::bridge::ureq::agent;
use greenthread::net::{SocketAddr, TcpListener};
use greenthread::{Runtime, gather, run, sleep, spawn};
use greenthread_ecosystem::tls::{self, Certificate, ServerStream};
use ureq::config::{Config, ConfigBuilder};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;
use ureq::{Agent, Error, Timeout};

const LIMIT: Duration = Duration::from_secs(3600);

/// A server, until the end of the enclosing `run`.
struct Server {
    /// Where it listens.
    address: SocketAddr,

    /// How many connections it has taken.
    taken: Rc<Cell<usize>>,
}

impl Server {
    fn start(certificate: &Certificate) -> Self {
        let config = certificate.server().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Rc::new(Cell::new(0));
        let count = Rc::clone(&taken);
        drop(spawn(move || {
            for stream in listener.incoming() {
                count.set(count.get() + 1);
                let tls = tls::serve(stream.unwrap(), &config).unwrap();
                drop(spawn(move || answer_all(tls)));
            }
        }));
        Server { address, taken }
    }

    fn at(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}

/// Answers each request with what it asks for; `/cut` with half of that, and no goodbye.
fn answer_all(tls: ServerStream) -> io::Result<()> {
    let mut tls = BufReader::new(tls);
    loop {
        let mut line = String::new();
        if tls.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line != "\r\n" {
            line.clear();
            tls.read_line(&mut line)?;
        }
        let (length, cut) = (path.len(), path == "/cut");
        let shown = if cut { &path[..length / 2] } else { &path };
        write!(
            tls.get_mut(),
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{shown}"
        )?;
        tls.get_mut().flush()?;
        if cut {
            return Ok(());
        }
    }
}

/// A configuration that trusts this certificate, and that nothing in the environment changes.
fn trusting(certificate: &Certificate) -> ConfigBuilder<AgentScope> {
    let trusted = ureq::tls::Certificate::from_der(&certificate.public).to_owned();
    let roots = RootCerts::new_with_certs(&[trusted]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    Config::builder().proxy(None).tls_config(tls)
}

fn get(agent: &Agent, address: &str) -> Result<String, Error> {
    agent.get(address).call()?.body_mut().read_to_string()
}

#[test]
fn many_green_threads_of_one_os_thread_download_over_the_connections_of_one_agent() {
    const CLIENTS: usize = 32;
    run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let server = Server::start(&certificate);
        let pooled = trusting(&certificate).max_idle_connections(CLIENTS);
        let agent = agent(pooled.max_idle_connections_per_host(CLIENTS).build());
        let download = |number: usize| {
            let (agent, address) = (agent.clone(), server.at(&format!("/{number}")));
            spawn(move || {
                for _ in 0..4 {
                    assert_eq!(get(&agent, &address).unwrap(), format!("/{number}"));
                }
            })
        };
        for ended in gather((0..CLIENTS).map(download).collect::<Vec<_>>()) {
            ended.unwrap();
        }
        assert!(server.taken.get() <= CLIENTS, "{}", server.taken.get());
    });
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    run(|| {
        let [shown, trusted] = [(); 2].map(|()| Certificate::for_loopback().unwrap());
        let server = Server::start(&shown);
        let agent = agent(trusting(&trusted).build());
        let error = get(&agent, &server.at("/")).unwrap_err();
        assert!(error.to_string().contains("certificate"), "{error}");
    });
}

#[test]
fn a_body_that_is_cut_short_is_an_error() {
    run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let server = Server::start(&certificate);
        let agent = agent(trusting(&certificate).build());
        let Err(Error::Io(error)) = get(&agent, &server.at("/cut")) else {
            panic!("it is no error");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(get(&agent, &server.at("/whole")).unwrap(), "/whole");
    });
}

/// The clock jumps when nobody can go on.
fn virtual_time() -> Runtime {
    Runtime::builder().virtual_time().build().unwrap()
}

#[test]
fn a_handshake_that_is_not_answered_is_ended_by_ureqs_timeout_and_by_a_cancellation() {
    virtual_time().run(|| {
        let certificate = Certificate::for_loopback().unwrap();
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}/", silent.local_addr().unwrap());
        let impatient = agent(trusting(&certificate).timeout_connect(Some(LIMIT)).build());
        let error = get(&impatient, &address).unwrap_err();
        assert!(matches!(error, Error::Timeout(Timeout::Connect)), "{error}");

        let server = Server::start(&certificate);
        let patient = agent(trusting(&certificate).build());
        let own = patient.clone();
        let waits = spawn(move || get(&own, &address));
        sleep(LIMIT); // until nobody can go on
        waits.cancel();
        assert!(waits.join().unwrap_err().is_cancelled());
        assert_eq!(get(&patient, &server.at("/after")).unwrap(), "/after");
    });
}
