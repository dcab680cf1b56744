//! The whole path with its real parts, and what may happen to it: controllers as processes of their own, BIND as the public servers, an
//! API server that can be slow, broken or away. Whatever happens, what was served goes on being served. The table of all faults and
//! their tests is in `tests/FAULTS.md`.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is a test")]

mod api;
mod fleet;
mod public;
mod replica;
mod replicas;
mod secondaries;
#[path = "../../controller/nameserver/tests/nameserver/support/software.rs"]
#[expect(dead_code, reason = "shared with the tests of the nameserver")]
mod software;
mod state;
mod world;
