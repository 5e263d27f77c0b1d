//! ureq over our sockets: `cargo test --features ureq --test ureq`. TLS is tried in `examples/ecosystem`, which has the certificates for it.

#[macro_use(apply)]
extern crate macro_rules_attribute;

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod cutting_short;
mod names;
mod pool;
mod server;
mod time_limits;

use greenthread::bridge::ureq::agent;
use ureq::Agent;
use ureq::config::{Config, ConfigBuilder};
use ureq::typestate::AgentScope;

/// A configuration that nothing in the environment changes.
fn config() -> ConfigBuilder<AgentScope> {
    Config::builder().proxy(None)
}

/// An agent that nothing in the environment changes.
fn plain_agent() -> Agent {
    agent(config().build())
}

/// What `agent` gets from `address`.
fn get(agent: &Agent, address: &str) -> Result<String, ureq::Error> {
    agent.get(address).call()?.body_mut().read_to_string()
}
