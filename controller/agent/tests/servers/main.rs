//! The real Postfix, Dovecot and Rspamd of the images, fed by the agent: SMTP in, IMAP out, submission, signatures, spam, states, faults.
//!
//! Run by `tests/servers/run`, as root: it unpacks the images, gives them an empty network and runs these tests in it, one after
//! another. Each scenario has domains of its own.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod antivirus;
mod applications;
mod client;
mod delivery;
mod faults;
mod filter;
mod header;
mod limits;
mod names;
mod place;
mod reception;
mod sharing;
mod signing;
mod states;
mod submission;
#[path = "../support/mod.rs"]
mod support;
