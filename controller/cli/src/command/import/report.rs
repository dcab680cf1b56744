//! What an import says: as text manifests to standard output or to files and all else to standard error, as JSON one document.

use std::path::{Path, PathBuf};

use cst_compiler::import::{ImportError, Imported, SourceZone};
use cst_compiler::manifest::{Diagnostic, Position};
use cst_compiler::problem::{Problem, Severity};
use serde_json::{Value, json};

use crate::command::Failure;
use crate::output::Format;
use crate::{files, output};

/// How many differences of a zone are told.
const MOST_TOLD: usize = 100;

/// What there is to say of an import: as text at once, as JSON at its end.
#[derive(Debug, Default)]
pub(super) struct Report {
    format: Format,
    diagnostics: Vec<Diagnostic>,
    zones: Vec<Value>,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    pub(super) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            self.tell(&format!("{diagnostic}\n"));
        }
        self.diagnostics.extend_from_slice(diagnostics);
    }

    pub(super) fn refused(&mut self, from: &str, error: &ImportError) {
        self.error(from, error.to_string());
    }

    /// Writes the manifests and says of each what it renders to; whether all could be written.
    pub(super) fn imported(&mut self, zones: &[Imported], out: Option<&Path>) -> Result<bool, Failure> {
        let mut all = true;
        for zone in zones {
            let file = out.map(|out| out.join(path(zone)));
            let is_written = match &file {
                None if self.format == Format::Text => {
                    output::print(&format!("---\n{}", zone.text));
                    true
                }
                None => true,
                Some(file) => self.write(zone, file)?,
            };
            self.tell(&summary(zone));
            self.zones.push(document(zone, file.filter(|_| is_written).as_deref()));
            all &= is_written;
        }
        Ok(all)
    }

    /// Prints the document, where one is waited for.
    pub(super) fn finish(&self) {
        if self.format == Format::Json {
            let count = |severity| self.diagnostics.iter().filter(|told| told.severity == severity).count();
            let report = json!({
                "version": 1, "errors": count(Severity::Error), "warnings": count(Severity::Warning), "zones": self.zones,
                "diagnostics": self.diagnostics
            });
            output::print(&format!("{report:#}\n"));
        }
    }

    /// Writes a manifest; one that is there and says something else is left alone.
    fn write(&mut self, zone: &Imported, path: &Path) -> Result<bool, Failure> {
        match std::fs::read_to_string(path) {
            Ok(text) if text != zone.text => {
                let message = "the file is there and says something else: remove it to have it imported anew";
                self.error(&path.display().to_string(), message.into());
                Ok(false)
            }
            Ok(_) => Ok(true),
            Err(_) => {
                files::write(path, &zone.text)?;
                Ok(true)
            }
        }
    }

    /// Says that a zone is none for anybody's questions.
    pub(super) fn catalog(&mut self, zone: &SourceZone) {
        let message = format!(
            "{} is left out: it is a catalog zone (RFC 9432), a list of zones for other servers. Import the zones in it; the controller makes a \
             catalog of its own (`dns.catalog` of the settings)",
            zone.zone.apex()
        );
        self.told(&zone.from, Severity::Warning, message);
    }

    fn error(&mut self, file: &str, message: String) {
        self.told(file, Severity::Error, message);
    }

    /// Tells something of a whole file.
    fn told(&mut self, file: &str, severity: Severity, message: String) {
        let at = Position { line: 1, column: 1 };
        self.diagnostics(&[Diagnostic { file: file.into(), at, severity, message, field: String::new() }]);
    }

    fn tell(&self, text: &str) {
        if self.format == Format::Text {
            output::tell(text);
        }
    }
}

/// A zone in a document: the manifest itself where it went to no file.
fn document(zone: &Imported, file: Option<&Path>) -> Value {
    let Imported { key, zone: name, text, differences, digest, records, problems, needs_grant } = zone;
    let warning = |problem: &Problem| json!({"object": problem.object.to_string(), "field": problem.field, "message": problem.message});
    let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
    let warnings: Vec<Value> = problems.iter().filter(|problem| !problem.is_error()).map(warning).collect();
    json!({
        "zone": name.to_string(), "namespace": key.namespace, "name": key.name, "records": records, "digest": digest, "same": differences.is_empty(),
        "differences": differences, "warnings": warnings, "needsGrant": needs_grant, "file": file, "manifest": file.is_none().then_some(text)
    })
}

/// Where the layout of a repository has a member's Domain; the `/` of RFC 2317 is not in an object's name.
fn path(zone: &Imported) -> PathBuf {
    let tenant = zone.key.tenant().unwrap_or(&zone.key.namespace);
    Path::new("members").join(tenant).join(format!("{}.yaml", zone.key.name))
}

fn summary(zone: &Imported) -> String {
    let Imported { zone: name, differences, digest, records, needs_grant, .. } = zone;
    let mut text = match differences.len() {
        0 => format!("{name}: renders to the same zone, {records} records, digest {digest}\n"),
        count => format!("{name}: renders to another zone, in {count} records:\n"),
    };
    for difference in differences.iter().take(MOST_TOLD) {
        text += &format!("  {difference}\n");
    }
    if differences.len() > MOST_TOLD {
        text += &format!("  and {} more\n", differences.len() - MOST_TOLD);
    }
    if *needs_grant {
        let tenant = zone.key.tenant().unwrap_or_default();
        text += &format!("  the coordinator adds {name} to spec.domains in tenants/{tenant}.yaml\n");
    }
    for problem in zone.problems.iter().filter(|problem| !problem.is_error()) {
        text += &format!("  {}: {} ({} {})\n", problem.severity, problem.message, problem.object, problem.field);
    }
    text
}
