//! Acts: the only crate with a client of the API server. It watches, hands changes to the compiler, and carries out what the compiler
//! decides.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod applied;
pub mod apply;
pub mod clock;
pub mod compress;
pub mod database;
pub mod dkim;
pub mod engine;
pub mod failure;
pub mod gateway;
pub mod helpdesk;
pub mod keys;
pub mod leader;
pub mod names;
pub mod password;
pub mod passwords;
pub mod published;
pub mod queue;
pub mod report;
pub mod run;
pub mod shards;
pub mod tally;
pub mod watch;
pub mod zone_server;
