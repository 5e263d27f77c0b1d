//! The chat over WebSocket: two hundred guests on green threads of one OS thread, against the program as a process of its own.

mod support;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::time::Duration;

use greenthread::net::{SocketAddr, TcpStream};
use greenthread::sync::Barrier;
use greenthread::{run, scope, timeout};
use support::Program;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, HandshakeError, Message, WebSocket, client};

/// Longer than anything here takes.
const FOR_EVER: Duration = Duration::from_secs(120);

type Guest = WebSocket<TcpStream>;

/// The program, whose rooms keep so many messages, and where it listens.
fn start(kept: &str) -> (Program, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    let mut server = Program::start(command.args(["127.0.0.1:0", kept]));
    let address = server.says("listening on").parse().unwrap();
    (server, address)
}

/// Comes in, and is welcome.
fn enter(server: SocketAddr, room: &str, name: &str) -> Guest {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(FOR_EVER)).unwrap();
    let (mut guest, _) = client(format!("ws://{server}/{room}/{name}"), stream).unwrap();
    assert_eq!(hear(&mut guest), format!("* welcome to {room}, {name}"));
    guest
}

fn say(guest: &mut Guest, text: impl Into<String>) {
    guest.send(Message::text(text.into())).unwrap();
}

fn hear(guest: &mut Guest) -> String {
    guest.read().unwrap().into_text().unwrap().to_string()
}

/// Says goodbye, and hears nothing but messages until the server has, too; how many they were.
fn part(mut guest: Guest) -> usize {
    guest.close(None).unwrap();
    let mut heard = 0;
    loop {
        match guest.read() {
            Ok(Message::Text(_)) => heard += 1,
            Ok(Message::Close(_)) => {}
            Err(Error::ConnectionClosed) => return heard,
            other => panic!("{other:?}"),
        }
    }
}

/// How the connection ended, when the server wanted it.
fn dismissal(guest: &mut Guest) -> CloseCode {
    loop {
        match guest.read().unwrap() {
            Message::Close(Some(CloseFrame { code, .. })) => return code,
            Message::Close(None) => panic!("no reason"),
            _ => {}
        }
    }
}

#[test]
fn two_hundred_guests_hear_all_that_each_of_them_says_in_its_order() {
    const GUESTS: usize = 200;
    const LINES: usize = 3;
    let (_server, address) = start("1000");
    let everybody = Barrier::new(GUESTS);
    let visit = |number: usize| {
        let mut guest = enter(address, "hall", &format!("guest{number}"));
        everybody.wait().unwrap();
        for line in 0..LINES {
            say(&mut guest, line.to_string());
        }
        let mut heard: HashMap<String, Vec<String>> = HashMap::new();
        for _ in 0..GUESTS * LINES {
            let text = hear(&mut guest);
            let (name, line) = text.split_once(": ").unwrap();
            heard
                .entry(name.to_owned())
                .or_default()
                .push(line.to_owned());
        }
        assert_eq!(heard.len(), GUESTS);
        assert!(heard.values().all(|lines| lines == &["0", "1", "2"]));
        // Nobody goes before all have heard all.
        everybody.wait().unwrap();
        assert_eq!(part(guest), 0);
    };
    run(|| {
        scope(|s| {
            for number in 0..GUESTS {
                let visit = &visit;
                s.spawn(move || visit(number));
            }
        });
    });
}

#[test]
fn one_room_does_not_hear_another_and_a_room_that_was_empty_begins_anew() {
    let (_server, address) = start("8");
    run(|| {
        let mut here = enter(address, "here", "ann");
        let mut there = enter(address, "there", "bob");
        say(&mut here, "one");
        say(&mut there, "two");
        assert_eq!(hear(&mut here), "ann: one");
        assert_eq!(hear(&mut there), "bob: two");
        assert_eq!(part(here), 0);
        let mut again = enter(address, "here", "cid");
        say(&mut again, "three");
        assert_eq!(hear(&mut again), "cid: three");
    });
}

