//! What the Mailboxes of a domain are told.

use std::collections::BTreeMap;

use cst_api::{ConditionType, MailboxState, MailboxStatus, MailboxType};
use cst_compiler::compile;
use cst_compiler::index::{Lookup, Unit};
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::parse::Lock;
use cst_compiler::problem::{Kind, ObjectRef, Problem};
use cst_compiler::status::Own;

use super::super::{Engine, GRACE, Work};
use super::{Decided, MailState};
use crate::clock::Now;
use crate::report::{ObjectStatus, Report};

impl Engine {
    pub(super) fn mailbox_reports(
        &mut self,
        domain: &DomainName,
        found: &[Problem],
        decided: &Decided,
        now: &Now,
    ) -> Vec<Report> {
        let mut problems: BTreeMap<&ObjectKey, Vec<Problem>> = BTreeMap::new();
        for problem in found.iter().filter(|problem| problem.object.kind == Kind::Mailbox) {
            problems.entry(&problem.object.key).or_default().push(problem.clone());
        }
        let lookup = Lookup::new(&self.index);
        let mut put_off = false;
        let mut reports = Vec::new();
        for key in self.index.boxes_in(domain) {
            let told = problems.remove(key).unwrap_or_default();
            match self.mailbox_report(key, &lookup, domain, told, decided, now) {
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
        lookup: &Lookup<'_>,
        domain: &DomainName,
        problems: Vec<Problem>,
        decided: &Decided,
        now: &Now,
    ) -> Option<Result<Report, ()>> {
        let verdict = compile::mailbox_by(lookup, key);
        let model = verdict.model.filter(|model| model.address.domain() == domain)?;
        let mut draft = self.draft(&ObjectRef::new(Kind::Mailbox, key.clone()), now)?;
        let ObjectStatus::Mailbox(last) = draft.last.clone() else { return None };
        let state = self.mail.get(domain)?;
        // As it is declared now: of what was declared before, nothing is known to be installed.
        let was_ready = last.conditions.iter().any(|c| {
            c.type_ == ConditionType::Ready.to_string()
                && c.status == "True"
                && c.observed_generation == draft.generation
        });
        let held = decided.held_of(&model.address);
        let latched = was_ready && !state.pending.contains(&model.address);
        let installed = latched || (decided.is_written && state.acknowledged && held.is_none());
        let facts = &mut draft.facts;
        facts.problems = problems;
        facts.held = held.filter(|_| !installed).cloned().into_iter().collect();
        let is_suspended = verdict.tenant_suspended && !model.is_group();
        let declared = model.state_on(now.today);
        facts.suspended = is_suspended || verdict.lock.is_some() || declared == MailboxState::Suspended;
        facts.summary = summary(model.mailbox_type(), declared, is_suspended).into();
        if let Some(lock) = verdict.lock.as_ref().filter(|_| declared != MailboxState::Closed) {
            facts.summary = locked(declared, lock);
        }
        let mut conditions = Vec::new();
        if verdict.holds_address {
            let message = match (installed, facts.held.is_empty()) {
                (true, _) => "installed on every mail server",
                (false, true) => "not installed on every mail server yet",
                (false, false) => "served as it was before the change that is held",
            };
            conditions.push(Own::awaited(ConditionType::Installed, installed, message.to_owned()));
        }
        let trouble = self.trouble(&Unit::Mail(domain.clone())).filter(|_| !installed);
        if let Some(trouble) = trouble {
            trouble.tell(&ObjectRef::new(Kind::Mailbox, key.clone()), facts);
        } else if !installed {
            facts.waiting.push(self.awaited(domain, state));
        }
        facts.own = conditions;
        let young = state.since.is_some_and(|since| now.instant < since + GRACE);
        if !installed
            && young
            && trouble.is_none()
            && facts.held.is_empty()
            && !facts.problems.iter().any(Problem::is_error)
        {
            return Some(Err(()));
        }
        let holds: Vec<&Address> = verdict
            .holds_address
            .then_some(&model.address)
            .into_iter()
            .chain(verdict.aliases.iter().copied())
            .collect();
        let still = |text: &&String| {
            let address = model.addresses().find(|address| address.to_string() == **text);
            address.is_some_and(|address| {
                !holds.contains(&address) && self.index.address_holder(address).is_none_or(|holder| holder == key)
            })
        };
        let kept = last.addresses.iter().filter(still).cloned();
        // A box that may not have its address is served, if at all, as it was before.
        let acknowledged = state.acknowledged;
        let state = verdict.state(now.today).filter(|_| verdict.holds_address).or(last.state);
        let quota = verdict.quota(self.index.settings()).filter(|_| verdict.holds_address);
        let changed = compile::changed_password(&self.index, model).and_then(|password| password.change);
        let own = model.password().filter(|source| source.given.is_none() || changed.is_some());
        // Of a controller that begins anew nothing but the acknowledgement tells who has a password.
        let is_everywhere = installed && decided.is_written && acknowledged;
        let password_changed = if is_everywhere { changed.and_then(|change| change.at) } else { last.password_changed };
        let applications = match decided.box_of(&model.address).filter(|mailbox| mailbox.owner == *key) {
            _ if !is_everywhere => last.applications.clone(),
            Some(mailbox) => compile::applications(&self.index, mailbox),
            None => Vec::new(),
        };
        draft.next = ObjectStatus::Mailbox(MailboxStatus {
            state,
            quota: quota.map(|quota| quota.to_string()).or_else(|| last.quota.clone()),
            addresses: holds.iter().map(ToString::to_string).chain(kept).collect(),
            mailbox_type: Some(model.mailbox_type()),
            password_secret: own.map(|source| source.own.name.clone()),
            password_changed,
            applications,
            locked_since: if is_everywhere { verdict.lock.and_then(|lock| lock.since) } else { last.locked_since },
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
}

fn locked(state: MailboxState, lock: &Lock) -> String {
    let mail = if state == MailboxState::Archived { "refused" } else { "received" };
    let since = lock.since.as_ref().map(|since| format!(" since {}", since.0)).unwrap_or_default();
    format!("mail is {mail}; nobody logs in, because the helpdesk locked it{since}: `cst lock --unlock` ends that")
}

fn summary(kind: MailboxType, state: MailboxState, tenant_suspended: bool) -> &'static str {
    match (kind, state) {
        (MailboxType::Group, MailboxState::Closed) => "mail is refused",
        (MailboxType::Group, _) => "mail goes to its members",
        (_, MailboxState::Active) if tenant_suspended => {
            "mail is received; nobody logs in, because the tenant is suspended"
        }
        (MailboxType::Personal, MailboxState::Active) => "mail is received, and its owner can log in",
        (MailboxType::Shared, MailboxState::Active) => "mail is received, and its delegates can read it",
        (_, MailboxState::Suspended) => "mail is received; nobody logs in",
        (MailboxType::Personal, MailboxState::Archived) => "its owner can log in; mail is refused",
        (MailboxType::Shared, MailboxState::Archived) => "its delegates can read it; mail is refused",
        (_, MailboxState::Closed) => "mail is refused and nobody logs in; what is stored is kept",
    }
}
