//! The memory of many small zones, as a small municipality has them, that nobody has asked for.
//!
//! usage: memory [ZONES]      (default: 10000)

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use cst_compiler::model::{DomainName, Soa, Zone};
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_nameserver::{Catalog, Clock, Keyring, Limits, Primary, PrimaryConfig, key};

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
    let nobody = DomainName::parse("invalid")?;
    let (mname, rname) = (nobody.clone(), nobody);
    let soa = Soa { mname, rname, serial: 0, refresh: 60, retry: 10, expire: 2_419_200, minimum: 0 };
    let config = PrimaryConfig {
        listen: vec!["127.0.0.1:0".parse()?],
        keys: Keyring::default(),
        secondaries: Vec::new(),
        catalog: Catalog { name: DomainName::parse("catalog.invalid")?, soa },
        plain: false,
        limits: Limits::default(),
        clock: Clock::system(),
    };
    let (primary, _observations) = Primary::start(config).await?;
    let material = key::generate()?;
    let start = resident()?;
    let contents: Vec<Arc<Zone>> = (0..zones).map(|number| zone(number).map(Arc::new)).collect::<Result<_, _>>()?;
    let compiled = resident()?;
    for zone in contents {
        let key = KeyMaterial::new(material.expose().to_vec());
        primary.publish(ZoneVersion { zone, serial: 1, inception: 1, key })?;
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
