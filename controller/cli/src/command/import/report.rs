//! What an import says: manifests to standard output or to files, all else to standard error.

use std::path::{Path, PathBuf};

use cst_compiler::import::{ImportError, Imported};
use cst_compiler::manifest::Diagnostic;

use crate::command::Failure;
use crate::{files, output};

/// How many differences of a zone are told.
const MOST_TOLD: usize = 100;

pub(super) fn diagnostics(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        output::tell(&format!("{diagnostic}\n"));
    }
}

pub(super) fn refused(from: &str, error: &ImportError) {
    output::tell(&format!("{from}:1:1: error: {error}\n"));
}

/// Writes the manifests and says of each what it renders to; whether all could be written.
pub(super) fn imported(zones: &[Imported], out: Option<&Path>) -> Result<bool, Failure> {
    let mut all = true;
    for zone in zones {
        match out {
            None => output::print(&format!("---\n{}", zone.text)),
            Some(out) => all &= write(zone, &out.join(path(zone)))?,
        }
        output::tell(&summary(zone));
    }
    Ok(all)
}

/// Where the layout of a repository has a member's Domain; the `/` of RFC 2317 is not in an object's name.
fn path(zone: &Imported) -> PathBuf {
    let tenant = zone.key.tenant().unwrap_or(&zone.key.namespace);
    Path::new("members").join(tenant).join(format!("{}.yaml", zone.key.name))
}

/// Writes a manifest; one that is there and says something else is left alone.
fn write(zone: &Imported, path: &Path) -> Result<bool, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) if text != zone.text => {
            output::tell(&format!(
                "{}:1:1: error: the file is there and says something else: remove it to have it imported anew\n",
                path.display()
            ));
            Ok(false)
        }
        Ok(_) => Ok(true),
        Err(_) => {
            files::write(path, &zone.text)?;
            Ok(true)
        }
    }
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
