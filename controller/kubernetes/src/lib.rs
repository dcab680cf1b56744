//! kubernetes

pub mod database;
