//! Signs a zone version (RFC 4034, RFC 4035): key sets, NSEC chain, signatures. A pure function: every replica gets the same bytes.

mod bitmap;
pub(crate) mod hash;
mod nsec;
mod nsec3;
mod rrsig;

use cst_api::Denial;
use cst_compiler::model::{DomainName, RecordData};
use cst_compiler::published::{VersionKey, ZoneVersion};

use crate::key::{KeyError, SigningKey};
use crate::rtype;
use crate::served::{ServedSet, ServedZone};

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

/// A key of a version, ready to sign, and what it does.
pub(crate) struct Signer {
    key: SigningKey,
    listed: bool,
    signs: bool,
    trusted: bool,
}

/// The signed form of a version; without keys, the version as it is. Signatures of `previous` over sets that are unchanged are taken
/// over, which changes nothing but the time it takes.
pub fn sign(version: &ZoneVersion, previous: Option<&ServedZone>) -> Result<ServedZone, SignError> {
    form(version, |zone, signers| rrsig::add_signatures(zone, signers, version.inception, previous))
}

/// What signing has made that is dear to make again: the bare signatures, in the order of the sets. All else follows from the version.
#[derive(Debug)]
pub(crate) struct Seal(Box<[u8]>);

impl Seal {
    /// That of a signed form.
    pub(crate) fn of(signed: &ServedZone) -> Self {
        Self(rrsig::bare_signatures(signed))
    }

    /// The signed form of the version that it is of.
    pub(crate) fn open(&self, version: &ZoneVersion) -> Result<ServedZone, SignError> {
        form(version, |zone, signers| rrsig::put_signatures(zone, signers, version.inception, &self.0))
    }
}

/// The form of a version with all that belongs to a signed one, the signatures put in by `sign`.
fn form(version: &ZoneVersion, sign: impl FnOnce(&mut ServedZone, &[Signer])) -> Result<ServedZone, SignError> {
    let zone = version.apex();
    if let Some(set) = version.zone.sets().find(|set| !set.name.is_within(zone)) {
        return Err(SignError::Outside { zone: zone.clone(), name: set.name.clone() });
    }
    let signers = signers(version).map_err(|source| SignError::Key { zone: zone.clone(), source })?;
    let mut served = ServedZone::unsigned(&version.zone, version.serial);
    if signers.iter().any(|signer| signer.listed) {
        add_key_sets(&mut served, &signers, version.leaving);
        match version.denial {
            Denial::Nsec3 if nsec3::fits(&served.apex) => nsec3::add_chain(&mut served),
            Denial::Nsec | Denial::Nsec3 => nsec::add_chain(&mut served),
        }
        sign(&mut served, &signers);
    }
    Ok(served)
}

/// The keys of a version.
pub(crate) fn signers(version: &ZoneVersion) -> Result<Vec<Signer>, KeyError> {
    let load = |key: &VersionKey| {
        let VersionKey { listed, signs, trusted, .. } = *key;
        Ok(Signer { key: SigningKey::load(&key.material)?, listed, signs, trusted })
    };
    version.keys.iter().map(load).collect()
}

/// DNSKEY, and for the parent CDS and CDNSKEY (RFC 7344 §4); those that ask it to take its DS out when the zone is leaving (RFC 8078 §4).
fn add_key_sets(zone: &mut ServedZone, signers: &[Signer], leaving: bool) {
    let ttl = zone.soa().1.ttl;
    let dnskeys = |is_meant: fn(&Signer) -> bool| -> Vec<Vec<u8>> {
        signers.iter().filter(|signer| is_meant(signer)).map(|signer| signer.key.dnskey().to_vec()).collect()
    };
    let trusted = |signer: &Signer| signer.trusted;
    let (cds, cdnskey) = if leaving {
        (vec![vec![0; 5]], vec![vec![0, 0, 3, 0, 0]])
    } else {
        let ds = signers.iter().filter(|signer| signer.trusted).map(|signer| {
            let mut data = Vec::new();
            RecordData::Ds(signer.key.ds(&zone.apex)).write_wire(&mut data);
            data
        });
        (ds.collect(), dnskeys(trusted))
    };
    let sets = [(rtype::DNSKEY, dnskeys(|signer| signer.listed)), (rtype::CDS, cds), (rtype::CDNSKEY, cdnskey)];
    let sets = sets.into_iter().filter(|(_, data)| !data.is_empty());
    zone.nodes[0].sets.extend(sets.map(|(type_number, data)| ServedSet::new(type_number, ttl, data)));
}

#[cfg(test)]
mod tests;
