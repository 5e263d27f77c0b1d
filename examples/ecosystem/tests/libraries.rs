//! Which libraries park the green thread only, which hold up the whole OS thread, and what helps: what the guide's page on libraries says, tried.

mod support;

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use greenthread::future::block_on;
use greenthread::net::TcpStream;
use greenthread::{future, sleep, spawn, spawn_blocking, yield_now};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Commands};
use support::postgres::Postgres;
use support::redis::Redis;

/// How long each of them is kept waiting.
const WHILE: Duration = Duration::from_millis(300);

/// How often another green thread of this OS thread has a turn while `f` waits.
fn turns_during(f: impl FnOnce()) -> usize {
    let turns = Rc::new(Cell::new(0));
    let own = Rc::clone(&turns);
    let other = spawn(move || {
        loop {
            sleep(Duration::from_millis(1));
            own.set(own.get() + 1);
        }
    });
    yield_now();
    f();
    other.cancel();
    turns.get()
}

/// Whether others have a turn. A machine that is busy elsewhere may let that pass a few times.
fn lets_others_run(f: impl Fn()) -> bool {
    (0..10).any(|_| turns_during(&f) > 0)
}

#[test]
fn futures_of_no_runtime_run_side_by_side() {
    let mut sleeps: FuturesUnordered<_> = [3, 1, 2]
        .map(|n| async move {
            future::sleep(Duration::from_millis(20 * n)).await;
            n
        })
        .into_iter()
        .collect();
    let order = block_on(async {
        let mut order = vec![];
        while let Some(n) = sleeps.next().await {
            order.push(n);
        }
        order
    });
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn tokios_channels_need_no_runtime() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let receiving = spawn(move || {
        block_on(async { receiver.recv().await.unwrap() + receiver.recv().await.unwrap() })
    });
    yield_now();
    block_on(async {
        sender.send(1).await.unwrap();
        sender.send(2).await.unwrap();
    });
    assert_eq!(receiving.join().unwrap(), 3);
}

/// Whether this future panics for want of tokio's runtime.
fn misses_a_runtime<T>(future: impl Future<Output = T>) -> bool {
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(future))).err();
    let text = panic.and_then(|payload| payload.downcast::<String>().ok());
    text.is_some_and(|text| text.contains("no reactor running"))
}

#[test]
fn tokios_timers_sockets_and_files_say_that_they_need_its_runtime() {
    assert!(misses_a_runtime(async { tokio::time::sleep(WHILE).await }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(misses_a_runtime(tokio::net::TcpStream::connect(address)));
    assert!(misses_a_runtime(tokio::fs::read("Cargo.toml")));
}

#[test]
fn tokios_timer_works_with_its_runtime_on_another_os_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(pending::<()>()));
    let lets_others_run = lets_others_run(|| {
        let sleep = {
            // It names the runtime for this OS thread: gone again before anybody waits.
            let _entered = handle.enter();
            tokio::time::sleep(WHILE)
        };
        block_on(sleep);
    });
    assert!(lets_others_run);
}

#[test]
fn a_timer_with_an_os_thread_of_its_own_parks_the_green_thread_only() {
    assert!(lets_others_run(|| {
        block_on(async_io::Timer::after(WHILE));
    }));
}

#[test]
fn another_executor_holds_up_its_os_thread() {
    let turns = turns_during(|| {
        async_io::block_on(async_io::Timer::after(WHILE));
    });
    assert_eq!(turns, 0);
}

#[test]
fn the_blocking_postgres_client_holds_up_its_os_thread() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let address = server.address();
    let query = move || {
        let host = format!(
            "host={} port={} user=green dbname=postgres",
            address.ip(),
            address.port()
        );
        let mut client = postgres::Client::connect(&host, postgres::NoTls).unwrap();
        client.batch_execute("SELECT pg_sleep(0.3)").unwrap();
    };
    assert_eq!(turns_during(query), 0);
    // On the blocking pool it holds up nobody.
    assert!(lets_others_run(|| spawn_blocking(query).join().unwrap()));
}

#[test]
fn redis_own_blocking_connection_holds_up_its_os_thread() {
    let Some(server) = Redis::start() else { return };
    let client = redis::Client::open(format!("redis://{}/", server.address())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let turns = turns_during(|| {
        let nothing: Option<(String, String)> = connection.blpop("nothing", 0.3).unwrap();
        assert!(nothing.is_none());
    });
    assert_eq!(turns, 0);
}

#[test]
fn redis_async_connection_runs_on_our_socket() {
    let Some(server) = Redis::start() else { return };
    let stream = TcpStream::connect(server.address()).unwrap();
    let (as_whom, how) = (Default::default(), AsyncConnectionConfig::new());
    let made = MultiplexedConnection::new_with_config(&as_whom, stream, how);
    let (connection, talk) = block_on(made).unwrap();
    spawn(move || block_on(talk));
    let adders = [(); 64].map(|()| {
        let mut connection = connection.clone();
        spawn(move || block_on(connection.incr::<_, _, u64>("n", 1)).unwrap())
    });
    let mut numbers = adders.map(|adder| adder.join().unwrap());
    numbers.sort_unstable();
    assert_eq!(numbers.to_vec(), (1..=64).collect::<Vec<u64>>());
}
