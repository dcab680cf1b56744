//! What nobody declares any more: how long it is served on, what of it may go, and what the Tenant says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cst_api::{Date, DeletionPolicy, Retained, RetainedKind};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::absence::Absence;
use cst_compiler::plan::departure::{self, Census, Departures, Facts, Standing};
use cst_compiler::plan::retention::{self, Retention};
use cst_compiler::problem::{Kind, ObjectRef};

use super::{COUNTING, Engine, Work};
use crate::applied::Applied;
use crate::clock::Now;
use crate::published::PublishedZone;

/// So much of what is retained stands in a Tenant's status; all of it is counted.
const LISTED: usize = 100;

/// Something retained: whose, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RetainedKey {
    tenant: String,
    kind: RetainedKind,
    name: String,
}

impl RetainedKey {
    /// What is retained of the tenant of this namespace.
    pub fn new(namespace: &str, kind: RetainedKind, name: impl ToString) -> Option<Self> {
        let tenant = cst_api::tenant_of_namespace(namespace)?.to_owned();
        Some(Self { tenant, kind, name: name.to_string() })
    }

    /// The word that lets it go.
    fn word(&self, since: Date) -> String {
        format!("{:?}/{}/{since}", self.kind, self.name)
    }

    fn unit(&self) -> Option<Unit> {
        let zone = |name: &str| DomainName::parse(name).ok();
        match self.kind {
            RetainedKind::Domain => Some(Unit::Zone(zone(&self.name)?)),
            RetainedKind::Mailbox => Some(Unit::Mail(zone(self.name.rsplit_once('@')?.1)?)),
            RetainedKind::WebSite => {
                Some(Unit::Site(ObjectKey::new(cst_api::tenant_namespace(&self.tenant), &self.name)))
            }
        }
    }
}

/// Whether the time of a unit is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody declares it.
    Declared,
    /// Nobody does, and it is served on.
    Retained,
    /// It was to go at once, and nobody deleted it: it is retained from now on, as if it had been written so.
    Swept,
    /// It is not known yet what it means that nobody declares it.
    Unknown,
    /// It may ask to go.
    Over,
}

impl PublishedZone {
    /// Since when it is retained, if it is.
    pub(super) fn retained(&self) -> Option<(RetainedKey, Date)> {
        Some((RetainedKey::new(&self.holder.namespace, RetainedKind::Domain, self.apex())?, self.retired?))
    }
}

impl Applied {
    /// Since when the site that has this is retained, if it is.
    pub(super) fn retained(&self, unit: &Unit) -> Option<(RetainedKey, Date)> {
        let Unit::Site(key) = unit else { return None };
        Some((RetainedKey::new(&key.namespace, RetainedKind::WebSite, &key.name)?, self.retired?))
    }
}

impl Engine {
    /// Notes what is retained now in place of what was.
    pub(super) fn note_retained(
        &mut self,
        before: impl IntoIterator<Item = (RetainedKey, Date)>,
        after: impl IntoIterator<Item = (RetainedKey, Date)>,
        now: Instant,
    ) {
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (before.into_iter().collect(), after.into_iter().collect());
        if before == after {
            return;
        }
        let tenants: BTreeSet<String> = before.keys().chain(after.keys()).map(|key| key.tenant.clone()).collect();
        for key in before.keys() {
            self.retained.remove(key);
        }
        self.retained.extend(after);
        for tenant in tenants {
            self.mark_later(Work::Unit(Unit::Tenant(tenant)), now + COUNTING);
        }
    }

    /// What is retained of a tenant: how much, and the beginning of it.
    pub(super) fn retained_of(&self, tenant: &str) -> (usize, Vec<Retained>) {
        let days = self.index.settings().retain_days;
        let own = || self.retained.iter().filter(|(key, _)| key.tenant == tenant);
        let list = own().take(LISTED).map(|(key, since)| Retained {
            kind: key.kind,
            name: key.name.clone(),
            since: *since,
            until: since.plus(if self.goes_at_once(key) { 0 } else { days }),
            waits_for: self.going_waits_for(key),
        });
        (own().count(), list.collect())
    }

    /// Whether it is a zone with `Delete`, which is only there because of what its going waits for.
    fn goes_at_once(&self, key: &RetainedKey) -> bool {
        let Some(Unit::Zone(zone)) = key.unit() else { return false };
        let published = self.zones.get(&zone).and_then(|state| state.published.as_ref());
        published.is_some_and(|zone| zone.deletion_policy == DeletionPolicy::Delete)
    }

