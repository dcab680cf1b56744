//! End to end, on the cluster that the demo left up (`KUBECONFIG`): what is declared is asked for as a resolver, a correspondent, a
//! mail program and a visitor do. One test at a time: some take a part of the centre away.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is a test")]

mod acme;
mod ask;
mod boxes;
mod cluster;
mod faults;
mod keys;
mod member;
mod names;
mod offices;
mod partner;
mod restarts;
mod signatures;
mod sites;
