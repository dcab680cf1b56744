//! What names an object of the cluster.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A namespaced object of one kind: its namespace and name. Never a uid: what is deleted and created again is the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// A key of its two parts.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The tenant whose namespace this is; `None` outside of tenants' namespaces.
    pub fn tenant(&self) -> Option<&str> {
        cst_api::tenant_of_namespace(&self.namespace)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
