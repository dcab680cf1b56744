use std::collections::BTreeSet;

use cst_api::Date;

use super::aliases::{self, Known};
use super::{ZoneFacts, mail, site, tenant, undecided, zone};
use crate::index::{Index, Unit};
use crate::plan::absence::Absence;
use crate::problem::Problem;

/// Everything that is wrong with all objects of an index, in order, each once, for who has only the manifests.
/// `today`: the day by which they are judged.
pub fn problems(index: &Index, today: Date) -> Vec<Problem> {
    let (mut problems, mut zones) = (BTreeSet::new(), Known::new());
    for unit in index.units() {
        match unit {
            Unit::Tenant(name) => problems.extend(tenant(index, &name).problems),
            Unit::Zone(name) => {
                let outcome = zone(index, &name, &ZoneFacts { today: Some(today), ..ZoneFacts::hopeful() });
                problems.extend(outcome.problems);
                zones.extend(outcome.zone.map(|zone| (name, zone)));
            }
            Unit::Mail(name) => problems.extend(mail(index, &name, None, today, |_| Absence::Deleted).problems),
            Unit::Site(key) => problems.extend(site(index, &key).problems),
        }
    }
    let held = zones.iter().filter_map(|(name, zone)| Some((zone, index.held_zone(name)?)));
    problems.extend(held.flat_map(|(zone, model)| aliases::problems(&zones, zone, model, index.settings())));
    // What could not be read at all belongs to no zone and no mail domain.
    let domains = index.domain_keys().filter_map(|key| index.domain(key)).filter(|e| e.model.is_none());
    problems.extend(domains.flat_map(|entry| entry.problems.iter().cloned()));
    let boxes = index.mailbox_keys().filter_map(|key| index.mailbox(key)).filter(|e| e.model.is_none());
    problems.extend(boxes.flat_map(|entry| entry.problems.iter().cloned()));
    undecided::tell_all(index, &mut problems);
    problems.into_iter().collect()
}