    /// What a zone that is to be withdrawn waits for.
    fn going_waits_for(&self, key: &RetainedKey) -> Option<String> {
        let Some(Unit::Zone(zone)) = key.unit() else { return None };
        self.zones.get(&zone)?.wait.as_ref().map(|wait| wait.text.clone())
    }

    /// The words on a Tenant that let something go changed.
    pub(super) fn mark_retained(&mut self, tenant: &str) {
        let own = self.retained.keys().filter(|key| key.tenant == tenant);
        for unit in own.filter_map(RetainedKey::unit).collect::<BTreeSet<_>>() {
            self.mark(Work::Unit(unit));
        }
    }

    /// Whether the coordinator let something retained go by its name.
    pub(super) fn is_dropped(&self, retained: &(RetainedKey, Date)) -> bool {
        let (key, since) = retained;
        self.words_for(&key.tenant).any(|words| words.drops.contains(&key.word(*since)))
    }

    /// Whether nobody declares a zone any more, and its time is over.
    pub(super) fn zone_is_over(&self, zone: &PublishedZone, today: Date) -> bool {
        self.end_of_zone(zone, today) == End::Over
    }

    pub(super) fn end_of_zone(&self, zone: &PublishedZone, today: Date) -> End {
        let object = ObjectRef::new(Kind::Domain, zone.holder.clone());
        self.end_of(&object, zone.retained(), zone.deletion_policy, zone.retired, today)
    }

    /// Whether nobody declares a site any more, and its time is over.
    pub(super) fn site_is_over(&self, key: &ObjectKey, applied: &Applied, today: Date) -> bool {
        self.end_of_site(key, applied, today) == End::Over
    }

    pub(super) fn end_of_site(&self, key: &ObjectKey, applied: &Applied, today: Date) -> End {
        let (object, retained) =
            (ObjectRef::new(Kind::WebSite, key.clone()), applied.retained(&Unit::Site(key.clone())));
        self.end_of(&object, retained, applied.deletion_policy, applied.retired, today)
    }

    fn end_of(
        &self,
        object: &ObjectRef,
        retained: Option<(RetainedKey, Date)>,
        policy: DeletionPolicy,
        since: Option<Date>,
        today: Date,
    ) -> End {
        if self.is_there(object.kind, &object.key) {
            return End::Declared;
        }
        if retained.is_some_and(|retained| self.is_dropped(&retained)) {
            return End::Over;
        }
        let judged = retention::judge(policy, since, today, self.index.settings().retain_days);
        match (judged, self.judged(object)) {
            (Retention::Drop, Some(Absence::Deleted)) => End::Over,
            (Retention::Drop, Some(Absence::Swept)) if policy == DeletionPolicy::Delete => End::Swept,
            (Retention::Drop, None) => End::Unknown,
            (Retention::Serve(_) | Retention::Drop, _) => End::Retained,
        }
    }

    /// Whether it is not known of something of a tenant whether it may ask to go.
    fn awaits_judgement(&self, tenant: &str, today: Date) -> bool {
        let zones = self.zones.values().filter_map(|state| state.published.as_ref());
        let mut zones = zones.filter(|zone| zone.holder.tenant() == Some(tenant));
        let mut sites = self.applied.iter().filter_map(|(unit, applied)| match unit {
            Unit::Site(key) if key.tenant() == Some(tenant) => Some((key, applied)),
            _ => None,
        });
        zones.any(|zone| self.end_of_zone(zone, today) == End::Unknown)
            || sites.any(|(key, applied)| self.end_of_site(key, applied, today) == End::Unknown)
    }

    /// Whether a unit whose time is over may go.
    pub(super) fn may_go(&self, holder: &ObjectKey, unit: &Unit) -> bool {
        let departures = holder.tenant().and_then(|tenant| self.departures(tenant));
        departures.is_some_and(|departures| departures.has(&unit.to_string())) && !self.returned.contains(unit)
    }

    /// A unit is declared, and with that no longer let go.
    pub(super) fn has_returned(&mut self, holder: &ObjectKey, unit: &Unit) {
        if self.may_go(holder, unit) {
            self.returned.insert(unit.clone());
            self.ask_to_go(holder);
        }
    }

    /// A unit's time is over. Its tenant's own work says what of that tenant may go.
    pub(super) fn ask_to_go(&mut self, holder: &ObjectKey) {
        if let Some(tenant) = holder.tenant().map(str::to_owned) {
            self.leaving.entry(tenant.clone()).or_default();
            self.mark(Work::Unit(Unit::Tenant(tenant)));
        }
    }

