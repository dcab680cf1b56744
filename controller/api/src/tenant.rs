use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Date, Status, undescribed};

/// The entity. Its metadata.name is a DNS label of at most 61 characters, its namespace is always `t-<name>`. Only the coordinator
/// writes Tenants.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "territorial.services",
    version = "v1alpha1",
    kind = "Tenant",
    status = "TenantStatus",
    derive = "PartialEq",
    shortname = "tn",
    category = "cst",
    doc = "A member entity of the centre (ente aderente): who it is, which Internet names it may hold, and how much it may use. Its namespace is always t-<name>.",
    validation = Rule::new("self.metadata.name.size() <= 61 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be a DNS label of at most 61 characters: its namespace is t-<name>"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName", priority = "1"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.entityType"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Until", type_ = "string", json_path = ".spec.agreement.until"),
    printcolumn(name = "Agreement", type_ = "string", json_path = ".status.agreement"),
    printcolumn(name = "Domains", type_ = "integer", json_path = ".status.units.domains"),
    printcolumn(name = "Boxes", type_ = "integer", json_path = ".status.units.mailboxes"),
    printcolumn(name = "Sites", type_ = "integer", json_path = ".status.units.webSites"),
    printcolumn(name = "Retained", type_ = "integer", json_path = ".status.units.retained"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = "1"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {
    /// The entity's full name as people write it, such as `Comune di Urbino`.
    #[schemars(length(min = 1, max = 200))]
    pub display_name: String,
    /// What kind of public body it is: `Comune` (a municipality), `UnioneMontana` (a mountain union of municipalities), `UnioneDiComuni`
    /// (a union of municipalities), `ComunitaMontana` (a mountain community, the unions' predecessor), `EnteTerritoriale` (a territorial
    /// body: a library, a health agency, a park) or `Provincia` (a province).
    pub entity_type: EntityType,
    /// Its code in IndicePA (the index of Italian public administrations), such as `c_l500`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub ipa_code: Option<String>,
    /// The agreement (convenzione) under which it is served. Its end warns and never cuts a service by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// The Internet names it may hold, each with all names below it, such as `comune.urbino.pu.it`, reverse zones too
    /// (`2.0.192.in-addr.arpa`). Of several Tenants the one with the longest matching name holds a name; the same name in two Tenants is
    /// a conflict of both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200), inner(length(min = 1, max = 253), regex(pattern = "^\\S+$")))]
    pub domains: Vec<String>,
    /// How much it may use. A limit that is absent does not limit. Of Mailboxes and WebSites beyond a limit those that are served stay,
    /// the others are refused in the order of their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Who may write Domains, Mailboxes, WebSites and Secrets in its namespace, and nothing else, such as
    /// `{kind: Group, name: urbino-admins}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub administrators: Vec<Subject>,
    /// Who may change and lock the logins of its boxes at once, outside of git (`cst password`, `cst lock`), and reads Mailboxes, and
    /// nothing else, such as `{kind: Group, name: centre-helpdesk}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub helpdesk: Vec<Subject>,
    /// `Active` (default); `Suspended`: mail is received but nobody logs in, zones and sites go on; `Terminated`: its objects change
    /// nothing any more, and the Tenant may be deleted. The coordinator's written decision: nothing changes it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TenantState>,
}

/// The kind of a public body.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum EntityType {
    /// A municipality.
    Comune,
    /// A mountain union of municipalities.
    UnioneMontana,
    /// A union of municipalities.
    UnioneDiComuni,
    /// A mountain community (the unions' predecessor).
    ComunitaMontana,
    /// A territorial body: a library, a health agency, a park.
    EnteTerritoriale,
    /// A province.
    Provincia,
}

/// The agreement (convenzione) between the entity and the centre.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.until >= self.from").message("until must not be before from"))]
pub struct Agreement {
    /// How the centre refers to it, such as `CSTPU 2021-2025`.
    #[schemars(length(min = 1, max = 200))]
    pub reference: String,
    /// The first day it is in force, YYYY-MM-DD.
    pub from: Date,
    /// The last day it is in force, YYYY-MM-DD.
    pub until: Date,
    /// For how many days after `until` the agreement is in `Grace` before it is `Expired`; 90 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3650))]
    pub grace_days: Option<u16>,
}

/// How much a tenant may use.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// How many Mailboxes it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub mailboxes: Option<u32>,
    /// How much the quotas of all Mailboxes may come to together, such as `300Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    pub mail_storage: Option<String>,
    /// How many WebSites it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub web_sites: Option<u32>,
    /// How much the storage of all WebSites may come to together, such as `100Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    pub web_storage: Option<String>,
    /// How much processor time all WebSites may use together, in whole cores or thousandths, such as `8` or `500m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,6}m?$"))]
    pub cpu: Option<String>,
    /// How much memory all WebSites may use together, such as `16Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    pub memory: Option<String>,
}

