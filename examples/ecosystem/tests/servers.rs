//! The servers that the other tests rely on can be started, and stop.

mod support;

use std::net::TcpStream;

use support::postgres::Postgres;
use support::redis::Redis;

#[test]
fn a_redis_listens_while_its_value_lives() {
    let Some(redis) = Redis::start() else { return };
    let address = redis.address();
    TcpStream::connect(&address).unwrap();
    drop(redis);
    TcpStream::connect(&address).unwrap_err();
}

#[test]
fn a_postgres_listens_while_its_value_lives() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let address = postgres.address();
    TcpStream::connect(address).unwrap();
    drop(postgres);
    TcpStream::connect(address).unwrap_err();
}
