//! The catalog zone (RFC 9432, version 2): what tells the public servers which zones there are.

mod keeper;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cst_compiler::model::{DomainName, RecordData, RecordSet, Soa, Zone};
use sha2::{Digest, Sha256};

pub(crate) use keeper::{CatalogKeeper, Changes};

/// Nobody resolves a catalog zone's name server (RFC 9432 §4.1).
const NOBODY: &str = "invalid";
/// The records' time to live, which means nothing here.
const TTL: u32 = 0;

/// What the catalog zone is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// Its name, which no zone may have.
    pub name: DomainName,
    /// Its SOA: how often secondaries ask by themselves; the serial counts for nothing.
    pub soa: Soa,
}

/// The catalog of these zones.
pub(crate) fn build(catalog: &Catalog, members: &BTreeSet<DomainName>) -> Option<Zone> {
    let mut zone = Zone::new(catalog.name.clone(), TTL, catalog.soa.clone());
    let mut add = |name: DomainName, data: RecordData| {
        zone.insert(RecordSet::new(name, TTL, vec![data])?);
        Some(())
    };
    add(catalog.name.clone(), RecordData::Ns(DomainName::parse(NOBODY).ok()?))?;
    add(catalog.name.child("version").ok()?, RecordData::Txt(b"2".to_vec()))?;
    let zones = catalog.name.child("zones").ok()?;
    for member in members {
        add(zones.child(&member_id(member)).ok()?, RecordData::Ptr(member.clone()))?;
    }
    Some(zone)
}

/// The member's label: a hash of its name, so that it is the same in every catalog and a zone that comes back has it again.
pub(crate) fn member_id(member: &DomainName) -> String {
    let hash = Sha256::digest(member.as_str());
    hash.iter().take(16).fold(String::new(), |mut id, byte| {
        write!(id, "{byte:02x}").ok();
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_one_ptr_under_a_label_that_depends_on_its_name_alone() {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let soa = Soa {
            mname: name("invalid"),
            rname: name("invalid"),
            serial: 0,
            refresh: 60,
            retry: 60,
            expire: 2_419_200,
            minimum: 0,
        };
        let catalog = Catalog { name: name("catalog.invalid"), soa };
        let zone = build(&catalog, &BTreeSet::from([name("fano.pu.it"), name("urbino.pu.it")])).unwrap();
        let (fano, urbino) = (member_id(&name("fano.pu.it")), member_id(&name("urbino.pu.it")));
        let mut members = [
            format!("{fano}.zones.catalog.invalid. 0 IN PTR fano.pu.it.\n"),
            format!("{urbino}.zones.catalog.invalid. 0 IN PTR urbino.pu.it.\n"),
        ];
        members.sort();
        assert_eq!(
            zone.to_text(5),
            format!(
                "catalog.invalid. 0 IN SOA invalid. invalid. 5 60 60 2419200 0\n\
                 catalog.invalid. 0 IN NS invalid.\n\
                 version.catalog.invalid. 0 IN TXT \"2\"\n{}{}",
                members[0], members[1]
            )
        );
    }
}
