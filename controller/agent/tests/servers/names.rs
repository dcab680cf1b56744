//! What the world asks the name servers for: BIND on 127.0.0.53, with the public keys of these tests, and SPF for one sender.

use std::fmt::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cst_compiler::desired::mail::DkimSigner;
use cst_compiler::desired::mail::dkim::{DkimAlgorithm, DkimKey, DkimSelector};
use data_encoding::BASE64;

/// The domains whose keys are published; all have the same.
pub const SIGNED: [&str; 7] = [
    "firmata.example",
    "ufficio.firmata.example",
    "alias.firmata.example",
    "ruota.example",
    "sigillata.example",
    "risponde.example",
    "ottetti.example",
];
/// A domain elsewhere, whose SPF allows the test's client.
pub const ELSEWHERE: &str = "autentica.example";

static KEYS: LazyLock<[DkimSigner; 4]> = LazyLock::new(|| {
    [
        ("r1", DkimAlgorithm::RsaSha256),
        ("e1", DkimAlgorithm::Ed25519Sha256),
        ("r2", DkimAlgorithm::RsaSha256),
        ("e2", DkimAlgorithm::Ed25519Sha256),
    ]
    .map(|(selector, algorithm)| DkimSigner {
        selector: DkimSelector::parse(selector).unwrap(),
        algorithm,
        key: draw(algorithm),
    })
});

/// Beginnings of Ed25519 seeds that look like something else: a path, base64 that ends early, blanks; and one whose base64 looks like a path.
const ODD: [&[u8]; 6] = [b"/etc", b"./a", b"v=", b"=", b"  ", b"\xff\xff"];

/// Signers with such keys.
pub static ODD_SIGNERS: LazyLock<Vec<DkimSigner>> = LazyLock::new(|| {
    let signer = |(number, odd): (usize, &&[u8])| {
        // RFC 8410 §7: what stands before the 32 octets of a seed.
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend_from_slice(odd);
        der.resize(16 + 32, 0x80 + u8::try_from(number).unwrap());
        DkimSigner {
            selector: DkimSelector::parse(&format!("odd{number}")).unwrap(),
            algorithm: DkimAlgorithm::Ed25519Sha256,
            key: DkimKey::parse(&BASE64.encode(&der)).unwrap(),
        }
    };
    ODD.iter().enumerate().map(signer).collect()
});

/// The signers of the old (0) or new (1) pair of keys: RSA and Ed25519.
pub fn signers(pair: usize) -> Vec<DkimSigner> {
    KEYS[pair * 2..pair * 2 + 2].to_vec()
}

fn draw(algorithm: DkimAlgorithm) -> DkimKey {
    let kind: &[&str] = match algorithm {
        DkimAlgorithm::RsaSha256 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        DkimAlgorithm::Ed25519Sha256 => &["-algorithm", "ED25519"],
    };
    let output = Command::new("openssl").arg("genpkey").args(kind).stderr(Stdio::null()).output().unwrap();
    DkimKey::parse(&pem_text(&output.stdout)).unwrap()
}

/// What stands between the lines of a PEM file that begin with dashes.
fn pem_text(pem: &[u8]) -> String {
    String::from_utf8(pem.to_vec()).unwrap().lines().filter(|line| !line.starts_with('-')).collect()
}

/// The record of a signer's public key (RFC 6376 §3.6.1, RFC 8463 §4): of an Ed25519 key the last 32 octets of its DER, 43 digits and `=`.
fn record(signer: &DkimSigner) -> String {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", signer.key.expose());
    let script = format!("printf '%s' '{pem}' | openssl pkey -pubout -outform DER");
    let script = match signer.algorithm {
        DkimAlgorithm::RsaSha256 => format!("{script} | base64 -w0"),
        DkimAlgorithm::Ed25519Sha256 => format!("{script} | tail -c 32 | base64 -w0"),
    };
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let key = String::from_utf8(output.stdout).unwrap();
    let kind = if signer.algorithm == DkimAlgorithm::RsaSha256 { "rsa" } else { "ed25519" };
    let text = format!("v=DKIM1; k={kind}; p={key}");
    let strings: Vec<String> =
        text.as_bytes().chunks(200).map(|part| format!("\"{}\"", String::from_utf8_lossy(part))).collect();
    strings.join(" ")
}

/// Starts BIND for the whole tree of names, and waits until it listens.
pub fn serve(folder: &Path) -> Child {
    let mut zone = String::from("$TTL 60\n@ SOA . . 1 60 60 60 60\n@ NS localhost.\nlocalhost. A 127.0.0.53\n");
    for signer in KEYS.iter().chain(&*ODD_SIGNERS) {
        let record = record(signer);
        for domain in SIGNED {
            writeln!(zone, "{}._domainkey.{domain}. TXT {record}", signer.selector).unwrap();
        }
    }
    writeln!(zone, "{ELSEWHERE}. TXT \"v=spf1 ip4:127.0.0.1 -all\"\n{ELSEWHERE}. MX 10 mx.{ELSEWHERE}.\nmx.{ELSEWHERE}. A 127.0.0.1").unwrap();
    writeln!(zone, "_dmarc.{ELSEWHERE}. TXT \"v=DMARC1; p=reject\"").unwrap();
    let place = folder.join("named");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("root.zone"), zone).unwrap();
    let options = format!(
        "options {{ directory \"{}\"; listen-on {{ 127.0.0.53; }}; listen-on-v6 {{ none; }}; recursion no; allow-query {{ any; }}; pid-file none; session-keyfile \"{0}/key\"; dnssec-validation no; }};\ncontrols {{ }};\nzone \".\" {{ type primary; file \"root.zone\"; }};\n",
        place.display()
    );
    std::fs::write(place.join("named.conf"), options).unwrap();
    let log = std::fs::File::create(folder.join("named.log")).unwrap();
    let mut command = Command::new("named");
    command.arg("-g").arg("-c").arg(place.join("named.conf"));
    let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let start = Instant::now();
    while TcpStream::connect(SocketAddr::from(([127, 0, 0, 53], 53))).is_err() {
        assert!(start.elapsed() < Duration::from_secs(30), "BIND does not listen: see named.log");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}
