//! The only place that prints.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use cst_compiler::manifest::Diagnostic;
use cst_compiler::problem::Severity;
use cst_nameserver::verify::{self, Finding};
use serde::Serialize;

/// How diagnostics are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line each.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    objects: usize,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

/// Prints text. A reader that went away is no failure.
pub(crate) fn print(text: &str) {
    io::stdout().lock().write_all(text.as_bytes()).ok();
}

/// Says something beside the output. A reader that went away is no failure.
pub(crate) fn tell(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Prints why a command failed, with its causes.
pub(crate) fn error(error: &dyn std::error::Error) {
    writeln!(io::stderr().lock(), "cst: {}", causes(error)).ok();
}

/// A failure with its causes, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        cause = error.source();
    }
    text
}

/// Prints a failure where a document is waited for.
pub(crate) fn failure(format: Format, error: &dyn std::error::Error) {
    if format == Format::Json {
        let report = serde_json::json!({"version": 1, "failure": causes(error)});
        print(&format!("{report:#}\n"));
    }
}

/// Prints diagnostics and what they come to.
pub(crate) fn diagnostics(format: Format, diagnostics: &[Diagnostic], objects: usize) {
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match format {
        Format::Json => {
            let report = Report { version: 1, objects, errors, warnings, diagnostics };
            print(&format!("{}\n", serde_json::to_string_pretty(&report).unwrap_or_default()));
        }
        Format::Text => {
            let colour = io::stdout().is_terminal();
            let lines: String = diagnostics.iter().map(|d| format!("{}\n", painted(d, colour))).collect();
            print(&format!("{lines}{objects} objects, {errors} errors, {warnings} warnings\n"));
        }
    }
}

fn painted(diagnostic: &Diagnostic, colour: bool) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    coloured(diagnostic.to_string(), word, colour)
}

/// The text with its severity in colour.
fn coloured(text: String, severity: &str, colour: bool) -> String {
    let code = match severity {
        _ if !colour => return text,
        "error" => "31",
        "warning" => "33",
        _ => "32",
    };
    text.replacen(&format!(" {severity}: "), &format!(" \x1b[{code}m{severity}:\x1b[0m "), 1)
}

/// Prints what was found at zones and what it comes to.
pub(crate) fn findings(format: Format, findings: &[Finding], zones: usize) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(verify::Severity::Error), count(verify::Severity::Warning));
    match format {
        Format::Json => {
            let findings: Vec<_> = findings.iter().map(document).collect();
            let report = serde_json::json!({
                "version": 1, "zones": zones, "errors": errors, "warnings": warnings, "findings": findings
            });
            print(&format!("{report:#}\n"));
        }
        Format::Text => {
            let colour = io::stdout().is_terminal();
            let line = |finding: &Finding| coloured(format!("{finding}\n"), finding.severity.as_str(), colour);
            let lines: String = findings.iter().map(line).collect();
            print(&format!("{lines}{zones} zones, {errors} errors, {warnings} warnings\n"));
        }
    }
}

fn document(finding: &Finding) -> serde_json::Value {
    let Finding { zone, severity, check, message } = finding;
    serde_json::json!({"zone": zone.to_string(), "severity": severity.as_str(), "check": check, "message": message})
}
