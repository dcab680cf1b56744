//! The hidden primary, judged by BIND and ldns: their checkers, `dig`, and `named` as a secondary; and by requests of no good will.

mod ailments;
mod connections;
mod dnssec;
mod hostile;
mod incremental;
mod keys;
mod killed;
mod metrics;
mod parent;
mod readers;
mod requests;
mod secondary;
mod signing;
mod support;
mod verify;
