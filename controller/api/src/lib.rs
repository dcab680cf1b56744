//! What users write: the four kinds of `territorial.services/v1alpha1`, their status, and their CRDs.
//!
//! A field's doc comment is user documentation (`kubectl explain`). The types accept what the schema accepts; whether it
//! makes sense together is decided by the compiler crate.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod conditions;
mod crds;
mod date;
mod domain;
mod mailbox;
mod record_type;
mod tenant;
mod website;

pub use conditions::{ConditionType, Reason, Status};
use crds::undescribed;
pub use crds::{crd_of, crds};
pub use date::Date;
pub use domain::{
    DeletionPolicy, Denial, DkimKind, DkimPhase, DkimStatus, Dmarc, DmarcPolicy, DmarcStage, DmarcStatus, Dnssec,
    DnssecAlgorithm, DnssecMode, Domain, DomainDkim, DomainMail, DomainMailLimits, DomainMailStatus, DomainSpec,
    DomainStatus, Exchanger, KeyStatus, MailMode, MailProvider, NextStep, Pec, PecProvider, Pointers, Record,
    ServerSerial, Spf, SpfAll, ZoneStatus,
};
pub use mailbox::{
    Application, Delegate, DelegateRights, Forward, Mailbox, MailboxSpec, MailboxState, MailboxStatus, MailboxType,
    PasswordOwner, Posting, SecretKeyRef, Vacation,
};
pub use record_type::{NoRecordType, RecordType};
pub use tenant::{
    Agreement, AgreementPhase, EntityType, Limits, Retained, RetainedKind, Subject, SubjectKind, Tenant, TenantSpec,
    TenantState, TenantStatus, UnitCounts,
};
pub use website::{WebSite, WebSiteSpec, WebSiteStatus};

/// The API group of every kind.
pub const GROUP: &str = "territorial.services";
/// `apiVersion` as manifests spell it.
pub const API_VERSION: &str = "territorial.services/v1alpha1";

/// The namespace of a tenant: always `t-<tenant>`.
pub fn tenant_namespace(tenant: &str) -> String {
    format!("t-{tenant}")
}

/// The tenant a namespace belongs to by its name, the inverse of [`tenant_namespace`].
pub fn tenant_of_namespace(namespace: &str) -> Option<&str> {
    namespace.strip_prefix("t-").filter(|name| !name.is_empty())
}
