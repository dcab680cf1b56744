//! Makes Postfix read its tables anew, as `postfix reload` does: SIGHUP to its master.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// What became of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// The master was told.
    Told,
    /// No master is running: when it starts it reads what is there.
    NotRunning,
}

/// Tells the master whose process id stands in `pid_file`. The file may be older than the master that wrote it, and its number have
/// passed to another process: so only one that is called `master` is told, and through a handle that cannot pass on.
pub fn reload(pid_file: &Path) -> io::Result<Reload> {
    let text = match fs::read_to_string(pid_file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reload::NotRunning),
        Err(error) => return Err(error),
    };
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else { return Ok(Reload::NotRunning) };
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Ok(Reload::NotRunning),
        Err(error) => return Err(error.into()),
    };
    let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero())).unwrap_or_default();
    if name.trim_end() != "master" {
        return Ok(Reload::NotRunning);
    }
    pidfd_send_signal(&handle, Signal::HUP)?;
    Ok(Reload::Told)
}
