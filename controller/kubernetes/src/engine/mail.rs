//! A mail domain: its shards, whether the agents installed them, and what its Mailboxes are told.

mod installed;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use cst_compiler::compile::{self, MailOutcome, Standing};
use cst_compiler::desired::mail::{MailBox, MailDomain, Shard, shard};
use cst_compiler::index::Unit;
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::parse::{GENERATED_HASH_KEY, MailboxModel};
use cst_compiler::plan::guard::{self, Held, Watched};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ObjectMeta;
use sha2::{Digest as _, Sha256};

use super::{Effect, Engine, Shell, Work, WorkError};
use crate::apply;
use crate::clock::Now;
use crate::report::Report;
use crate::shards::{self, StoredShard};
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
}

impl MailJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let work = self.generate.into_iter().map(|(model, tenant)| generate(shell, model, tenant));
        let made: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        let (made, failed): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        effects.extend(made.into_iter().flatten());
        if let Some(Err(error)) = failed.into_iter().next() {
            return Err(error);
        }
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

#[cfg(test)]
impl MailJob {
    /// What comes of the work when every write succeeds and gets this version.
    pub(super) fn pretend(self, version: u64) -> Vec<Effect> {
        assert!(self.generate.is_empty(), "these boxes name their Secrets");
        let content = |shard: &Shard| cst_compiler::desired::mail::ShardContent::decode(&shard.bytes).unwrap();
        let stored = |shard: &Shard| StoredShard {
            content: Some(std::sync::Arc::new(content(shard))),
            approved: self.approved,
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
}
