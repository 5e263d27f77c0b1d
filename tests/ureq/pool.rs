//! One agent, many green threads: its pool of connections.

use std::net::TcpListener;
use std::thread;

use greenthread::{gather, run, spawn};

use crate::server::{Manners, POLITE, Server};
use crate::{agent, config, get, plain_agent};

#[test]
#[apply(on_roots)]
fn many_green_threads_of_one_os_thread_share_an_agent_and_its_connections() {
    run(|| {
        let server = Server::start(POLITE);
        let most = config()
            .max_idle_connections(50)
            .max_idle_connections_per_host(50);
        let agent = agent(most.build());
        let ask = |number: usize| {
            let (agent, address) = (agent.clone(), server.at(&format!("/{number}")));
            spawn(move || {
                for _ in 0..4 {
                    assert_eq!(get(&agent, &address).unwrap(), format!("/{number}"));
                }
            })
        };
        for result in gather((0..50).map(ask).collect::<Vec<_>>()) {
            result.unwrap();
        }
        assert!(server.taken.get() <= 50, "{} for 200", server.taken.get());
    });
}

#[test]
#[apply(on_roots)]
fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    run(|| {
        let server = Server::start(Manners {
            patience: 1,
            ..POLITE
        });
        let agent = plain_agent();
        for _ in 0..3 {
            assert_eq!(get(&agent, &server.at("/a")).unwrap(), "/a");
            // Lets the server's green thread close it.
            greenthread::yield_now();
        }
        assert_eq!(server.taken.get(), 3);
    });
}

#[test]
#[apply(on_workers)]
fn an_agent_may_be_used_on_any_os_thread() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        use std::io::{Read, Write};
        // One connection serves both OS threads.
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..2 {
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                .unwrap();
        }
    });
    let agent = plain_agent();
    assert_eq!(get(&agent, &address).unwrap(), "hi");
    let asked = thread::spawn(move || get(&agent, &address).unwrap());
    assert_eq!(asked.join().unwrap(), "hi");
    server.join().unwrap();
}
