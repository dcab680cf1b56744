//! What shall be served, one module per service.

pub mod dns;
#[cfg(test)]
mod golden;
pub mod mail;
pub mod object;
pub mod tenancy;
pub mod web;
