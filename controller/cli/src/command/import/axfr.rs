//! Zones by transfer.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;

use cst_compiler::import::{ReadZone, Transfer};
use cst_compiler::model::DomainName;
use cst_nameserver::{Clock, TsigKey, fetch_zone};

use crate::command::Failure;
use crate::telemetry;

/// The port of name servers.
const PORT: u16 = 53;

/// Transfers the zones one by one.
pub(super) fn read(server: &str, zones: &[DomainName], key: Option<&Path>) -> Result<Vec<ReadZone>, Failure> {
    let address = address(server)?;
    let key = key.map(read_key).transpose()?;
    let (runtime, clock) = (telemetry::runtime()?, Clock::system());
    let mut read = Vec::with_capacity(zones.len());
    for zone in zones {
        let mut transfer = Transfer::new(&format!("axfr:{server}/{zone}"), zone);
        let taken = fetch_zone(address, zone, key.as_ref(), &clock, |message| transfer.message(message));
        runtime.block_on(taken).map_err(|error| format!("{zone}: {error}"))?;
        read.push(transfer.finish());
    }
    Ok(read)
}

/// An address or a name, with a port or without.
fn address(server: &str) -> Result<SocketAddr, Failure> {
    if let Ok(address) = server.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok((address, PORT).into());
    }
    let with_port = if server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        server.to_owned()
    } else {
        format!("{server}:{PORT}")
    };
    let mut found = with_port.to_socket_addrs().map_err(|error| format!("cannot find the server {server}: {error}"))?;
    found.next().ok_or_else(|| format!("the server {server} has no address").into())
}

/// The key of a file, named as the file is.
fn read_key(path: &Path) -> Result<TsigKey, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read the key {}: {error}", path.display()))?;
    let keys = TsigKey::from_lines(&DomainName::parse(name)?, &text)?;
    keys.into_iter().next().ok_or_else(|| "there is no key in the file".into())
}
