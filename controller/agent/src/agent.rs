//! The agent's state and its one step: from what was received to what is served and acknowledged.

mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cst_compiler::desired::mail::ack::{Ack, fleet_digest};
use cst_compiler::desired::mail::sharing::Sharing;
use cst_compiler::desired::mail::{DomainContent, Domains, Fleet, dovecot};
use cst_compiler::model::{Address, DomainName};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::config::Config;
use crate::decide::{Decision, decide};
use crate::dovecot::DovecotFiles;
use crate::files::{Batch, FileError};
use crate::inbox::{Event, Inbox};
use crate::last_good::LastGood;
use crate::postfix::{PostfixTables, TableError};
use crate::probe::{self, Probe, Unshown};
use crate::reload::reload;
use crate::rspamd::SignerFiles;
use crate::sessions;

/// How long a step waits for the servers to see what it installed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long until a step that did not reach its end is repeated.
const REPEAT: Duration = Duration::from_secs(1);

/// What is installed, what was received, and what stands between.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    dovecot: DovecotFiles,
    signers: SignerFiles,
    postfix: PostfixTables,
    last_good: LastGood,
    inbox: Inbox,
    /// The first list has come: from then on the absence of a Secret means something.
    listed: bool,
    /// What is installed, and whose tables are to be derived anew.
    fleet: Fleet,
    /// What is in the tables, for who asks.
    shown: watch::Sender<Domains>,
    /// Domains to decide about.
    due: BTreeSet<DomainName>,
    /// Domains that go on as they were, with the reason.
    held: BTreeMap<DomainName, String>,
    /// Domains whose change is not in the tables yet.
    unwritten: BTreeSet<DomainName>,
    /// Domains given up whose passwd-file is still there.
    leaving: BTreeSet<DomainName>,
    /// The set of domains changed since Postfix was last told.
    reload_due: bool,
    /// Domains whose passwd-file or keys changed in a way that no question can show, with the second in which they did: Dovecot looks at a
    /// file once in each second of the clock, so until the next one the old password may be valid; and Rspamd may be signing by an old key.
    settling: BTreeMap<DomainName, u64>,
    /// Who uses whose box.
    sharing: Sharing,
    /// The domains of whose logins that is not written yet.
    rights_due: BTreeSet<DomainName>,
    /// The map of it is not written yet.
    map_due: bool,
    /// Logins whose sessions are to end once Dovecot reads the new passwd-file of their domain.
    ending: BTreeMap<DomainName, BTreeSet<Address>>,
    /// What the servers have not shown yet.
    probes: BTreeMap<DomainName, Probe>,
    /// Why not.
    unshown: BTreeMap<DomainName, Unshown>,
}

