//! Libraries that bring their own protocol and take our sockets: one adapter each, behind a feature of its name.
//!
//! A library that only wants `Read + Write` needs no adapter: it is handed a [`TcpStream`](crate::net::TcpStream).

#[cfg(feature = "ureq")]
pub mod ureq;
