//! What is wrong with what users wrote: named by object and field, so that a file's line or a condition can carry it.

use std::fmt;

use cst_api::Reason;
use serde::{Deserialize, Serialize};

use crate::model::ObjectKey;

/// A kind of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Cluster-scoped.
    Tenant,
    /// A zone.
    Domain,
    /// An address.
    Mailbox,
    /// A host.
    WebSite,
}

/// An object of ours. A Tenant's namespace is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub key: ObjectKey,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Served as written, but probably not what was meant.
    Warning,
    /// Not served as written; what was served before goes on.
    Error,
}

/// One thing that is wrong with one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Whose problem it is.
    pub object: ObjectRef,
    /// The field's path, such as `spec.records[3].values[0]`; `metadata.name` for the object as such.
    pub field: String,
    /// How bad it is.
    pub severity: Severity,
    /// The condition's reason.
    pub reason: Reason,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ObjectRef {
    /// A namespaced object.
    pub fn new(kind: Kind, key: ObjectKey) -> Self {
        Self { kind, key }
    }

    /// A Tenant.
    pub fn tenant(name: &str) -> Self {
        Self { kind: Kind::Tenant, key: ObjectKey::new("", name) }
    }

    /// An error of this object at a field.
    pub fn error(&self, field: impl Into<String>, reason: Reason, message: impl fmt::Display) -> Problem {
        self.problem(field.into(), Severity::Error, reason, message)
    }

    /// A warning about this object at a field.
    pub fn warning(&self, field: impl Into<String>, reason: Reason, message: impl fmt::Display) -> Problem {
        self.problem(field.into(), Severity::Warning, reason, message)
    }

    fn problem(&self, field: String, severity: Severity, reason: Reason, message: impl fmt::Display) -> Problem {
        Problem { object: self.clone(), field, severity, reason, message: message.to_string() }
    }
}

impl Problem {
    /// Whether it keeps the object from being served as written.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Tenant => write!(f, "Tenant {}", self.key.name),
            kind => write!(f, "{kind} {}", self.key),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
