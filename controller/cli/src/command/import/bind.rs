//! The zones of a BIND configuration, whose files are all within one folder, wherever they were on their server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cst_compiler::import::named_conf::{self, ConfError, Item, ZoneKind, ZoneStatement};
use cst_compiler::import::{ReadZone, read_zone_file};
use cst_compiler::manifest::{Diagnostic, Position};
use cst_compiler::model::DomainName;
use cst_compiler::problem::Severity;

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

/// What was found.
pub(super) struct Found {
    pub(super) zones: Vec<ReadZone>,
    /// What is wrong with the configuration, and what is skipped.
    pub(super) problems: Vec<Diagnostic>,
}

struct Reader<'a> {
    folder: PathBuf,
    view: Option<&'a str>,
    wanted: &'a [DomainName],
    directory: Option<String>,
    /// How many octets were read.
    octets: usize,
    zones: Vec<(String, ZoneStatement)>,
    views: BTreeSet<String>,
    problems: Vec<Diagnostic>,
}

/// Reads the primary zones: those of a view where one is named, those wanted where some are.
pub(super) fn read(conf: &Path, view: Option<&str>, wanted: &[DomainName]) -> Result<Found, Failure> {
    let unread = |error| format!("cannot read {}: {error}", conf.display());
    let (folder, file) = if conf.is_dir() {
        (conf.to_owned(), conf.join(NAMED_CONF))
    } else {
        (conf.parent().map(Path::to_owned).unwrap_or_default(), conf.to_owned())
    };
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let folder = folder.canonicalize().map_err(unread)?;
    let file = file.canonicalize().map_err(unread)?;
    let mut reader = Reader {
        folder,
        view,
        wanted,
        directory: None,
        octets: 0,
        zones: Vec::new(),
        views: BTreeSet::new(),
        problems: Vec::new(),
    };
    reader.file(&file, 0, view.is_none())?;
    reader.check_views(&reader.shown(&file));
    let statements = std::mem::take(&mut reader.zones);
    let zones = statements.iter().filter_map(|(file, zone)| reader.zone(file, zone)).collect();
    Ok(Found { zones, problems: reader.problems })
}

impl Reader<'_> {
    /// Takes in the statements of a file, those of the files that it includes in their place.
    fn file(&mut self, path: &Path, depth: usize, is_taken: bool) -> Result<(), Failure> {
        let shown = self.shown(path);
        if self.is_full() {
            return Ok(());
        }
        let bytes = files::read_bytes(path)?;
        if !self.has_room(&shown, bytes.len()) {
            return Ok(());
        }
        match named_conf::read(&bytes) {
            Ok(items) => self.items(&shown, items, depth, is_taken)?,
            Err(ConfError { at, message }) => self.tell(&shown, at, Severity::Error, message),
        }
        Ok(())
    }

    /// Counts a file in; `false`, which is told, when that is too much: nothing more is read then.
    fn has_room(&mut self, file: &str, octets: usize) -> bool {
        self.octets += octets.max(BLOCK);
        if self.is_full() {
            let start = Position { line: 1, column: 1 };
            let message = format!(
                "with this file the configuration has more than {MOST_OCTETS} octets: does one include itself, or do many zones name one file?"
            );
            self.tell(file, start, Severity::Error, message);
        }
        !self.is_full()
    }

    /// Whether nothing more is read.
    fn is_full(&self) -> bool {
        self.octets > MOST_OCTETS
    }

    /// `is_taken`: whether the zones are of the view that is wanted.
    fn items(&mut self, file: &str, items: Vec<Item>, depth: usize, is_taken: bool) -> Result<(), Failure> {
        for item in items {
            match item {
                Item::Include(at, name) => self.include(file, at, &name, depth, is_taken)?,
                Item::Directory(directory) => self.directory = Some(directory),
                Item::Zone(zone) if is_taken => self.zones.push((file.to_owned(), zone)),
                Item::Zone(_) => {}
                Item::View(_, name, inside) => {
                    let is_taken = self.view == Some(name.as_str());
                    self.views.insert(name);
                    self.items(file, inside, depth, is_taken)?;
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, file: &str, at: Position, name: &str, depth: usize, is_taken: bool) -> Result<(), Failure> {
        let found = self.within(name);
        match found {
            Some(_) if depth >= DEEPEST => {
                self.tell(file, at, Severity::Error, format!("`{name}` is included too deep"));
            }
            Some(path) => self.file(&path, depth + 1, is_taken)?,
            None => {
                let message = format!(
                    "`{name}` is not in the folder {}, whose files alone are read: copy it there",
                    self.folder.display()
                );
                self.tell(file, at, Severity::Warning, message);
            }
        }
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

    /// A zone's file, read; `None` when it is none to be taken, which is told.
    fn zone(&mut self, file: &str, zone: &ZoneStatement) -> Option<ReadZone> {
        let name = match zone.zone() {
            Ok(name) => name,
            Err(ConfError { at, message }) => {
                self.tell(file, at, Severity::Error, message);
                return None;
            }
        };
        if zone.is_local() || !zone.is_internet || (!self.wanted.is_empty() && !self.wanted.contains(&name)) {
            return None;
        }
        match (&zone.kind, &zone.file) {
            (ZoneKind::Primary, Some(path)) => self.zone_file(file, zone.at, &name, path),
            (ZoneKind::Primary, None) => {
                self.tell(file, zone.at, Severity::Error, format!("the zone {name} has no `file`"));
                None
            }
            (ZoneKind::Secondary, _) => {
                let message = format!("{name} is skipped: this server has it from another one, import it there");
                self.tell(file, zone.at, Severity::Warning, message);
                None
            }
            (ZoneKind::Other(kind), _) => {
                if kind != "hint" {
                    self.tell(
                        file,
                        zone.at,
                        Severity::Warning,
                        format!("{name} is skipped: a zone of the type `{kind}` has no content of its own"),
                    );
                }
                None
            }
        }
    }

    fn zone_file(&mut self, file: &str, at: Position, name: &DomainName, path: &str) -> Option<ReadZone> {
        let Some(found) = self.within(path) else {
            let message = format!(
                "the file `{path}` of {name} is not in the folder {}, whose files alone are read: copy it there",
                self.folder.display()
            );
            self.tell(file, at, Severity::Error, message);
            return None;
        };
        if self.is_full() {
            return None;
        }
        match files::read_bytes(&found) {
            Ok(bytes) if !self.has_room(&self.shown(&found), bytes.len()) => None,
            Ok(bytes) => Some(read_zone_file(&self.shown(&found), &bytes, Some(name))),
            Err(error) => {
                self.tell(file, at, Severity::Error, error.to_string());
                None
            }
        }
    }

    /// A file that the configuration names, within the folder: by its path in it, else, as the folder was elsewhere on the server, by the
    /// longest end of its path that is there. Links out of the folder are not followed.
    fn within(&self, name: &str) -> Option<PathBuf> {
        let whole = match &self.directory {
            Some(directory) if !name.starts_with('/') => Path::new(directory).join(name),
            _ => PathBuf::from(name),
        };
        let parts: Vec<_> = whole.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
        let ends = (0..parts.len()).filter_map(|from| Some(parts.get(from..)?.iter().collect::<PathBuf>()));
        let found = ends.filter_map(|end| self.folder.join(end).canonicalize().ok());
        found.filter(|path| path.is_file()).find(|path| path.starts_with(&self.folder))
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    fn tell(&mut self, file: &str, at: Position, severity: Severity, message: String) {
        self.problems.push(Diagnostic { file: file.to_owned(), at, severity, message, field: String::new() });
    }
}