/// Who gets a role: a user or a group as the API server knows it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `User` (a person or a pipeline) or `Group`.
    pub kind: SubjectKind,
    /// Its name as the API server's login gives it, such as `urbino-admins`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The kind of a [`Subject`]. No ServiceAccount: a tenant's identities come from the centre's login.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum SubjectKind {
    /// A person or a pipeline.
    User,
    /// A group of them.
    Group,
}

/// What the coordinator decided about a tenant.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum TenantState {
    /// Served.
    #[default]
    Active,
    /// Mail is received, nobody logs in; zones and sites go on.
    Suspended,
    /// May be deleted.
    Terminated,
}

/// What the controller says of a Tenant.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// The generation of the spec that this status speaks of; -1 before the controller saw the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is true of it, by type: `Ready` (the top line, its message says what is the matter), `Stalled` (somebody must change
    /// something), `Reconciling` (work goes on by itself).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Its namespace: its Domains, Mailboxes, WebSites and Secrets belong there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Where its agreement stands today: `Future` (not yet in force), `Active`, `Expiring` (at most 90 days to go), `Grace` (over, within
    /// the days of grace) or `Expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementPhase>,
    /// What the coordinator decided of it: `Active`, `Suspended` or `Terminated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TenantState>,
    /// How many objects it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<UnitCounts>,
    /// What nobody declares any more and is served on, at most 100 of it, in the order of kinds and names. Declared again it goes on as it
    /// was. It goes at once, without waiting for its day, by the annotation `territorial.services/drop` on this Tenant, which holds
    /// `KIND/NAME/SINCE` as they stand here, several of them separated by blanks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retained: Vec<Retained>,
}

/// A unit that nobody declares any more and that is served on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Retained {
    /// What it was: `Domain`, `Mailbox` or `WebSite`.
    pub kind: RetainedKind,
    /// The zone's name, the box's address, the WebSite's name.
    pub name: String,
    /// The day on which it was found undeclared.
    pub since: Date,
    /// The day on which it goes, if the guard lets it.
    pub until: Date,
    /// What its going waits for, once its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

/// The kind of something [`Retained`].
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[schemars(transform = undescribed)]
pub enum RetainedKind {
    /// A zone.
    Domain,
    /// A mailbox.
    Mailbox,
    /// A web site.
    WebSite,
}

/// Where an agreement stands.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum AgreementPhase {
    /// Its first day has not come.
    Future,
    /// In force.
    Active,
    /// In force, with at most 90 days to go.
    Expiring,
    /// Over, within the days of grace.
    Grace,
    /// Over.
    Expired,
}

/// How many objects of each kind a tenant has.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct UnitCounts {
    /// How many Domains.
    pub domains: u32,
    /// How many Mailboxes.
    pub mailboxes: u32,
    /// How many WebSites.
    pub web_sites: u32,
    /// How many units are served on that nobody declares any more.
    #[serde(default)]
    pub retained: u32,
}

impl Status for TenantStatus {
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
