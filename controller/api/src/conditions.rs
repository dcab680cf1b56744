use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The types of condition that our kinds carry. `Ready` is the top line: users of the service get it.
///
/// `Stalled` and `Reconciling` follow kstatus: a user's mistake is `Stalled`, work under way `Reconciling`, never both, and
/// both are dropped when false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionType {
    /// The service is there for its users.
    Ready,
    /// Only a change of the manifest, or of another one, can help.
    Stalled,
    /// Work is under way and goes on by itself.
    Reconciling,
    /// A change was held by the guard until the coordinator approves its digest.
    PlanHeld,
    /// Every required public server answers the zone's serial.
    Published,
    /// The zone above delegates to the public servers.
    Delegated,
    /// The zone above has the DS of the zone's key.
    DSPublished,
    /// Every mail agent installed what this object compiles to.
    Installed,
}

/// Why a condition is what it is; an event's reason is the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Reason {
    /// Served as declared.
    Ready,
    /// Served as far as the state `Suspended` allows.
    Suspended,
    /// A field's value is wrong; the message says which and what would be right.
    Invalid,
    /// The name is outside what the tenant's `spec.domains` grants.
    NotGranted,
    /// Two Tenants hold the same name in `spec.domains`.
    GrantConflict,
    /// Another object of the tenant holds the name; the message names it.
    Conflict,
    /// Written records collide with contributed ones.
    RecordConflict,
    /// More than the tenant's limits allow.
    LimitExceeded,
    /// The Tenant of this namespace is missing or terminated.
    TenantMissing,
    /// The Domain that the address or host needs is missing or does not host it.
    DomainMissing,
    /// A referenced Secret or its key is missing.
    SecretMissing,
    /// An address that is named (of a delegate, a member, a forward) is nobody's, or not of the kind that is needed.
    AddressMissing,
    /// The application is not in the catalogue.
    UnknownApplication,
    /// Waits for something that will come by itself; the message says for what.
    Waiting,
    /// A destructive change is held until its digest is approved.
    PlanHeld,
    /// The zone above does not delegate the zone.
    NotDelegated,
    /// The zone above delegates to other servers.
    DelegationDiffers,
    /// The zone above has no DS.
    DSMissing,
    /// The zone above has a DS of no key of the zone, so that nobody who validates believes it.
    DSMismatch,
    /// The servers of the zone above do not answer.
    ParentSilent,
    /// The tenant is being set up or an object applied.
    Progressing,
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What the statuses of all kinds have in common.
pub trait Status: Clone + Default + PartialEq + Serialize {
    /// The `metadata.generation` that this status speaks of.
    fn observed_generation(&self) -> Option<i64>;
    /// The conditions, at most one of a type.
    fn conditions(&self) -> &[Condition];
}
