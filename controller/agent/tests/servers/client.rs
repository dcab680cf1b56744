//! A mail client, line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

/// A connection to a server that speaks in lines.
pub struct Client(BufReader<Box<dyn Both>>);

impl Client {
    fn plain(port: u16) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn over(stream: impl Read + Write + 'static) -> Self {
        Self(BufReader::new(Box::new(stream)))
    }

    fn tls(stream: TcpStream) -> Self {
        let verifier = Arc::new(Whoever);
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().dangerous();
        let config = config.with_custom_certificate_verifier(verifier).with_no_client_auth();
        let name = ServerName::try_from("mx.cst.example.net").unwrap();
        Self::over(StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
        self.0.get_mut().flush().unwrap();
    }

    /// An SMTP reply of one or more lines; empty where the server hung up.
    fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.line();
            reply += &line;
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// An SMTP session after its greeting.
    pub fn smtp(port: u16) -> Self {
        let mut client = Self::over(Self::plain(port));
        assert!(client.reply().starts_with("220"));
        assert!(client.say("EHLO client.example").starts_with("250"));
        client
    }

    /// A submission over TLS from the start (port 465).
    pub fn submissions() -> Self {
        let mut client = Self::tls(Self::plain(465));
        assert!(client.reply().starts_with("220"));
        assert!(client.say("EHLO client.example").starts_with("250"));
        client
    }

    /// A submission after STARTTLS (port 587).
    pub fn submission() -> Self {
        let mut stream = Self::plain(587);
        for command in ["", "EHLO client.example\r\n", "STARTTLS\r\n"] {
            stream.write_all(command.as_bytes()).unwrap();
            let mut answer = Self::over(stream.try_clone().unwrap());
            assert!(answer.reply().starts_with('2'));
        }
        let mut client = Self::tls(stream);
        assert!(client.say("EHLO client.example").starts_with("250"));
        client
    }

    /// An SMTP command and its reply.
    pub fn say(&mut self, command: &str) -> String {
        self.write(&format!("{command}\r\n"));
        self.reply()
    }

    /// AUTH PLAIN (RFC 4616).
    pub fn auth(&mut self, user: &str, password: &str) -> String {
        self.say(&format!("AUTH PLAIN {}", base64(format!("\0{user}\0{password}").as_bytes())))
    }

    /// The reply to RCPT of a new transaction from `from`; the first refusal before it counts.
    pub fn rcpt(&mut self, from: &str, to: &str) -> String {
        self.say("RSET");
        let mail = self.say(&format!("MAIL FROM:<{from}>"));
        if mail.starts_with('2') { self.say(&format!("RCPT TO:<{to}>")) } else { mail }
    }

    /// Sends a message; the last reply.
    pub fn send(&mut self, from: &str, to: &str, subject: &str) -> String {
        self.send_with(from, to, &format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"))
    }

    /// Sends a message with this header, whose lines end with CRLF; the last reply.
    pub fn send_with(&mut self, from: &str, to: &str, header: &str) -> String {
        self.send_body(from, to, header, "Buongiorno.")
    }

    /// The same with this text.
    pub fn send_body(&mut self, from: &str, to: &str, header: &str, body: &str) -> String {
        let rcpt = self.rcpt(from, to);
        if !rcpt.starts_with('2') {
            return rcpt;
        }
        let data = self.say("DATA");
        if !data.starts_with("354") {
            return data;
        }
        self.say(&format!("{header}\r\n{body}\r\n."))
    }

    /// An IMAP session over TLS, after LOGIN; the server's answer where it refuses.
    pub fn imap(user: &str, password: &str) -> Result<Self, String> {
        let mut client = Self::tls(Self::plain(993));
        assert!(client.line().starts_with("* OK"));
        client.imap_command(&format!("LOGIN {user} {password}")).map(|_| client)
    }

    /// A `ManageSieve` session (RFC 5804) after STARTTLS and a login.
    pub fn managesieve(user: &str, password: &str) -> Self {
        let mut stream = Self::plain(4190);
        Self::over(stream.try_clone().unwrap()).sieve_reply();
        stream.write_all(b"STARTTLS\r\n").unwrap();
        Self::over(stream.try_clone().unwrap()).sieve_reply();
        let mut client = Self::tls(stream);
        client.sieve_reply();
        let login = base64(format!("\0{user}\0{password}").as_bytes());
        assert!(client.sieve_command(&format!("AUTHENTICATE \"PLAIN\" \"{login}\"")).starts_with("OK"));
        client
    }

    /// A `ManageSieve` command and how it was answered.
    pub fn sieve_command(&mut self, command: &str) -> String {
        self.write(&format!("{command}\r\n"));
        self.sieve_reply()
    }

    fn sieve_reply(&mut self) -> String {
        loop {
            let line = self.line();
            if line.is_empty() || ["OK", "NO", "BYE"].iter().any(|end| line.starts_with(end)) {
                return line;
            }
        }
    }

    /// An IMAP command: all lines of a positive answer, or what was answered instead.
    pub fn imap_command(&mut self, command: &str) -> Result<String, String> {
        self.write(&format!("a {command}\r\n"));
        let mut answer = String::new();
        loop {
            let line = self.line();
            answer += &line;
            match line.strip_prefix("a ") {
                Some(end) if end.starts_with("OK") => return Ok(answer),
                None if !line.is_empty() => {}
                _ => return Err(answer),
            }
        }
    }

    /// How many messages with this subject are in the box.
    pub fn count(&mut self, subject: &str) -> usize {
        self.imap_command("SELECT INBOX").unwrap();
        let found = self.imap_command(&format!("SEARCH SUBJECT \"{subject}\"")).unwrap();
        found.lines().next().unwrap().trim_start_matches("* SEARCH").split_whitespace().count()
    }

    /// Waits until a message with this subject is in the box, and returns it, between the server's words.
    pub fn await_message(&mut self, subject: &str) -> String {
        self.await_in("INBOX", subject)
    }

    /// The same, and the message alone (RFC 9051 §4.3: `{octets}`, then as many).
    pub fn await_bytes(&mut self, subject: &str) -> String {
        let answer = self.await_message(subject);
        let (words, rest) = answer.split_once("}\r\n").unwrap();
        let octets: usize = words.rsplit_once('{').unwrap().1.parse().unwrap();
        rest[..octets].to_owned()
    }

    /// The same in another folder.
    pub fn await_in(&mut self, folder: &str, subject: &str) -> String {
        let start = Instant::now();
        loop {
            self.imap_command(&format!("SELECT {folder}")).unwrap();
            let found = self.imap_command(&format!("SEARCH SUBJECT \"{subject}\"")).unwrap();
            let number = found.lines().next().unwrap().trim_start_matches("* SEARCH").trim().to_owned();
            if !number.is_empty() {
                return self.imap_command(&format!("FETCH {number} BODY[]")).unwrap();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "no message «{subject}» within 20 s");
        }
    }
}

/// Takes any certificate: that the servers have the given one is shown by their keys being readable at all.
#[derive(Debug)]
struct Whoever;

impl ServerCertVerifier for Whoever {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().chain([&0, &0]).take(3).fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        for at in 0..4 {
            let digit = ALPHABET[number >> (18 - 6 * at) & 63] as char;
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}
