use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cst_compiler::model::{DomainName, RecordData, RecordType, Zone};
use cst_nameserver::Clock;
use cst_nameserver::lookup::{Client, LookupError, ParentLookup, Resolvers};
use cst_nameserver::verify::{self, Finding, Severity};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Failure;
use crate::output::Format;
use crate::render::zones;
use crate::{Exit, clock, files, output, resolvers, telemetry};

/// Zones asked about at a time.
const AT_ONCE: usize = 8;

/// Ask the Internet whether a repository's zones are served as they should be: delegation, servers, DNSSEC, the registry's tests.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The folders or files with the manifests.
    #[arg(required_unless_present = "zones", value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The settings file; searched as cst.yaml from the first DIR upward unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A zone to ask about instead of all; it need not be in the repository. May be given several times.
    #[arg(long = "zone", value_name = "NAME", value_parser = DomainName::parse)]
    zones: Vec<DomainName>,
    /// Who finds servers and addresses; else dns.resolvers of the settings, else the machine's own. May be given several times.
    #[arg(long = "resolver", value_name = "HOST:PORT", value_parser = host_and_port)]
    resolvers: Vec<String>,
    /// The port of the name servers, for a trial on one machine.
    #[arg(long, value_name = "PORT", default_value_t = 53, hide_short_help = true)]
    port: u16,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let format = self.output;
        self.verify().inspect_err(|error| output::failure(format, error.as_ref()))
    }

    fn verify(mut self) -> Result<Exit, Failure> {
        let mut zones = Zones::new();
        if !self.paths.is_empty() {
            let repository = match files::read_repository(&self.paths, self.config.as_deref())? {
                Ok(repository) => repository,
                Err(settings) => {
                    output::diagnostics(self.output, &settings, 0);
                    return Ok(Exit::Invalid);
                }
            };
            let written = zones::zones(&repository.index, clock::today(repository.index.settings()));
            zones.extend(written.map(|(zone, _)| (zone.apex().clone(), Some(name_servers(&zone)))));
            if self.resolvers.is_empty() {
                self.resolvers.clone_from(&repository.index.settings().dns.resolvers);
            }
        }
        if !self.zones.is_empty() {
            zones = self.zones.drain(..).map(|zone| zones.remove_entry(&zone).unwrap_or((zone, None))).collect();
        }
        let client = Client::default();
        let resolvers = Resolvers::new(resolvers::or_own(self.resolvers)?, client);
        let lookup = ParentLookup { resolvers, client, port: self.port };
        let judged = telemetry::runtime()?.block_on(judge(zones, lookup));
        Ok(report(self.output, &judged))
    }
}

fn name_servers(zone: &Zone) -> BTreeSet<DomainName> {
    let server = |data: &RecordData| if let RecordData::Ns(server) = data { Some(server.clone()) } else { None };
    zone.get(zone.apex(), RecordType::NS).into_iter().flat_map(|set| set.values().iter().filter_map(server)).collect()
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    let wrong = || "write host and port, such as 192.0.2.53:53 or [2001:db8::53]:53".to_owned();
    port.map(|_| text.to_owned()).ok_or_else(wrong)
}

/// The zones to ask about, each with the name servers that the repository gives it.
type Zones = BTreeMap<DomainName, Option<BTreeSet<DomainName>>>;

/// What came of a zone.
type Judged = (DomainName, Result<Vec<Finding>, LookupError>);

/// All zones, by their names.
async fn judge(zones: Zones, lookup: ParentLookup) -> Vec<Judged> {
    let (places, now, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), Clock::system().now(), JoinSet::new());
    for (zone, intended) in zones {
        let (places, lookup) = (Arc::clone(&places), lookup.clone());
        running.spawn(async move {
            // Never closed, so always had.
            let _place = places.acquire().await;
            let findings = verify::verify(&zone, intended, &lookup, now).await;
            (zone, findings)
        });
    }
    let mut judged = running.join_all().await;
    judged.sort_by(|one, other| one.0.cmp(&other.0));
    judged
}

/// Prints everything; the exit code.
fn report(format: Format, judged: &[Judged]) -> Exit {
    let findings: Vec<Finding> = judged.iter().flat_map(|(zone, result)| shown(zone, result)).collect();
    output::findings(format, &findings, judged.len());
    let is_wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    match judged.iter().any(|(_, result)| result.is_err()) {
        true => Exit::Failed,
        false if is_wrong => Exit::Invalid,
        false => Exit::Done,
    }
}

/// A zone that could not be judged is an error of its own.
fn shown(zone: &DomainName, result: &Result<Vec<Finding>, LookupError>) -> Vec<Finding> {
    match result {
        Ok(findings) => findings.clone(),
        Err(error) => {
            let message = output::causes(error);
            vec![Finding { zone: zone.clone(), severity: Severity::Error, check: "lookup", message }]
        }
    }
}
