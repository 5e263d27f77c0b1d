//! How long honest clients wait for a server that others mean harm to.
//!
//! ```sh
//! cargo run --release --example siege          # 5 s for each act
//! cargo run --release --example siege -- 20
//! ```
//!
//! An echo server of one OS thread has seats for 256 connections, and half a second for each request to come whole. Honest clients on another OS thread ask it a thousand times a second each, over
//! connections that stand and over new ones. The acts: nobody else; clients that send a byte now and then or say nothing, fewer than there are seats; three times as many as there are seats;
//! connections that are opened and reset as fast as that goes; all of it. It fails when an honest client is refused.

use std::env;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use greenthread::net::{Server, TcpStream};
use greenthread::{JoinHandle, run, sleep, spawn, timeout};

/// Connections that the server takes at once.
const SEATS: usize = 256;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes of a request, and of its answer.
const REQUEST: usize = 64;

/// Honest clients with a connection that stands, and as many that make a new one for each request.
const HONEST: usize = 4;

/// What an honest client waits between two requests.
const PAUSE: Duration = Duration::from_millis(1);

/// Connections that one of the storm opens before it resets them all.
const STORM: usize = 100;

/// What is done to the server.
struct Act {
    /// What it is called.
    name: &'static str,

    /// Clients that send a byte now and then, and as many that say nothing.
    hostile: usize,

    /// How many make a storm.
    storms: usize,
}

const ACTS: [Act; 5] = [
    Act {
        name: "nobody else",
        hostile: 0,
        storms: 0,
    },
    Act {
        name: "128 slow and silent",
        hostile: 64,
        storms: 0,
    },
    Act {
        name: "768 slow and silent",
        hostile: 384,
        storms: 0,
    },
    Act {
        name: "opened and reset",
        hostile: 0,
        storms: 2,
    },
    Act {
        name: "768, and opened and reset",
        hostile: 384,
        storms: 2,
    },
];

/// What the hostile have done.
#[derive(Default)]
struct Tally {
    /// They are to stop.
    is_over: AtomicBool,

    /// Slow and silent ones that were shown the door.
    turned_away: AtomicU64,

    /// Connections that were opened and reset.
    reset: AtomicU64,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

/// How long requests took.
struct Waits(Vec<Duration>);

impl Waits {
    fn of(parts: Vec<JoinHandle<io::Result<Vec<Duration>>>>) -> io::Result<Waits> {
        let mut all = Vec::new();
        for part in parts {
            all.extend(part.join()??);
        }
        all.sort_unstable();
        Ok(Waits(all))
    }

