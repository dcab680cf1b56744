//! A document as an object: one of our kinds, a Secret, the settings, or somebody else's.

use std::collections::BTreeMap;

use cst_api::{API_VERSION, Domain, Mailbox, Tenant, WebSite};
use k8s_openapi::api::core::v1::Secret;
use serde::de::DeserializeOwned;

use super::schema::{self, Refused};
use super::{Node, Schemas, remnant, shown};
use crate::index::Change;
use crate::model::{DomainName, ObjectKey};
use crate::parse::{DomainModel, MailboxModel, TenantModel, WebSiteModel};
use crate::problem::{Kind, ObjectRef, Problem};

/// How long an object's name may be.
const MAX_NAME: usize = 253;

/// What a document declares.
#[derive(Debug)]
pub enum Declared {
    /// One of our kinds, and what its schema refuses. Refused objects have no change.
    Ours(ObjectRef, Option<Change>, Vec<(super::Position, String, String)>),
    /// A Secret.
    Secret(ObjectKey, Change),
    /// Another kind, left alone.
    Foreign(Foreign),
    /// No object at all, and why.
    Nothing(String),
}

/// An object that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its apiVersion.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace and name.
    pub key: ObjectKey,
}

impl Declared {
    /// Reads one document. What is not `sound` (a doubled key, an ambiguous value) is judged, but nothing is made of it.
    pub fn read(document: &Node, schemas: &Schemas, sound: bool) -> Self {
        let (Some(api_version), Some(kind)) = (document.text("apiVersion"), document.text("kind")) else {
            return Self::Nothing("this is no manifest: apiVersion and kind are missing".into());
        };
        let metadata = document.get("metadata");
        let meta = |field: &str| metadata.and_then(|m| m.text(field)).unwrap_or_default();
        let key = ObjectKey::new(meta("namespace"), meta("name"));
        let of = |kind| ObjectRef::new(kind, key.clone());
        match (api_version, kind) {
            (API_VERSION, "Tenant") => ours(document, schemas, ObjectRef::tenant(&key.name), sound, |json| {
                Ok(Change::Tenant(key.name.clone(), Some(Box::new(typed::<Tenant>(json)?))))
            }),
            (API_VERSION, "Domain") => ours(document, schemas, of(Kind::Domain), sound, |json| {
                Ok(Change::Domain(key.clone(), Some(Box::new(typed::<Domain>(json)?))))
            }),
            (API_VERSION, "Mailbox") => ours(document, schemas, of(Kind::Mailbox), sound, |json| {
                Ok(Change::Mailbox(key.clone(), Some(Box::new(typed::<Mailbox>(json)?))))
            }),
            (API_VERSION, "WebSite") => ours(document, schemas, of(Kind::WebSite), sound, |json| {
                Ok(Change::WebSite(key.clone(), Some(Box::new(typed::<WebSite>(json)?))))
            }),
            (API_VERSION, "Settings") => Self::Nothing(
                "these are settings, no manifest: keep them in cst.yaml, which is checked with every folder below it, or name them with --config"
                    .into(),
            ),
            (API_VERSION, other) => Self::Nothing(format!(
                "{API_VERSION} has no kind `{}`: use Tenant, Domain, Mailbox or WebSite",
                shown(other)
            )),
            (other, kind) if is_meant_to_be_ours(other, kind) => {
                Self::Nothing(format!("`{}` is no apiVersion of {}: write {API_VERSION}", shown(other), shown(kind)))
            }
            ("v1", "Secret") => match serde_json::from_value::<Secret>(document.to_json()) {
                Ok(secret) => Self::Secret(key.clone(), Change::Secret(key, Some(secret_data(secret)))),
                Err(_) => Self::Nothing(
                    "this Secret cannot be read: data holds base64, stringData holds texts (put numbers in quotes)"
                        .into(),
                ),
            },
            _ => Self::Foreign(Foreign { api_version: api_version.into(), kind: kind.into(), key }),
        }
    }
}

/// Whether the apiVersion is of our group, or one of our kinds has a group that is nearly ours: kubectl would refuse it.
fn is_meant_to_be_ours(api_version: &str, kind: &str) -> bool {
    let group = |version: &str| version.split('/').next().unwrap_or_default().to_owned();
    let (ours, theirs) = (group(API_VERSION), group(api_version));
    let our_kind = ["Tenant", "Domain", "Mailbox", "WebSite"].iter().any(|ours| ours.eq_ignore_ascii_case(kind));
    theirs == ours || (our_kind && schema::nearest(&theirs, [ours.as_str()].into_iter()).is_some())
}

/// The most that is repeated of what a reader of ours says, in characters.
const MAX_MESSAGE: usize = 200;
/// How often something is taken out of an object so that the rest of it can be judged.
const MAX_TAKEN_OUT: usize = 50;

