//! Decides: what users wrote and what was observed go in, what the servers shall serve comes out. No I/O, no clock, no randomness.

pub mod model;
pub mod published;
