//! A mail domain: its shards, whether the agents installed them, and what its Mailboxes are told.

mod generate;
mod giving_up;
mod installed;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cst_api::{Date, RetainedKind};
use cst_compiler::compile::{self, Standing};
use cst_compiler::desired::mail::{MailBox, MailDomain, Shard, shard};
use cst_compiler::index::Unit;
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::plan::absence::Absence;
use cst_compiler::plan::guard::{self, Held};
use cst_compiler::plan::mail::{self, MailStep};
use cst_compiler::problem::Kind;
use kube::Api;
use sha2::{Digest as _, Sha256};

use super::departures::RetainedKey;
use super::{Effect, Engine, Shell, Work, WorkError};
use crate::clock::Now;
use crate::report::Report;
use crate::shards::{self, StoredShard};
pub(super) use generate::Ungenerated;
use generate::{Forgotten, ToPut};
pub(super) use giving_up::Leaving;

/// What is known of a mail domain beside what is compiled.
#[derive(Debug, Default)]
pub(super) struct MailState {
    /// The stored shards by bucket.
    pub shards: BTreeMap<u32, StoredShard>,
    /// Every configured mail replica serves them.
    pub acknowledged: bool,
    /// What waits for approval.
    pub held: Option<Held>,
    /// The boxes that nobody declares any more, and since when.
    retained: BTreeMap<RetainedKey, Date>,
    /// The boxes that were written since the last acknowledgement.
    pending: BTreeSet<Address>,
    /// When the shards became what they are.
    since: Option<Instant>,
}

/// What is done about what was compiled.
struct Decided {
    step: MailStep,
    /// Nothing is published, because what was is not known.
    stands_still: bool,
    /// All of it is stored: what is installed is this.
    is_written: bool,
}

impl Decided {
    fn moving(step: MailStep) -> Self {
        Self { step, stands_still: false, is_written: false }
    }

    /// The box with this address as it shall be served. They are in the order of their addresses.
    fn box_of(&self, address: &Address) -> Option<&MailBox> {
        let boxes = &self.step.domain.boxes;
        boxes.binary_search_by(|mailbox| mailbox.address.cmp(address)).ok().and_then(|at| boxes.get(at))
    }

    /// What of the held waits for a box with this address: all, or the aliases that it gave up.
    fn held_of(&self, address: &Address) -> Option<&Held> {
        let kept = |alias| self.step.domain.aliases.get(alias) == Some(address);
        self.step.held.as_ref().filter(|_| self.stands_still || self.step.kept.iter().any(kept))
    }
}

/// The work on a mail domain, ready to be carried out.
pub struct MailJob {
    domain: DomainName,
    generate: Vec<ToPut>,
    forget: Vec<Forgotten>,
    write: Vec<Shard>,
    remove: Vec<u32>,
    reports: Vec<Report>,
}

/// Since when a box is retained, if it is.
fn retained(mailbox: &MailBox) -> Option<(RetainedKey, Date)> {
    let key = RetainedKey::new(&mailbox.owner.namespace, RetainedKind::Mailbox, &mailbox.address)?;
    Some((key, mailbox.retained_since?))
}

impl MailState {
    /// The newest resourceVersion of the shards.
    fn newest(&self) -> u64 {
        self.shards.values().map(|shard| shard.version).max().unwrap_or_default()
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.shards.values().any(|shard| shard.content.as_ref().is_some_and(|content| content.withdrawn))
    }

    /// What the stored Secrets hold; one that was damaged or removed holds nothing.
    fn digests(&self) -> BTreeMap<u32, [u8; 32]> {
        let intact =
            |shard: &StoredShard| shard.content.as_ref().filter(|_| shard.intact).map(|content| content.digest);
        let digest = |(bucket, shard): (&u32, &StoredShard)| Some((*bucket, intact(shard)?));
        self.shards.iter().filter_map(digest).collect()
    }

    fn buckets(&self) -> u32 {
        let of = |shard: &StoredShard| shard.content.as_ref().filter(|c| !c.withdrawn).map(|c| c.buckets);
        self.shards.values().filter_map(of).max().unwrap_or_default()
    }
}

