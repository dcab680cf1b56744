//! What the servers shall serve.

pub mod dns;