#[test]
fn a_guest_that_is_too_slow_is_told_exactly_how_many_it_has_missed() {
    const LINES: usize = 1500;
    let (_server, address) = start("4");
    run(|| {
        let mut slow = enter(address, "room", "slow");
        let mut quick = enter(address, "room", "quick");
        // More than the sockets between the server and the slow one hold.
        let text = "x".repeat(16 << 10);
        for line in 0..LINES {
            say(&mut quick, format!("{line} {text}"));
            assert!(hear(&mut quick).starts_with(&format!("quick: {line} ")));
        }
        let (mut next, mut missed) = (0, 0);
        while next < LINES {
            let heard = hear(&mut slow);
            if let Some(said) = heard.strip_prefix("quick: ") {
                let number: usize = said.split(' ').next().unwrap().parse().unwrap();
                assert_eq!(number, next);
                next += 1;
            } else {
                let word = heard.strip_prefix("* you missed ").unwrap();
                let count: usize = word.strip_suffix(" messages").unwrap().parse().unwrap();
                (next, missed) = (next + count, missed + count);
            }
        }
        assert!(missed > 0, "it was not slow at all");
        assert_eq!(part(slow), 0);
        assert_eq!(part(quick), 0);
    });
}

#[test]
fn pings_are_answered_while_the_room_talks() {
    let (_server, address) = start("1000");
    run(|| {
        let mut pings = enter(address, "room", "pings");
        let mut talks = enter(address, "room", "talks");
        for number in 0..100 {
            say(&mut talks, "blah ".repeat(1000));
            let payload = Bytes::from(format!("{number}"));
            pings.send(Message::Ping(payload)).unwrap();
        }
        let (mut texts, mut pongs) = (0, 0);
        while texts < 100 || pongs < 100 {
            match pings.read().unwrap() {
                Message::Text(text) => {
                    assert_eq!(text.len(), "talks: ".len() + 5000);
                    texts += 1;
                }
                Message::Pong(payload) => {
                    // A later ping may have taken the place of one that was not answered yet (RFC 6455, 5.5.3).
                    let number: usize = str::from_utf8(&payload).unwrap().parse().unwrap();
                    assert!(number >= pongs);
                    pongs = number + 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(part(pings), 0);
    });
}

#[test]
fn a_guest_that_breaks_a_rule_is_told_which() {
    let (_server, address) = start("8");
    run(|| {
        let mut binary = enter(address, "room", "binary");
        binary.send(Message::binary(vec![1, 2, 3])).unwrap();
        assert_eq!(dismissal(&mut binary), CloseCode::Unsupported);
        let mut long = enter(address, "room", "long");
        say(&mut long, "x".repeat(100_000));
        assert_eq!(dismissal(&mut long), CloseCode::Size);
    });
}

#[test]
fn whoever_asks_for_no_room_is_refused() {
    let (_server, address) = start("8");
    run(|| {
        for path in ["/", "/room", "/room/", "/a/b/c", "/r%20m/x"] {
            let stream = TcpStream::connect(address).unwrap();
            let refused = client(format!("ws://{}{path}", address), stream);
            let Err(HandshakeError::Failure(Error::Http(answer))) = refused else {
                panic!("{path}: {refused:?}");
            };
            assert_eq!(answer.status(), 404);
        }
    });
}

#[test]
fn a_guest_that_vanishes_leaves_the_others_talking() {
    let (_server, address) = start("8");
    run(|| {
        let gone = enter(address, "room", "gone");
        let mut stays = enter(address, "room", "stays");
        drop(gone);
        for line in 0..100 {
            say(&mut stays, line.to_string());
            assert_eq!(hear(&mut stays), format!("stays: {line}"));
        }
    });
}

#[test]
fn whoever_does_not_speak_websocket_is_let_go() {
    let (_server, address) = start("8");
    run(|| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let ended = timeout(FOR_EVER, || stream.read_to_end(&mut Vec::new()));
        match ended.expect("the server keeps it") {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    });
}
