//! The hidden primary as this crate sees it. The command line puts the real one in its place, so neither crate knows the other.

use cst_compiler::model::DomainName;
use cst_compiler::published::{KeyMaterial, ZoneVersion};

/// Serves published versions to the public servers.
///
/// Publishing may compute signatures for seconds and is called outside of the asynchronous runtime's own threads.
pub trait ZoneServer: Send + Sync + 'static {
    /// A new signing key.
    fn new_key(&self) -> Result<KeyMaterial, ZoneServerError>;
    /// Serves a version from now on and notifies the public servers; the zone's DS records as in a zone file. A version that is served
    /// already changes nothing.
    fn publish(&self, version: ZoneVersion) -> Result<Vec<String>, ZoneServerError>;
    /// The zone is one of ours, also while it cannot be served: the catalog lists it, so that public servers keep what they have of it.
    fn declare(&self, apex: &DomainName);
    /// Stops serving a zone.
    fn withdraw(&self, apex: &DomainName);
    /// Every stored zone has been handed over: from now on the catalog zone may be served. Before that it would be partial, and the
    /// public servers would drop what it does not list.
    fn complete(&self);
}

/// Why the hidden primary could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ZoneServerError(Box<dyn std::error::Error + Send + Sync>);

impl ZoneServerError {
    /// Wraps the server's own error.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// What a public server answered when it was asked for a zone's SOA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The zone.
    pub zone: DomainName,
    /// The server's name in the settings.
    pub server: String,
    /// The serial it answered; `None`: it does not answer for the zone.
    pub serial: Option<u32>,
}
