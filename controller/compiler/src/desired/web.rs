//! What a `WebSite` becomes: a pod with its volume and database, the routes that lead to it, and its address records.

mod database;
mod deployment;
mod network;
mod route;
mod service;
mod volume;

use cst_api::DeletionPolicy;
use kube::ResourceExt;
use kube::core::DynamicObject;
use serde_json::{Value, json};

pub use database::{Credentials, Password, database_name, secret_name};

use super::object::{SITE, object};
use crate::model::{DomainName, ObjectKey, Quantity};
use crate::settings::web::{Application, Web};

/// One site, checked: what a `WebSite`, its tenant and the application catalogue say together.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The `WebSite`; with its database and volume it is the same site however often it is deleted and created.
    pub key: ObjectKey,
    /// The tenant.
    pub tenant: String,
    /// The application, as the catalogue has it.
    pub application: Application,
    /// The host name it answers at.
    pub host: DomainName,
    /// Host names whose visitors are sent on to `host`.
    pub aliases: Vec<DomainName>,
    /// How large its volume is, if not as the application's default.
    pub storage: Option<Quantity>,
    /// What deleting the `WebSite` means for the volume and the database.
    pub deletion_policy: DeletionPolicy,
}

/// The site's objects in the order to apply them. `credentials` are there for an application with a database, once it exists.
///
/// One replica on a `ReadWriteOnce` volume leaves a `PodDisruptionBudget` nothing to promise but nodes that never drain: there is none.
pub fn objects(site: &Site, web: &Web, credentials: Option<&Credentials>) -> Vec<DynamicObject> {
    let mut objects = vec![network::policy(site, web)];
    objects.extend(volume::claim(site));
    objects.push(deployment::deployment(site, credentials));
    objects.push(service::service(site));
    objects.extend(route::routes(site, &web.gateway));
    objects
}

/// An object of the site with its labels.
fn site_object(site: &Site, api_version: &str, kind: &str, name: &str, content: Value) -> DynamicObject {
    let mut made = object(api_version, kind, name, &site.tenant, content).within(&site.key.namespace);
    made.labels_mut().insert(SITE.into(), site.key.name.clone());
    made
}

/// What selects the site's pods; a Deployment's selector cannot change, so it holds nothing but the identity.
fn selector(site: &Site) -> Value {
    json!({SITE: site.key.name})
}

#[cfg(test)]
mod tests;
