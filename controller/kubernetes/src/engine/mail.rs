//! A mail domain: its shards, whether the agents installed them, and what its Mailboxes are told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cst_api::{ConditionType, MailboxState, MailboxStatus};
use cst_compiler::compile::{self, MailOutcome, Standing};
use cst_compiler::desired::mail::ack::{self, Ack};
use cst_compiler::desired::mail::{MailBox, MailDomain, Shard, shard};
use cst_compiler::index::{Admitted, Unit};
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::parse::{GENERATED_HASH_KEY, MailboxModel};
use cst_compiler::plan::guard::{self, Held, Watched};
use cst_compiler::problem::{Kind, ObjectRef, Problem};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::ObjectMeta;
use kube::{Api, ResourceExt as _};
use sha2::{Digest as _, Sha256};

use super::{Effect, Engine, GRACE, Shell, Source, Work, WorkError};
use crate::apply;
use crate::clock::Now;
use crate::report::{ObjectStatus, Report};
use crate::shards::{self, StoredShard};
use crate::watch::Seen;
use crate::{names, passwords};

/// How many passwords are made at a time: their hashes cost processor time.
const AT_ONCE: usize = 4;

/// What is known of a mail domain beside what is compiled.
#[derive(Debug, Default)]
pub(super) struct MailState {
    /// The stored shards by bucket.
    pub shards: BTreeMap<u32, StoredShard>,
    /// Every configured mail replica serves them.
    pub acknowledged: bool,
    /// The boxes that were written since the last acknowledgement.
    pending: BTreeSet<Address>,
    /// When the shards became what they are.
    since: Option<Instant>,
}

/// The work on a mail domain, ready to be carried out.
pub struct MailJob {
    domain: DomainName,
    generate: Vec<(MailboxModel, String)>,
    write: Vec<Shard>,
    approved: Option<usize>,
    remove: Vec<u32>,
    reports: Vec<Report>,
}

impl MailState {
    /// The newest resourceVersion of the shards.
    fn newest(&self) -> u64 {
        self.shards.values().map(|shard| shard.version).max().unwrap_or_default()
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.shards.values().any(|shard| shard.content.as_ref().is_some_and(|content| content.withdrawn))
    }

    fn digests(&self) -> BTreeMap<u32, [u8; 32]> {
        let digest = |(bucket, shard): (&u32, &StoredShard)| Some((*bucket, shard.content.as_ref()?.digest));
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
            write: Vec::new(),
            approved: None,
            remove: Vec::new(),
            reports: Vec::new(),
        };
        if self.park(domain) {
            return nothing;
        }
        let postmaster = self.index.settings().mail.as_ref().map(|mail| mail.postmaster.clone());
        let state = self.mail.entry(domain.clone()).or_default();
        let published = shards::published(domain, &state.shards);
        let outcome = compile::mail(&self.index, domain, published.as_ref(), now.today);
        let generate = self.to_generate(&outcome);
        if !generate.is_empty() {
            // They come back as Secrets, and then the domain is compiled with them.
            return MailJob { generate, ..nothing };
        }
        let (held, approved) = self.held_mail(domain, published.as_ref(), &outcome);
        let step = postmaster.filter(|_| held.is_none()).map(|to| self.mail_step(domain, &outcome, &to));
        let (write, remove) = step.unwrap_or_default();
        let settled = write.is_empty() && remove.is_empty();
        let reports = if settled { self.mailbox_reports(domain, &outcome, held.as_ref(), now) } else { Vec::new() };
        self.note_pending(domain, published.as_ref(), &outcome.domain, !write.is_empty());
        MailJob { write, approved, remove, reports, ..nothing }
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

    fn to_generate(&self, outcome: &MailOutcome) -> Vec<(MailboxModel, String)> {
        let model = |key: &ObjectKey| {
            let model = self.index.mailbox(key)?.model.clone()?;
            let holds = self.index.address_holder(&model.address) == Some(key);
            holds.then_some((model, key.tenant()?.to_owned()))
        };
        outcome.generate.iter().filter_map(model).collect()
    }

    /// The change, when it is held, and the number of addresses that is approved, when it would be.
    fn held_mail(
        &mut self,
        domain: &DomainName,
        published: Option<&MailDomain>,
        outcome: &MailOutcome,
    ) -> (Option<Held>, Option<usize>) {
        let unit = Unit::Mail(domain.clone());
        let before = published.map(addresses).unwrap_or_default();
        let after = addresses(&outcome.domain);
        let held = guard::names(Watched::Addresses, domain.as_str(), &before, &after);
        let holder = self.index.zone_holder(domain).cloned().or_else(|| {
            published.and_then(|p| p.boxes.first()).map(|b| ObjectKey::new(&b.owner.namespace, domain.as_str()))
        });
        match (held, holder) {
            (Some(held), Some(holder)) if !self.approves(&holder, &held) => {
                self.held.insert(unit, holder);
                (Some(held), None)
            }
            (held, _) => {
                self.held.remove(&unit);
                let last = self.mail.get(domain).and_then(|state| state.shards.get(&0)).and_then(|s| s.approved);
                (None, held.map(|_| after.len()).or(last))
            }
        }
    }

