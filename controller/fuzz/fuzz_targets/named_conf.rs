//! Octets as a configuration of BIND: it is read, or told where it cannot be.

#![no_main]

use cst_compiler::import::named_conf::{self, Item};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| match named_conf::read(octets) {
    Ok(items) => items.iter().for_each(visit),
    Err(error) => assert!(!error.message.is_empty() && error.at.line > 0, "{error:?}"),
});

fn visit(item: &Item) {
    match item {
        Item::View(_, _, inside) => inside.iter().for_each(visit),
        Item::Zone(zone) => drop((zone.zone(), zone.is_local())),
        Item::Include(..) | Item::Directory(_) | Item::NewZones(_) | Item::NewZonesDirectory(_) => {}
    }
}
