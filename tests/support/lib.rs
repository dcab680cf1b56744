//! What the tests stand on: a real API server with the CRDs installed, and waiting for conditions instead of sleeping.

pub mod api_server;
pub mod centre;
pub mod faults;
pub mod zone_server;