/// What a step could not do; it is tried again at the next one.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// What Dovecot reads of users could not be written.
    #[error("cannot write who uses whose box, or the boxes' scripts")]
    Users(#[source] FileError),
    /// The tables of Postfix could not be written.
    #[error("cannot write the tables of Postfix")]
    Tables(#[source] TableError),
    /// Postfix could not be told.
    #[error("cannot make Postfix reload: the agent must run as the user of Postfix' master and share its processes")]
    Reload(#[source] io::Error),
    /// Sessions could not be ended.
    #[error("cannot end the sessions of who may no longer log in: the agent must share Dovecot's /run/dovecot")]
    Sessions(#[source] io::Error),
    /// Something could not be removed.
    #[error("cannot remove what is left of a domain")]
    Remove(#[source] FileError),
}

impl Agent {
    /// Opens the volume and takes up the last good state. Nothing is written where there is none.
    pub fn open(config: Config) -> Result<Self, FileError> {
        let last_good = LastGood::open(&config.root)?;
        let postfix = PostfixTables::open(&config.root.join("postfix"))?;
        let dovecot = DovecotFiles::open(config.root.join("dovecot"))?;
        let signers = SignerFiles::open(config.root.join("rspamd"))?;
        let installed = last_good.load()?;
        let mut batch = Batch::on(&config.root)?;
        for content in installed.values() {
            dovecot.write_passwd(content, &mut batch)?;
            signers.write(content, &mut batch)?;
        }
        batch.place()?;
        // Whether the servers saw what an agent before this one installed is not known.
        let probes: BTreeMap<_, _> = installed
            .iter()
            .filter_map(|(domain, content)| Some((domain.clone(), Probe::of(None, content)?)))
            .collect();
        Ok(Self {
            dovecot,
            signers,
            postfix,
            last_good,
            inbox: Inbox::default(),
            listed: false,
            due: BTreeSet::new(),
            held: BTreeMap::new(),
            unwritten: installed.keys().cloned().collect(),
            leaving: BTreeSet::new(),
            sharing: Sharing::of(&installed),
            rights_due: installed.keys().cloned().collect(),
            map_due: true,
            ending: BTreeMap::new(),
            reload_due: !installed.is_empty(),
            settling: installed.keys().map(|domain| (domain.clone(), second())).collect(),
            unshown: probes.keys().map(|domain| (domain.clone(), unasked())).collect(),
            probes,
            shown: watch::Sender::new(installed.clone()),
            fleet: Fleet::new(installed),
            config,
        })
    }

    /// What is in the tables, as it changes.
    pub fn installed(&self) -> watch::Receiver<Domains> {
        self.shown.subscribe()
    }

    /// Takes in what the watch brought; whether a step is to follow: what a list brings waits for its end.
    pub fn take(&mut self, event: Event) -> bool {
        let of_list = matches!(event, Event::Listing | Event::Found(_));
        if matches!(event, Event::Listed) {
            self.listed = true;
            self.due.extend(self.fleet.domains().keys().cloned());
        }
        self.inbox.take(event, self.fleet.domains());
        self.due.append(&mut self.inbox.take_touched());
        !of_list
    }

    /// When another step is needed: `None` when the tables hold what was received and the servers have it.
    pub fn next_step(&self) -> Option<Duration> {
        let done = self.due.is_empty() && self.unwritten.is_empty() && self.probes.is_empty() && !self.reload_due;
        let ends = self.ending.keys().any(|domain| !self.settling.contains_key(domain));
        if !done || ends {
            return Some(REPEAT);
        }
        (!self.settling.is_empty()).then(until_next_second)
    }

    /// Installs what was received, as far as it goes, and asks the servers. Before the first complete list only the last good state is
    /// installed.
    pub async fn step(&mut self) -> Result<(), StepError> {
        if self.listed {
            let due = std::mem::take(&mut self.due);
            let next: Vec<DomainContent> = due.into_iter().filter_map(|domain| self.decide(domain)).collect();
            self.install_all(&next);
        }
        let is_new = !self.unwritten.is_empty() || self.reload_due;
        self.write_tables()?;
        if self.reload_due {
            reload(&self.config.master_pid).map_err(StepError::Reload)?;
            self.reload_due = false;
        }
        self.ask(is_new).await;
        let now = second();
        self.settling.retain(|_, changed| now <= *changed);
        self.end_sessions().await.map_err(StepError::Sessions)
    }

    /// Ends what the old passwd-files let in, where nobody can come in by them any more.
    async fn end_sessions(&mut self) -> io::Result<()> {
        let is_read = |domain: &DomainName| !self.settling.contains_key(domain) && !self.unwritten.contains(domain);
        let read: Vec<DomainName> = self.ending.keys().filter(|domain| is_read(domain)).cloned().collect();
        for domain in read {
            let logins = self.ending.get(&domain).into_iter().flatten();
            sessions::end(&self.config.doveadm, logins).await?;
            self.ending.remove(&domain);
        }
        Ok(())
    }

    /// What is to be acknowledged; `None` before the first complete list.
    pub fn ack(&self) -> Option<Ack> {
        let unwritten = self.unwritten.iter().map(|domain| (domain.to_string(), "is not in the tables yet".to_owned()));
        let named = |(domain, reason): (&DomainName, &String)| (domain.to_string(), reason.clone());
        let unknown = self.inbox.unknown().map(|(name, reason)| (name.clone(), reason.clone()));
        let settling = self.settling.keys().map(|domain| {
            (domain.to_string(), "waits for Dovecot's next look, or for the last signature by an old key".to_owned())
        });
        let ending = self.ending.keys().map(|domain| (domain.to_string(), "sessions are still to be ended".to_owned()));
        let unshown = self.unshown.iter().map(|(domain, unshown)| (domain.to_string(), unshown.reason().to_owned()));
        let refused =
            ending.chain(settling).chain(unshown).chain(unwritten).chain(self.held.iter().map(named)).chain(unknown);
        self.listed.then(|| Ack {
            watermark: self.inbox.watermark(),
            refused: refused.collect(),
            digest: fleet_digest(self.fleet.domains()),
            domains: self.fleet.domains().len(),
        })
    }

    /// What of a domain is to be installed; all else that becomes of it is done.
    fn decide(&mut self, domain: DomainName) -> Option<DomainContent> {
        self.held.remove(&domain);
        let installed = self.fleet.domains().get(&domain);
        match decide(installed, self.inbox.content(&domain)) {
            Decision::Nothing => {}
            Decision::Hold(reason) => {
                tracing::warn!(%domain, reason, "goes on as it was");
                self.held.insert(domain, reason);
            }
            Decision::Withdraw => self.withdraw(domain),
            Decision::Install(content) => return Some(content),
        }
        None
    }

    /// A domain whose files are written is installed; its tables are to follow.
    fn install(&mut self, content: DomainContent) {
        let domain = content.domain().clone();
        let before = self.fleet.domains().get(&domain);
        let is_signed_anew = before.is_some_and(|before| before.dkim() != content.dkim());
        // No question shows which applications' passwords are valid.
        let has_others =
            before.is_some_and(|before| dovecot::application_files(before) != dovecot::application_files(&content));
        let ended: BTreeSet<Address> = sessions::ended(before, &content).cloned().collect();
        self.reload_due |= before.is_none();
        let asked = self.probes.remove(&domain).filter(|probe| probe.holds_for(&content));
        let fresh = Probe::of(before, &content);
        if is_signed_anew || has_others || !fresh.as_ref().is_some_and(|probe| probe.is_box) {
            self.settling.insert(domain.clone(), second());
        }
        if let Some(probe) = fresh.or(asked) {
            self.probes.insert(domain.clone(), probe);
            self.unshown.insert(domain.clone(), unasked());
        } else {
            self.unshown.remove(&domain);
        }
        if !ended.is_empty() {
            self.settling.insert(domain.clone(), second());
            self.ending.entry(domain.clone()).or_default().extend(ended);
        }
        self.leaving.remove(&domain);
        self.unwritten.insert(domain.clone());
        self.put(&domain, Some(content));
    }

    /// A domain is this from now on; `None`: it is given up.
    fn put(&mut self, domain: &DomainName, content: Option<DomainContent>) {
        let before = self.fleet.put(domain, content);
        let concerned = self.sharing.replace(before.as_ref(), self.fleet.domains().get(domain));
        self.map_due |= !concerned.is_empty();
        self.rights_due.extend(concerned);
        if before.is_none() {
            self.rights_due.insert(domain.clone());
        }
    }

    fn withdraw(&mut self, domain: DomainName) {
        tracing::info!(%domain, "is given up");
        let gone = self.fleet.domains().get(&domain).into_iter().flat_map(DomainContent::boxes);
        let logins: BTreeSet<Address> =
            gone.filter(|mailbox| mailbox.login().is_some()).map(|mailbox| mailbox.address.clone()).collect();
        if !logins.is_empty() {
            self.ending.insert(domain.clone(), logins);
        }
        self.put(&domain, None);
        self.probes.remove(&domain);
        self.unshown.remove(&domain);
        self.reload_due = true;
        self.leaving.insert(domain.clone());
        self.unwritten.insert(domain);
    }

    fn write_tables(&mut self) -> Result<(), StepError> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        self.write_sharing().map_err(StepError::Users)?;
        self.derive()?;
        let written = self.postfix.write().map_err(StepError::Tables)?;
        tracing::info!(domains = self.unwritten.len(), tables = written, "installed");
        for domain in &self.leaving {
            self.signers.remove(domain).map_err(StepError::Remove)?;
            self.dovecot.remove(domain).map_err(StepError::Remove)?;
            self.settling.insert(domain.clone(), second());
            self.last_good.forget(domain).map_err(StepError::Remove)?;
        }
        self.leaving.clear();
        let (changed, domains) = (std::mem::take(&mut self.unwritten), self.fleet.domains());
        self.shown.send_modify(|shown| {
            for domain in changed {
                match domains.get(&domain) {
                    Some(content) => drop(shown.insert(domain, content.clone())),
                    None => drop(shown.remove(&domain)),
                }
            }
        });
        Ok(())
    }

    /// Asks until everything is shown, or for a while where something is new; what the servers go on refusing is asked once a step.
    async fn ask(&mut self, is_new: bool) {
        let (start, mut pause) = (Instant::now(), Duration::from_millis(10));
        while !self.probes.is_empty() {
            let Config { smtp, lmtp, .. } = self.config;
            self.unshown = probe::ask_all(smtp, lmtp, &self.probes, PATIENCE * 3).await;
            self.probes.retain(|domain, _| self.unshown.contains_key(domain));
            let refused = self.unshown.values().any(|unshown| matches!(unshown, Unshown::Refused(_)));
            if !(is_new && refused) || start.elapsed() >= PATIENCE {
                break;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }
}

/// The clock's second.
fn second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs())
}

fn until_next_second() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(1).saturating_sub(Duration::from_nanos(now.subsec_nanos().into())) + Duration::from_millis(1)
}

fn unasked() -> Unshown {
    Unshown::Unknown("the servers were not asked about it yet".into())
}
