use std::collections::BTreeSet;

use cst_api::Date;

use super::{ZoneFacts, mail, site, tenant, undecided, zone};
use crate::index::{Index, Unit};
use crate::problem::Problem;

/// Everything that is wrong with all objects of an index, in order, each once, for who has only the manifests.
/// `today`: the day by which they are judged.
pub fn problems(index: &Index, today: Date) -> Vec<Problem> {
    let mut problems = BTreeSet::new();
    for unit in index.units() {
        match unit {
            Unit::Tenant(name) => problems.extend(tenant(index, &name).problems),
            Unit::Zone(name) => problems.extend(zone(index, &name, &ZoneFacts::hopeful()).problems),
            Unit::Mail(name) => problems.extend(mail(index, &name, None, today).problems),
            Unit::Site(key) => problems.extend(site(index, &key).problems),
        }
    }
    // What could not be read at all belongs to no zone and no mail domain.
    let domains = index.domain_keys().filter_map(|key| index.domain(key)).filter(|e| e.model.is_none());
    problems.extend(domains.flat_map(|entry| entry.problems.iter().cloned()));
    let boxes = index.mailbox_keys().filter_map(|key| index.mailbox(key)).filter(|e| e.model.is_none());
    problems.extend(boxes.flat_map(|entry| entry.problems.iter().cloned()));
    undecided::tell_all(index, &mut problems);
    problems.into_iter().collect()
}
