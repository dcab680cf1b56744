//! A copy of a server's files in one folder, wherever they were on the server.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// How many entries of folders are looked at for all patterns together.
const MOST_LISTED: usize = 1 << 20;
/// As servers match (glob(3)): hidden files only by name.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The folder, and what is known of where it was.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// The server's `directory`: its relative paths are in it.
    pub(super) directory: Option<String>,
    /// The folder of the server from which the first file was.
    place: Option<PathBuf>,
    /// Other folders that files were from, told of.
    others: BTreeSet<PathBuf>,
    listed: usize,
}

/// A file that the configuration names, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it is, within the folder.
    pub(super) path: PathBuf,
    /// Its whole path on the server, as far as that is known.
    pub(super) named: PathBuf,
    /// The beginning of that path which is not in the folder, so that another file may have been meant; empty where the path is relative to
    /// what nothing says; `None` where it is whole.
    pub(super) dropped: Option<PathBuf>,
}

/// What a pattern of files came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Matches {
    /// These, at least one, in the order of their names.
    Files(Vec<Found>),
    /// None.
    Nothing,
    /// It is no pattern.
    NoPattern,
    /// Too many files were looked at.
    TooMany,
}

impl Found {
    /// Whether only an end of its path is in the folder.
    pub(super) fn is_shortened(&self) -> bool {
        self.dropped.as_ref().is_some_and(|dropped| !dropped.as_os_str().is_empty())
    }
}

impl Folder {
    /// `root` is without links.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, directory: None, place: None, others: BTreeSet::new(), listed: 0 }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A file by its path in the folder, else, as the folder was elsewhere on the server, by the longest end of its path that is there.
    /// Links out of the folder are not followed.
    pub(super) fn find(&self, name: &str) -> Option<Found> {
        let named = self.named(name);
        let mut ends = ends(&named).into_iter().map(|(dropped, end)| (dropped, self.inside(&self.root.join(end))));
        let (dropped, path) = ends.find_map(|(dropped, path)| Some((dropped, path.filter(|path| path.is_file())?)))?;
        Some(Found { path, named, dropped })
    }

    /// The files of a pattern, by the longest end of it that has any. One that is a pattern from its beginning has them only where the
    /// folder is known to have been, or nothing is known; a file of `open` is none of them: who reads it would read it without end.
    pub(super) fn matching(&mut self, pattern: &str, open: &[PathBuf]) -> Matches {
        let named = self.named(pattern);
        for (dropped, end) in ends(&named) {
            let is_open_to_all = end.iter().next().is_some_and(|first| is_pattern(&first.to_string_lossy()));
            if is_open_to_all && dropped.is_some() && self.place.is_some() && self.place != dropped {
                continue;
            }
            let paths = match self.expand(&end) {
                Ok(paths) => paths,
                Err(other) => return other,
            };
            if !paths.is_empty() && !paths.iter().any(|path| open.contains(path)) {
                let found = |path: PathBuf| {
                    let named = dropped.as_deref().map(|dropped| dropped.join(self.shown(&path)));
                    let named = named.unwrap_or_else(|| self.named(&self.shown(&path)));
                    Found { path, named, dropped: dropped.clone() }
                };
                return Matches::Files(paths.into_iter().map(found).collect());
            }
        }
        Matches::Nothing
    }

    /// Whether files of another folder of the server than the first one are read here with this one, of which nobody was told yet: it may be
    /// another file than the one that was meant.
    pub(super) fn is_doubtful(&mut self, found: &Found) -> bool {
        let Some(dropped) = &found.dropped else { return false };
        let place = self.place.get_or_insert_with(|| dropped.clone());
        place != dropped && self.others.insert(dropped.clone())
    }

    /// Where a file belongs that is not there.
    pub(super) fn belongs(&self, name: &str) -> PathBuf {
        let named = self.named(name);
        let within = self.place.as_ref().and_then(|place| named.strip_prefix(place).ok());
        let parts = within.unwrap_or(&named).components().filter(|part| matches!(part, Component::Normal(_)));
        self.root.join(parts.collect::<PathBuf>())
    }

    /// How a file is named in messages.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The path on the server, without `.` and `..` where these can be done without.
    fn named(&self, name: &str) -> PathBuf {
        let whole = match &self.directory {
            Some(directory) if !name.starts_with('/') => Path::new(directory).join(name),
            _ => PathBuf::from(name),
        };
        let mut named = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::ParentDir if matches!(named.components().next_back(), Some(Component::Normal(_))) => {
                    named.pop();
                }
                Component::ParentDir if named.has_root() => {}
                Component::CurDir => {}
                part => named.push(part),
            }
        }
        named
    }

    /// A path without links, where it is within the folder.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok().filter(|path| path.starts_with(&self.root))
    }

    /// The files that a pattern within the folder stands for.
    fn expand(&mut self, pattern: &Path) -> Result<Vec<PathBuf>, Matches> {
        let mut found = vec![self.root.clone()];
        for part in pattern {
            let part = part.to_string_lossy();
            let mut next = Vec::new();
            if is_pattern(&part) {
                let part = Pattern::new(&part).map_err(|_| Matches::NoPattern)?;
                for folder in &found {
                    next.extend(self.listed(folder, &part)?);
                }
            } else {
                next.extend(found.iter().filter_map(|folder| self.inside(&folder.join(&*part))));
            }
            found = next;
        }
        found.retain(|path| path.is_file());
        Ok(found)
    }

    /// What a folder has that is of a pattern, in order; nothing, where it is no folder.
    fn listed(&mut self, folder: &Path, pattern: &Pattern) -> Result<Vec<PathBuf>, Matches> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            self.listed += 1;
            if self.listed > MOST_LISTED {
                return Err(Matches::TooMany);
            }
            names.extend(entry.file_name().into_string().ok().filter(|name| pattern.matches_with(name, MATCHING)));
        }
        names.sort();
        Ok(names.iter().filter_map(|name| self.inside(&folder.join(name))).collect())
    }
}

/// Whether a path is a pattern of several (glob(3)).
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The ends of a path from the longest on, each with what is dropped; that is `None` where the whole path remains and says where it was.
fn ends(named: &Path) -> Vec<(Option<PathBuf>, PathBuf)> {
    let parts: Vec<Component<'_>> = named.components().collect();
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_));
    let first = parts.iter().rposition(|part| !is_name(part)).map_or(0, |last| last + 1);
    let ends = (first..parts.len()).map(|from| {
        let (dropped, end) = parts.split_at_checked(from).unwrap_or_default();
        let is_whole = dropped == [Component::RootDir];
        ((!is_whole).then(|| dropped.iter().collect()), end.iter().collect())
    });
    ends.collect()
}
