mod delivery;
mod group;
mod password;
mod sharing;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, MicroTime};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use delivery::{Forward, Vacation};
pub use group::Posting;
pub use password::{PasswordOwner, SecretKeyRef};
pub use sharing::{Delegate, DelegateRights};

use crate::{Date, DeletionPolicy, Status, undescribed};

/// The box. Its metadata.name is free, such as the part before the @; at most 244 characters.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "territorial.services",
    version = "v1alpha1",
    kind = "Mailbox",
    plural = "mailboxes",
    namespaced,
    status = "MailboxStatus",
    derive = "PartialEq",
    shortname = "mbx",
    category = "cst",
    doc = "A mailbox, or a group of them: one address of a Domain of the same tenant whose mail is Hosted.",
    validation = Rule::new("self.metadata.name.size() <= 244")
        .message("metadata.name must have at most 244 characters: a generated password goes into the Secret <name>-password"),
    validation = Rule::new("!has(self.spec.passwordOwner) || self.spec.passwordOwner != 'User' || !has(self.spec.passwordSecretRef) || self.spec.passwordSecretRef.name != self.metadata.name + '-password'")
        .message("passwordSecretRef: with passwordOwner User the Secret <metadata.name>-password is for changes outside of git: name another one"),
    selectable = ".spec.address",
    printcolumn(name = "Address", type_ = "string", json_path = ".spec.address"),
    printcolumn(name = "Name", type_ = "string", json_path = ".spec.displayName", priority = "1"),
    printcolumn(name = "Type", type_ = "string", json_path = ".status.type"),
    printcolumn(name = "Quota", type_ = "string", json_path = ".status.quota"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("!has(self.aliases) || !(self.address in self.aliases)").message("aliases must not repeat the address"),
    validation = Rule::new("(has(self.type) ? self.type : 'Personal') == (has(oldSelf.type) ? oldSelf.type : 'Personal')")
        .message("type is immutable: create another Mailbox"),
    validation = Rule::new("(has(self.store) ? self.store : self.address) == (has(oldSelf.store) ? oldSelf.store : oldSelf.address)")
        .message("store is immutable: the mail is there. Create another Mailbox with it"),
    validation = Rule::new("has(self.members) == (has(self.type) && self.type == 'Group')")
        .message("members belong to the type Group, and a Group needs them"),
    validation = Rule::new("!has(self.posting) || has(self.type) && self.type == 'Group'")
        .message("posting is who may write to a Group: leave it out, or set type to Group"),
    validation = Rule::new("!has(self.type) || self.type == 'Personal' || !has(self.passwordSecretRef)")
        .message("passwordSecretRef: only a Personal box has a login"),
    validation = Rule::new("!has(self.type) || self.type == 'Personal' || !has(self.passwordOwner)")
        .message("passwordOwner: only a Personal box has a login"),
    validation = Rule::new("!has(self.passwordOwner) || self.passwordOwner != 'Git' || has(self.passwordSecretRef)")
        .message("passwordOwner Git needs passwordSecretRef: without it git says nothing of the password"),
    validation = Rule::new("!has(self.type) || self.type != 'Group' || !has(self.quota) && !has(self.delegates) && !has(self.forward) && !has(self.vacation) && !has(self.store)")
        .message("a Group keeps no mail: leave quota, delegates, forward, vacation and store out"),
    validation = Rule::new("!has(self.type) || self.type != 'Group' || !has(self.state) || self.state in ['Active', 'Closed']")
        .message("a Group is Active or Closed")
)]
pub struct MailboxSpec {
    /// What it is: `Personal` (default), one person's box, with a login of its own; `Shared`, an office's box, to which nobody logs in
    /// and which its `delegates` read and write as; `Group`, no box: what it receives goes to its `members`. Immutable.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub mailbox_type: Option<MailboxType>,
    /// The address, in lower case, such as `protocollo@comune.urbino.pu.it`. Before the @ stand letters, digits and inner `.`, `_`, `-`.
    /// Immutable: the mail is stored under it. With `+` and anything after it, it is the same box (`protocollo+albo@…`).
    #[schemars(length(min = 3, max = 254), regex(pattern = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?@[^\\s@/]+$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("address is immutable: create another Mailbox and add this address to its aliases"))]
    pub address: String,
    /// Whose box it is, as people write it, such as `Ufficio protocollo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub display_name: Option<String>,
    /// How much mail it may hold, such as `5Gi`, at least `1Mi`; the centre's default unless given. Beyond it mail is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), regex(pattern = "^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$"))]
    pub quota: Option<String>,
    /// The Secret of the same namespace with the password's hash, as `doveadm pw -s ARGON2ID` prints it (or BLF-CRYPT, SHA512-CRYPT,
    /// SCRAM-SHA-256). Absent: a password is generated into the key `password` of the Secret `<metadata.name>-password`, with its hash
    /// under `hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
    /// Whose the password is. `Git` (default where `passwordSecretRef` is given): the hash in that Secret holds, and nobody changes it
    /// elsewhere. `User` (default without it): that hash, or the generated password, is the beginning only; a later change, by `cst password` or by
    /// the user himself, is kept outside of git, under the key `hash` of the Secret `<metadata.name>-password`, and holds from then on, whatever
    /// is applied. From `User` to `Git` the hash in git holds at once; what was changed is set aside, and holds again when it is `User`
    /// again, unless that Secret was deleted meanwhile. Personal only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_owner: Option<PasswordOwner>,
    /// Other addresses that are delivered here, of Domains of the same tenant whose mail is Hosted, such as
    /// `urp@comune.urbino.pu.it`. Its owner may send as each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 100),
        inner(length(min = 3, max = 254), regex(pattern = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?@[^\\s@/]+$"))
    )]
    pub aliases: Vec<String>,
    /// Who else uses the box, each with his own login: it is among his folders as `shared/<address>`, from its first
    /// message on. Not for a Group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub delegates: Vec<Delegate>,
    /// Where else its mail goes. Not for a Group, whose mail goes to its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
    /// What is answered while its owner is away: once a day to each who writes to the box itself, never to lists (RFC 3834).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacation: Option<Vacation>,
    /// Who gets what a Group receives: addresses, here or elsewhere, and patterns of ours such as `*@comune.urbino.pu.it` (every
    /// Personal box of that domain that receives mail) or `ufficio.*@comune.urbino.pu.it`. Each gets a message once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 3, max = 254), regex(pattern = "^[^\\s@]+@[^\\s@/]+$")))]
    pub members: Vec<String>,
    /// Who may write to a Group: `Anyone` (default); `Tenant`: who is logged in with a box of the same tenant; `Members`: who is logged
    /// in with a box that is a member. From outside nobody can show who he is, so outside members only receive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posting: Option<Posting>,
    /// The address under which its mail is stored, where that is not its own: of a box that was renamed, or passed on, the address that
    /// it had first. Its domain must be among those the tenant may hold, and no other box may use it. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254), regex(pattern = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?@[^\\s@/]+$"))]
    pub store: Option<String>,
    /// The day from which it is `Closed`, whatever `state` says, YYYY-MM-DD: such as the day after somebody's last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_on: Option<Date>,
    /// `Active` (default); `Suspended`: receives, but nobody logs in or sends; `Archived`: login only, incoming mail is refused;
    /// `Closed`: refused, no login, the mail is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MailboxState>,
    /// What deleting this object means. `Retain` (default): mail is accepted for the centre's retention time, nobody logs in, and
    /// creating it again takes it up where it was. `Delete`: the address is refused at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What a Mailbox is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum MailboxType {
    /// One person's box.
    #[default]
    Personal,
    /// An office's box.
    Shared,
    /// No box: a list of them.
    Group,
}

