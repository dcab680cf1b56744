use cst_api::Reason;

use crate::index::Index;
use crate::parse::TenantModel;
use crate::problem::{ObjectRef, Problem};

/// What is to be said of a Tenant.
#[derive(Clone, Debug)]
pub struct TenantVerdict<'a> {
    /// The model in force.
    pub model: Option<&'a TenantModel>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Judges a Tenant.
pub fn tenant<'a>(index: &'a Index, name: &str) -> TenantVerdict<'a> {
    let object = ObjectRef::tenant(name);
    let Some(entry) = index.tenant(name) else { return TenantVerdict { model: None, problems: Vec::new() } };
    let mut problems = entry.problems.clone();
    for (grant, tenants) in index.contested_grants(name) {
        let others = tenants.iter().filter(|t| *t != name).map(String::as_str).collect::<Vec<_>>().join(", ");
        let at = entry.model.as_ref().and_then(|model| model.grants.place_of(grant)).unwrap_or_default();
        let message = format!("`{grant}` is in spec.domains of {others} too: leave it in one Tenant");
        problems.push(object.error(format!("spec.domains[{at}]"), Reason::GrantConflict, message));
    }
    TenantVerdict { model: entry.model.as_ref(), problems }
}
