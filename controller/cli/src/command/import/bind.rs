//! The zones of a BIND configuration, whose files are all within one folder, wherever they were on their server.

mod folder;
mod zone;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cst_compiler::import::ReadZone;
use cst_compiler::import::named_conf::{self, ConfError, Item, ZoneStatement};
use cst_compiler::manifest::{Diagnostic, Position};
use cst_compiler::model::DomainName;
use cst_compiler::problem::Severity;

use self::folder::{Folder, Found as FoundFile, Matches, is_pattern};
use crate::command::Failure;
use crate::files;

/// The configuration's file in its folder.
const NAMED_CONF: &str = "named.conf";
/// How deep files may include each other.
const DEEPEST: usize = 16;
/// How many octets all files together may have, each at least a block: files that include each other would be read without end.
const MOST_OCTETS: usize = 128 << 20;
/// What an empty file counts as.
const BLOCK: usize = 4096;

/// How the file is called in which zones that were added while the server ran stand, of a configuration without views.
const DEFAULT_VIEW: &str = "_default";

/// What was found.
pub(super) struct Found {
    pub(super) zones: Vec<ReadZone>,
    /// What is wrong with the configuration, and what is skipped.
    pub(super) problems: Vec<Diagnostic>,
}

/// Whose statements are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The server's.
    Server,
    /// The view's whose zones are wanted.
    View,
    /// Another view's.
    OtherView,
}

struct Reader<'a> {
    folder: Folder,
    view: Option<&'a str>,
    wanted: &'a [DomainName],
    /// Where it is said that zones are added while the server runs.
    new_zones: Option<(String, Position)>,
    new_zones_directory: Option<String>,
    /// The files that are being read, each included by the one before.
    open: Vec<PathBuf>,
    /// How many octets were read.
    octets: usize,
    /// Whether nothing more is read.
    is_full: bool,
    zones: Vec<(String, ZoneStatement)>,
    views: BTreeSet<String>,
    problems: Vec<Diagnostic>,
}

/// Reads the primary zones: those of a view where one is named, those wanted where some are.
pub(super) fn read(conf: &Path, view: Option<&str>, wanted: &[DomainName]) -> Result<Found, Failure> {
    let unread = |error: std::io::Error| format!("cannot read {}: {error}", conf.display());
    let (folder, file) = if conf.is_dir() {
        (conf.to_owned(), conf.join(NAMED_CONF))
    } else {
        (conf.parent().map(Path::to_owned).unwrap_or_default(), conf.to_owned())
    };
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let folder = folder.canonicalize().map_err(unread)?;
    let file = file.canonicalize().map_err(|error| match error.kind() {
        ErrorKind::NotFound if conf.is_dir() => {
            format!(
                "there is no {NAMED_CONF} in {}: name the configuration's file, whatever it is called",
                conf.display()
            )
        }
        _ => unread(error),
    })?;
    let mut reader = Reader {
        folder: Folder::new(folder),
        view,
        wanted,
        new_zones: None,
        new_zones_directory: None,
        open: Vec::new(),
        octets: 0,
        is_full: false,
        zones: Vec::new(),
        views: BTreeSet::new(),
        problems: Vec::new(),
    };
    reader.file(&file, Scope::Server)?;
    reader.added_zones()?;
    reader.check_views(&reader.folder.shown(&file));
    let statements = std::mem::take(&mut reader.zones);
    let claims = reader.claims(&statements);
    let zones = statements.iter().filter_map(|(file, zone)| reader.zone(file, zone, &claims)).collect();
    Ok(Found { zones, problems: reader.problems })
}

