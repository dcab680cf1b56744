use cst_api::{Tenant, TenantSpec, TenantState};

use super::{List, Parsed, Reader};
use crate::model::{DomainName, Quantity};
use crate::problem::ObjectRef;

/// A Tenant, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantModel {
    /// Its name.
    pub name: String,
    /// The names it may hold, with all below them.
    pub grants: List<DomainName>,
    /// What the coordinator decided.
    pub state: TenantState,
    /// The spec as written, for what is made of it one to one.
    pub spec: TenantSpec,
    /// How many Mailboxes.
    pub mailboxes: Option<u32>,
    /// How much all quotas together.
    pub mail_storage: Option<Quantity>,
    /// How many WebSites.
    pub web_sites: Option<u32>,
    /// How much all sites' storage together.
    pub web_storage: Option<Quantity>,
}

impl TenantModel {
    /// The Tenant with nothing but its name and spec.
    pub fn tenant(&self) -> Tenant {
        Tenant::new(&self.name, self.spec.clone())
    }

    /// Reads a Tenant.
    pub fn parse(tenant: &Tenant) -> Parsed<Self> {
        let name = tenant.metadata.name.clone().unwrap_or_default();
        let mut reader = Reader::new(ObjectRef::tenant(&name));
        check_name(&mut reader, &name);
        let spec = &tenant.spec;
        let too_much = |name: &DomainName| {
            let refused = name.is_wildcard() || *name == DomainName::ROOT;
            refused.then(|| format!("`{name}`: write the name itself, it stands for all names below it too"))
        };
        let grants = reader.list("spec.domains", &spec.domains, DomainName::parse, too_much);
        if let Some(agreement) = &spec.agreement
            && agreement.until < agreement.from
        {
            reader.invalid(
                "spec.agreement.until",
                format!("until ({}) is before from ({})", agreement.until, agreement.from),
            );
        }
        let limits = spec.limits.clone().unwrap_or_default();
        let mut size =
            |field: &str, text: &Option<String>| text.as_deref().and_then(|t| reader.take(field, Quantity::parse(t)));
        let mail_storage = size("spec.limits.mailStorage", &limits.mail_storage);
        let web_storage = size("spec.limits.webStorage", &limits.web_storage);
        size("spec.limits.memory", &limits.memory);
        let model = Self {
            name,
            grants,
            state: spec.state.unwrap_or_default(),
            spec: spec.clone(),
            mailboxes: limits.mailboxes,
            mail_storage,
            web_sites: limits.web_sites,
            web_storage,
        };
        Parsed::new(Some(model), reader)
    }
}

fn check_name(reader: &mut Reader, name: &str) {
    let label =
        DomainName::parse(name).is_ok_and(|n| n.is_host_name() && n.labels().count() == 1 && n.as_str() == name);
    if !label || name.len() > 61 {
        reader.invalid(
            "metadata.name",
            format!("`{name}` must be a DNS label of at most 61 characters: its namespace is t-<name>"),
        );
    }
}
