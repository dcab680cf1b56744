//! From what is served to what shall be: whether a step is held, and the version it gets.

pub mod absence;
pub mod departure;
pub mod dkim;
pub mod dnssec;
pub mod guard;
pub mod history;
pub mod mail;
pub mod parent;
pub mod renewal;
pub mod retention;
pub mod serial;
pub mod withdrawal;
