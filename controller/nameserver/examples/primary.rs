//! A primary of one zone of hosts, for measurements: serves it, signed, to whoever has the key, until it is killed. With `--print` it prints
//! the signed zone, for other primaries.
//!
//! usage: primary ZONE RECORDS PORT KEY-NAME KEY-SECRET
//!        primary ZONE RECORDS --print

mod support;

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use cst_api::Denial;
use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use cst_nameserver::{Clock, Keyring, Primary, TsigKey, signed_zone_text};

/// A fixed key (RFC 6605 §6.1), so that all primaries have the same bytes.
const KEY: &str = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n\
                   PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n";
const SERIAL: u32 = 1;
/// Signatures begin an hour before the day does, so that all primaries of a run have the same.
const DAY: u64 = 86_400;

/// A host a record.
fn zone(apex: &str, records: u32) -> Result<Zone, Box<dyn Error>> {
    let mut text = format!(
        "{apex}. 3600 IN SOA ns1.example.net. hostmaster.example.net. 1 3600 900 2419200 300\n\
         {apex}. 3600 IN NS ns1.example.net.\n"
    );
    for host in 0..records {
        writeln!(text, "host{host}.{apex}. 300 IN A 10.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255)?;
    }
    Ok(Zone::from_text(&text)?.0)
}

fn version(apex: &str, records: u32) -> Result<ZoneVersion, Box<dyn Error>> {
    let zone = Arc::new(zone(apex, records)?);
    let inception = u32::try_from(Clock::system().now() / DAY * DAY - 3600)?;
    let keys = vec![VersionKey::sole(KeyMaterial::new(KEY.as_bytes().to_vec()))];
    Ok(ZoneVersion { zone, serial: SERIAL, inception, keys, denial: Denial::Nsec, leaving: false })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [apex, records, "--print"] => {
            std::io::stdout().write_all(signed_zone_text(&version(apex, records.parse()?)?)?.as_bytes())?;
        }
        [apex, records, port, key, secret] => {
            serve(version(apex, records.parse()?)?, port, TsigKey::from_lines(&DomainName::parse(key)?, secret)?)
                .await?;
        }
        _ => return Err("usage: primary ZONE RECORDS PORT KEY-NAME KEY-SECRET | primary ZONE RECORDS --print".into()),
    }
    Ok(())
}

async fn serve(version: ZoneVersion, port: &str, keys: Vec<TsigKey>) -> Result<(), Box<dyn Error>> {
    let config = support::config(port, Keyring::new(keys))?;
    let (primary, _observations) = Primary::start(config).await?;
    primary.publish(version)?;
    primary.set_complete();
    std::future::pending().await
}
