//! What was decided about a zone, carried out.

use std::sync::Arc;

use cst_compiler::model::DomainName;
use cst_compiler::published::ZoneVersion;

use super::super::Engine;
use super::{Effect, Shell, Step, WorkError};
use crate::failure::chain;
use crate::keys;
use crate::published::{self, PublishedZone};
use crate::report::Report;

/// The work on a zone, ready to be carried out.
pub struct ZoneJob {
    pub(super) zone: DomainName,
    pub(super) last: Option<PublishedZone>,
    pub(super) step: Step,
    pub(super) reports: Vec<Report>,
    /// Whether something is waited for that the zone above says; `None`: it is not asked, as nothing of the zone is served or about to be.
    pub(super) is_awaited: Option<bool>,
    /// The zone above is asked now, whatever it said a moment ago.
    pub(super) asks_anew: bool,
}

impl ZoneJob {
    pub(in super::super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { zone, last, step, reports, is_awaited, asks_anew } = self;
        let is_forgotten = matches!(step, Step::Forget(_));
        let result = bring_about(&zone, last, step, shell, effects).await;
        if let Some(is_awaited) = is_awaited.filter(|_| !is_forgotten) {
            shell.server.watch_parent(&zone, is_awaited);
            if asks_anew {
                shell.server.ask_parent(&zone);
            }
        }
        let reported = shell.report(reports, effects).await;
        result.and(reported)
    }
}

async fn bring_about(
    zone: &DomainName,
    last: Option<PublishedZone>,
    step: Step,
    shell: &Shell,
    effects: &mut Vec<Effect>,
) -> Result<(), WorkError> {
    match step {
        Step::Publish(mut next) => {
            let made = keys::make(&shell.secrets(), shell.server.as_ref(), zone, &mut next.signing).await?;
            if let Some(keys) = made {
                shell.remember_keys(zone, keys);
            }
            let stored = published::store(&shell.config_maps(), last.as_ref(), *next).await?;
            let retired = stored.retired.map(tracing::field::display);
            tracing::info!(%zone, serial = stored.serial, retired, "zone stored");
            let is_shorter = last.is_some_and(|last| last.signing.keys.len() > stored.signing.keys.len());
            let signing = stored.signing.clone();
            effects.push(Effect::ZoneStored(stored));
            if is_shorter {
                shell.remember_keys(zone, keys::forget(&shell.secrets(), zone, &signing).await?);
            }
        }
        Step::Forget(resource_version) => {
            published::forget(&shell.config_maps(), zone, resource_version).await?;
            tracing::info!(%zone, "zone withdrawn");
            effects.push(Effect::ZoneForgotten(zone.clone()));
        }
        Step::ReadKeys => {
            let keys = keys::read(&shell.secrets(), zone).await?;
            effects.push(Effect::ZoneKeys(zone.clone(), keys.stored(shell.server.as_ref(), zone)?));
        }
        Step::Keep => {}
    }
    Ok(())
}

/// Serves a stored version, or stops serving a zone that is no longer stored.
pub struct ServeJob {
    pub(in super::super) zone: DomainName,
    pub(in super::super) version: Option<PublishedZone>,
    /// Why there is none, although one is stored.
    pub(in super::super) damage: Option<String>,
}

impl Engine {
    pub(in super::super) fn serve_job(&self, zone: &DomainName) -> ServeJob {
        let state = self.zones.get(zone);
        ServeJob {
            zone: zone.clone(),
            version: state.and_then(|state| state.published.clone()),
            damage: state.and_then(|state| Some(state.damaged.as_ref()?.why.clone())),
        }
    }
}

impl ServeJob {
    pub(in super::super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Some(version) = self.version else {
            if let Some(why) = self.damage {
                shell.server.declare(&self.zone);
                effects.push(Effect::ZoneUnserved(self.zone, why));
            } else {
                shell.server.withdraw(&self.zone);
                effects.push(Effect::ZoneServed(self.zone, None));
            }
            return Ok(());
        };
        shell.server.declare(&self.zone);
        match Self::serve(&self.zone, version, shell).await {
            Ok(serial) => {
                effects.push(Effect::ZoneServed(self.zone, Some(serial)));
                Ok(())
            }
            Err(error) => {
                shell.forget_keys(&self.zone);
                effects.push(Effect::ZoneUnserved(self.zone, chain(&error)));
                Err(error)
            }
        }
    }

    /// The served serial.
    async fn serve(zone: &DomainName, version: PublishedZone, shell: &Shell) -> Result<u32, WorkError> {
        let keys = shell.version_keys(zone, &version.signing).await?;
        let (serial, server) = (version.serial, Arc::clone(&shell.server));
        let version = ZoneVersion {
            zone: version.zone,
            serial,
            inception: version.inception,
            keys,
            denial: version.signing.denial,
            leaving: version.signing.leaving,
        };
        tokio::task::spawn_blocking(move || server.publish(version)).await.map_err(|_| WorkError::Aborted)??;
        Ok(serial)
    }
}

#[cfg(test)]
impl ZoneJob {
    /// Whether the zone above is asked, and often.
    pub(in super::super) fn asks_above(&self) -> Option<bool> {
        self.is_awaited
    }

    /// The zone that the zone above is asked for now.
    pub(in super::super) fn asks_anew(&self) -> Option<&DomainName> {
        self.asks_anew.then_some(&self.zone)
    }

    /// What comes of the work when every write succeeds and gets this version.
    pub(in super::super) fn pretend(self, version: u64) -> Vec<Effect> {
        let done = match self.step {
            Step::Publish(mut next) => {
                next.signing.keys.iter_mut().for_each(crate::engine::tests::pretend_key);
                Some(Effect::ZoneStored(PublishedZone { resource_version: version.to_string(), ..*next }))
            }
            Step::Forget(_) => Some(Effect::ZoneForgotten(self.zone)),
            Step::ReadKeys => Some(Effect::ZoneKeys(self.zone, Vec::new())),
            Step::Keep => None,
        };
        done.into_iter().chain(reported(self.reports, version)).collect()
    }
}

#[cfg(test)]
pub(in super::super) fn reported(reports: Vec<Report>, version: u64) -> Vec<Effect> {
    let resource_version = version.to_string();
    let reported = reports.into_iter().map(|Report { object, next, .. }| crate::report::Reported {
        object,
        status: next,
        resource_version: resource_version.clone(),
    });
    reported.map(Effect::Reported).collect()
}