    /// The shards to write and the buckets to remove.
    fn mail_step(&self, domain: &DomainName, outcome: &MailOutcome, postmaster: &Address) -> (Vec<Shard>, Vec<u32>) {
        let nothing = (Vec::new(), Vec::new());
        let Some(state) = self.mail.get(domain) else { return nothing };
        let stored = state.digests();
        let empty = outcome.domain.boxes.is_empty() && outcome.domain.aliases.is_empty();
        if outcome.standing != Standing::Live && empty {
            let unread = state.shards.values().any(|shard| shard.content.is_none());
            return match (state.shards.is_empty(), state.is_withdrawn()) {
                (true, _) => nothing,
                // Nobody can tell what is in it: it stays.
                (false, false) if unread && outcome.standing == Standing::Kept => nothing,
                (false, false) => (vec![shard::withdrawal(domain)], Vec::new()),
                (false, true) if state.acknowledged => (Vec::new(), state.shards.keys().copied().collect()),
                (false, true) => (Vec::new(), state.shards.keys().copied().filter(|bucket| *bucket > 0).collect()),
            };
        }
        let shards = outcome.domain.shards(postmaster, state.buckets());
        let last = u32::try_from(shards.len()).unwrap_or(u32::MAX);
        let changed = |shard: &Shard| {
            stored.get(&shard.bucket).is_none_or(|digest| digest[..] != Sha256::digest(&shard.bytes)[..])
        };
        let mut write: Vec<Shard> = shards.into_iter().filter(changed).collect();
        // From the last bucket to the first: when their number grows, what leaves a bucket is in its new one before.
        write.reverse();
        (write, state.shards.keys().copied().filter(|bucket| *bucket >= last).collect())
    }

    fn note_pending(&mut self, domain: &DomainName, before: Option<&MailDomain>, after: &MailDomain, writes: bool) {
        let Some(state) = self.mail.get_mut(domain).filter(|_| writes) else { return };
        let last: BTreeMap<&Address, &MailBox> =
            before.iter().flat_map(|domain| &domain.boxes).map(|b| (&b.address, b)).collect();
        let changed = after.boxes.iter().filter(|mailbox| last.get(&mailbox.address) != Some(mailbox));
        state.pending.extend(changed.map(|mailbox| mailbox.address.clone()));
    }

    fn mailbox_reports(
        &mut self,
        domain: &DomainName,
        outcome: &MailOutcome,
        held: Option<&Held>,
        now: &Now,
    ) -> Vec<Report> {
        let mut problems: BTreeMap<&ObjectKey, Vec<Problem>> = BTreeMap::new();
        for problem in outcome.problems.iter().filter(|problem| problem.object.kind == Kind::Mailbox) {
            problems.entry(&problem.object.key).or_default().push(problem.clone());
        }
        let mut admitted: BTreeMap<String, Admitted> = BTreeMap::new();
        let boxes: Vec<ObjectKey> = self.index.boxes_in(domain).cloned().collect();
        let mut put_off = false;
        let mut reports = Vec::new();
        for key in boxes {
            let tenant = key.tenant().unwrap_or_default().to_owned();
            let admitted = admitted.entry(tenant.clone()).or_insert_with(|| self.index.admitted_mailboxes(&tenant));
            let told = problems.remove(&key).unwrap_or_default();
            match self.mailbox_report(&key, domain, admitted, told, held, now) {
                Some(Ok(report)) => reports.push(report),
                Some(Err(())) => put_off = true,
                None => {}
            }
        }
        let since = self.mail.get(domain).and_then(|state| state.since);
        if let Some(since) = since.filter(|_| put_off) {
            self.mark_later(Work::Unit(Unit::Mail(domain.clone())), since + GRACE);
        }
        reports
    }

