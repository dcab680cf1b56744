//! Catalog zones (RFC 9432): lists of zones from server to server, not for anybody's questions.

use cst_api::RecordType;

use super::source::SourceZone;
use crate::model::{DomainName, RecordData, RecordSet};

/// The versions of the form: BIND's first, and that of RFC 9432 §4.2.
const VERSIONS: [&[u8]; 2] = [b"1", b"2"];

impl SourceZone {
    /// Whether it is a catalog: it has a version as one has, and beside it nothing, members, or the name server of a zone that none serves
    /// (RFC 9432 §4.1).
    pub fn is_catalog(&self) -> bool {
        let zone = &self.zone;
        let apex = zone.apex();
        let Ok(version) = apex.child("version") else { return false };
        let values = |name: &DomainName, type_| zone.get(name, type_).map(RecordSet::values).unwrap_or_default();
        let has_version = match values(&version, RecordType::TXT) {
            [RecordData::Txt(text)] => VERSIONS.contains(&text.as_slice()),
            _ => false,
        };
        let is_member = |set: &RecordSet| {
            let label = set.name.relative_to(apex).and_then(|name| name.strip_suffix(".zones"));
            set.type_() == RecordType::PTR && label.is_some_and(|label| !label.contains('.'))
        };
        let has_no_server = || match values(apex, RecordType::NS) {
            [RecordData::Ns(server)] => server.as_str() == "invalid",
            _ => false,
        };
        let is_bare = || zone.sets().all(|set| set.name == version || set.type_() == RecordType::NS);
        has_version && (zone.sets().any(is_member) || has_no_server() || is_bare())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::read_zone_file;

    const SOA: &str = "@ 3600 IN SOA . . 1 2h 15M 4w 300\n";

    #[test]
    fn a_catalog_is_told_from_a_zone() {
        for (records, is_catalog) in [
            ("@ NS invalid.\nversion TXT \"2\"\na1.zones PTR a.example.net.\n", true),
            ("@ NS ns.example.net.\nversion TXT 2\na1.zones PTR a.example.net.\ngroup.a1.zones TXT x\n", true),
            ("@ NS invalid.\nversion TXT \"1\"\nx.ext A 192.0.2.1\n", true),
            ("@ NS ns.example.net.\nversion TXT \"2\"\n", true),
            ("@ NS ns.example.net.\nversion TXT \"2\"\nwww A 192.0.2.1\n", false),
            ("@ NS ns.example.net.\nversion TXT \"3\"\na1.zones PTR a.example.net.\n", false),
            ("@ NS invalid.\na1.zones PTR a.example.net.\n", false),
        ] {
            let read = read_zone_file(
                "z",
                format!("{SOA}{records}").as_bytes(),
                Some(&DomainName::parse("example.org").unwrap()),
            );
            assert_eq!(read.zone.unwrap().is_catalog(), is_catalog, "{records}");
        }
    }
}
