use std::path::{Path, PathBuf};
use std::sync::Arc;

use cst_api::Date;
use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::index::{Index, Unit};
use cst_compiler::model::Zone;
use cst_compiler::plan::dnssec::Wanted;

/// Every live zone on a day, with hosted mail as if its agents had acknowledged it, and how it shall be signed.
pub(crate) fn zones(index: &Index, today: Date) -> impl Iterator<Item = (Arc<Zone>, Wanted)> {
    let names = index.units().into_iter().filter_map(|unit| match unit {
        Unit::Zone(name) => Some(name),
        _ => None,
    });
    names.filter_map(move |name| {
        let outcome = compile::zone(index, &name, &ZoneFacts { today: Some(today), ..ZoneFacts::hopeful() });
        let model = index.domain(outcome.holder.as_ref()?)?.model.as_ref()?;
        Some((outcome.zone?, Wanted::of(model, &index.settings().dns.dnssec)))
    })
}

/// A zone file each.
pub(super) fn files(index: &Index, serial: u32, today: Date) -> Vec<(PathBuf, String)> {
    zones(index, today)
        .map(|(zone, _)| (Path::new("zones").join(file_name(zone.apex().as_str())), zone.to_text(serial)))
        .collect()
}

/// A zone's file is named as the zone; the `/` of RFC 2317 names cannot stand in a file name.
fn file_name(zone: &str) -> String {
    format!("{}.zone", zone.replace('/', "%2f"))
}