    /// The report of one box whose own address is in the domain; an error: it only waits, and not long yet.
    fn mailbox_report(
        &self,
        key: &ObjectKey,
        domain: &DomainName,
        admitted: &Admitted,
        problems: Vec<Problem>,
        held: Option<&Held>,
        now: &Now,
    ) -> Option<Result<Report, ()>> {
        let verdict = compile::mailbox(&self.index, key, admitted);
        let model = verdict.model.filter(|model| model.address.domain() == domain)?;
        let mut draft = self.draft(&ObjectRef::new(Kind::Mailbox, key.clone()), now)?;
        let ObjectStatus::Mailbox(last) = draft.last.clone() else { return None };
        let state = self.mail.get(domain)?;
        let was_ready =
            last.conditions.iter().any(|c| c.type_ == ConditionType::Ready.to_string() && c.status == "True");
        let installed = state.acknowledged || (was_ready && !state.pending.contains(&model.address));
        let facts = &mut draft.facts;
        facts.problems = problems;
        facts.held = held.cloned();
        facts.suspended = verdict.tenant_suspended || model.state == MailboxState::Suspended;
        facts.summary = summary(model.state, verdict.tenant_suspended).into();
        let mut own = Vec::new();
        if verdict.holds_address {
            let message =
                if installed { "installed on every mail server" } else { "not installed on every mail server yet" };
            own.push((ConditionType::Installed, installed, message.to_owned()));
        }
        if !installed {
            facts.waiting.push(self.awaited(domain, state));
        }
        facts.own = own;
        let young = state.since.is_some_and(|since| now.instant < since + GRACE);
        if !installed && young && facts.problems.is_empty() && facts.held.is_none() {
            return Some(Err(()));
        }
        let holds: Vec<&Address> =
            verdict.holds_address.then_some(&model.address).into_iter().chain(verdict.aliases).collect();
        let still = |text: &&String| {
            let address = model.addresses().find(|address| address.to_string() == **text);
            address.is_some_and(|address| {
                !holds.contains(&address) && self.index.address_holder(address).is_none_or(|holder| holder == key)
            })
        };
        let kept = last.addresses.iter().filter(still).cloned();
        draft.next = ObjectStatus::Mailbox(MailboxStatus {
            addresses: holds.iter().map(ToString::to_string).chain(kept).collect(),
            password_secret: model.password.generated.then(|| model.password.secret.name.clone()),
            ..MailboxStatus::default()
        });
        Some(Ok(draft.report()))
    }

    /// What a domain's boxes wait for.
    fn awaited(&self, domain: &DomainName, state: &MailState) -> String {
        let refusals = self.mail_pods.iter().filter_map(|pod| Some((pod, self.acks.get(pod)?.refusal(domain)?)));
        if let Some((pod, reason)) = refusals.into_iter().next() {
            return format!("mail server {pod}, which refuses: {reason}");
        }
        let behind: Vec<&str> = self
            .mail_pods
            .iter()
            .filter(|pod| !self.acks.get(*pod).is_some_and(|ack| ack.serves(domain, state.newest())))
            .map(String::as_str)
            .collect();
        if self.mail_pods.is_empty() {
            "a mail server in the installation".into()
        } else {
            format!("mail servers to install it: {}", behind.join(", "))
        }
    }

    pub(super) fn take_shard(&mut self, seen: Seen<Secret>, now: Instant) {
        match seen {
            Seen::There(secret) => {
                let Some((domain, bucket, stored)) = shards::read(&secret) else { return };
                let state = self.mail.entry(domain.clone()).or_default();
                if state.shards.get(&bucket).is_none_or(|known| stored.version > known.version) {
                    state.shards.insert(bucket, stored);
                    self.shards_changed(&domain, now);
                }
            }
            Seen::Unreadable { metadata, .. } => tracing::error!(secret = metadata.name, "a shard cannot be read"),
            Seen::Gone(key) => {
                let domains: Vec<DomainName> = self.mail.keys().cloned().collect();
                for domain in domains {
                    let Some(state) = self.mail.get_mut(&domain) else { continue };
                    let before = state.shards.len();
                    state.shards.retain(|bucket, _| shard::secret_name(&domain, *bucket) != key.name);
                    if state.shards.len() != before {
                        self.shards_changed(&domain, now);
                    }
                }
            }
            Seen::Listed => self.listed(Source::Shards),
        }
    }

    pub(super) fn shards_written(
        &mut self,
        domain: &DomainName,
        written: BTreeMap<u32, Option<StoredShard>>,
        now: Instant,
    ) {
        let state = self.mail.entry(domain.clone()).or_default();
        for (bucket, stored) in written {
            match stored {
                Some(stored) => drop(state.shards.insert(bucket, stored)),
                None => drop(state.shards.remove(&bucket)),
            }
        }
        state.since = Some(now);
        self.shards_changed(domain, now);
    }

    fn shards_changed(&mut self, domain: &DomainName, now: Instant) {
        let state = self.mail.entry(domain.clone()).or_default();
        state.since.get_or_insert(now);
        self.judge_acknowledgement(domain);
        self.mark(Work::Unit(Unit::Mail(domain.clone())));
    }

