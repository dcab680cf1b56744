//! The memory of many small zones: before anybody has asked for them, and when all were transferred.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cst_api::DnssecAlgorithm;
use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::KeyMaterial;
use cst_nameserver::{Clock, FetchError, Keyring, Primary, TsigAlgorithm, TsigKey, fetch_zone, key};

use crate::{Fallible, serve, zones};

/// That of a key that is nobody's.
const SECRET: &str = "dGhlIHNlY3JldCBvZiB0aGUgdHJhbnNmZXIga2V5IQ==";

/// The octets of this process that are in memory.
fn resident() -> Fallible<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
}

/// Transfers a zone, of one message.
async fn transfer(server: SocketAddr, zone: &DomainName, key: &TsigKey) -> Fallible {
    let fetched: Result<(), FetchError<Infallible>> =
        fetch_zone(server, zone, Some(key), &Clock::system(), |_| Ok(true)).await;
    Ok(fetched?)
}

pub(crate) async fn run(count: u32) -> Fallible {
    let tsig = TsigKey::from_base64(DomainName::parse("transfer.example")?, TsigAlgorithm::HmacSha256, SECRET)?;
    let config = serve::config(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Keyring::new([tsig.clone()]))?;
    let (primary, _observations) = Primary::start(config).await?;
    let material = key::generate(DnssecAlgorithm::EcdsaP256Sha256)?;
    let start = resident()?;
    let contents: Vec<Arc<Zone>> =
        (0..count).map(|number| zones::small(number).map(Arc::new)).collect::<Result<_, _>>()?;
    let compiled = resident()?;
    let number = contents.len();
    let names: Vec<DomainName> = contents.iter().map(|zone| zone.apex().clone()).collect();
    for zone in contents {
        primary.publish(zones::version(zone, KeyMaterial::new(material.expose().to_vec()))?)?;
    }
    let published = resident()?;
    for name in &names {
        transfer(primary.addresses()[0], name, &tsig).await?;
    }
    let each = |octets: usize| octets.saturating_sub(start) / number;
    writeln!(
        std::io::stdout(),
        "{number} small zones, octets each: {} before anybody has asked for them ({} of them content that is shared with who published it), \
         {} when all were transferred; at most 4096 are wanted",
        each(published),
        each(compiled),
        each(resident()?)
    )?;
    Ok(())
}
