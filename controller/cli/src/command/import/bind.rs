//! The zones of a BIND configuration, whose files are all within one folder, wherever they were on their server.

use std::collections::BTreeSet;
use std::io::ErrorKind;
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
        folder,
        view,
        wanted,
        directory: None,
        open: Vec::new(),
        octets: 0,
        is_full: false,
        zones: Vec::new(),
        views: BTreeSet::new(),
        problems: Vec::new(),
    };
    reader.file(&file, view.is_none())?;
    reader.check_views(&reader.shown(&file));
    let statements = std::mem::take(&mut reader.zones);
    let zones = statements.iter().filter_map(|(file, zone)| reader.zone(file, zone)).collect();
    Ok(Found { zones, problems: reader.problems })
}

impl Reader<'_> {
    /// Takes in the statements of a file, those of the files that it includes in their place.
    fn file(&mut self, path: &Path, is_taken: bool) -> Result<(), Failure> {
        let shown = self.shown(path);
        let bytes = files::read_bytes(path)?;
        if !self.has_room(&shown, bytes.len()) {
            return Ok(());
        }
        self.open.push(path.to_owned());
        match named_conf::read(&bytes) {
            Ok(items) => self.items(&shown, items, is_taken)?,
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

    /// `is_taken`: whether the zones are of the view that is wanted.
    fn items(&mut self, file: &str, items: Vec<Item>, is_taken: bool) -> Result<(), Failure> {
        for item in items {
            match item {
                Item::Include(..) if self.is_full => {}
                Item::Include(at, name) => self.include(file, at, &name, is_taken)?,
                Item::Directory(directory) => self.directory = Some(directory),
                Item::Zone(zone) if is_taken => self.zones.push((file.to_owned(), zone)),
                Item::Zone(_) => {}
                Item::View(_, name, inside) => {
                    let is_taken = self.view == Some(name.as_str());
                    self.views.insert(name);
                    self.items(file, inside, is_taken)?;
                }
            }
        }
        Ok(())
    }

    fn include(&mut self, file: &str, at: Position, name: &str, is_taken: bool) -> Result<(), Failure> {
        let found = self.within(name);
        match found {
            Some(path) if self.open.contains(&path) => {
                self.tell(file, at, Severity::Error, format!("`{name}` includes itself: take this line out"));
            }
            Some(_) if self.open.len() >= DEEPEST => {
                self.end(file, at, format!("`{name}` is included by {DEEPEST} files in a row: nothing more is read"));
            }
            Some(path) => self.file(&path, is_taken)?,
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
            (ZoneKind::Primary, Some(path)) => {
                self.warn_of_what_the_file_lacks(file, zone, &name, path);
                self.zone_file(file, zone.at, &name, path)
            }
            (ZoneKind::Primary, None) => {
                self.tell(file, zone.at, Severity::Error, format!("the zone {name} has no `file`"));
                None
            }
            (ZoneKind::Secondary, _) => {
                let message = format!("{name} is skipped: this server has it from another one, import it there");
                self.tell(file, zone.at, Severity::Warning, message);
                None
            }
            (ZoneKind::OfView(view), _) => {
                let message =
                    format!("{name} is skipped: the view `{view}` has it, import it from there with --view {view}");
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

    /// The server changes and signs some zones by itself: their files tell neither.
    fn warn_of_what_the_file_lacks(&mut self, file: &str, zone: &ZoneStatement, name: &DomainName, path: &str) {
        let journal = format!("{path}.jnl");
        let why = match zone.updates {
            Some(statement) => Some(format!("`{statement}`")),
            None => self.within(&journal).map(|_| format!("its journal `{journal}`")),
        };
        if let Some(why) = why {
            let message = format!(
                "{name} changes without its file ({why}), which may be behind what is served: run `rndc sync -clean {name}` and copy the file \
                 anew, or import a transfer (--axfr)"
            );
            self.tell(file, zone.at, Severity::Warning, message);
        }
        if let Some(statement) = zone.signing {
            let message = format!(
                "the server signs {name} (`{statement}`), from here it is signed by another key: while the zone above has a DS of the old one, \
                 moving it makes it bogus; remove that DS and wait its time to live before the move"
            );
            self.tell(file, zone.at, Severity::Warning, message);
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
        if self.is_full {
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
