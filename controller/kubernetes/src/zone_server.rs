//! The hidden primary as this crate sees it. The command line puts the real one in its place, so neither crate knows the other.

use std::time::Instant;

use cst_api::DnssecAlgorithm;
use cst_compiler::model::DomainName;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::parent::Parent;
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_compiler::status::ailment::Ailment;

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
    /// The zone above a zone that is watched is asked now, whatever it said a moment ago. While it is waited for each answer is observed.
    fn ask_parent(&self, apex: &DomainName);
    /// The zone is one of ours, also while it cannot be served: the catalog lists it, so that public servers keep what they have of it.
    fn declare(&self, apex: &DomainName);
    /// Stops serving a zone.
    fn withdraw(&self, apex: &DomainName);
    /// Every stored zone has been handed over: what is not here now is none of ours.
    fn complete(&self);
    /// Until then this replica alone makes versions of the catalog zone, and what it was handed is all that there is; `None`: it makes no
    /// more. From one that is partial or out of date the public servers would drop what it does not list.
    fn keep_catalog(&self, until: Option<Instant>);
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

/// What is seen of zones and public servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A public server was asked for the SOA of a zone.
    Serial {
        /// The zone.
        zone: DomainName,
        /// The server's name in the settings.
        server: String,
        /// The serial it answered; `None`: it does not answer for the zone.
        serial: Option<u32>,
    },
    /// The zone above a zone was asked.
    Parent {
        /// The zone.
        zone: DomainName,
        /// What it said.
        parent: Parent,
        /// When the asking began.
        asked: Instant,
    },
    /// Something keeps a public server from following, or no longer does.
    Health {
        /// The server's name in the settings.
        server: String,
        /// What ails it; `None`: nothing.
        ailment: Option<Ailment>,
    },
}

impl Observation {
    /// A public server answered a serial.
    pub fn serial(zone: DomainName, server: impl Into<String>, serial: Option<u32>) -> Self {
        Self::Serial { zone, server: server.into(), serial }
    }
}
