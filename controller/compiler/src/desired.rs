//! What shall be served, one module per service.

pub mod dns;
pub mod mail;
