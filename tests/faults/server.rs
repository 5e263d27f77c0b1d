//! Clients that mean harm: `net::Server` keeps its limit, serves the honest ones, and leaks nothing.
//!
//! No test here looks at how long an honest client waits by the machine's clock; `examples/siege` measures that.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::Stdio;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use greenthread::net::{Server, Stopper, TcpStream};
use greenthread::sync::Semaphore;
use greenthread::{Runtime, run, sleep, spawn, spawn_blocking, stats, time, timeout};
use socket2::SockRef;

use crate::limit;
use crate::shim::{self, ALL, Fault};
use crate::trial::{self, End, Verdict};

const SECOND: Duration = Duration::from_secs(1);

/// Connections that are opened and reset.
const STORM: usize = 10_000;

/// Bytes of a request.
const REQUEST: usize = 64;

/// How many are served, and how many were at most.
#[derive(Clone, Default)]
struct Seen(Arc<(AtomicUsize, AtomicUsize)>);

/// One who is served.
struct Served<'a>(&'a Seen);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Seen {
    /// Counts for as long as it takes, however that ends.
    fn count<R>(&self, serve: impl FnOnce() -> R) -> R {
        let (now, most) = &*self.0;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _served = Served(self);
        serve()
    }

    fn now(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

fn server() -> (Server, Stopper, SocketAddr) {
    trial::watch_for_hangs();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let stopper = server.stopper();
    let address = stopper.local_addr().unwrap();
    (server, stopper, address)
}

/// Sends a request and reads its answer.
fn ask(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(&[b'?'; REQUEST])?;
    let mut answer = [0; REQUEST];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer, [b'?'; REQUEST]);
    Ok(())
}

/// Answers requests, each of which must come within `limit` as a whole.
fn serve_within(limit: Duration, mut stream: &TcpStream) -> io::Result<()> {
    loop {
        let mut request = [0; REQUEST];
        timeout(limit, || stream.read_exact(&mut request))??;
        stream.write_all(&request)?;
    }
}

/// Resets the connection: no orderly end, and nothing waits in the kernel.
fn reset(stream: impl std::os::fd::AsFd) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

#[test]
fn slow_and_silent_clients_hold_seats_until_their_time_is_up_and_honest_ones_are_served() {
    const LIMIT: usize = 4;
    const HOSTILE: usize = 12;
    const PATIENCE: Duration = Duration::from_secs(10);
    let runtime = Runtime::builder().virtual_time().build().unwrap();
    runtime.run(|| {
        let (server, stopper, address) = server();
        let seen = Seen::default();
        let seeing = seen.clone();
        let serving = spawn(move || {
            server
                .limit(LIMIT)
                .serve(|stream, _| seeing.count(|| drop(serve_within(PATIENCE, &stream))))
        });
        // They come back as soon as they are thrown out; every other one sends a byte a second, so that no read of its ever waits long.
        let hostile = (0..HOSTILE).map(|n| spawn(move || harass(address, n % 2 == 0)));
        let hostile: Vec<_> = hostile.collect();
        sleep(SECOND);
        let begin = time::now();
        for _ in 0..5 {
            ask(&TcpStream::connect(address).unwrap()).unwrap();
        }
        // Whoever is in line before an honest one holds a seat for his time, and LIMIT of them do so at once.
        let worst = PATIENCE * (HOSTILE / LIMIT + 1) as u32;
        assert!(
            time::now() - begin <= 5 * worst,
            "{:?}",
            time::now() - begin
        );
        assert_eq!(seen.most(), LIMIT);
        hostile.iter().for_each(|one| assert!(one.cancel()));
        stopper.stop(Duration::ZERO);
        serving.join().unwrap().unwrap();
        assert_eq!(seen.now(), 0);
    });
}

/// Connects again and again, and sends a byte each second, or nothing.
fn harass(address: SocketAddr, sends: bool) -> io::Result<()> {
    loop {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(SECOND))?;
        let mut is_open = true;
        while is_open {
            is_open = !sends || stream.write_all(b"?").is_ok();
            let came = stream.read(&mut [0]);
            is_open &= came.is_err_and(|error| error.kind() == ErrorKind::TimedOut);
        }
    }
}

#[test]
fn connections_that_were_reset_while_they_stood_in_line_keep_nobody_waiting() {
    const WAVE: usize = 100;
    run(|| {
        let (server, stopper, address) = server();
        let seen = Seen::default();
        let seeing = seen.clone();
        let serving = spawn(move || {
            server
                .limit(1)
                .serve(|stream, _| seeing.count(|| io::copy(&mut &stream, &mut &stream)))
        });
        let mut seated = TcpStream::connect(address).unwrap();
        for _ in 0..STORM / WAVE {
            ask(&seated).unwrap();
            let line: Vec<_> = (0..WAVE)
                .map(|_| TcpStream::connect(address).unwrap())
                .collect();
            line.iter().for_each(reset);
            drop(line);
            // Behind all of them.
            let next = TcpStream::connect(address).unwrap();
            seated = next;
        }
        ask(&seated).unwrap();
        assert_eq!(seen.most(), 1);
        stopper.stop(Duration::ZERO);
        serving.join().unwrap().unwrap();
    });
}

