//! `Select`.
