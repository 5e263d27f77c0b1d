//! A bank in PostgreSQL: 64 green threads of one OS thread move money between accounts, through a pool of 8 connections; then nothing is lost.
//!
//! ```text
//! cargo run --release --manifest-path examples/ecosystem/Cargo.toml --bin postgres -- 127.0.0.1:5432 user=postgres dbname=postgres
//! ```
//!
//! It makes a temporary table of its own name, `greenthread_accounts`, and drops it at the end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use greenthread::future::block_on;
use greenthread::{Elapsed, scope, timeout};
use greenthread_ecosystem::postgres::{Error, Pool};
use tokio_postgres::Config;

const ACCOUNTS: i32 = 16;

const CLIENTS: i32 = 64;

const TRANSFERS: i32 = 20;

fn main() -> Result<(), Error> {
    let mut words = std::env::args().skip(1);
    let address: SocketAddr = words.next().ok_or("whose address?")?.parse()?;
    let config: Config = words.collect::<Vec<_>>().join(" ").parse()?;
    let pool = Pool::new(config, address, 8);
    open(&pool)?;
    let begin = Instant::now();
    let failures = trade(&pool);
    println!(
        "{} transfers in {:?}, {failures} failed",
        CLIENTS * TRANSFERS,
        begin.elapsed()
    );
    println!(
        "{}",
        if gives_up(&pool) {
            "a transaction was cut off after 100 ms"
        } else {
            "nothing was cut off"
        }
    );
    println!("total {}", close(&pool)?);
    Ok(())
}

fn open(pool: &Pool) -> Result<(), Error> {
    let client = pool.get()?;
    block_on(client.batch_execute(&format!(
        "CREATE TABLE greenthread_accounts (id int PRIMARY KEY, money int NOT NULL);
         INSERT INTO greenthread_accounts SELECT id, 100 FROM generate_series(0, {ACCOUNTS} - 1) id"
    )))?;
    Ok(())
}

/// How many transfers failed.
fn trade(pool: &Pool) -> usize {
    scope(|s| {
        let trader = |client: i32| {
            (0..TRANSFERS)
                .filter(|round| transfer(pool, client, client + round + 1).is_err())
                .count()
        };
        let traders: Vec<_> = (0..CLIENTS)
            .map(|client| s.spawn(move || trader(client)))
            .collect();
        traders
            .into_iter()
            .map(|trader| trader.join().unwrap())
            .sum()
    })
}

fn transfer(pool: &Pool, from: i32, to: i32) -> Result<(), Error> {
    let (from, to) = (from % ACCOUNTS, to % ACCOUNTS);
    let mut client = pool.get()?;
    block_on(async {
        let transaction = client.transaction().await?;
        // Locked in one order, or two transfers could wait for each other.
        let lock = "SELECT FROM greenthread_accounts WHERE id IN ($1, $2) ORDER BY id FOR UPDATE";
        transaction.execute(lock, &[&from, &to]).await?;
        let book = "UPDATE greenthread_accounts SET money = money + $2 WHERE id = $1";
        transaction.execute(book, &[&from, &-1]).await?;
        transaction.execute(book, &[&to, &1]).await?;
        transaction.commit().await?;
        Ok(())
    })
}

/// Begins what takes too long; whether it was cut off. The pool stays as good as it was.
fn gives_up(pool: &Pool) -> bool {
    let cut: Result<Result<(), Error>, Elapsed> = timeout(Duration::from_millis(100), || {
        let mut client = pool.get()?;
        block_on(async {
            let transaction = client.transaction().await?;
            transaction
                .batch_execute("UPDATE greenthread_accounts SET money = 0")
                .await?;
            transaction.batch_execute("SELECT pg_sleep(3600)").await?;
            transaction.commit().await?;
            Ok(())
        })
    });
    cut.is_err()
}

fn close(pool: &Pool) -> Result<i64, Error> {
    let client = pool.get()?;
    let total =
        block_on(client.query_one("SELECT sum(money) FROM greenthread_accounts", &[]))?.get(0);
    block_on(client.batch_execute("DROP TABLE greenthread_accounts"))?;
    Ok(total)
}