/// What must be as it was before.
fn held() -> (usize, usize) {
    (limit::open().len(), stats().stacks.live)
}

#[test]
fn ten_thousand_connections_that_are_opened_and_reset_at_once_leave_nothing_behind() {
    let test =
        "server::ten_thousand_connections_that_are_opened_and_reset_at_once_leave_nothing_behind";
    match trial::role() {
        Some(role) if role == "serve" => stand_the_storm(test),
        Some(role) => make_a_storm(&role),
        None => {}
    }
    let ended = trial::play(test, "serve");
    let is_well = matches!(ended.end, End::Verdict(Verdict::Unnoticed));
    assert!(is_well, "{ended:?}");
    print!("{}", ended.said);
}

/// The child that serves; a child of its own makes the storm.
fn stand_the_storm(test: &'static str) -> ! {
    let most = limit::allow_all().saturating_sub(200) as usize;
    let count = STORM.min(most);
    if count < STORM {
        eprintln!("{count} connections at once, for want of descriptors");
    }
    run(|| {
        // Brings all that the first one brings: the reactor, an OS thread for blocking work.
        one_storm(test, 10, 0);
        let before = held();
        for workers in [0, 2] {
            (0..STORM.div_ceil(count)).for_each(|_| one_storm(test, count, workers));
        }
        assert_eq!(held(), before, "descriptors and stacks");
    });
    trial::conclude(Verdict::Unnoticed)
}

fn one_storm(test: &'static str, count: usize, workers: usize) {
    let (server, stopper, address) = server();
    let seen = Seen::default();
    let seeing = seen.clone();
    let echo = move |stream: TcpStream, _| seeing.count(|| io::copy(&mut &stream, &mut &stream));
    let serving = spawn(move || match workers {
        0 => server.serve(echo),
        some => server.workers(some).serve(echo),
    });
    let honest = TcpStream::connect(address).unwrap();
    let role = format!("{address} {count}");
    let storm = spawn_blocking(move || {
        let mut storm = trial::command(test, &role);
        storm.stdin(Stdio::null()).stdout(Stdio::null()).status()
    });
    while !storm.is_finished() {
        ask(&honest).unwrap();
    }
    assert!(storm.join().unwrap().unwrap().success());
    while seen.now() > 1 {
        ask(&honest).unwrap();
    }
    ask(&TcpStream::connect(address).unwrap()).unwrap();
    // The kernel lets some thousand stand in line.
    assert!(seen.most() + 5000 > count, "{}", seen.most());
    drop(honest);
    stopper.stop(SECOND);
    serving.join().unwrap().unwrap();
    assert_eq!(seen.now(), 0);
}

/// The child that connects so often as its role says, and resets all of it.
fn make_a_storm(role: &str) -> ! {
    limit::allow_all();
    let (address, count) = role.split_once(' ').unwrap();
    let connect = |_| std::net::TcpStream::connect(address).unwrap();
    let all: Vec<_> = (0..count.parse().unwrap()).map(connect).collect();
    all.iter().for_each(reset);
    drop(all);
    std::process::exit(0)
}

#[test]
fn a_connection_for_which_there_is_no_stack_is_closed_and_gives_its_seat_back() {
    const LIMIT: usize = 100;
    let test = "server::a_connection_for_which_there_is_no_stack_is_closed_and_gives_its_seat_back";
    if trial::role().is_some() {
        serve_without_stacks(LIMIT);
    }
    let ended = trial::play(test, "serve");
    if !ended.is_impossible() {
        let is_well = matches!(ended.end, End::Verdict(Verdict::Unnoticed));
        assert!(is_well, "{ended:?}");
    }
}

/// The child: no further memory is mapped once the server stands.
fn serve_without_stacks(most: usize) -> ! {
    run(|| {
        let (server, stopper, address) = server();
        let go = Rc::new(Semaphore::new(0));
        let waits = Rc::clone(&go);
        let serving = spawn(move || {
            server.limit(most).serve(|mut stream, _| {
                stream.write_all(b"!")?;
                waits.acquire().forget();
                Ok::<_, io::Error>(())
            })
        });
        TcpStream::connect(address)
            .unwrap()
            .read_exact(&mut [0])
            .unwrap();
        shim::arm(Fault {
            call: libc::SYS_mmap,
            only: ALL,
            errno: libc::ENOMEM,
            n: 1,
            for_good: true,
        });
        let greeted = |stream: &TcpStream| (&mut &*stream).read_exact(&mut [0]).is_ok();
        let all: Vec<_> = (0..most / 2)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let seated = all.iter().filter(|stream| greeted(stream)).count();
        assert!(seated > 0 && seated < all.len(), "{seated}");
        assert!(shim::disarm());
        // Had the seats of those who were turned away been lost, some of these would have none.
        let more: Vec<_> = (0..most - seated - 1)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        assert!(more.iter().all(greeted));
        go.release(most + 1);
        stopper.stop(SECOND);
        serving.join().unwrap().unwrap();
    });
    trial::conclude(Verdict::Unnoticed)
}
