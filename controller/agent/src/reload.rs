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
    // A negative number is no process: `from_raw` panics at one.
    let number = text.trim().parse().ok().filter(|number: &i32| *number > 0);
    let Some(pid) = number.and_then(Pid::from_raw) else { return Ok(Reload::NotRunning) };
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn tells_a_master() {
        let folder = tempfile::tempdir().unwrap();
        let (program, pid_file) = (folder.path().join("master"), folder.path().join("master.pid"));
        fs::copy("/bin/sleep", &program).unwrap();
        // Whoever runs the tests may ignore SIGHUP (nohup), which is inherited.
        let mut master = Command::new("env").arg("--default-signal=HUP").arg(&program).arg("60").spawn().unwrap();
        let name = format!("/proc/{}/comm", master.id());
        while fs::read_to_string(&name).unwrap() != "master\n" {
            thread::yield_now();
        }
        fs::write(&pid_file, format!("{:>10}\n", master.id())).unwrap();
        assert_eq!(reload(&pid_file).unwrap(), Reload::Told);
        assert_eq!(master.wait().unwrap().signal(), Some(1));
        assert_eq!(reload(&pid_file).unwrap(), Reload::NotRunning, "its number is free now");
    }

    #[test]
    fn tells_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("master.pid");
        assert_eq!(reload(&pid_file).unwrap(), Reload::NotRunning);
        for text in ["", "x", "0", "-1", &std::process::id().to_string()] {
            fs::write(&pid_file, text).unwrap();
            assert_eq!(reload(&pid_file).unwrap(), Reload::NotRunning, "{text}");
        }
    }
}