    /// Whether a Tenant was Terminated when it was last seen, by this controller or by one before.
    pub(super) fn was_terminated(&self, tenant: &str) -> bool {
        let stored = || self.applied.get(&Unit::Tenant(tenant.to_owned())).is_some_and(|applied| applied.terminated);
        self.terminated.get(tenant).copied().unwrap_or_else(stored)
    }

    /// What is known of a tenant.
    pub(super) fn standing(&self, tenant: &str) -> Standing {
        match (self.is_there(Kind::Tenant, &ObjectRef::tenant(tenant).key), self.was_terminated(tenant)) {
            (true, _) => Standing::There,
            (false, true) => Standing::Left,
            (false, false) => Standing::Missing,
        }
    }

    fn departures(&self, tenant: &str) -> Option<&Departures> {
        self.applied.get(&Unit::Tenant(tenant.to_owned())).map(|applied| &applied.departures)
    }

    /// What of a tenant may go from now on.
    pub(super) fn next_departures(&mut self, tenant: &str, now: &Now) -> Departures {
        let last = self.departures(tenant).cloned().unwrap_or_default();
        if last.is_empty() && !self.leaving.contains_key(tenant) {
            return last;
        }
        if self.awaits_judgement(tenant, now.today) {
            return last;
        }
        let facts = self.departure_facts(tenant, now);
        let asks = !facts.own.over.is_empty();
        let (next, held) = departure::step(&last, &facts, |digest| self.tenant_approves(tenant, digest));
        self.returned.retain(|unit| !next.has(&unit.to_string()));
        self.tell_held(tenant, held.as_slice());
        if asks {
            self.leaving.insert(tenant.to_owned(), held);
        } else {
            self.leaving.remove(tenant);
        }
        next
    }

    fn departure_facts<'a>(&self, tenant: &'a str, now: &Now) -> Facts<'a> {
        let mut facts = Facts {
            tenant,
            standing: self.standing(tenant),
            own: Census::default(),
            named: BTreeSet::new(),
            returned: self.returned.iter().map(ToString::to_string).collect(),
            catalog: Census::default(),
            elsewhere: BTreeSet::new(),
            by_word: BTreeSet::new(),
            today: now.today,
            now: now.seconds,
        };
        for zone in self.zones.values().filter_map(|state| state.published.as_ref()) {
            let unit = Unit::Zone(zone.apex().clone()).to_string();
            let is_over = self.zone_is_over(zone, now.today);
            facts.catalog.note(unit.clone(), is_over);
            if is_over && self.has_word(zone) {
                facts.by_word.insert(unit.clone());
            }
            if zone.holder.tenant() == Some(tenant) {
                facts.named.extend(zone.retained().filter(|r| self.is_dropped(r)).map(|_| unit.clone()));
                facts.own.note(unit, is_over);
            }
        }
        for (unit, applied) in &self.applied {
            match unit {
                Unit::Site(key) if key.tenant() == Some(tenant) => {
                    let retained = applied.retained(unit).filter(|retained| self.is_dropped(retained));
                    facts.named.extend(retained.map(|_| unit.to_string()));
                    facts.own.note(unit.to_string(), self.site_is_over(key, applied, now.today));
                }
                Unit::Tenant(other) if other != tenant => {
                    facts.elsewhere.extend(applied.departures.zones());
                    facts.by_word.extend(applied.departures.zones_by_word());
                }
                _ => {}
            }
        }
        facts
    }

    /// What of a tenant may go is written down, or that it is to leave: what newly may be done is done now.
    pub(super) fn departures_recorded(&mut self, tenant: &str, before: &Applied, after: &Applied) {
        if before.terminated != after.terminated {
            self.mark(Work::Unit(Unit::Tenant(tenant.to_owned())));
        }
        let (before, after) = (&before.departures, &after.departures);
        if before == after {
            return;
        }
        let changed = before.units().chain(after.units()).filter(|unit| before.has(unit) != after.has(unit));
        let changed: BTreeSet<&str> = changed.collect();
        self.returned.retain(|unit| !changed.contains(unit.to_string().as_str()));
        let zones = self.zones.keys().cloned().map(Unit::Zone);
        let sites = self.applied.keys().filter(|unit| matches!(unit, Unit::Site(_))).cloned();
        let concerned = zones.chain(sites).filter(|unit| changed.contains(unit.to_string().as_str()));
        for unit in concerned.chain([Unit::Tenant(tenant.to_owned())]).collect::<Vec<_>>() {
            self.mark(Work::Unit(unit));
        }
    }
}
