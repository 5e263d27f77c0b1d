//! No descriptor is left: everything that needs one says so, nothing that stands is harmed, and all works again when there are some.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use greenthread::fs;
use greenthread::net::{
    Server, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream,
};
use greenthread::process::Command;
use greenthread::{JoinHandle, Runtime, sleep, spawn, spawn_blocking, yield_now};

use crate::limit::allow_no_more;
use crate::proof;
use crate::shim::{self, ALL, Fault};
use crate::support::child;
use crate::trial::{self, End, Verdict};

/// Opens something and closes it.
type Opener<'a> = Box<dyn Fn() -> io::Result<()> + 'a>;

/// Opens files until no descriptor is left: a few at the least, whose descriptors make room for others later, and one in each gap that whoever started this process has left.
fn exhaust() -> Vec<File> {
    let null = || File::open("/dev/null");
    let mut files: Vec<File> = std::iter::repeat_with(null)
        .take(16)
        .map(Result::unwrap)
        .collect();
    allow_no_more();
    files.extend(std::iter::repeat_with(null).map_while(Result::ok));
    files
}

fn assert_in_child(test: &str, part: fn()) {
    let ended = child::run(test, part);
    assert!(ended.succeeded(), "{}", ended.stderr());
}

fn says_none_left(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMFILE) || error.to_string().contains("os error 24")
}

#[test]
#[apply(once)]
fn a_reactor_that_finds_no_descriptor_is_an_error_of_whoever_waits_and_is_made_later() {
    let test = "descriptors::a_reactor_that_finds_no_descriptor_is_an_error_of_whoever_waits_and_is_made_later";
    assert_in_child(test, || {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut files = exhaust();
        // The reactor needs three: its own, one for those who register, and what wakes it.
        for _ in 0..3 {
            let error = (&near).read(&mut [0]).unwrap_err();
            assert!(says_none_left(&error), "{error}");
            drop(files.pop());
        }
        let reading = spawn(move || {
            let mut word = [0];
            (&near).read_exact(&mut word).map(|()| word)
        });
        yield_now();
        far.write_all(b"!").unwrap();
        assert_eq!(&reading.join().unwrap().unwrap(), b"!");
        drop(files);
        proof::assert_whole();
    });
}

#[test]
#[apply(once)]
fn what_needs_a_descriptor_says_that_there_is_none_and_works_when_there_is() {
    let test =
        "descriptors::what_needs_a_descriptor_says_that_there_is_none_and_works_when_there_is";
    assert_in_child(test, || {
        proof::assert_whole();
        let folder = fs::TempDir::new().unwrap();
        let path = |name| folder.path().join(name);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = UnixStream::pair().unwrap();
        let openers: [(&str, Opener); 11] = [
            ("tcp", Box::new(|| TcpStream::connect(address).map(drop))),
            (
                "listen",
                Box::new(|| TcpListener::bind("127.0.0.1:0").map(drop)),
            ),
            ("udp", Box::new(|| UdpSocket::bind("127.0.0.1:0").map(drop))),
            ("pair", Box::new(|| UnixStream::pair().map(drop))),
            (
                "unix",
                Box::new(|| UnixListener::bind(path("socket")).map(drop)),
            ),
            ("datagram", Box::new(|| UnixDatagram::unbound().map(drop))),
            ("clone", Box::new(|| near.try_clone().map(drop))),
            ("pipe", Box::new(|| greenthread::io::pipe().map(drop))),
            ("file", Box::new(|| fs::write(path("file"), "text"))),
            ("folder", Box::new(|| fs::read_dir(folder.path()).map(drop))),
            (
                "program",
                Box::new(|| Command::new("true").output().map(drop)),
            ),
        ];
        let files = exhaust();
        for (name, open) in &openers {
            let error = open().expect_err(name);
            assert!(says_none_left(&error), "{name}: {error}");
        }
        // What stands goes on, and what needs none works.
        (&near).write_all(b"!").unwrap();
        (&far).read_exact(&mut [0]).unwrap();
        assert_eq!(proof::without_descriptors(), proof::SUM);
        let runtime = Runtime::builder().workers(2).build().unwrap();
        assert_eq!(
            runtime.run(|| greenthread::spawn_anywhere(|| 7).join().unwrap()),
            7
        );
        drop(files);
        for (name, open) in &openers {
            open().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        proof::assert_whole();
    });
}

/// Less than a second, in which a server that tried all the time would make a hundred thousand calls.
const WHILE: Duration = Duration::from_millis(700);

/// How many it may make: a slow machine makes it fewer.
const MOST: u64 = 40;

/// A child that serves while these calls fail for want of something.
fn assert_serves_on(test: &str, call: libc::c_long, errno: i32) {
    if trial::role().is_some() {
        serve_in_want(call, errno);
    }
    let ended = trial::play(test, "serve");
    if !ended.is_impossible() {
        let is_well = matches!(ended.end, End::Verdict(Verdict::Unnoticed));
        assert!(is_well, "{ended:?}");
    }
}

/// What a client of another OS thread is greeted with.
fn be_greeted(address: SocketAddr) -> JoinHandle<io::Result<u8>> {
    spawn_blocking(move || {
        let mut word = [0];
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.read_exact(&mut word).map(|()| word[0])
    })
}

fn serve_in_want(call: libc::c_long, errno: i32) -> ! {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let stopper = server.stopper();
    let address = stopper.local_addr().unwrap();
    shim::arm(Fault {
        call,
        only: ALL,
        errno,
        n: 1,
        for_good: true,
    });
    let serving = spawn(|| server.serve(|mut stream, _| stream.write_all(b"!")));
    let early = be_greeted(address);
    sleep(WHILE);
    let calls = shim::calls();
    assert!((1..MOST).contains(&calls), "{calls} calls");
    assert!(shim::disarm());
    let late = be_greeted(address);
    for client in [early, late] {
        assert_eq!(client.join().unwrap().unwrap(), b'!');
    }
    assert!(!serving.is_finished());
    stopper.stop(Duration::ZERO);
    serving.join().unwrap().unwrap();
    trial::conclude(Verdict::Unnoticed)
}

#[test]
#[apply(once)]
fn a_server_for_which_accept_finds_no_descriptor_does_not_ask_all_the_time() {
    let test =
        "descriptors::a_server_for_which_accept_finds_no_descriptor_does_not_ask_all_the_time";
    assert_serves_on(test, libc::SYS_accept4, libc::EMFILE);
}

#[test]
#[apply(once)]
fn a_server_that_finds_no_descriptor_for_its_reactor_goes_on() {
    let test = "descriptors::a_server_that_finds_no_descriptor_for_its_reactor_goes_on";
    assert_serves_on(test, libc::SYS_epoll_create1, libc::EMFILE);
}

#[test]
#[apply(once)]
fn a_server_whose_user_may_watch_no_further_descriptor_goes_on() {
    let test = "descriptors::a_server_whose_user_may_watch_no_further_descriptor_goes_on";
    assert_serves_on(test, libc::SYS_epoll_ctl, libc::ENOSPC);
}