impl Engine {
    /// Compiles a mail domain and decides what to write.
    pub(super) fn mail_job(&mut self, domain: &DomainName, now: &Now) -> MailJob {
        let nothing = MailJob {
            domain: domain.clone(),
            generate: Vec::new(),
            forget: Vec::new(),
            write: Vec::new(),
            remove: Vec::new(),
            reports: Vec::new(),
        };
        if self.park(domain) {
            return nothing;
        }
        let postmaster = self.index.settings().mail.as_ref().map(|mail| mail.postmaster.clone());
        let state = self.mail.entry(domain.clone()).or_default();
        let published = shards::published(domain, &state.shards).map(|published| self.without_dropped(published));
        let absences = self.absent_boxes(domain, published.as_ref(), now.today);
        let absence = |mailbox: &MailBox| absences.get(&mailbox.owner).copied().unwrap_or(Absence::Deleted);
        let mut outcome = compile::mail(&self.index, domain, published.as_ref(), now.today, absence);
        let generate = self.to_generate(&outcome, now);
        if !generate.is_empty() {
            // They come back as Secrets or as failures, and then the domain is compiled with them.
            return MailJob { generate, ..nothing };
        }
        self.note_ungenerated(domain, &mut outcome);
        outcome.domain.dkim = self.signers(domain, published.as_ref());
        let next = std::mem::replace(&mut outcome.domain, MailDomain::empty(domain.clone()));
        let decided = self.decide_mail(domain, published.as_ref(), next, now);
        let step = postmaster.filter(|_| !decided.stands_still);
        let step = step.map(|to| self.mail_step(domain, outcome.standing, &decided.step.domain, &to));
        let (write, remove) = step.unwrap_or_default();
        let settled = write.is_empty() && remove.is_empty();
        let fails = self.trouble(&Unit::Mail(domain.clone())).is_some();
        let changes = !write.is_empty() || decided.stands_still;
        self.note_retained_boxes(domain, &decided.step.domain, now.instant);
        self.note_pending(domain, published.as_ref(), &decided.step.domain, changes);
        let decided = Decided { is_written: settled, ..decided };
        let reports =
            if settled || fails { self.mailbox_reports(domain, &outcome.problems, &decided, now) } else { Vec::new() };
        let forget =
            if write.is_empty() { Vec::new() } else { self.to_forget(published.as_ref(), &decided.step.domain) };
        MailJob { forget, write, remove, reports, ..nothing }
    }

    /// What is published without the boxes that the coordinator let go by name: whatever is served and held goes on from there.
    fn without_dropped(&self, published: MailDomain) -> MailDomain {
        let is_dropped = |mailbox: &MailBox| {
            let retained = retained(mailbox).filter(|_| !self.is_there(Kind::Mailbox, &mailbox.owner));
            retained.is_some_and(|retained| self.is_dropped(&retained))
        };
        let mut published = published;
        let (gone, boxes): (Vec<_>, Vec<_>) = published.boxes.into_iter().partition(is_dropped);
        published.aliases.retain(|_, target| !gone.iter().any(|mailbox| mailbox.address == *target));
        MailDomain { boxes, ..published }
    }

    fn note_retained_boxes(&mut self, domain: &DomainName, next: &MailDomain, now: Instant) {
        let Some(state) = self.mail.get_mut(domain) else { return };
        let after: BTreeMap<_, _> = next.boxes.iter().filter_map(retained).collect();
        let before = std::mem::replace(&mut state.retained, after.clone());
        self.note_retained(before, after, now);
    }

    /// Puts the work off until the Secrets of the domain's namespace have been listed: a password that is not known is not missing.
    fn park(&mut self, domain: &DomainName) -> bool {
        let namespaces: BTreeSet<String> = self
            .index
            .boxes_in(domain)
            .chain(self.index.zone_holder(domain))
            .map(|key| key.namespace.clone())
            .filter(|namespace| self.awaits_secrets(namespace))
            .collect();
        let Some(namespace) = namespaces.into_iter().next() else { return false };
        self.parked.entry(namespace).or_default().insert(Work::Unit(Unit::Mail(domain.clone())));
        true
    }

    /// Whether a namespace's Secrets will be listed, but have not been.
    fn awaits_secrets(&self, namespace: &str) -> bool {
        let tenant = cst_api::tenant_of_namespace(namespace);
        tenant.is_some_and(|tenant| self.tenants.contains_key(tenant)) && !self.secrets_listed.contains(namespace)
    }

