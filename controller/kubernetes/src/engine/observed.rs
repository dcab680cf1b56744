//! What is seen of the public servers.

use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::serial;
use cst_compiler::status::ailment::Ailment;

use super::zone::{self, Heard};
use super::{Engine, Work};
use crate::zone_server::Observation;

impl Engine {
    pub(super) fn take_observation(&mut self, observation: Observation) {
        match observation {
            Observation::Serial { zone, server, serial: Some(serial) } => self.take_serial(zone, server, serial),
            Observation::Serial { zone, server, serial: None } => self.take_silence(zone, server),
            Observation::Parent { zone, parent, asked } => self.take_parent(zone, Heard { parent, asked }),
            Observation::Health { server, ailment } => self.take_health(server, ailment),
        }
    }

    /// Whoever waits for the server is told why.
    fn take_health(&mut self, server: String, ailment: Option<Ailment>) {
        let waits = |state: &zone::ZoneState| {
            let published = state.published.as_ref();
            published.is_some_and(|published| state.seen.get(&server) != Some(&published.serial))
        };
        let waiting: Vec<DomainName> =
            self.zones.iter().filter(|(_, state)| waits(state)).map(|(zone, _)| zone.clone()).collect();
        for zone in waiting {
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
        match ailment {
            Some(ailment) => self.ailments.insert(server, ailment),
            None => self.ailments.remove(&server),
        };
    }

    fn take_silence(&mut self, zone: DomainName, server: String) {
        let Some(state) = self.zones.get_mut(&zone) else { return };
        // Whether anybody serves the zone decides whether the clock is believed.
        if state.mute.insert(server) && !state.held.is_empty() {
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
    }

    fn take_serial(&mut self, zone: DomainName, server: String, answered: u32) {
        let Some(state) = self.zones.get_mut(&zone) else { return };
        state.mute.remove(&server);
        let last = state.seen.insert(server, answered);
        let current = state.published.as_ref().map(|published| published.serial);
        let news = last != Some(answered)
            && (current == Some(answered) || current.is_none_or(|current| serial::is_newer(answered, current)));
        if news {
            self.mark_awaiting_below(&zone);
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
    }
}
