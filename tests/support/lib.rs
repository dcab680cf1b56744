//! What the tests stand on: a real API server with the CRDs installed, and waiting for conditions instead of sleeping.
#![expect(clippy::missing_panics_doc, reason = "all of it is test code, which panics when something is wrong")]

pub mod api_server;
pub mod centre;
pub mod chart;
pub mod faults;
pub mod gateway;
pub mod proxy;
pub mod resolvers;
pub mod validators;
pub mod zone_server;