    pub(super) fn take_ack(&mut self, seen: Seen<ConfigMap>) {
        match seen {
            Seen::There(map) => {
                let Some(pod) = map.labels().get(ack::LABEL).cloned() else { return };
                match Ack::from_data(&map.data.unwrap_or_default()) {
                    Ok(ack) => drop(self.acks.insert(pod, ack)),
                    Err(error) => tracing::error!(pod, %error, "an acknowledgement cannot be read"),
                }
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(config_map = metadata.name, error, "an acknowledgement cannot be read");
            }
            Seen::Gone(key) => self.acks.retain(|pod, _| ack::config_map_name(pod) != key.name),
            Seen::Listed => self.listed(Source::Acks),
        }
        let open: Vec<DomainName> =
            self.mail.iter().filter(|(_, state)| !state.acknowledged).map(|(domain, _)| domain.clone()).collect();
        for domain in open {
            if self.judge_acknowledgement(&domain) || self.is_refused(&domain) {
                self.mark(Work::Unit(Unit::Mail(domain)));
            }
        }
    }

    fn is_refused(&self, domain: &DomainName) -> bool {
        self.mail_pods.iter().any(|pod| self.acks.get(pod).is_some_and(|ack| ack.refusal(domain).is_some()))
    }

    /// Judges whether every configured mail replica serves the newest shards. No replica is no success. With the first
    /// acknowledgement the zone may name the mail servers.
    fn judge_acknowledgement(&mut self, domain: &DomainName) -> bool {
        let Some(state) = self.mail.get_mut(domain) else { return false };
        let newest = state.newest();
        let serves = |pod: &String| self.acks.get(pod).is_some_and(|ack| ack.serves(domain, newest));
        let acknowledged = newest > 0 && !self.mail_pods.is_empty() && self.mail_pods.iter().all(serves);
        let began = acknowledged && !state.acknowledged;
        state.acknowledged = acknowledged;
        if acknowledged {
            state.pending.clear();
        }
        let closed = self
            .zones
            .get(domain)
            .and_then(|zone| zone.published.as_ref())
            .is_some_and(|published| !published.mail_gate_open);
        if acknowledged && closed {
            self.mark(Work::Unit(Unit::Zone(domain.clone())));
        }
        began
    }
}

impl MailJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let made: Vec<_> =
            stream::iter(self.generate.into_iter().map(|(model, tenant)| generate(shell, model, tenant)))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
        effects.extend(made);
        let api = Api::namespaced(shell.client.clone(), &shell.mail_namespace);
        let mut written = BTreeMap::new();
        let result = async {
            for shard in &self.write {
                let approved = self.approved.filter(|_| shard.bucket == 0);
                written.insert(shard.bucket, Some(shards::write(&api, shard, approved).await?));
            }
            for bucket in self.remove {
                shards::remove(&api, &self.domain, bucket).await?;
                written.insert(bucket, None);
            }
            Ok::<(), WorkError>(())
        }
        .await;
        if !written.is_empty() {
            tracing::info!(domain = %self.domain, buckets = written.len(), "mail shards written");
            effects.push(Effect::Shards(self.domain, written));
        }
        result?;
        shell.report(self.reports, effects).await
    }
}

/// Makes a box's password, or recalls the one it had, and puts it into its tenant's namespace.
async fn generate(shell: &Shell, model: MailboxModel, tenant: String) -> Result<Effect, WorkError> {
    let made = passwords::recall_or_make(&shell.secrets(), &model.address.to_string()).await?;
    let data = passwords::data(&made);
    let key = model.password.secret;
    debug_assert_eq!(model.password.key, GENERATED_HASH_KEY);
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            labels: Some(
                [(names::MANAGED_BY, names::MANAGER.to_owned()), (names::TENANT, tenant)]
                    .map(|(name, value)| (name.to_owned(), value))
                    .into(),
            ),
            ..ObjectMeta::default()
        },
        data: Some(data.clone().into_iter().map(|(name, value)| (name, ByteString(value))).collect()),
        ..Secret::default()
    };
    apply::apply_secret(&shell.client, &secret).await?;
    Ok(Effect::Secret(key, data))
}

fn addresses(domain: &MailDomain) -> BTreeSet<String> {
    domain.boxes.iter().map(|mailbox| &mailbox.address).chain(domain.aliases.keys()).map(ToString::to_string).collect()
}

fn summary(state: MailboxState, tenant_suspended: bool) -> &'static str {
    match state {
        MailboxState::Active if tenant_suspended => "mail is received; nobody logs in, because the tenant is suspended",
        MailboxState::Active => "mail is received, and its owner can log in",
        MailboxState::Suspended => "mail is received; nobody logs in",
        MailboxState::Archived => "its owner can log in; mail is refused",
        MailboxState::Closed => "mail is refused and nobody logs in; what is stored is kept",
    }
}

#[cfg(test)]
mod tests;
