//! Signs a zone version (RFC 4034, RFC 4035): key sets, NSEC chain, signatures. A pure function: every replica gets the same bytes.

mod nsec;
mod rrsig;

use cst_compiler::model::DomainName;
use cst_compiler::published::ZoneVersion;

use crate::key::{KeyError, SigningKey};
use crate::rtype;
use crate::served::{ServedSet, ServedZone};

/// How long signatures are valid, in seconds from the version's inception: 45 days, well beyond the SOA's expiry.
pub const VALIDITY: u32 = 45 * 86_400;

/// Why a zone was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key is no key.
    #[error("the zone {zone} cannot be signed: {source}")]
    Key {
        /// The zone.
        zone: DomainName,
        /// Why.
        source: KeyError,
    },
    /// A record set that is not the zone's.
    #[error("the zone {zone} cannot be signed: {name} is not within it")]
    Outside {
        /// The zone.
        zone: DomainName,
        /// The set's name.
        name: DomainName,
    },
    /// The signing ended before its time.
    #[error("the zone {0} was not signed: the work was interrupted, ask again")]
    Interrupted(DomainName),
}

/// The signed form of a version. Signatures of `previous` over sets that are unchanged are taken over, which changes nothing but the time it takes.
pub fn sign(version: &ZoneVersion, previous: Option<&ServedZone>) -> Result<ServedZone, SignError> {
    let zone = version.apex();
    if let Some(set) = version.zone.sets().find(|set| !set.name.is_within(zone)) {
        return Err(SignError::Outside { zone: zone.clone(), name: set.name.clone() });
    }
    let key = SigningKey::load(&version.key).map_err(|source| SignError::Key { zone: zone.clone(), source })?;
    let mut served = ServedZone::unsigned(&version.zone, version.serial);
    add_key_sets(&mut served, &key);
    nsec::add_chain(&mut served);
    rrsig::add_signatures(&mut served, &key, version.inception, previous);
    Ok(served)
}

/// DNSKEY, and for the parent CDS and CDNSKEY (RFC 7344 §4).
fn add_key_sets(zone: &mut ServedZone, key: &SigningKey) {
    let ttl = zone.soa().1.ttl;
    let ds = key.ds_data(&zone.apex);
    let dnskey = key.dnskey().to_vec();
    zone.nodes[0].sets.extend([
        ServedSet::new(rtype::DNSKEY, ttl, vec![dnskey.clone()]),
        ServedSet::new(rtype::CDS, ttl, vec![ds]),
        ServedSet::new(rtype::CDNSKEY, ttl, vec![dnskey]),
    ]);
}
