//! tokio-postgres on green threads, against a real server.

mod support;

use std::process::Command;
use std::time::Duration;

use greenthread::future::block_on;
use greenthread::{Elapsed, JoinHandle, sleep, spawn, timeout};
use greenthread_ecosystem::postgres::{Error, Pool};
use support::Program;
use support::postgres::Postgres;
use tokio_postgres::Config;

fn pool(postgres: &Postgres, size: usize) -> Pool {
    let mut config = Config::new();
    config.user("green").dbname("postgres");
    Pool::new(config, postgres.address(), size)
}

/// What one value a query gives.
fn number(pool: &Pool, query: &str) -> i64 {
    let client = pool.get().unwrap();
    block_on(client.query_one(query, &[])).unwrap().get(0)
}

fn execute(pool: &Pool, commands: &str) {
    let client = pool.get().unwrap();
    block_on(client.batch_execute(commands)).unwrap();
}

#[test]
fn sixty_four_green_threads_share_four_connections() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let pool = pool(&postgres, 4);
    execute(&pool, "CREATE TABLE numbers (n int)");
    let writers: Vec<JoinHandle<()>> = (0..64)
        .map(|n| {
            let pool = pool.clone();
            spawn(move || {
                let client = pool.get().unwrap();
                block_on(client.execute("INSERT INTO numbers VALUES ($1)", &[&n])).unwrap();
            })
        })
        .collect();
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    assert_eq!(number(&pool, "SELECT sum(n) FROM numbers"), 63 * 64 / 2);
    let own = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'green' AND backend_type = 'client backend'";
    assert!(number(&pool, own) <= 4);
}

/// A transaction that does something and then takes for ever, cut off.
fn cut_off(pool: &Pool) -> Result<Result<(), Error>, Elapsed> {
    timeout(Duration::from_millis(300), || {
        let mut client = pool.get()?;
        block_on(async {
            let transaction = client.transaction().await?;
            transaction
                .batch_execute("INSERT INTO numbers VALUES (1)")
                .await?;
            transaction.batch_execute("SELECT pg_sleep(3600)").await?;
            transaction.commit().await?;
            Ok(())
        })
    })
}

#[test]
fn a_transaction_cut_off_by_a_timeout_leaves_the_pool_usable() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    // One connection: what is left of the transaction would be in everybody's way.
    let pool = pool(&postgres, 1);
    execute(&pool, "CREATE TABLE numbers (n int)");
    for _ in 0..3 {
        assert!(cut_off(&pool).is_err());
    }
    let readers: Vec<_> = (0..64)
        .map(|_| {
            let pool = pool.clone();
            spawn(move || number(&pool, "SELECT count(*) FROM numbers"))
        })
        .collect();
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 0, "it was rolled back");
    }
    assert_eq!(pool.available(), 1);
    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND state = 'active' AND pid <> pg_backend_pid()";
    assert_eq!(number(&pool, asleep), 0);
}

#[test]
fn a_query_parks_its_green_thread_only() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let pool = pool(&postgres, 2);
    let own = pool.clone();
    let slow = spawn(move || execute(&own, "SELECT pg_advisory_lock(7); SELECT pg_sleep(0.5)"));
    let mut others = 0;
    while !slow.is_finished() {
        sleep(Duration::from_millis(10));
        others += 1;
    }
    slow.join().unwrap();
    assert!(others > 1);
}

#[test]
fn a_server_that_goes_away_is_an_error_for_whoever_waits() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let pool = pool(&postgres, 2);
    let own = pool.clone();
    let waiting = spawn(move || {
        let client = own.get().unwrap();
        block_on(client.batch_execute("SELECT pg_sleep(3600)")).is_err()
    });
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)' AND state = 'active'";
    while number(&pool, active) == 0 {
        sleep(Duration::from_millis(10));
    }
    drop(postgres);
    assert!(waiting.join().unwrap());
    assert!(pool.get().is_err());
}

#[test]
fn the_bank_loses_nothing() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let mut bank = Command::new(env!("CARGO_BIN_EXE_postgres"));
    bank.arg(postgres.address().to_string())
        .args(["user=green", "dbname=postgres"]);
    let mut bank = Program::start(&mut bank);
    let traded = bank.line();
    assert!(
        traded.starts_with("1280 transfers in") && traded.ends_with(", 0 failed"),
        "{traded}"
    );
    assert_eq!(bank.line(), "a transaction was cut off after 100 ms");
    assert_eq!(bank.says("total"), "1600");
    assert!(bank.succeeds());
}
