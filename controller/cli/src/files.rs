//! Reading folders of manifests and writing what comes of them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cst_compiler::manifest::{Diagnostic, Position, Repository, Schemas, SourceFile, read_settings};
use cst_compiler::problem::Severity;
use cst_compiler::settings::Settings;
use jiff::tz::TimeZone;

/// The settings' file name, searched upward.
const SETTINGS: &str = "cst.yaml";
/// A manifest file beyond this many bytes is not read.
const MAX_FILE: u64 = 16 << 20;

/// A file of another centre beyond this many bytes is not read.
const MAX_FOREIGN: u64 = 256 << 20;

/// What went wrong with a file, and which.
#[derive(Debug, thiserror::Error)]
#[error("{action} {path}: {source}")]
pub(crate) struct FileError {
    action: &'static str,
    path: String,
    source: io::Error,
}

/// No settings that hold for all folders.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSettings {
    /// None above a folder.
    #[error(
        "no {SETTINGS} in {0} or above it, up to its repository: put the centre's settings there, or name them with --config"
    )]
    Missing(String),
    /// Another for each of two.
    #[error("{first} holds for {}, {second} for {}: check them one by one, or name the settings of both with --config", of[0], of[1])]
    Several {
        /// The first folder's.
        first: String,
        /// The other's.
        second: String,
        /// The two folders.
        of: [String; 2],
    },
}

/// Folders without any manifest.
#[derive(Debug, thiserror::Error)]
#[error("there is no manifest (.yaml, .yml, .json) in {0}: name the folder that holds them")]
pub(crate) struct NoManifests(String);

/// Reads settings and manifests. The inner error is what is wrong with the settings, without which nothing can be judged.
pub(crate) fn read_repository(
    paths: &[PathBuf],
    config: Option<&Path>,
) -> Result<Result<Repository, Vec<Diagnostic>>, super::command::Failure> {
    let config = match config {
        Some(path) => path.to_owned(),
        None => settings_of_all(paths)?,
    };
    let settings = match settings(&config)? {
        Ok(settings) => settings,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    // Settings that are named like a manifest were checked by now.
    let is_config = |path: &&PathBuf| path.is_file() && fs::canonicalize(path).ok() == fs::canonicalize(&config).ok();
    let (named, others): (Vec<_>, Vec<_>) = paths.iter().partition(is_config);
    let (files, mut told) = manifests(&others)?;
    if files.is_empty() && told.is_empty() {
        told.extend(named.first().map(|path| Diagnostic {
            severity: Severity::Warning,
            ..of_file(path, "the settings are checked: name a folder to have its manifests checked too".into())
        }));
    }
    if files.is_empty() && told.is_empty() {
        return Err(NoManifests(paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")).into());
    }
    let mut repository = Repository::read(&files, settings, &Schemas::new());
    repository.diagnostics.extend(told);
    Ok(Ok(repository))
}

/// Reads a settings file; the inner error is what is wrong with it.
pub(crate) fn settings(path: &Path) -> Result<Result<Settings, Vec<Diagnostic>>, FileError> {
    // Nothing goes on without the settings: that they are not there is a failure, what is in them is a mistake.
    fs::metadata(path).map_err(|source| failed("cannot read", path, source))?;
    Ok(match read_text(path) {
        Ok(text) => read_settings(&SourceFile { path: shown(path), text }, |zone| TimeZone::get(zone).is_ok()),
        Err(message) => Err(vec![of_file(path, message)]),
    })
}

/// Reads a file of another centre, which may be of any encoding.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    let refused = |message: String| failed("cannot read", path, io::Error::other(message));
    let metadata = fs::metadata(path).map_err(|source| failed("cannot read", path, source))?;
    // Asked before it is opened: a pipe would be waited for, a device never ends.
    if !metadata.is_file() {
        return Err(refused("it is no file".into()));
    }
    if metadata.len() > MAX_FOREIGN {
        return Err(refused(format!("it has {} bytes, at most {MAX_FOREIGN} are read", metadata.len())));
    }
    fs::read(path).map_err(|source| failed("cannot read", path, source))
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), FileError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| failed("cannot create", folder, source))?;
    }
    let mut file = fs::File::create(path).map_err(|source| failed("cannot write", path, source))?;
    file.write_all(text.as_bytes()).map_err(|source| failed("cannot write", path, source))
}

