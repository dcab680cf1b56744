use std::collections::{BTreeMap, BTreeSet};

use super::{ZoneFacts, mailbox, site, tenant, zone};
use crate::index::{Admitted, Index, Unit};
use crate::model::ObjectKey;
use crate::problem::Problem;

/// Everything that is wrong with all objects of an index, in order, each once.
pub fn problems(index: &Index) -> Vec<Problem> {
    let mut problems = BTreeSet::new();
    for unit in index.units() {
        match unit {
            Unit::Tenant(name) => problems.extend(tenant(index, &name).problems),
            Unit::Zone(name) => problems.extend(zone(index, &name, ZoneFacts { mail_acknowledged: true }).problems),
            Unit::Mail(_) => {}
            Unit::Site(key) => {
                let admitted = key.tenant().map_or(Admitted::All, |t| index.admitted_sites(t));
                problems.extend(site(index, &key, &admitted).problems);
            }
        }
    }
    let mut admitted = BTreeMap::new();
    for key in index.mailbox_keys() {
        let admitted = admitted.entry(&key.namespace).or_insert_with(|| admitted_mailboxes(index, key));
        problems.extend(mailbox(index, key, admitted).problems);
    }
    for key in index.domain_keys() {
        // A Domain whose very name is wrong belongs to no zone unit.
        problems.extend(index.domain(key).into_iter().filter(|e| e.model.is_none()).flat_map(|e| e.problems.clone()));
    }
    problems.into_iter().collect()
}

fn admitted_mailboxes(index: &Index, key: &ObjectKey) -> Admitted {
    key.tenant().map_or(Admitted::All, |tenant| index.admitted_mailboxes(tenant))
}
