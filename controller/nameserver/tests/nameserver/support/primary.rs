//! A primary on a free port of the loopback, and `dig` to ask it.

use cst_compiler::model::Soa;
use cst_nameserver::{
    Catalog, Clock, Keyring, Limits, Observations, Primary, PrimaryConfig, Secondary, TsigAlgorithm, TsigKey,
};

use super::{name, program};

/// The transfer key's secret in base64.
pub const SECRET: &str = "dGhlIHNlY3JldCBvZiB0aGUgdHJhbnNmZXIga2V5IQ==";
/// The transfer key's name.
pub const KEY_NAME: &str = "transfer.cst.example";
/// The catalog's name.
pub const CATALOG: &str = "catalog.cst.example";

/// A primary that runs.
pub struct Served {
    pub primary: Primary,
    pub observations: Observations,
    pub port: u16,
}

fn tsig_key() -> TsigKey {
    TsigKey::from_base64(name(KEY_NAME), TsigAlgorithm::HmacSha256, SECRET).unwrap()
}

fn catalog() -> Catalog {
    let nobody = name("invalid");
    let (refresh, retry, expire) = (60, 10, 2_419_200);
    let soa = Soa { mname: nobody.clone(), rname: nobody, serial: 0, refresh, retry, expire, minimum: 0 };
    Catalog { name: name(CATALOG), soa }
}

/// A primary on any free port that tells these secondaries.
pub fn config(secondaries: Vec<Secondary>) -> PrimaryConfig {
    PrimaryConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        keys: Keyring::new([tsig_key()]),
        secondaries,
        catalog: catalog(),
        plain: false,
        is_alone: true,
        limits: Limits::default(),
        clock: Clock::system(),
    }
}

pub async fn serve(config: PrimaryConfig) -> Served {
    let (primary, observations) = Primary::start(config).await.unwrap();
    let port = primary.addresses()[0].port();
    Served { primary, observations, port }
}

/// What `dig` prints; `arguments` as on its command line.
pub fn dig(port: u16, arguments: &str) -> String {
    let output = program("dig", "bind9-dnsutils")
        .args(["@127.0.0.1", "-p", &port.to_string(), "+tries=1", "+time=5", "+nocookie"])
        .args(arguments.split(' '))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `-y` for the right key.
pub fn signed() -> String {
    format!("-y hmac-sha256:{KEY_NAME}:{SECRET}")
}

/// The records of a text of `dig` or of a zone file, without signatures of the message, sorted, with single spaces.
pub fn records(text: &str) -> Vec<String> {
    let is_record = |line: &&str| !line.is_empty() && !line.starts_with(';');
    let records = text.lines().filter(is_record).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut records: Vec<String> = records.filter(|record| !record.contains(" ANY TSIG ")).collect();
    records.sort();
    records
}
