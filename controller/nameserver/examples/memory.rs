//! The memory of many small zones, as a small municipality has them, that nobody has asked for.
//!
//! usage: memory [ZONES]      (default: 10000)

mod support;

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::model::Zone;
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use cst_nameserver::{Keyring, Primary, key};

/// A zone as a small municipality has it.
fn zone(number: usize) -> Result<Zone, Box<dyn Error>> {
    let apex = format!("comune-{number}.pu.it");
    let mut text =
        format!("{apex}. 3600 IN SOA ns1.cst.example.net. hostmaster.cst.example.net. 1 3600 900 2419200 300\n");
    for line in [
        "@ NS ns1.cst.example.net.",
        "@ NS ns2.cst.example.net.",
        "@ A 192.0.2.80",
        "@ MX 10 mx.cst.example.net.",
        "@ TXT \"v=spf1 mx -all\"",
        "_dmarc TXT \"v=DMARC1; p=reject\"",
        "www A 192.0.2.80",
        "www AAAA 2001:db8::80",
    ] {
        let (owner, rest) = line.split_once(' ').unwrap_or_default();
        let owner = if owner == "@" { apex.clone() } else { format!("{owner}.{apex}") };
        let (type_name, data) = rest.split_once(' ').unwrap_or_default();
        text += &format!("{owner}. 300 IN {type_name} {data}\n");
    }
    Ok(Zone::from_text(&text)?.0)
}

/// The octets of this process that are in memory.
fn resident() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let zones: usize = std::env::args().nth(1).map_or(Ok(10_000), |count| count.parse())?;
    let config = support::config("0", Keyring::default())?;
    let (primary, _observations) = Primary::start(config).await?;
    let material = key::generate(DnssecAlgorithm::EcdsaP256Sha256)?;
    let start = resident()?;
    let contents: Vec<Arc<Zone>> = (0..zones).map(|number| zone(number).map(Arc::new)).collect::<Result<_, _>>()?;
    let compiled = resident()?;
    for zone in contents {
        let keys = vec![VersionKey::sole(KeyMaterial::new(material.expose().to_vec()))];
        primary.publish(ZoneVersion { zone, serial: 1, inception: 1, keys, denial: Denial::Nsec, leaving: false })?;
    }
    let (content, serving) = ((compiled - start) / zones, resident()?.saturating_sub(compiled) / zones);
    let all = content + serving;
    writeln!(
        std::io::stdout(),
        "{zones} small zones that nobody has asked for: {all} octets each, {content} of them content that is shared with who published it, \
         {serving} of the primary (at most 4096 in all are wanted)"
    )?;
    Ok(())
}
