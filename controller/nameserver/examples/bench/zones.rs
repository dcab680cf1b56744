//! The zones: as the controller stores them, each with its key, and signed for other primaries.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::model::Zone;
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use cst_nameserver::{Clock, key, signed_zone_text};

use crate::Fallible;

const SERIAL: u32 = 1;
/// Signatures begin an hour before the day does, so that all primaries of a run have the same.
const DAY: u64 = 86_400;

/// A zone as a small municipality has it.
pub(crate) fn small(number: u32) -> Fallible<Zone> {
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
        writeln!(text, "{owner}. 300 IN {type_name} {data}")?;
    }
    Ok(Zone::from_text(&text)?.0)
}

/// A zone of hosts, a record each.
pub(crate) fn large(records: u32) -> Fallible<Zone> {
    let apex = "large.example";
    let mut text = format!(
        "{apex}. 3600 IN SOA ns1.example.net. hostmaster.example.net. 1 3600 900 2419200 300\n\
         {apex}. 3600 IN NS ns1.example.net.\n"
    );
    for host in 0..records {
        writeln!(text, "host{host}.{apex}. 300 IN A 10.{}.{}.{}", host >> 16, host >> 8 & 255, host & 255)?;
    }
    Ok(Zone::from_text(&text)?.0)
}

/// Its first version, signed with this key.
pub(crate) fn version(zone: Arc<Zone>, key: KeyMaterial) -> Fallible<ZoneVersion> {
    let inception = u32::try_from(Clock::system().now() / DAY * DAY - 3600)?;
    let keys = vec![VersionKey::sole(key)];
    Ok(ZoneVersion { zone, serial: SERIAL, inception, keys, denial: Denial::Nsec, leaving: false })
}

/// Writes each zone as `stored/NAME`, its key as `keys/NAME`, and signed as `signed/NAME`.
pub(crate) fn write(folder: &str, zones: impl IntoIterator<Item = Fallible<Zone>>) -> Fallible {
    let [stored, keys, signed] = ["stored", "keys", "signed"].map(|part| Path::new(folder).join(part));
    for part in [&stored, &keys, &signed] {
        fs::create_dir_all(part)?;
    }
    for zone in zones {
        let (zone, key) = (Arc::new(zone?), key::generate(DnssecAlgorithm::EcdsaP256Sha256)?);
        let name = zone.apex().as_str();
        fs::write(stored.join(name), zone.to_text(SERIAL))?;
        fs::write(keys.join(name), key.expose())?;
        fs::write(signed.join(name), signed_zone_text(&version(Arc::clone(&zone), key)?)?)?;
    }
    Ok(())
}

/// The zones of a folder with a stored version in each file.
pub(crate) fn stored(folder: &Path) -> Fallible<impl Iterator<Item = Fallible<Arc<Zone>>> + use<>> {
    Ok(fs::read_dir(folder)?.map(|entry| Ok(Arc::new(Zone::from_text(&fs::read_to_string(entry?.path())?)?.0))))
}

/// What [`write`] has written, one by one.
pub(crate) fn read(folder: &str) -> Fallible<impl Iterator<Item = Fallible<ZoneVersion>>> {
    let keys = Path::new(folder).join("keys");
    Ok(stored(&Path::new(folder).join("stored"))?.map(move |zone| {
        let zone = zone?;
        let key = KeyMaterial::new(fs::read(keys.join(zone.apex().as_str()))?);
        version(zone, key)
    }))
}
