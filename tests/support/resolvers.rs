//! What resolvers believe of zones: BIND's (`delv`) and unbound, which trust the zones' own keys and nothing else.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a server may take to start, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many zones are asked for at most: each by four programs.
const MANY: usize = 40;

/// A zone: its apex, and all of it as a file.
pub type ZoneText = (String, String);

/// Panics unless both believe what a server on this machine answers of the zones that are signed, or of every so many of them: that they are
/// there, and that a name of theirs is not.
pub fn believe(port: u16, zones: &[ZoneText]) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (anchors, conf) = (folder.path().join("anchors"), folder.path().join("unbound.conf"));
    for (apex, text) in zones.iter().step_by(zones.len().div_ceil(MANY).max(1)) {
        let keys = keys(text);
        if keys.is_empty() {
            continue;
        }
        fs::write(&anchors, delv_anchors(apex, &keys)).expect("the file can be written");
        fs::write(&conf, unbound_conf(apex, &keys, port)).expect("the file can be written");
        for (name, type_) in [(apex.clone(), "SOA"), (format!("no-such-name.{apex}"), "SSHFP")] {
            let (root, port) = (format!("+root={apex}"), port.to_string());
            let said = said("delv", &["@127.0.0.1", "-p", &port, "-a", path(&anchors), &root, &name, type_]);
            assert!(
                said.starts_with("; fully validated") || said.contains("response, fully validated"),
                "{name}: {said}"
            );
            let said = self::said("unbound-host", &["-C", path(&conf), "-v", "-t", type_, &name]);
            assert!(said.contains("(secure)") && !said.contains("(insecure)"), "{name}: {said}");
        }
    }
}

/// The same of zones that no server has: BIND serves them for as long as this takes.
pub fn believe_of_texts(zones: &[ZoneText]) {
    if zones.iter().all(|(_, text)| keys(text).is_empty()) {
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
    let place = folder.path().display();
    let mut config = format!(
        "options {{ directory \"{place}\"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
           recursion no; dnssec-validation no; notify no; check-integrity no; }}; controls {{ }};\n"
    );
    for (number, (apex, text)) in zones.iter().enumerate() {
        fs::write(folder.path().join(number.to_string()), text).expect("the file can be written");
        config += &format!("zone \"{apex}\" {{ type primary; file \"{number}\"; check-names ignore; }};\n");
    }
    fs::write(folder.path().join("named.conf"), config).expect("the file can be written");
    let server = Server::start(folder.path());
    for (apex, _) in zones {
        server.until_it_answers(port, apex);
    }
    believe(port, zones);
}

/// BIND, ended with its value.
struct Server<'a> {
    folder: &'a Path,
    process: Child,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl<'a> Server<'a> {
    fn start(folder: &'a Path) -> Self {
        let log = File::create(folder.join("log")).expect("the file can be written");
        let mut command = Command::new("named");
        command.args(["-g", "-n", "1", "-c"]).arg(folder.join("named.conf")).stdout(Stdio::null()).stderr(log);
        Self { folder, process: command.spawn().expect("named (tests/cluster/packages installs it)") }
    }

    fn until_it_answers(&self, port: u16, apex: &str) {
        let began = Instant::now();
        let port = port.to_string();
        let ask = ["@127.0.0.1", "-p", &port, "+time=1", "+tries=1", "+norecurse", "+short", apex, "SOA"];
        // What goes wrong it tells in lines that begin so.
        let is_answer = |said: &str| !said.starts_with(';') && said.split_whitespace().count() == 7;
        while !is_answer(&said("dig", &ask)) {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "{apex} is not answered in time\n{}", log());
            sleep(Duration::from_millis(50));
        }
    }
}

/// A key as its record has it: flags, protocol, algorithm, key.
type Key = [String; 4];

/// The keys that a zone signs its keys with.
fn keys(text: &str) -> Vec<Key> {
    let keys = text.lines().filter_map(|line| {
        let mut fields = line.split(';').next()?.split_whitespace().skip(3);
        let is_key = fields.next()? == "DNSKEY";
        let mut number = || fields.next().map(str::to_owned);
        let key = [number()?, number()?, number()?, fields.collect()];
        is_key.then_some(key)
    });
    keys.filter(|[flags, ..]| flags == "257").collect()
}

fn delv_anchors(apex: &str, keys: &[Key]) -> String {
    let anchor = |[flags, protocol, algorithm, key]: &Key| {
        format!("\"{apex}\" static-key {flags} {protocol} {algorithm} \"{key}\"; ")
    };
    format!("trust-anchors {{ {}}};\n", keys.iter().map(anchor).collect::<String>())
}

/// Some zones, as of networks of documentation, it answers by itself unless told otherwise.
fn unbound_conf(apex: &str, keys: &[Key], port: u16) -> String {
    let anchor = |key: &Key| format!(" trust-anchor: \"{apex}. DNSKEY {}\"\n", key.join(" "));
    let anchors: String = keys.iter().map(anchor).collect();
    format!(
        "server:\n do-not-query-localhost: no\n local-zone: \"{apex}.\" transparent\n{anchors}stub-zone:\n name: \"{apex}.\"\n stub-addr: 127.0.0.1@{port}\n"
    )
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the name is text")
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error} (tests/cluster/packages installs it)"));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
