//! Whether all zones are known and served, so that the catalog can be whole.

use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;

use super::event::Source;
use super::{Engine, Work, zone};

impl Engine {
    /// Whether every stored zone is served, and, on the leader, every Domain's zone has been stored, as far as that can be done: from then
    /// on a catalog is whole. What failed was declared to the hidden primary all the same, and holds back nobody else.
    pub fn zones_are_complete(&self) -> bool {
        let zone_work = |work: &Work| match work {
            Work::Serve(_) => true,
            Work::Unit(unit) => self.leads && matches!(unit, Unit::Zone(_)),
            Work::Object(_) | Work::Ask(_) | Work::Absence(_) | Work::Dkim(_) => false,
        };
        let needed = if self.leads { &Source::ALWAYS[..] } else { &[Source::Published] };
        let listed = needed.iter().all(|source| !self.missing.contains(source));
        listed && self.serves_any() && self.queue.has_tried(zone_work)
    }

    /// Whether the zone is known to be stored.
    pub fn knows_stored(&self, zone: &DomainName) -> bool {
        self.zones.get(zone).is_some_and(zone::ZoneState::is_stored)
    }

    /// The zones that are still to be stored or served, for the first time since this replica leads; `None`: what they follow from has not
    /// been listed yet.
    pub fn zones_to_come(&self) -> Option<Vec<DomainName>> {
        let zone = |work: &Work| match work {
            Work::Serve(zone) | Work::Unit(Unit::Zone(zone)) => Some(zone.clone()),
            _ => None,
        };
        self.missing
            .iter()
            .all(|source| !Source::ALWAYS.contains(source))
            .then(|| self.queue.untried().filter_map(zone).collect())
    }

    /// Whether a zone has been stored and served, as far as that can be done.
    pub fn has_tried(&self, zone: &DomainName) -> bool {
        [Work::Unit(Unit::Zone(zone.clone())), Work::Serve(zone.clone())].iter().all(|work| self.queue.is_tried(work))
    }

    /// Whether any zone is served.
    pub fn serves_any(&self) -> bool {
        self.zones.values().any(|state| state.served.is_some())
    }

    /// The zones that are known, for whoever keeps their keys.
    pub fn zones_with_keys(&self) -> Vec<DomainName> {
        self.zones.iter().filter(|(_, state)| state.published.is_some()).map(|(zone, _)| zone.clone()).collect()
    }
}
