//! What is remembered of a zone beside what is published of it.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;
use serde::{Deserialize, Serialize};

use super::guard::{self, Held};
use crate::model::Zone;

/// Stored with a zone's version, from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The record sets that went of late, as the guard names them, and the day they went.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    removed: BTreeMap<String, Date>,
    /// The public servers that need not serve the zone and were seen to: what they answer counts, answer they or not.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    servers: BTreeSet<String>,
}

impl History {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// With these servers.
    #[must_use]
    pub fn with_servers(self, servers: impl Iterator<Item = String>) -> Self {
        Self { servers: servers.collect(), ..self }
    }

    /// Whether a server that need not serve the zone was seen to.
    pub fn is_served_by(&self, server: &str) -> bool {
        self.servers.contains(server)
    }

    /// Why the step from one content to the next is held, if it is; what went since yesterday counts.
    pub fn judge(&self, before: &Zone, after: &Zone, today: Date) -> Option<Held> {
        guard::zone(before, after, &self.earlier(today))
    }

    /// After that step. One that was approved begins the count.
    #[must_use]
    pub fn after(self, before: &Zone, after: &Zone, today: Date, is_approved: bool) -> Self {
        if is_approved {
            return Self { removed: BTreeMap::new(), ..self };
        }
        let (before, after) = (guard::record_sets(before), guard::record_sets(after));
        let going = before.difference(&after).map(|set| (set.clone(), today));
        let mut removed: BTreeMap<String, Date> = going.collect();
        let counts = |(set, day): &(String, Date)| guard::counts(*day, today) && !after.contains(set);
        removed.extend(self.removed.into_iter().filter(counts));
        Self { removed, ..self }
    }

    fn earlier(&self, today: Date) -> BTreeSet<String> {
        self.removed.iter().filter(|(_, day)| guard::counts(**day, today)).map(|(set, _)| set.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Soa;
    use crate::model::{DomainName, RecordData, RecordSet};

    fn zone(hosts: std::ops::Range<u8>) -> Zone {
        let apex = DomainName::parse("fano.pu.it").unwrap();
        let (mname, rname) = (apex.clone(), apex.clone());
        let soa = Soa { mname, rname, serial: 0, refresh: 1, retry: 1, expire: 1, minimum: 1 };
        let mut zone = Zone::new(apex.clone(), 300, soa);
        for host in hosts {
            let name = apex.child(&format!("h{host}")).unwrap();
            zone.insert(RecordSet::new(name, 300, vec![RecordData::A([192, 0, 2, host].into())]).unwrap());
        }
        zone
    }

    #[test]
    fn small_steps_are_counted_together_until_tomorrow_is_over() {
        let today = Date::parse("2026-11-23").unwrap();
        let history = History::default();
        let (all, some, less) = (zone(0..20), zone(4..20), zone(8..20));
        assert_eq!(history.judge(&all, &some, today), None, "20 %");
        let history = history.after(&all, &some, today, false);
        let held = history.judge(&some, &less, Date::parse("2026-11-24").unwrap()).unwrap();
        assert!(
            held.message.contains("would drop 4 of 16 record sets") && held.message.contains("4 more went"),
            "{held:?}"
        );
        assert_eq!(history.judge(&some, &less, Date::parse("2026-11-25").unwrap()), None);
        assert_eq!(history.judge(&some, &zone(3..20), today), None, "nothing goes");
        let back = history.clone().after(&some, &all, today, false);
        assert_eq!(back.judge(&all, &some, today), None, "what came back does not count");
        let approved = history.after(&some, &less, today, true);
        assert_eq!(approved.judge(&less, &zone(10..20), today), None, "the count begins anew");
    }
}
