//! What comes into the engine, what it rests on, and what work there is.

use std::fmt;

use cst_api::{Domain, Mailbox, Tenant, WebSite};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::problem::ObjectRef;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;

use super::damage::BuiltKind;
use crate::watch::Seen;
use crate::zone_server::Observation;

/// What comes in.
#[derive(Debug)]
pub enum Event {
    /// Of the Tenants.
    Tenant(Seen<Tenant>),
    /// Of the tenants' namespaces.
    Namespace(Seen<Namespace>),
    /// Of the Domains.
    Domain(Seen<Domain>),
    /// Of the Mailboxes.
    Mailbox(Seen<Mailbox>),
    /// Of the `WebSites`.
    WebSite(Seen<WebSite>),
    /// Of the stored zones and records of applied objects.
    Published(Seen<ConfigMap>),
    /// Of the shard Secrets.
    Shard(Seen<Secret>),
    /// Of the mail agents' acknowledgements.
    Ack(Seen<ConfigMap>),
    /// Of the Secrets with the keys that sign mail.
    DkimKeys(Seen<Secret>),
    /// Of the sites' Deployments.
    Deployment(Seen<Deployment>),
    /// Of the sites' `HTTPRoutes`.
    Route(Seen<DynamicObject>),
    /// Of a kind that is watched for nothing but whether what was applied is there.
    Built(BuiltKind, Seen<PartialObjectMeta>),
    /// Of the Secrets in a tenant's namespace.
    Secret(String, Seen<Secret>),
    /// A public server answered.
    Observed(Observation),
}

/// What must have been listed before anything is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The Tenants.
    Tenants,
    /// The Domains.
    Domains,
    /// The Mailboxes.
    Mailboxes,
    /// The `WebSites`.
    WebSites,
    /// What was published.
    Published,
    /// The shard Secrets.
    Shards,
    /// The mail agents' acknowledgements.
    Acks,
    /// The Secrets with the keys that sign mail.
    DkimKeys,
    /// The sites' Deployments.
    Deployments,
    /// The sites' `HTTPRoutes`.
    Routes,
}

impl Source {
    /// What every decision rests on.
    pub(super) const ALWAYS: [Self; 5] =
        [Self::Tenants, Self::Domains, Self::Mailboxes, Self::WebSites, Self::Published];

    /// What work on a unit rests on beside that: a cluster without gateway still has its zones and mail.
    pub(super) fn also_for(unit: &Unit) -> &'static [Self] {
        match unit {
            Unit::Tenant(_) | Unit::Zone(_) => &[],
            Unit::Mail(_) => &[Self::Shards, Self::Acks],
            Unit::Site(_) => &[Self::Deployments, Self::Routes],
        }
    }
}

/// A piece of work: one at a time of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Compile a unit and carry it out; the leader's alone.
    Unit(Unit),
    /// Tell what is wrong with an object that belongs to no unit, because what it asks for cannot be read; the leader's alone.
    Object(ObjectRef),
    /// Ask for a site whose pod and routes are ready; the leader's alone.
    Ask(ObjectKey),
    /// Ask what it means that an object is gone; the leader's alone.
    Absence(ObjectRef),
    /// Make, restore or forget the keys that sign a domain's mail; the leader's alone.
    Dkim(DomainName),
    /// Serve a stored zone, on every replica.
    Serve(DomainName),
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => unit.fmt(f),
            Self::Object(object) => write!(f, "status of {object}"),
            Self::Absence(object) => write!(f, "absence of {object}"),
            Self::Ask(site) => write!(f, "question for site {site}"),
            Self::Dkim(domain) => write!(f, "keys of the mail of {domain}"),
            Self::Serve(zone) => write!(f, "service of zone {zone}"),
        }
    }
}
