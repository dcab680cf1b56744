//! What becomes of a zone that the configuration has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cst_compiler::import::named_conf::{ConfError, ZoneKind, ZoneStatement};
use cst_compiler::import::{ReadZone, read_zone_file};
use cst_compiler::manifest::Position;
use cst_compiler::model::DomainName;
use cst_compiler::problem::Severity;

use super::Reader;
use super::folder::Found;
use crate::files;

/// For each file from which folders of the server the zones have it that name it.
pub(super) type Claims = BTreeMap<PathBuf, BTreeSet<Option<PathBuf>>>;

impl Reader<'_> {
    /// Which files the zones name.
    pub(super) fn claims(&self, zones: &[(String, ZoneStatement)]) -> Claims {
        let mut claims = Claims::new();
        let files = zones.iter().filter_map(|(_, zone)| self.folder.find(zone.file.as_deref()?));
        for Found { path, dropped, .. } in files {
            claims.entry(path).or_default().insert(dropped);
        }
        claims
    }

    /// A zone's file, read; `None` when it is none to be taken, which is told.
    pub(super) fn zone(&mut self, file: &str, zone: &ZoneStatement, claims: &Claims) -> Option<ReadZone> {
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
        let (severity, message) = match (&zone.kind, &zone.file) {
            (ZoneKind::Primary, Some(path)) => {
                self.warn_of_what_the_file_lacks(file, zone, &name, path);
                return self.zone_file(file, zone.at, &name, path, claims);
            }
            (ZoneKind::Primary, None) => (Severity::Error, format!("the zone {name} has no `file`")),
            (ZoneKind::Secondary, _) => {
                (Severity::Warning, format!("{name} is skipped: this server has it from another one, import it there"))
            }
            (ZoneKind::OfView(view), _) => (
                Severity::Warning,
                format!("{name} is skipped: the view `{view}` has it, import it from there with --view {view}"),
            ),
            (ZoneKind::Other(kind), _) if kind == "hint" => return None,
            (ZoneKind::Other(kind), _) => {
                (Severity::Warning, format!("{name} is skipped: a zone of the type `{kind}` has no content of its own"))
            }
        };
        self.tell(file, zone.at, severity, message);
        None
    }

    /// The server changes and signs some zones by itself: their files tell neither.
    fn warn_of_what_the_file_lacks(&mut self, file: &str, zone: &ZoneStatement, name: &DomainName, path: &str) {
        let journal = format!("{path}.jnl");
        let why = match zone.updates {
            Some(statement) => Some(format!("`{statement}`")),
            None => self.folder.find(&journal).map(|_| format!("its journal `{journal}`")),
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

    fn zone_file(
        &mut self,
        file: &str,
        at: Position,
        name: &DomainName,
        path: &str,
        claims: &Claims,
    ) -> Option<ReadZone> {
        let Some(found) = self.folder.find(path) else {
            let message = format!(
                "the file `{path}` of {name} is not in the folder {}, whose files alone are read: copy it to {}",
                self.folder.root().display(),
                self.folder.belongs(path).display()
            );
            self.tell(file, at, Severity::Error, message);
            return None;
        };
        let is_shared = claims.get(&found.path).is_some_and(|places| places.len() > 1);
        if is_shared && found.is_shortened() {
            self.refuse_shared(file, at, name, &found);
            return None;
        }
        self.warn_of_doubt(file, at, &found);
        if self.is_full {
            return None;
        }
        let shown = self.folder.shown(&found.path);
        match files::read_bytes(&found.path) {
            Ok(bytes) if !self.has_room(&shown, bytes.len()) => None,
            Ok(bytes) => Some(read_zone_file(&shown, &bytes, Some(name))),
            Err(error) => {
                self.tell(file, at, Severity::Error, error.to_string());
                None
            }
        }
    }

    /// A zone would become another one's content.
    fn refuse_shared(&mut self, file: &str, at: Position, name: &DomainName, found: &Found) {
        let (named, whole) =
            (found.named.display(), self.folder.root().join(found.named.strip_prefix("/").unwrap_or(&found.named)));
        let message = format!(
            "`{named}` of {name} is not in the folder by its whole path, and `{}`, which is like the end of it, is what a zone with a file of another \
             folder has, too: copy it to {}",
            self.folder.shown(&found.path),
            whole.display()
        );
        self.tell(file, at, Severity::Error, message);
    }
}