/// Writes a file that its owner alone can read; one that is there is not replaced.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| failed("cannot create", folder, source))?;
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|source| failed("cannot write", path, source))
}

/// The one settings file that holds for all the paths.
fn settings_of_all(paths: &[PathBuf]) -> Result<PathBuf, super::command::Failure> {
    let from = paths.first().map_or(Path::new("."), PathBuf::as_path);
    let found = find_settings(from)?;
    for other in paths.iter().skip(1) {
        let second = find_settings(other)?;
        if second != found {
            let of = [shown(from), shown(other)];
            return Err(NoSettings::Several { first: shown(&found), second: shown(&second), of }.into());
        }
    }
    Ok(found)
}

/// The settings file of a folder, or of the nearest above it that has one; not out of the repository.
pub(crate) fn find_settings(from: &Path) -> Result<PathBuf, super::command::Failure> {
    let absolute = fs::canonicalize(from).map_err(|source| failed("cannot read", from, source))?;
    let mut is_outside = false;
    let within = absolute.ancestors().take_while(|folder| {
        let before = is_outside;
        is_outside = folder.join(".git").exists();
        !before
    });
    let found = within.map(|folder| folder.join(SETTINGS)).find(|path| path.is_file());
    let found = found.ok_or_else(|| NoSettings::Missing(shown(from)))?;
    // Below the working folder it is named as the manifests are.
    let here = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    Ok(found.strip_prefix(here).map(Path::to_owned).unwrap_or(found))
}

/// The manifests below the paths, and what is wrong with files that cannot be read: they harm no other.
fn manifests(paths: &[&PathBuf]) -> Result<(Vec<SourceFile>, Vec<Diagnostic>), FileError> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        let kind = fs::metadata(path).map_err(|source| failed("cannot read", path, source))?;
        if kind.is_dir() { walk(path, &mut found, &mut unreadable) } else { found.push((*path).clone()) }
    }
    let mut files = Vec::with_capacity(found.len());
    for path in found {
        match read_text(&path) {
            Ok(text) => files.push(SourceFile { path: shown(&path), text }),
            Err(message) => unreadable.push(of_file(&path, message)),
        }
    }
    Ok((files, unreadable))
}

/// All files that `kubectl apply -R` would take below a folder, in the order of their names; hidden ones, the settings and kustomize's own
/// are left out, links to folders are not followed.
fn walk(folder: &Path, found: &mut Vec<PathBuf>, unreadable: &mut Vec<Diagnostic>) {
    let entries: Result<Vec<_>, _> = fs::read_dir(folder).and_then(Iterator::collect);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return unreadable.push(of_file(folder, format!("the folder cannot be read: {error}"))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == SETTINGS {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, found, unreadable);
        } else if is_manifest(&path) {
            found.push(path);
        }
    }
}

/// By its name; of the many uses of JSON only an object of Kubernetes' API.
fn is_manifest(path: &Path) -> bool {
    let is_kustomize = path.file_stem().is_some_and(|stem| stem == "kustomization");
    match path.extension().and_then(OsStr::to_str) {
        Some("yaml" | "yml") => !is_kustomize,
        Some("json") => read_text(path).is_ok_and(|text| text.contains("\"apiVersion\"")),
        _ => false,
    }
}

/// A file's text, or why it cannot be had.
fn read_text(path: &Path) -> Result<String, String> {
    let unread = |error: io::Error| format!("the file cannot be read: {error}");
    // Asked before it is opened: a pipe would be waited for, a device never ends.
    let metadata = fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err("this is no file with a text in it: remove it, or give it another name".into());
    }
    if metadata.len() > MAX_FILE {
        return Err(format!("the file has {} bytes, at most {MAX_FILE} are read: split it", metadata.len()));
    }
    String::from_utf8(fs::read(path).map_err(unread)?).map_err(|error| {
        format!("the file is not UTF-8 (byte {}): save it as UTF-8", error.utf8_error().valid_up_to() + 1)
    })
}

/// What is wrong with a file as such.
fn of_file(path: &Path, message: String) -> Diagnostic {
    Diagnostic {
        file: shown(path),
        at: Position { line: 1, column: 1 },
        severity: Severity::Error,
        message,
        field: String::new(),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> FileError {
    FileError { action, path: shown(path), source }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
