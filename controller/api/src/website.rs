use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeletionPolicy, Status};

/// The site. What it becomes is named after metadata.name, a DNS label of at most 40 characters.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "territorial.services",
    version = "v1alpha1",
    kind = "WebSite",
    namespaced,
    status = "WebSiteStatus",
    derive = "PartialEq",
    shortname = "site",
    category = "cst",
    doc = "A web site of a tenant: an application of the centre's catalogue, with its storage and database, at a host name.",
    validation = Rule::new("self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("metadata.name must be a DNS label of at most 40 characters: what it becomes is named after it"),
    printcolumn(name = "Host", type_ = "string", json_path = ".spec.host"),
    printcolumn(name = "Application", type_ = "string", json_path = ".spec.application"),
    printcolumn(name = "Storage", type_ = "string", json_path = ".spec.storage", priority = "1"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].message", priority = "1"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.aliases) || !(self.host in self.aliases)").message("aliases must not repeat the host"))]
pub struct WebSiteSpec {
    /// What runs there: an application of the centre's catalogue (`web.applications` of its settings), such as `DocWeb`, `Lamp` or `Static`.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z][A-Za-z0-9-]*$"))]
    pub application: String,
    /// The site's host name, such as `comune.urbino.pu.it`: a name the tenant holds, or one below it. Its address records join the Domain
    /// that covers it by themselves.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[^\\s/:*]+$"))]
    pub host: String,
    /// Other host names, such as `www.comune.urbino.pu.it`; a visitor is sent on to `host` (301). Their address records come by
    /// themselves too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 253), regex(pattern = "^[^\\s/:*]+$")))]
    pub aliases: Vec<String>,
    /// How much its files may take, such as `20Gi`, at least `1Mi`; the application's default unless given. Can grow, never shrink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    #[x_kube(validation = Rule::new("quantity(self).compareTo(quantity(oldSelf)) >= 0").message("storage can grow, never shrink"))]
    pub storage: Option<String>,
    /// What deleting this object means. `Retain` (default): the site stays up for the centre's retention time, then its files and
    /// database are set aside. `Delete`: all is removed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What the controller says of a WebSite.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct WebSiteStatus {
    /// The generation of the spec that this status speaks of; -1 before the controller saw the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is true of it, by type: `Ready` (the top line: the application answers through its route; the message says what is the
    /// matter), `Stalled` (somebody must change something), `Reconciling` (work goes on by itself).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The host names it holds. Who holds a host keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

impl Status for WebSiteStatus {
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