impl Reader<'_> {
    /// Takes in the statements of a file, those of the files that it includes in their place.
    fn file(&mut self, path: &Path, scope: Scope) -> Result<(), Failure> {
        let shown = self.folder.shown(path);
        let bytes = files::read_bytes(path)?;
        if !self.has_room(&shown, bytes.len()) {
            return Ok(());
        }
        self.open.push(path.to_owned());
        match named_conf::read(&bytes) {
            Ok(items) => self.items(&shown, items, scope)?,
            Err(ConfError { at, message }) => self.tell(&shown, at, Severity::Error, message),
        }
        self.open.pop();
        Ok(())
    }

    /// Counts a file in; `false`, which is told, when that is too much: nothing more is read then.
    fn has_room(&mut self, file: &str, octets: usize) -> bool {
        self.octets += octets.max(BLOCK);
        if self.octets > MOST_OCTETS {
            let start = Position { line: 1, column: 1 };
            let message = format!(
                "with this file the configuration has more than {MOST_OCTETS} octets: is one included over and over, or do many zones name one file?"
            );
            self.end(file, start, message);
        }
        !self.is_full
    }

    /// Tells what is wrong with the whole: told of each file it would be told without end.
    fn end(&mut self, file: &str, at: Position, message: String) {
        self.tell(file, at, Severity::Error, message);
        self.is_full = true;
    }

    fn items(&mut self, file: &str, items: Vec<Item>, scope: Scope) -> Result<(), Failure> {
        let is_taken = scope == Scope::View || (scope == Scope::Server && self.view.is_none());
        for item in items {
            match item {
                Item::Include(..) if self.is_full => {}
                Item::Include(at, name) if is_pattern(&name) => self.include_all(file, at, &name, scope)?,
                Item::Include(at, name) => self.include(file, at, &name, scope)?,
                Item::Directory(directory) => self.folder.directory = Some(directory),
                Item::NewZones(at) if scope != Scope::OtherView => self.new_zones = Some((file.to_owned(), at)),
                Item::NewZonesDirectory(directory) if scope != Scope::OtherView => {
                    self.new_zones_directory = Some(directory);
                }
                Item::Zone(zone) if is_taken => self.zones.push((file.to_owned(), zone)),
                Item::Zone(_) | Item::NewZones(_) | Item::NewZonesDirectory(_) => {}
                Item::View(_, name, inside) => {
                    let scope = if self.view == Some(name.as_str()) { Scope::View } else { Scope::OtherView };
                    self.views.insert(name);
                    self.items(file, inside, scope)?;
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, file: &str, at: Position, name: &str, scope: Scope) -> Result<(), Failure> {
        match self.folder.find(name) {
            Some(found) => self.included(file, at, name, &found, scope)?,
            None => self.tell(file, at, Severity::Error, self.not_there(name)),
        }
        Ok(())
    }

    /// Includes the files of a pattern, as servers do in the order of their names.
    fn include_all(&mut self, file: &str, at: Position, pattern: &str, scope: Scope) -> Result<(), Failure> {
        match self.folder.matching(pattern, &self.open) {
            Matches::Files(all) => {
                for found in all {
                    self.included(file, at, pattern, &found, scope)?;
                }
            }
            Matches::Nothing => self.tell(file, at, Severity::Error, self.not_there(pattern)),
            Matches::NoPattern => {
                let message = format!("`{pattern}` is no pattern of files: write `*`, `?` and `[…]` in names");
                self.tell(file, at, Severity::Error, message);
            }
            Matches::TooMany => {
                let message = format!("too many files are looked at for `{pattern}`: copy less into the folder");
                self.end(file, at, message);
            }
        }
        Ok(())
    }

    fn not_there(&self, name: &str) -> String {
        let (folder, belongs) = (self.folder.root().display(), self.folder.belongs(name));
        let (what, there) = if is_pattern(name) { ("matches no file", "its files") } else { ("is not", "it") };
        format!(
            "`{name}` {what} in the folder {folder}, whose files alone are read, so that its zones are not imported: copy {there} to {} (where it \
             holds no zones but a key, an empty file will do)",
            belongs.display()
        )
    }

    fn included(
        &mut self,
        file: &str,
        at: Position,
        name: &str,
        found: &FoundFile,
        scope: Scope,
    ) -> Result<(), Failure> {
        if self.is_full {
            return Ok(());
        }
        self.warn_of_doubt(file, at, found);
        if self.open.contains(&found.path) {
            self.tell(file, at, Severity::Error, format!("`{name}` includes itself: take this line out"));
        } else if self.open.len() >= DEEPEST {
            self.end(file, at, format!("`{name}` is included by {DEEPEST} files in a row: nothing more is read"));
        } else {
            self.file(&found.path, scope)?;
        }
        Ok(())
    }

    /// Files of the same name may have been in two folders of the server.
    fn warn_of_doubt(&mut self, file: &str, at: Position, found: &FoundFile) {
        if self.folder.is_doubtful(found) {
            let (named, shown) = (found.named.display(), self.folder.shown(&found.path));
            let message = format!(
                "`{named}` is taken to be `{shown}` here, and so is what else was beside it, though other files here were in another folder of the \
                 server: see that these are the same files, or copy them with their whole paths to {}",
                self.folder.root().join(found.named.strip_prefix("/").unwrap_or(&found.named)).display()
            );
            self.tell(file, at, Severity::Warning, message);
        }
    }

    /// Reads the zones that were added while the server ran (`rndc addzone`): they stand in a file of their view.
    fn added_zones(&mut self) -> Result<(), Failure> {
        let Some((file, at)) = self.new_zones.take() else { return Ok(()) };
        let view = self.view.unwrap_or(DEFAULT_VIEW);
        let folder = self.new_zones_directory.as_ref().map(|folder| format!("{folder}/")).unwrap_or_default();
        let (text, base) = (format!("{folder}{view}.nzf"), format!("{folder}{view}.nzd"));
        if let Some(found) = self.folder.find(&text) {
            let scope = if self.view.is_some() { Scope::View } else { Scope::Server };
            return self.included(&file, at, &text, &found, scope);
        }
        let (severity, message) = match self.folder.find(&base) {
            Some(found) => (
                Severity::Error,
                format!(
                    "the zones that `rndc addzone` made stand in `{0}`, which is no text, and are not imported: put a text beside it with \
                     `named-nzd2nzf {0} > {view}.nzf`",
                    self.folder.shown(&found.path)
                ),
            ),
            None => (
                Severity::Warning,
                format!(
                    "the zones that `rndc addzone` made, if any, are not imported: neither `{view}.nzf` nor `{view}.nzd` of the server's directory \
                     is in the folder {}",
                    self.folder.root().display()
                ),
            ),
        };
        self.tell(&file, at, severity, message);
        Ok(())
    }

    /// Views give different answers to different clients: a Domain has one.
    fn check_views(&mut self, file: &str) {
        let names = self.views.iter().cloned().collect::<Vec<_>>().join(", ");
        let start = Position { line: 1, column: 1 };
        match self.view {
            None if !self.views.is_empty() => {
                self.zones.clear();
                self.tell(file, start, Severity::Error, format!("the configuration has the views {names}, and a Domain has one content for all: name one with --view"));
            }
            Some(view) if !self.views.contains(view) => {
                self.tell(
                    file,
                    start,
                    Severity::Error,
                    format!(
                        "there is no view {view}: the configuration has {}",
                        if names.is_empty() { "none" } else { &names }
                    ),
                );
            }
            _ => {}
        }
    }

    fn tell(&mut self, file: &str, at: Position, severity: Severity, message: String) {
        self.problems.push(Diagnostic { file: file.to_owned(), at, severity, message, field: String::new() });
    }
}