    /// What of the compiled domain is published, and what waits for approval.
    fn decide_mail(
        &mut self,
        domain: &DomainName,
        published: Option<&MailDomain>,
        next: MailDomain,
        now: &Now,
    ) -> Decided {
        let holder = self.index.zone_holder(domain).cloned().or_else(|| {
            published.and_then(|p| p.boxes.first()).map(|b| ObjectKey::new(&b.owner.namespace, domain.as_str()))
        });
        let approves = |held: &Held| holder.as_ref().is_none_or(|holder| self.approves(holder, held));
        let unread = self.unread(domain).map(|unread| guard::unknown(domain.as_str(), &unread));
        let decided = match unread {
            Some(held) if approves(&held) => Decided::moving(MailStep::free(MailDomain { epoch: now.seconds, ..next })),
            Some(held) => Decided {
                step: MailStep { held: Some(held), ..MailStep::free(next) },
                stands_still: true,
                is_written: false,
            },
            None => Decided::moving(mail::step(published, next, (now.today, now.seconds), approves)),
        };
        let held = decided.step.held.clone().or_else(|| self.held_giving_up(domain));
        self.note_held(domain, holder, held);
        decided
    }

    /// What of the stored shards nobody knows, in words.
    fn unread(&self, domain: &DomainName) -> Option<String> {
        let state = self.mail.get(domain)?;
        if let Some((unknown, of)) = shards::unknown(&state.shards) {
            // With their version, so that an approval is good for this loss and no other.
            let newest = state.newest();
            return Some(format!(
                "{unknown} of {of} stored shards of its addresses (the newest has resourceVersion {newest}) are lost or cannot be read"
            ));
        }
        // An agent names only domains that it has installed, or that have shards.
        let lost = state.shards.is_empty() && self.is_refused(domain);
        lost.then(|| "all stored shards of its addresses are lost, while a mail server still serves them".into())
    }

    /// Notes what is held, for the status of the Domain or, where that is gone, of the Tenant.
    fn note_held(&mut self, domain: &DomainName, holder: Option<ObjectKey>, held: Option<Held>) {
        let unit = Unit::Mail(domain.clone());
        match (&holder, &held) {
            (Some(holder), Some(_)) => drop(self.held.insert(unit, holder.clone())),
            _ => drop(self.held.remove(&unit)),
        }
        if let Some(tenant) = holder.as_ref().and_then(ObjectKey::tenant) {
            self.tell_held(tenant, held.as_slice());
        }
        let Some(state) = self.mail.get_mut(domain).filter(|state| state.held != held) else { return };
        state.held = held;
        self.mark(Work::Unit(Unit::Zone(domain.clone())));
        if let Some(tenant) = holder.as_ref().and_then(ObjectKey::tenant) {
            self.mark(Work::Unit(Unit::Tenant(tenant.to_owned())));
        }
    }

    /// What of a tenant is held that no object of its own can tell.
    pub(super) fn held_without_domain(&self, tenant: &str) -> Vec<Held> {
        let namespace = cst_api::tenant_namespace(tenant);
        let orphaned = self
            .held
            .iter()
            .filter(|(_, holder)| holder.namespace == namespace && !self.is_there(Kind::Domain, holder));
        let held = orphaned.flat_map(|(unit, _)| self.held_of(unit));
        self.leaving.get(tenant).cloned().flatten().into_iter().chain(held).collect()
    }

    /// What of a unit is held.
    pub(super) fn held_of(&self, unit: &Unit) -> Vec<Held> {
        match unit {
            Unit::Mail(domain) => self.mail.get(domain).and_then(|mail| mail.held.clone()).into_iter().collect(),
            Unit::Zone(zone) => self.zones.get(zone).map(|state| state.held.clone()).unwrap_or_default(),
            Unit::Tenant(_) | Unit::Site(_) => Vec::new(),
        }
    }