    /// So many of a thousand took no longer.
    fn within(&self, of_a_thousand: usize) -> Duration {
        let place = self.0.len() * of_a_thousand / 1000;
        let last = self.0.len().saturating_sub(1);
        self.0.get(place.min(last)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = [500, 990, 1000].map(|part| self.within(part));
        write!(
            f,
            "{:>7} | {half:>9.1?} | {most:>9.1?} | {all:>9.1?}",
            self.0.len()
        )
    }
}

fn main() -> ExitCode {
    let seconds = env::args().nth(1).map_or(Ok(5), |text| text.parse());
    let Ok(seconds @ 1..) = seconds else {
        eprintln!("siege: how many seconds for each act?");
        return ExitCode::FAILURE;
    };
    println!(
        "| act | over connections that stand: requests | p50 | p99 | longest | over new ones: requests | p50 | p99 | longest | turned away | reset |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for act in &ACTS {
        if let Err(error) = play(act, Duration::from_secs(seconds)) {
            eprintln!("siege: {}: {error}", act.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn play(act: &Act, length: Duration) -> io::Result<()> {
    let server = Server::bind("127.0.0.1:0")?.limit(SEATS);
    let stopper = server.stopper();
    let address = stopper.local_addr()?;
    let serving = thread::spawn(|| server.serve(|stream, _| answer(&stream)));
    let tally = Arc::new(Tally::default());
    let (hostile, storms, tallies) = (act.hostile, act.storms, Arc::clone(&tally));
    // First come the honest ones whose connections stand.
    let (standing, new) = run(|| {
        let connect = |_| TcpStream::connect(address);
        let standing: Vec<_> = (0..HONEST).map(connect).collect::<io::Result<_>>()?;
        let attack = thread::spawn(move || attack(address, hostile, storms, &tallies));
        let until = Instant::now() + length;
        let standing = standing
            .into_iter()
            .map(|stream| spawn(move || stand(&stream, until)));
        let standing: Vec<_> = standing.collect();
        let new: Vec<_> = (0..HONEST)
            .map(|_| spawn(move || come(address, until)))
            .collect();
        let waits = (Waits::of(standing)?, Waits::of(new)?);
        tally.is_over.store(true, Ordering::Relaxed);
        stopper.stop(PATIENCE);
        attack.join().expect("the attack does not panic");
        Ok::<_, io::Error>(waits)
    })?;
    serving.join().expect("the server does not panic")?;
    let done = [&tally.turned_away, &tally.reset].map(|count| count.load(Ordering::Relaxed));
    println!(
        "| {} | {standing} | {new} | {} | {} |",
        act.name, done[0], done[1]
    );
    Ok(())
}

/// Answers each request by itself, as long as each comes whole in time.
fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = [0; REQUEST];
    loop {
        timeout(PATIENCE, || stream.read_exact(&mut request))??;
        stream.write_all(&request)?;
    }
}

/// One request and its answer.
fn ask(mut stream: &TcpStream) -> io::Result<()> {
    let mut answer = [0; REQUEST];
    stream.write_all(&[b'?'; REQUEST])?;
    stream.read_exact(&mut answer)
}

/// Asks over one connection until then; how long each request took.
fn stand(stream: &TcpStream, until: Instant) -> io::Result<Vec<Duration>> {
    stream.set_nodelay(true)?;
    measure(until, || ask(stream))
}

/// The same, over a new connection each.
fn come(address: SocketAddr, until: Instant) -> io::Result<Vec<Duration>> {
    measure(until, || ask(&TcpStream::connect(address)?))
}

fn measure(until: Instant, request: impl Fn() -> io::Result<()>) -> io::Result<Vec<Duration>> {
    let mut waits = Vec::new();
    while Instant::now() < until {
        let begin = Instant::now();
        request()?;
        waits.push(begin.elapsed());
        sleep(PAUSE);
    }
    Ok(waits)
}

/// All who mean harm, until they are told that it is over.
fn attack(address: SocketAddr, hostile: usize, storms: usize, tally: &Arc<Tally>) {
    run(|| {
        for number in 0..2 * hostile {
            let own = Arc::clone(tally);
            drop(spawn(move || harass(address, number % 2 == 0, &own)));
        }
        for _ in 0..storms {
            let own = Arc::clone(tally);
            drop(spawn(move || storm(address, &own)));
        }
        while tally.goes_on() {
            sleep(PAUSE);
        }
    });
}

/// Holds a seat for as long as it is let, and takes the next.
fn harass(address: SocketAddr, sends: bool, tally: &Tally) -> io::Result<()> {
    while tally.goes_on() {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE / 10))?;
        let mut is_open = true;
        while is_open {
            is_open = !sends || stream.write_all(b"?").is_ok();
            let came = stream.read(&mut [0]);
            is_open &= came.is_err_and(|error| error.kind() == ErrorKind::TimedOut);
        }
        tally.turned_away.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Opens connections and resets them, again and again.
fn storm(address: SocketAddr, tally: &Tally) -> io::Result<()> {
    while tally.goes_on() {
        let connect = |_| TcpStream::connect(address);
        let all: Vec<_> = (0..STORM).map(connect).collect::<io::Result<_>>()?;
        for stream in &all {
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
        }
        tally.reset.fetch_add(all.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
