use cst_api::{DeletionPolicy, WebSite};

use super::{List, Parsed, Reader};
use crate::model::{DomainName, ObjectKey, Quantity};
use crate::problem::{Kind, ObjectRef};

/// A WebSite, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSiteModel {
    /// Which object.
    pub key: ObjectKey,
    /// The application's name in the catalogue.
    pub application: String,
    /// Its host.
    pub host: DomainName,
    /// Hosts that lead to it.
    pub aliases: List<DomainName>,
    /// How much storage; `None`: the application's default.
    pub storage: Option<Quantity>,
    /// What its deletion means.
    pub deletion_policy: DeletionPolicy,
}

impl WebSiteModel {
    /// Reads a WebSite.
    pub fn parse(site: &WebSite) -> Parsed<Self> {
        let meta = &site.metadata;
        let key = ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        let mut reader = Reader::new(ObjectRef::new(Kind::WebSite, key.clone()));
        check_name(&mut reader, &key.name);
        let spec = &site.spec;
        let host = reader.take("spec.host", host_name(&spec.host));
        let storage = spec.storage.as_deref().and_then(|text| reader.take("spec.storage", Quantity::parse_room(text)));
        let itself = |alias: &DomainName| {
            (host.as_ref() == Some(alias)).then(|| format!("`{alias}` is the host itself: leave it out"))
        };
        let aliases = reader.list("spec.aliases", &spec.aliases, host_name, itself);
        let deletion_policy = spec.deletion_policy.unwrap_or_default();
        let model = host.map(|host| Self {
            key,
            application: spec.application.clone(),
            host,
            aliases,
            storage,
            deletion_policy,
        });
        Parsed::new(model, reader)
    }

    /// Every host it asks for, its own first.
    pub fn hosts(&self) -> impl Iterator<Item = &DomainName> {
        std::iter::once(&self.host).chain(self.aliases.iter())
    }
}

fn check_name(reader: &mut Reader, name: &str) {
    let label =
        DomainName::parse(name).is_ok_and(|n| n.is_host_name() && n.labels().count() == 1 && n.as_str() == name);
    if !label || name.len() > 40 {
        reader.invalid(
            "metadata.name",
            format!("`{name}` must be a DNS label of at most 40 characters: what it becomes is named after it"),
        );
    }
}

fn host_name(text: &str) -> Result<DomainName, String> {
    let name = DomainName::parse(text).map_err(|e| e.to_string())?;
    if name.is_host_name() && name.labels().count() > 1 {
        Ok(name)
    } else {
        Err(format!("`{text}` is no host name: write letters, digits, inner hyphens and dots, such as www.example.org"))
    }
}
