//! The hidden primary as this crate sees it. The command line puts the real one in its place, so neither crate knows the other.

use cst_api::DnssecAlgorithm;
use cst_compiler::model::DomainName;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::parent::Parent;
use cst_compiler::published::{KeyMaterial, ZoneVersion};

/// Serves published versions to the public servers.
///
/// Publishing may compute signatures for seconds and is called outside of the asynchronous runtime's own threads.
pub trait ZoneServer: Send + Sync + 'static {
    /// A new signing key.
    fn new_key(&self, algorithm: DnssecAlgorithm) -> Result<KeyMaterial, ZoneServerError>;
    /// The algorithm of a key, and a zone's DS by it.
    fn read_key(&self, key: &KeyMaterial, apex: &DomainName) -> Result<(DnssecAlgorithm, Ds), ZoneServerError>;
    /// Serves a version from now on and notifies the public servers. A version that is served already changes nothing.
    fn publish(&self, version: ZoneVersion) -> Result<(), ZoneServerError>;
    /// From now on what the zone above says of a zone is observed; more often while it is waited for.
    fn watch_parent(&self, apex: &DomainName, is_awaited: bool);
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

/// What was seen of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The zone.
    pub zone: DomainName,
    /// What.
    pub seen: Seen,
}

/// What is seen of zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A public server was asked for the SOA.
    Serial {
        /// The server's name in the settings.
        server: String,
        /// The serial it answered; `None`: it does not answer for the zone.
        serial: Option<u32>,
    },
    /// The zone above was asked.
    Parent(Parent),
}

impl Observation {
    /// A public server answered a serial.
    pub fn serial(zone: DomainName, server: impl Into<String>, serial: Option<u32>) -> Self {
        Self { zone, seen: Seen::Serial { server: server.into(), serial } }
    }
}
