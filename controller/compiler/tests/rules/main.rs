//! The rules of the compiler, each on a small repository written as text.

mod acme;
mod aliases;
mod authority;
mod delivery;
mod dmarc;
mod legal;
mod limits;
mod mail;
mod passwords;
mod reverse;
mod support;
mod zones;
