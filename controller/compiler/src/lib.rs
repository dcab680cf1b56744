//! Decides: what users wrote and what was observed go in, what the servers shall serve comes out. No I/O, no clock, no randomness.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod compile;
pub mod desired;
pub mod import;
pub mod index;
pub mod manifest;
pub mod model;
pub mod parse;
pub mod plan;
pub mod problem;
pub mod published;
pub mod settings;
pub mod status;
