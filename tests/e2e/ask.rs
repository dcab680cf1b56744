//! Asking as those outside do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::cluster::{Cluster, run};

/// How long a server may take for an answer, on a machine that has other things to do; one that is away is told at once by the cluster.
const PATIENCE: Duration = Duration::from_mins(1);
/// The same for `dig`, which asks three times.
const ASKED: [&str; 2] = ["+tries=3", "+time=10"];

/// What a name server answers, values only, a line each, sorted. Empty: it has nothing, or does not answer.
pub fn dig(server: &str, name: &str, rtype: &str) -> Vec<String> {
    let [tries, time] = ASKED;
    let text = run("dig", &[&format!("@{server}"), "+short", "+norecurse", tries, time, name, rtype]);
    let mut lines: Vec<String> = text.lines().filter(|line| !line.starts_with(';')).map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// The status of an answer, such as NOERROR or REFUSED; empty: no answer.
pub fn rcode(server: &str, name: &str) -> String {
    let [tries, time] = ASKED;
    let text = run("dig", &[&format!("@{server}"), "+norecurse", tries, time, name, "SOA"]);
    text.split("status: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default().to_owned()
}

/// Whether a server's answer is signed up to this DS.
pub fn is_valid(server: &str, zone: &str, ds: &str) -> bool {
    delv(server, zone, ds, zone, "SOA").contains("; fully validated")
}

/// Whether who trusts a zone by its DS believes an address below it, signed or not; else what `delv` says.
pub fn is_valid_below(server: &str, zone: &str, ds: &str, name: &str) -> Result<(), String> {
    let said = delv(server, zone, ds, name, "A");
    let is_believed = said.contains("; fully validated") || said.contains("; unsigned answer");
    if is_believed { Ok(()) } else { Err(said) }
}

fn delv(server: &str, zone: &str, ds: &str, name: &str, rtype: &str) -> String {
    let [tag, algorithm, digest_type, digest]: [&str; 4] = ds.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor");
    let text = format!("trust-anchors {{ \"{zone}.\" static-ds {tag} {algorithm} {digest_type} \"{digest}\"; }};\n");
    std::fs::write(&anchor, text).unwrap();
    let (server, root) = (format!("@{server}"), format!("+root={zone}"));
    run("delv", &[&server, "-a", anchor.to_str().unwrap(), &root, name, rtype])
}

/// A session with the mail exchanger, before any recipient (RFC 5321).
pub struct Smtp(BufReader<TcpStream>);

impl Smtp {
    pub fn open(server: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&format!("{server}:25").parse().unwrap(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut session = Self(BufReader::new(stream));
        session.reply()?;
        session.say("EHLO correspondent.example.org")?;
        session.say("MAIL FROM:<mittente@example.org>")?;
        Ok(session)
    }

    /// Sends a command; the last line of its reply.
    pub fn say(&mut self, line: &str) -> std::io::Result<String> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    fn reply(&mut self) -> std::io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }
}

/// The reply to RCPT; empty: the server does not answer.
pub fn rcpt(server: &str, address: &str) -> String {
    Smtp::open(server).and_then(|mut session| session.say(&format!("RCPT TO:<{address}>"))).unwrap_or_default()
}

/// Hands in a message; whether the server took it.
pub fn deliver(server: &str, address: &str, subject: &str) -> bool {
    let send = || {
        let mut session = Smtp::open(server)?;
        session.say(&format!("RCPT TO:<{address}>"))?;
        session.say("DATA")?;
        // What a mail program writes; a message without them is marked as spam.
        let (date, id) = (run("date", &["--rfc-email"]), run("date", &["+%s%N"]));
        let header = format!("Date: {}\r\nMessage-ID: <{}@example.org>\r\n", date.trim(), id.trim());
        let header = format!("{header}From: mittente@example.org\r\nTo: {address}\r\nSubject: {subject}\r\n");
        session.say(&format!("{header}\r\nBuongiorno.\r\n."))
    };
    send().is_ok_and(|reply: String| reply.starts_with("250"))
}

/// What comes of asking an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbox {
    /// It holds so many messages with the subject.
    Holds(usize),
    /// The login is refused.
    Refused,
    /// Nobody answers, or not now.
    Silent,
}

/// What curl ends with when a login is denied.
const LOGIN_DENIED: i32 = 67;

/// What the inbox holds with this subject, to this login.
pub fn inbox(cluster: &Cluster, login: &str, password: &str, subject: &str) -> Inbox {
    folder(cluster, "INBOX", login, password, subject)
}

/// What a folder holds with this subject, to this login. One that is not there for it holds nothing.
pub fn folder(cluster: &Cluster, folder: &str, login: &str, password: &str, subject: &str) -> Inbox {
    let search = format!("SEARCH HEADER Subject \"{subject}\"");
    let url = format!("imaps://mx.cst.example.net/{folder}");
    let resolve = format!("mx.cst.example.net:993:{}", cluster.imap);
    let output = as_login(login, password, &["--verbose", "--resolve", &resolve, "--request", &search, &url]);
    let text = String::from_utf8_lossy(&output.stdout);
    // A server that cannot say whether the password is right denies the login too (RFC 5530).
    let said = String::from_utf8_lossy(&output.stderr);
    let is_unavailable = said.contains("[UNAVAILABLE]");
    match output.status.code() {
        Some(0) => Inbox::Holds(text.split_whitespace().filter(|word| word.parse::<u32>().is_ok()).count()),
        // It ends like a login that is denied.
        Some(LOGIN_DENIED) if said.contains("Select failed") => Inbox::Holds(0),
        Some(LOGIN_DENIED) if !is_unavailable => Inbox::Refused,
        _ => Inbox::Silent,
    }
}

/// The newest message of the inbox with this subject, as it is stored.
pub fn message(cluster: &Cluster, login: &str, password: &str, subject: &str) -> Option<Vec<u8>> {
    let resolve = format!("mx.cst.example.net:993:{}", cluster.imap);
    let inbox = "imaps://mx.cst.example.net/INBOX";
    let search = format!("UID SEARCH HEADER Subject \"{subject}\"");
    let found = as_login(login, password, &["--silent", "--resolve", &resolve, "--request", &search, inbox]);
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let uid = found.split_whitespace().rev().find(|word| word.parse::<u32>().is_ok())?;
    let message = as_login(login, password, &["--silent", "--resolve", &resolve, &format!("{inbox};UID={uid}")]);
    message.status.success().then_some(message.stdout).filter(|message| !message.is_empty())
}

/// Submits a message as this login, from an address that it says is its own; the reply's code to the first command that is refused, or 250.
pub fn submit(cluster: &Cluster, (login, password): (&str, &str), from: &str, to: &str, subject: &str) -> u16 {
    let message = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(message.path(), format!("From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nBuongiorno.\r\n"))
        .unwrap();
    let resolve = format!("mx.cst.example.net:587:{}", cluster.submission);
    let arguments = ["--silent", "--ssl-reqd", "--resolve", &resolve, "--write-out", "%{response_code}"];
    let mail = ["--mail-from", from, "--mail-rcpt", to, "--upload-file", message.path().to_str().unwrap()];
    let url = ["smtp://mx.cst.example.net:587"];
    let output = as_login(login, password, &[&arguments[..], &mail, &url].concat());
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default()
}

/// Runs curl with a login that no list of processes shows.
fn as_login(login: &str, password: &str, arguments: &[&str]) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["--insecure", "--max-time", &PATIENCE.as_secs().to_string(), "--config", "-"]).args(arguments);
    let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    curl.stdin.take().unwrap().write_all(format!("user = \"{login}:{password}\"\n").as_bytes()).unwrap();
    curl.wait_with_output().unwrap()
}

/// The status and the content of a page, by its host name through the gateway.
pub fn page(cluster: &Cluster, host: &str, path: &str) -> (u16, String) {
    let resolve = format!("{host}:80:{}", cluster.gateway);
    let (url, time) = (format!("http://{host}{path}"), PATIENCE.as_secs().to_string());
    let text =
        run("curl", &["--silent", "--max-time", &time, "--resolve", &resolve, "--write-out", "\n%{http_code}", &url]);
    let (content, code) = text.rsplit_once('\n').unwrap();
    (code.parse().unwrap(), content.to_owned())
}
