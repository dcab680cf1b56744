#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot have its server has failed"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cst_compiler::desired::web::Password;
use cst_kubernetes::database::Server;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tempfile::TempDir;

const PASSWORD: &str = "root-secret";

/// A server with an empty data folder. Dropping it ends the server and removes the folder.
pub struct MariaDb {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl MariaDb {
    /// Starts one and waits until it accepts connections.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        install(folder.path());
        let sql = format!(
            "CREATE USER root@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
        );
        fs::write(folder.path().join("init.sql"), sql).unwrap();
        let (port, child) = serve(folder.path());
        fs::write(folder.path().join("init.sql"), "").unwrap();
        Self { folder, port, child }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on what it left.
    pub fn restart(&mut self) {
        (self.port, self.child) = serve(self.folder.path());
    }

    /// As its root.
    pub fn server(&self) -> Server {
        Server {
            host: "127.0.0.1".into(),
            port: self.port,
            username: "root".into(),
            password: Password::new(PASSWORD.into()),
        }
    }

    /// The first column of what root is answered.
    pub async fn query(&self, statement: &str) -> Vec<String> {
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some("root"))
            .pass(Some(PASSWORD))
            .prefer_socket(false);
        Conn::new(options).await.unwrap().query(statement).await.unwrap()
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn install(folder: &Path) {
    let mut command = Command::new("mariadb-install-db");
    command.args(["--no-defaults", "--user=root", "--skip-test-db", "--auth-root-authentication-method=socket"]);
    command.arg(format!("--datadir={}", folder.join("data").display()));
    command.arg(format!("--tmpdir={}", folder.display())).arg("--innodb-log-file-size=8M");
    let output = command.output().expect("mariadb-install-db: install Debian's mariadb-server-core");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Starts the server on a port that was free; one that somebody else took meanwhile is given up for another.
fn serve(folder: &Path) -> (u16, Child) {
    let mut log = String::new();
    for _ in 0..5 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = spawn(folder, port);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.by_ref().any(|line| {
            log.push_str(&line);
            log.push('\n');
            line.contains("ready for connections")
        });
        if ready {
            // Its log must be read on, or it stops when the pipe is full.
            std::thread::spawn(move || lines.for_each(drop));
            return (port, child);
        }
        child.wait().unwrap();
    }
    panic!("mariadbd does not start:\n{log}");
}

fn spawn(folder: &Path, port: u16) -> Child {
    let path = |name: &str| folder.join(name).display().to_string();
    Command::new("/usr/sbin/mariadbd")
        .args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1", "--skip-name-resolve"])
        .args(["--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"])
        .arg(format!("--datadir={}", path("data")))
        // Its own: at its start a server removes every server's temporary tables from there.
        .arg(format!("--tmpdir={}", path("")))
        .arg(format!("--socket={}", path("socket")))
        .arg(format!("--pid-file={}", path("pid")))
        .arg(format!("--init-file={}", path("init.sql")))
        .arg(format!("--port={port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mariadbd: install Debian's mariadb-server-core")
}