    /// The shards to write and the buckets to remove.
    fn mail_step(
        &self,
        domain: &DomainName,
        standing: Standing,
        next: &MailDomain,
        postmaster: &Address,
    ) -> (Vec<Shard>, Vec<u32>) {
        let nothing = (Vec::new(), Vec::new());
        let Some(state) = self.mail.get(domain) else { return nothing };
        let stored = state.digests();
        let empty = next.boxes.is_empty() && next.aliases.is_empty();
        if standing != Standing::Live && empty {
            return match (state.shards.is_empty(), state.is_withdrawn()) {
                (true, _) => nothing,
                (false, false) => (vec![shard::withdrawal(domain)], Vec::new()),
                (false, true) if state.acknowledged => (Vec::new(), state.shards.keys().copied().collect()),
                (false, true) => (Vec::new(), state.shards.keys().copied().filter(|bucket| *bucket > 0).collect()),
            };
        }
        let current = |shard: &&StoredShard| shard.intact && shard.current;
        let known = |bucket| state.shards.get(&bucket).filter(current).and_then(|shard| shard.content.as_deref());
        let (shards, last) = next.changed_shards(postmaster, state.buckets(), known);
        let changed = |shard: &Shard| {
            stored.get(&shard.bucket).is_none_or(|digest| digest[..] != Sha256::digest(&shard.bytes)[..])
        };
        let mut write: Vec<Shard> = shards.into_iter().filter(changed).collect();
        // From the last bucket to the first: when their number grows, what leaves a bucket is in its new one before.
        write.reverse();
        (write, state.shards.keys().copied().filter(|bucket| *bucket >= last).collect())
    }

    fn note_pending(&mut self, domain: &DomainName, before: Option<&MailDomain>, after: &MailDomain, changes: bool) {
        let Some(state) = self.mail.get_mut(domain).filter(|_| changes) else { return };
        let last: BTreeMap<&Address, &MailBox> =
            before.iter().flat_map(|domain| &domain.boxes).map(|b| (&b.address, b)).collect();
        let changed = after.boxes.iter().filter(|mailbox| last.get(&mailbox.address) != Some(mailbox));
        state.pending.extend(changed.map(|mailbox| mailbox.address.clone()));
    }
}

impl MailJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { domain, generate, forget, write, remove, reports } = self;
        let result = async {
            generate::all(shell, generate, effects).await?;
            // First: once the shards are written nothing says any more that there was a box.
            generate::forget(shell, forget).await?;
            bring_about(&domain, &write, remove, shell, effects).await
        }
        .await;
        let reported = shell.report(reports, effects).await;
        result.and(reported)
    }
}

/// What was written of it is told even when the rest fails.
async fn bring_about(
    domain: &DomainName,
    write: &[Shard],
    remove: Vec<u32>,
    shell: &Shell,
    effects: &mut Vec<Effect>,
) -> Result<(), WorkError> {
    let api = Api::namespaced(shell.client.clone(), &shell.mail_namespace);
    let mut written = BTreeMap::new();
    let result = async {
        for shard in write {
            written.insert(shard.bucket, Some(shards::write(&api, shard).await?));
        }
        for bucket in remove {
            shards::remove(&api, domain, bucket).await?;
            written.insert(bucket, None);
        }
        Ok(())
    }
    .await;
    if !written.is_empty() {
        tracing::info!(%domain, buckets = written.len(), "mail shards written");
        effects.push(Effect::Shards(domain.clone(), written));
    }
    result
}

#[cfg(test)]
impl MailJob {
    /// What comes of the work when every write succeeds and gets this version.
    pub(super) fn pretend(self, version: u64) -> Vec<Effect> {
        assert!(self.generate.is_empty(), "these boxes name their Secrets");
        let content = |shard: &Shard| cst_compiler::desired::mail::ShardContent::decode(&shard.bytes).unwrap();
        let stored = |shard: &Shard| StoredShard {
            content: Some(std::sync::Arc::new(content(shard))),
            intact: true,
            current: true,
            version,
        };
        let written = self.write.iter().map(|shard| (shard.bucket, Some(stored(shard))));
        let removed = self.remove.iter().map(|bucket| (*bucket, None));
        let shards: BTreeMap<_, _> = written.chain(removed).collect();
        let mut effects = super::zone::reported(self.reports, version);
        if !shards.is_empty() {
            effects.push(Effect::Shards(self.domain, shards));
        }
        effects
    }

    /// The addresses whose passwords it forgets, each with the Secret that it was put into, if that goes too.
    pub(super) fn forgets(&self) -> Vec<(String, Option<ObjectKey>)> {
        self.forget.iter().map(|gone| (gone.address.to_string(), gone.secret.clone())).collect()
    }

    /// The Secrets it makes.
    pub(super) fn generates(&self) -> Vec<ObjectKey> {
        self.generate.iter().map(ToPut::secret).collect()
    }
}
