//! What a replica does that begins to lead: before it makes the catalog, it makes sure that it knows every stored zone. Its watch may have stood
//! still unnoticed, and a catalog of what that told would take from the public servers what was stored since.

use std::time::{Duration, Instant};

use cst_compiler::model::DomainName;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::ListParams;
use tokio::task::{JoinError, JoinSet};

use super::Controller;
use crate::failure::chain;
use crate::leader::Term;
use crate::published::PublishedZone;

/// The pause before what is stored is listed again.
const PAUSE: Duration = Duration::from_millis(500);

/// Until when this replica leads, and what it knows.
#[derive(Default)]
pub(super) struct Lead {
    term: Term,
    /// What is stored, as it is asked for from the beginning.
    listing: JoinSet<Vec<DomainName>>,
    knowledge: Knowledge,
}

#[derive(Default)]
enum Knowledge {
    /// What is stored has not been listed.
    #[default]
    None,
    /// These were listed, and the watch has not told them yet.
    Listed(Vec<DomainName>),
    /// It knows all that is stored and declared; these are still to be stored or served. What is declared later is waited for by nobody: it is in no
    /// catalog yet.
    Whole(Vec<DomainName>),
    /// All are.
    Served,
}

impl Lead {
    /// The stored zones, once they are listed.
    pub(super) async fn listed(&mut self) -> Option<Result<Vec<DomainName>, JoinError>> {
        self.listing.join_next().await
    }
}

impl Controller {
    /// The Lease was taken, renewed or lost.
    pub(super) fn elected(&mut self, term: Term) {
        let last = std::mem::replace(&mut self.lead.term, term);
        // Another may have led meanwhile: also where this replica stood still, and took the Lease again before it noticed.
        if last.is_none_or(|until| until <= Instant::now()) || term.is_none() {
            let leading = term.is_some();
            tracing::info!(leading, "election");
            self.shell.memory.clear();
            self.engine.lead(false);
            self.engine.lead(leading);
            self.lead = Lead { term, ..Lead::default() };
            if leading {
                self.lead.listing.spawn(stored_zones(self.shell.config_maps()));
            }
        }
        self.keep_catalog();
    }

    /// Looked at before any work begins: who stood still finds its term over before it decides anything by what it knew.
    pub(super) fn mind_the_term(&mut self) {
        if self.engine.leads() && self.lead.term.is_none_or(|until| until <= Instant::now()) {
            self.elected(None);
        }
    }

    /// What the watch has not told yet it is about to; what is gone by then is not in the next list.
    pub(super) fn was_listed(&mut self, listed: Result<Vec<DomainName>, JoinError>) {
        if let Ok(zones) = listed {
            self.lead.knowledge = Knowledge::Listed(zones);
        }
        let maps = self.shell.config_maps();
        self.lead.listing.spawn(async {
            tokio::time::sleep(PAUSE).await;
            stored_zones(maps).await
        });
    }

    /// Something was told or done: it may have been the last before the catalog can be made.
    pub(super) fn learn(&mut self) {
        if let Knowledge::Listed(rest) = &mut self.lead.knowledge {
            drop_last(rest, |zone| self.engine.knows_stored(zone));
            if let Some(to_come) = self.engine.zones_to_come().filter(|_| rest.is_empty()) {
                self.lead.listing = JoinSet::new();
                self.lead.knowledge = Knowledge::Whole(to_come);
            }
        }
        if let Knowledge::Whole(rest) = &mut self.lead.knowledge {
            drop_last(rest, |zone| self.engine.has_tried(zone));
            if rest.is_empty() && self.engine.serves_any() {
                self.lead.knowledge = Knowledge::Served;
                self.shell.server.complete();
                self.keep_catalog();
            }
        }
    }

    fn keep_catalog(&self) {
        let until = self.lead.term.filter(|_| matches!(self.lead.knowledge, Knowledge::Served));
        self.shell.server.keep_catalog(until);
    }
}

/// The stored zones. No cache may answer: a list without a resourceVersion is the newest. Asks until it is told.
async fn stored_zones(maps: Api<ConfigMap>) -> Vec<DomainName> {
    loop {
        match maps.list_metadata(&ListParams::default()).await {
            Ok(list) => return list.iter().filter_map(|map| PublishedZone::zone_of(&map.metadata)).collect(),
            Err(error) => tracing::warn!(error = %chain(&error), "what is stored cannot be listed yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Drops from the end what is done, so that each is looked at about once.
fn drop_last(zones: &mut Vec<DomainName>, is_done: impl Fn(&DomainName) -> bool) {
    while zones.last().is_some_and(&is_done) {
        zones.pop();
    }
}
