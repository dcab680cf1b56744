//! The memory of many small zones that nobody has asked for.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cst_api::DnssecAlgorithm;
use cst_compiler::model::Zone;
use cst_compiler::published::KeyMaterial;
use cst_nameserver::{Keyring, Primary, key};

use crate::{Fallible, serve, zones};

/// The octets of this process that are in memory.
fn resident() -> Fallible<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
}

pub(crate) async fn run(count: u32) -> Fallible {
    let config = serve::config(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Keyring::default())?;
    let (primary, _observations) = Primary::start(config).await?;
    let material = key::generate(DnssecAlgorithm::EcdsaP256Sha256)?;
    let start = resident()?;
    let contents: Vec<Arc<Zone>> =
        (0..count).map(|number| zones::small(number).map(Arc::new)).collect::<Result<_, _>>()?;
    let compiled = resident()?;
    let number = contents.len();
    for zone in contents {
        primary.publish(zones::version(zone, KeyMaterial::new(material.expose().to_vec()))?)?;
    }
    let (content, serving) = ((compiled - start) / number, resident()?.saturating_sub(compiled) / number);
    let all = content + serving;
    writeln!(
        std::io::stdout(),
        "{number} small zones that nobody has asked for: {all} octets each, {content} of them content that is shared with who published it, \
         {serving} of the primary (at most 4096 in all are wanted)"
    )?;
    Ok(())
}
