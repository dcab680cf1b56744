//! Files that are there whole or not at all: written beside, read back, synced, renamed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How much is read at once, in octets.
const PIECE: usize = 64 * 1024;
/// Up to so many files of a batch are synced one by one. With more the whole volume is, at once: that also waits for what others are writing
/// there, such as mail, so a change of one domain does not do it.
const SINGLY: usize = 64;

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Names the operation and the file in an error.
pub fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError { action, path, source }
}

/// Files that are to take their places, none before all of them are on the disk.
#[derive(Debug)]
pub struct Batch {
    /// Open since before the first was written: syncing it tells of every error since.
    volume: File,
    /// In the order in which they take their places.
    paths: Vec<PathBuf>,
}

impl Batch {
    /// None yet. `volume`: a folder of the file system that all will be in.
    pub fn on(volume: &Path) -> Result<Self, FileError> {
        let paths = Vec::new();
        Ok(Self { volume: File::open(volume).map_err(failed("open", volume))?, paths })
    }

    /// Writes a file beside the one that it is to replace. `modified` is its time of modification, `None` for now.
    pub fn write(
        &mut self,
        path: PathBuf,
        content: &[u8],
        mode: u32,
        modified: Option<SystemTime>,
    ) -> Result<(), FileError> {
        write_beside(&path, content, mode, modified)?;
        self.paths.push(path);
        Ok(())
    }

    /// All take their places, and last. After an error some may have.
    pub fn place(self) -> Result<(), FileError> {
        let singly = self.paths.len() <= SINGLY;
        if singly {
            self.paths.iter().try_for_each(|path| sync(&beside(path)))?;
        } else {
            self.sync_volume()?;
        }
        for path in &self.paths {
            take_place(path)?;
        }
        if singly {
            let folders: BTreeSet<&Path> = self.paths.iter().map(|path| folder_of(path)).collect();
            folders.into_iter().try_for_each(sync)
        } else {
            self.sync_volume()
        }
    }

    fn sync_volume(&self) -> Result<(), FileError> {
        let path = self.paths.first().map_or(Path::new("."), |path| folder_of(path));
        rustix::fs::syncfs(&self.volume).map_err(|error| failed("sync the volume of", path)(error.into()))
    }
}

/// Replaces `path` by `content`, once it was read back and `accept` found it sound.
pub fn replace(path: &Path, content: &[u8], mode: u32, accept: impl FnOnce(&[u8]) -> bool) -> Result<(), FileError> {
    let beside = write_beside(path, content, mode, None)?;
    if !accept(content) {
        return Err(unsound(&beside));
    }
    sync(&beside)?;
    take_place(path)?;
    sync(folder_of(path))
}

/// Writes what is to take the place of `path`, and reads it back; where it is.
fn write_beside(path: &Path, content: &[u8], mode: u32, modified: Option<SystemTime>) -> Result<PathBuf, FileError> {
    let beside = beside(path);
    let mut file = create(&beside, mode).map_err(failed("create", &beside))?;
    let write = |file: &mut File| {
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        modified.map_or(Ok(()), |time| file.set_modified(time))
    };
    write(&mut file).map_err(failed("write", &beside))?;
    let is_same =
        File::open(&beside).and_then(|file| is_content_of(file, content)).map_err(failed("read back", &beside))?;
    if is_same { Ok(beside) } else { Err(unsound(&beside)) }
}

fn unsound(path: &Path) -> FileError {
    failed("verify", path)(io::Error::from(io::ErrorKind::InvalidData))
}

fn take_place(path: &Path) -> Result<(), FileError> {
    fs::rename(beside(path), path).map_err(failed("rename into place", path))
}

/// Removes a file or does nothing where there is none.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it, or does nothing where there is none.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// What is in a folder, by name and sorted.
pub fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
    let names: io::Result<Vec<_>> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names.map_err(failed("list", folder))?;
    names.sort();
    Ok(names)
}

/// A folder of this mode that belongs to the agent's own group.
pub fn folder(path: &Path, mode: u32) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(failed("create", path))?;
    let group = rustix::process::getegid().as_raw();
    std::os::unix::fs::chown(path, None, Some(group)).map_err(failed("set the group of", path))?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed("set the mode of", path))
}

/// The content of a file; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Whether a file is there with this content.
pub fn holds(path: &Path, content: &[u8]) -> Result<bool, FileError> {
    match File::open(path).and_then(|file| is_content_of(file, content)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        read => read.map_err(failed("read", path)),
    }
}

/// Compares piece by piece: a table is large.
fn is_content_of(mut file: File, content: &[u8]) -> io::Result<bool> {
    let mut buffer = vec![0; content.len().clamp(1, PIECE)];
    let mut rest = content;
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        match buffer.get(..read).and_then(|piece| rest.strip_prefix(piece)) {
            Some(_) if read == 0 => return Ok(rest.is_empty()),
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
}

/// Makes what was written to a file, or renamed in a folder, last.
fn sync(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed("sync", path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Hidden beside it: no domain and no table begins with a dot. What a killed agent left there is overwritten.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)
}
