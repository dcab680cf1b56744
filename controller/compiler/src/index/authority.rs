//! Who may hold a name: the tenant whose `spec.domains` has its longest matching suffix. No order, clock or uid in it, so a rebuild
//! from git gives the same owner.

use std::collections::BTreeSet;

use cst_api::{Reason, TenantState};

use super::Index;
use crate::model::DomainName;

/// Whose a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority<'a> {
    /// One tenant's, by this grant.
    Tenant(&'a str, &'a DomainName),
    /// Several tenants hold the same longest suffix: nothing new binds.
    Contested(&'a BTreeSet<String>, &'a DomainName),
    /// No tenant's.
    Nobody,
}

/// Why a tenant may not hold a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The condition's reason.
    pub reason: Reason,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Index {
    /// Whose `name` is.
    pub fn authority(&self, name: &DomainName) -> Authority<'_> {
        let granted = name.and_ancestors().find_map(|ancestor| self.grants.get_key_value(&ancestor));
        let Some((grant, tenants)) = granted else { return Authority::Nobody };
        match (tenants.len(), tenants.first()) {
            (1, Some(tenant)) => Authority::Tenant(tenant, grant),
            _ => Authority::Contested(tenants, grant),
        }
    }

    /// Whether a tenant may hold `name`. Under a contested grant what is `held` already goes on being served, nothing new binds.
    pub fn may_hold(&self, tenant: &str, name: &DomainName, held: bool) -> Result<(), Refusal> {
        if name.is_within(&self.settings.dns.catalog) {
            let message = format!(
                "`{name}` is, or lies in, the centre's catalog zone, which is no zone to resolve: use another name"
            );
            return Err(Refusal { reason: Reason::NotGranted, message });
        }
        if let Some(acme) = self.settings.dns.acme.as_ref().filter(|acme| name.is_within(&acme.zone)) {
            let message = format!(
                "`{name}` is, or lies in, the centre's dynamic zone `{}`, where challenges of certificates are answered: use another name",
                acme.zone
            );
            return Err(Refusal { reason: Reason::NotGranted, message });
        }
        match self.authority(name) {
            Authority::Tenant(owner, _) if owner == tenant => Ok(()),
            Authority::Tenant(owner, grant) => Err(Refusal {
                reason: Reason::NotGranted,
                message: format!(
                    "`{name}` belongs to tenant {owner}, whose spec.domains has `{grant}`: use a name granted to tenant {tenant}"
                ),
            }),
            Authority::Contested(tenants, _) if held && tenants.contains(tenant) => Ok(()),
            Authority::Contested(tenants, grant) => Err(Refusal {
                reason: Reason::GrantConflict,
                message: format!(
                    "`{grant}` is in spec.domains of tenants {}: what is served under it goes on, nothing new is served until the coordinator leaves it in one of them",
                    joined(tenants)
                ),
            }),
            Authority::Nobody => Err(Refusal {
                reason: Reason::NotGranted,
                message: format!(
                    "`{name}` is not granted to tenant {tenant}: the coordinator adds it, or a name above it, to its spec.domains"
                ),
            }),
        }
    }

    /// Whether the tenant is there and served.
    pub fn tenant_serves(&self, tenant: &str) -> Result<(), Refusal> {
        let message = match self.tenants.get(tenant) {
            None => format!("there is no Tenant {tenant}: the coordinator creates it in tenants/{tenant}.yaml"),
            Some(entry) if entry.model.as_ref().is_some_and(|m| m.state == TenantState::Terminated) => {
                format!(
                    "Tenant {tenant} is Terminated, so nothing in its namespace changes anything any more: remove what is left there"
                )
            }
            Some(_) => return Ok(()),
        };
        Err(Refusal { reason: Reason::TenantMissing, message })
    }

    /// The grants of a tenant that another tenant has too.
    pub fn contested_grants(&self, tenant: &str) -> Vec<(&DomainName, &BTreeSet<String>)> {
        let model = self.tenants.get(tenant).and_then(|entry| entry.model.as_ref());
        model
            .into_iter()
            .flat_map(|model| model.grants.iter())
            .filter_map(|grant| self.grants.get_key_value(grant))
            .filter(|(_, tenants)| tenants.len() > 1)
            .collect()
    }
}

fn joined(tenants: &BTreeSet<String>) -> String {
    tenants.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
}
