//! A document as an object: one of our kinds, a Secret, the settings, or somebody else's.

use std::collections::BTreeMap;

use cst_api::{API_VERSION, Domain, Mailbox, Tenant, WebSite};
use k8s_openapi::api::core::v1::Secret;
use serde::de::DeserializeOwned;

use super::schema::{self, Refused};
use super::{Node, Schemas, shown};
use crate::index::Change;
use crate::model::ObjectKey;
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
    /// Reads one document.
    pub fn read(document: &Node, schemas: &Schemas) -> Self {
        let (Some(api_version), Some(kind)) = (document.text("apiVersion"), document.text("kind")) else {
            return Self::Nothing("this is no manifest: apiVersion and kind are missing".into());
        };
        let metadata = document.get("metadata");
        let meta = |field: &str| metadata.and_then(|m| m.text(field)).unwrap_or_default();
        let key = ObjectKey::new(meta("namespace"), meta("name"));
        match (api_version, kind) {
            (API_VERSION, "Tenant") => ours(document, schemas, ObjectRef::tenant(&key.name), |json| {
                Ok(Change::Tenant(key.name.clone(), Some(Box::new(typed::<Tenant>(json)?))))
            }),
            (API_VERSION, "Domain") => ours(document, schemas, ObjectRef::new(Kind::Domain, key.clone()), |json| {
                Ok(Change::Domain(key, Some(Box::new(typed::<Domain>(json)?))))
            }),
            (API_VERSION, "Mailbox") => ours(document, schemas, ObjectRef::new(Kind::Mailbox, key.clone()), |json| {
                Ok(Change::Mailbox(key, Some(Box::new(typed::<Mailbox>(json)?))))
            }),
            (API_VERSION, "WebSite") => ours(document, schemas, ObjectRef::new(Kind::WebSite, key.clone()), |json| {
                Ok(Change::WebSite(key, Some(Box::new(typed::<WebSite>(json)?))))
            }),
            (API_VERSION, other) => Self::Nothing(format!(
                "{API_VERSION} has no kind `{}`: use Tenant, Domain, Mailbox or WebSite",
                shown(other)
            )),
            ("v1", "Secret") => match serde_json::from_value::<Secret>(document.to_json()) {
                Ok(secret) => Self::Secret(key.clone(), Change::Secret(key, Some(secret_data(secret)))),
                Err(_) => Self::Nothing("this Secret cannot be read: data must be base64, or use stringData".into()),
            },
            _ => Self::Foreign(Foreign { api_version: api_version.into(), kind: kind.into(), key }),
        }
    }
}

fn ours(
    document: &Node,
    schemas: &Schemas,
    object: ObjectRef,
    change: impl FnOnce(serde_json::Value) -> Result<Change, (String, String)>,
) -> Declared {
    let mut refused = schemas.check(&object.kind.to_string(), document);
    refused.extend(metadata_problems(document, &object));
    match change(document.to_json()) {
        Ok(change) if refused.is_empty() => return Declared::Ours(object, Some(change), refused),
        Ok(change) => tell_further(document, &change, &mut refused),
        // What the schema refused already is mostly why; it says so better.
        Err((field, message)) if refused.is_empty() => refused.push((document.locate(&field), field, message)),
        Err(_) => {}
    }
    Declared::Ours(object, None, refused)
}

/// Adds what is wrong with the values of an object that the schema refuses elsewhere, so that all is told at once; of a value that only
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
        refused.retain(|(_, field, message)| *field != problem.field || !schema::is_of_pattern(message));
        if !refused.iter().any(|(_, field, _)| *field == problem.field) {
            refused.push((document.locate(&problem.field), problem.field, problem.message));
        }
    }
}

fn metadata_problems(document: &Node, object: &ObjectRef) -> Vec<Refused> {
    let at = document.locate("metadata");
    let mut problems = Vec::new();
    let name = object.key.name.as_str();
    if name.is_empty() {
        problems.push((at, "metadata.name".into(), "metadata.name is missing".into()));
    } else if !is_object_name(name) {
        let message = format!(
            "`{}` is no object's name: use lower-case letters, digits, inner `-` and `.`, at most {MAX_NAME} of them",
            shown(name)
        );
        problems.push((document.locate("metadata.name"), "metadata.name".into(), message));
    }
    let namespace = object.key.namespace.as_str();
    if object.kind == Kind::Tenant {
        if document.get("metadata").is_some_and(|m| m.get("namespace").is_some()) {
            problems.push((
                document.locate("metadata.namespace"),
                "metadata.namespace".into(),
                "a Tenant is cluster-scoped: leave the namespace out".into(),
            ));
        }
    } else if namespace.is_empty() {
        problems.push((at, "metadata.namespace".into(), "metadata.namespace is missing: write t-<tenant>".into()));
    } else if object.key.tenant().is_none() {
        let message = format!("`{}` is no tenant's namespace: write t-<tenant>", shown(namespace));
        problems.push((document.locate("metadata.namespace"), "metadata.namespace".into(), message));
    }
    problems
}

/// Whether the API server takes the name (a DNS subdomain,
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
fn is_object_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
    };
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

/// The typed object, or the field that cannot be it and why.
fn typed<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(json).map_err(|error| (error.path().to_string(), error.into_inner().to_string()))
}

fn secret_data(secret: Secret) -> BTreeMap<String, Vec<u8>> {
    let plain = secret.string_data.into_iter().flatten().map(|(key, text)| (key, text.into_bytes()));
    secret.data.into_iter().flatten().map(|(key, bytes)| (key, bytes.0)).chain(plain).collect()
}
