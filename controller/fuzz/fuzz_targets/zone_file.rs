//! Octets as a zone file: it is read or told why not, and what is read reads back from what it is written as.

#![no_main]

use cst_compiler::import::read_zone_file;
use cst_compiler::model::DomainName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let origin = DomainName::parse("example.org").unwrap();
    let read = read_zone_file("z", octets, Some(&origin));
    let Some(source) = read.zone else {
        assert!(!read.problems.is_empty(), "refused without a word");
        return;
    };
    let text = source.zone.to_text(source.serial);
    let again = read_zone_file("z", text.as_bytes(), None);
    let again = again.zone.unwrap_or_else(|| panic!("{:?}\n{text}", again.problems));
    assert_eq!((again.zone, again.serial), (source.zone, source.serial));
});
