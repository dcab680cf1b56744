use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Date;

/// Where else a box's mail goes.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forward {
    /// The addresses, here or elsewhere, such as `a.bianchi@example.org`. What goes elsewhere bears this box as its sender on the way, so
    /// what comes back undelivered comes here, and is kept. Mail without a sender (such returns) is not sent on elsewhere.
    #[schemars(length(min = 1, max = 20), inner(length(min = 3, max = 254), regex(pattern = "^[^\\s@]+@[^\\s@/]+$")))]
    pub to: Vec<String>,
    /// Whether the box keeps its mail too; `true` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_copy: Option<bool>,
    /// The last day on which mail is forwarded, YYYY-MM-DD; absent: until this is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// An answer while the owner is away.
#[derive(kube::KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.from) || !has(self.until) || self.until >= self.from").message("until must not be before from"))]
pub struct Vacation {
    /// The first day on which it is answered, YYYY-MM-DD; absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day, YYYY-MM-DD; absent: until this is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The answer's subject, in one line; absent: that of the message with `Auto: ` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = "^[^\\x00-\\x1f\\x7f]+$"))]
    pub subject: Option<String>,
    /// What is answered, plain text.
    #[schemars(length(min = 1, max = 4000), regex(pattern = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]+$"))]
    pub text: String,
}