/// What a mailbox may do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum MailboxState {
    /// Receives, logs in, sends.
    #[default]
    Active,
    /// Receives only.
    Suspended,
    /// Logs in only.
    Archived,
    /// Nothing; the mail is kept.
    Closed,
}

/// What the controller says of a Mailbox.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MailboxStatus {
    /// The generation of the spec that this status speaks of; -1 before the controller saw the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is true of it, by type: `Ready` (the top line, its message says what is the matter), `Stalled` (somebody must change
    /// something), `Reconciling` (work goes on by itself), `Installed` (every mail server has
    /// it), `PlanHeld` (a change that drops many addresses waits for the coordinator's approval).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What it is: `Personal`, `Shared` or `Group`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub mailbox_type: Option<MailboxType>,
    /// What it may do now (`Active`, `Suspended`, `Archived` or `Closed`): its own state, or less where the tenant is suspended, the
    /// helpdesk locked it, or its `closeOn` has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MailboxState>,
    /// How much mail it may hold now: its own quota, else the centre's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
    /// The addresses it holds. Who holds an address keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The Secret `<metadata.name>-password`, where the password is in it: generated (key `password`), or changed outside of git (key
    /// `hash` only). Absent: it is the one in git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
    /// The passwords of devices and programs, such as a scanner's, that every mail server has: `cst password --application` makes and revokes
    /// them, each a Secret `<metadata.name>-app-<name>` with its hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<Application>,
    /// Since when the helpdesk keeps it locked, by `cst lock`, on every mail server: mail is received, nobody logs in or sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_since: Option<MicroTime>,
    /// When the password that every mail server now has was changed outside of git, as that Secret says under the key `changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed: Option<MicroTime>,
}

/// A password of one device or program, beside its owner's own.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// What it is called.
    pub name: String,
    /// Since when it has this password, as its Secret says under the key `changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<MicroTime>,
}

impl Status for MailboxStatus {
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
