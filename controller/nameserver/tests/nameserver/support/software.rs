//! Name servers of others: Debian's, by the version.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    /// BIND 9.18 of Debian 12.
    Bind918,
    /// BIND 9.20 of Debian 13.
    Bind920,
    /// NSD 4.12 of Debian 13.
    Nsd,
    /// Knot 3.4 of Debian 13.
    Knot,
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where Debian's packages are unpacked; the first time they are fetched.
fn root(suite: &str) -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        // Crates at several depths share this file.
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/cluster"));
        let cluster = above.into_iter().find(|folder| folder.is_dir()).expect("tests/cluster above the crate");
        let script = "source \"$0/lib.sh\"; \"$0/build\" name-servers >&2 && part_dir name-servers";
        let output = Command::new("bash").args(["-c", script]).arg(cluster).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "tests/cluster/build name-servers");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    });
    root.join(suite)
}

impl Software {
    fn root(self) -> PathBuf {
        root(if self == Self::Bind918 { "bookworm" } else { "trixie" })
    }

    /// The server.
    pub fn command(self) -> Command {
        self.run(match self {
            Self::Bind918 | Self::Bind920 => "usr/sbin/named",
            Self::Nsd => "usr/sbin/nsd",
            Self::Knot => "usr/sbin/knotd",
        })
    }

    /// What reads a zone file as the server does, and prints what it has read.
    pub fn checker(self, apex: &str, file: &Path) -> Command {
        let (program, arguments): (_, &[&str]) = match self {
            Self::Bind918 | Self::Bind920 => ("usr/bin/named-checkzone", &["-q", "-D", "-i", "none", apex]),
            Self::Nsd => ("usr/sbin/nsd-checkzone", &["-p", apex]),
            Self::Knot => ("usr/bin/kzonecheck", &["-p", "-o", apex]),
        };
        let mut command = self.run(program);
        command.args(arguments).arg(file);
        command
    }

    /// A program, run by its own loader with its own libraries.
    fn run(self, program: &str) -> Command {
        let root = self.root();
        let folders = ["usr/lib64", "lib64", "usr/lib", "lib"].map(|folder| root.join(folder));
        let files = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
        let is_loader = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("ld-linux");
        let loader = files.map(|entry| entry.path()).find(is_loader).expect("a loader among the packages");
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        let libraries = ["usr/lib", "lib"].map(|folder| root.join(folder).join(&triplet).display().to_string());
        let mut command = Command::new(loader);
        command.arg("--library-path").arg(libraries.join(":")).arg(root.join(program));
        command
    }
}