fn ours(
    document: &Node,
    schemas: &Schemas,
    object: ObjectRef,
    sound: bool,
    read: impl Fn(&serde_json::Value) -> Result<Change, (String, String)>,
) -> Declared {
    let mut refused = schemas.check(&object.kind.to_string(), document);
    refused.extend(metadata_problems(document, &object));
    let mut json = document.to_json();
    let mut change = None;
    for _ in 0..MAX_TAKEN_OUT {
        match read(&json) {
            Ok(readable) => {
                change = Some(readable);
                break;
            }
            Err((field, message)) => {
                if !is_told(&refused, &field) && !message.starts_with("unknown field") {
                    refused.push((document.locate(&field), shown(&field), message.chars().take(MAX_MESSAGE).collect()));
                }
                if !remnant::take_out(&mut json, &field) {
                    break;
                }
            }
        }
    }
    if sound && refused.is_empty() {
        return Declared::Ours(object, change, refused);
    }
    if let Some(change) = change {
        tell_further(document, &change, &mut refused);
    }
    Declared::Ours(object, None, refused)
}

/// Whether something is told of a field, of one in it or of one around it: the schema says better what is wrong.
fn is_told(refused: &[Refused], field: &str) -> bool {
    let around = |outer: &str, inner: &str| outer == "." || inner.starts_with(outer);
    refused.iter().any(|(_, known, _)| around(known, field) || around(field, known))
}

/// Adds what is wrong with the values of an object that is refused for something else, so that all is told at once; of a value that only
/// misses the schema's pattern, what its own rule says instead.
fn tell_further(document: &Node, change: &Change, refused: &mut Vec<Refused>) {
    let problems = match change {
        Change::Tenant(_, Some(tenant)) => TenantModel::parse(tenant).problems,
        Change::Domain(_, Some(domain)) => DomainModel::parse(domain).problems,
        Change::Mailbox(_, Some(mailbox)) => MailboxModel::parse(mailbox).problems,
        Change::WebSite(_, Some(site)) => WebSiteModel::parse(site).problems,
        _ => Vec::new(),
    };
    for problem in problems.into_iter().filter(Problem::is_error) {
        if is_value_of_no_type(refused, &problem.field) {
            continue;
        }
        refused.retain(|(_, field, message)| *field != problem.field || !schema::is_of_pattern(message));
        if !refused.iter().any(|(_, field, _)| *field == problem.field) {
            refused.push((document.locate(&problem.field), problem.field, problem.message));
        }
    }
}

/// Whether it is a value of a record whose type is refused: of that nobody knows what it should be.
fn is_value_of_no_type(refused: &[Refused], field: &str) -> bool {
    let record = field.split_once(".values").map(|(record, _)| format!("{record}.type"));
    record.is_some_and(|type_| refused.iter().any(|(_, known, _)| *known == type_))
}

fn metadata_problems(document: &Node, object: &ObjectRef) -> Vec<Refused> {
    let at = document.locate("metadata");
    let mut problems = schema::check_metadata(document);
    let mut refuse = |field: &str, message: String| {
        let field = format!("metadata.{field}");
        // Of a value of the wrong kind nothing more is to be said.
        if !problems.iter().any(|(_, known, _)| *known == field) {
            let place = document.get("metadata").map_or(at, |_| document.locate(&field));
            problems.push((place, field, message));
        }
    };
    let name = object.key.name.as_str();
    if name.is_empty() {
        refuse("name", "metadata.name is missing".into());
    } else if !is_object_name(name) {
        refuse("name", no_object_name(name));
    }
    let namespace = object.key.namespace.as_str();
    if object.kind == Kind::Tenant {
        if document.get("metadata").is_some_and(|m| m.get("namespace").is_some()) {
            refuse("namespace", "a Tenant is cluster-scoped: leave the namespace out".into());
        }
    } else if namespace.is_empty() {
        refuse("namespace", "metadata.namespace is missing: write t-<tenant>".into());
    } else if object.key.tenant().is_none() {
        refuse("namespace", format!("`{}` is no tenant's namespace: write t-<tenant>", shown(namespace)));
    }
    problems
}

/// Of a name that is one but for its spelling, how it is written here.
fn no_object_name(name: &str) -> String {
    match DomainName::parse(name) {
        Ok(spelt) if is_object_name(spelt.as_str()) => {
            format!("`{}` is no object's name: write `{spelt}`", shown(name))
        }
        _ => format!(
            "`{}` is no object's name: use lower-case letters, digits, inner `-` and `.`, at most {MAX_NAME} of them",
            shown(name)
        ),
    }
}

/// Whether the API server takes the name (a DNS subdomain,
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
pub(super) fn is_object_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
    };
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

/// The typed object, or the field that cannot be it and why.
fn typed<T: DeserializeOwned>(json: &serde_json::Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(json).map_err(|error| (error.path().to_string(), error.into_inner().to_string()))
}

fn secret_data(secret: Secret) -> BTreeMap<String, Vec<u8>> {
    let plain = secret.string_data.into_iter().flatten().map(|(key, text)| (key, text.into_bytes()));
    secret.data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0)).chain(plain).collect()
}
