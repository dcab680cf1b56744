use std::path::PathBuf;

use clap::Args;
use cst_compiler::import::{Importer, ReadZone, SourceZone, read_zone_file};
use cst_compiler::index::Index;
use cst_compiler::manifest::Diagnostic;
use cst_compiler::model::DomainName;
use cst_compiler::problem::Severity;

use super::report::Report;
use super::{axfr, bind};
use crate::command::Failure;
use crate::output::Format;
use crate::{Exit, clock, files, output};

/// Make Domains of zone files, of a transfer or of BIND's configuration, and prove that they render to the same zones.
#[derive(Debug, Args)]
pub(crate) struct ImportZone {
    /// The zone files; with --axfr the zones; with --named-conf the zones to take, all unless given.
    #[arg(value_name = "FILE|ZONE", required_unless_present = "named_conf")]
    what: Vec<String>,
    /// The zone of the one FILE, where it does not say it itself.
    #[arg(long, value_name = "NAME", value_parser = DomainName::parse, conflicts_with_all = ["axfr", "named_conf"])]
    origin: Option<DomainName>,
    /// Transfer the zones from this server, an address or a name, with a port other than 53 perhaps.
    #[arg(long, value_name = "SERVER[:PORT]", conflicts_with = "named_conf")]
    axfr: Option<String>,
    /// The TSIG key for the transfer: a file named as the key, with a line such as `hmac-sha256:SECRET`.
    #[arg(long, value_name = "FILE", requires = "axfr")]
    key: Option<PathBuf>,
    /// BIND's configuration: named.conf, or the folder that it and all its files are in.
    #[arg(long, value_name = "DIR|FILE")]
    named_conf: Option<PathBuf>,
    /// The view to take the zones of, where the configuration has views.
    #[arg(long, value_name = "NAME", requires = "named_conf")]
    view: Option<String>,
    /// The tenant that the zones are of; unless given the one whose spec.domains has each, among the manifests of --with.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// The repository's folders: what their objects contribute to the zones by themselves is left out.
    #[arg(long, value_name = "DIR")]
    with: Vec<PathBuf>,
    /// The settings file; searched as cst.yaml from the first DIR of --with, or from here, upward unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The root of the repository to write to, as members/TENANT/ZONE.yaml; standard output unless given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// End with 2 when a zone renders to another one than was read.
    #[arg(long)]
    detailed_exitcode: bool,
    /// How to print; as JSON one document, with the manifests in it that --out does not write.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl ImportZone {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut report = Report::new(self.output);
        let exit = self.import(&mut report).inspect_err(|error| output::failure(self.output, error.as_ref()))?;
        report.finish();
        Ok(exit)
    }

    fn import(&self, report: &mut Report) -> Result<Exit, Failure> {
        let index = match self.index(report)? {
            Ok(index) => index,
            Err(wrong) => {
                report.diagnostics(&wrong);
                return Ok(Exit::Invalid);
            }
        };
        let (read, mut invalid) = self.read(report)?;
        let mut sources: Vec<SourceZone> = Vec::with_capacity(read.len());
        for ReadZone { zone, problems } in read {
            report.diagnostics(&problems);
            match zone {
                Some(zone) if zone.is_catalog() => report.catalog(&zone),
                Some(zone) => sources.push(zone),
                None => invalid = true,
            }
        }
        let now = clock::seconds();
        let results = Importer::new(index, self.tenant.as_deref(), now).import(&sources);
        let (mut imported, mut differs) = (Vec::new(), false);
        for (source, result) in sources.iter().zip(results) {
            match result {
                Ok(zone) => {
                    differs |= !zone.differences.is_empty();
                    imported.push(zone);
                }
                Err(error) => {
                    invalid = true;
                    report.refused(&source.from, &error);
                }
            }
        }
        invalid |= !report.imported(&imported, self.out.as_deref())?;
        Ok(match (invalid, differs && self.detailed_exitcode) {
            (true, _) => Exit::Invalid,
            (false, true) => Exit::Changed,
            (false, false) => Exit::Done,
        })
    }

    /// The objects that are there already, or only the settings.
    fn index(&self, report: &mut Report) -> Result<Result<Index, Vec<Diagnostic>>, Failure> {
        if self.with.is_empty() {
            let settings = match &self.config {
                Some(path) => files::settings(path)?,
                None => files::settings(&files::find_settings(std::path::Path::new("."))?)?,
            };
            return Ok(settings.map(Index::new));
        }
        Ok(files::read_repository(&self.with, self.config.as_deref())?.map(|repository| {
            let errors = repository.diagnostics.iter().filter(|told| told.severity == Severity::Error);
            report.diagnostics(&errors.cloned().collect::<Vec<_>>());
            repository.index
        }))
    }

    /// The zones from wherever they are, and whether something else was wrong.
    fn read(&self, report: &mut Report) -> Result<(Vec<ReadZone>, bool), Failure> {
        if let Some(conf) = &self.named_conf {
            let wanted = self.zones()?;
            let found = bind::read(conf, self.view.as_deref(), &wanted)?;
            report.diagnostics(&found.problems);
            return Ok((found.zones, found.problems.iter().any(|told| told.severity == Severity::Error)));
        }
        if let Some(server) = &self.axfr {
            return Ok((axfr::read(server, &self.zones()?, self.key.as_deref())?, false));
        }
        if self.origin.is_some() && self.what.len() > 1 {
            return Err(
                "--origin is for one FILE: the files of several zones say their names themselves, with $ORIGIN".into(),
            );
        }
        let read = |file: &String| {
            let bytes = files::read_bytes(file.as_ref())?;
            Ok::<_, Failure>(read_zone_file(file, &bytes, self.origin.as_ref()))
        };
        Ok((self.what.iter().map(read).collect::<Result<_, _>>()?, false))
    }

    fn zones(&self) -> Result<Vec<DomainName>, Failure> {
        self.what.iter().map(|zone| DomainName::parse(zone).map_err(Failure::from)).collect()
    }
}
