//! What is said of an imported zone: what was left out and why, and what the move to other servers means for it.

use std::collections::BTreeMap;

use cst_api::RecordType;

use super::draft::Draft;
use super::source::SourceZone;
use crate::index::Index;
use crate::model::{RecordData, RecordSet, Zone};
use crate::plan::serial;

/// The comments above the manifest. `now`: seconds since 1970.
pub(super) fn notes(index: &Index, source: &SourceZone, rendered: &Zone, draft: &Draft, now: u32) -> Vec<String> {
    let sets = draft.spec.records.len();
    let mut notes = vec![format!("{}, imported from {}: {sets} record sets written.", source.zone.apex(), source.from)];
    notes.extend(contributed(source, draft));
    notes.extend(draft.mail_differs.clone());
    notes.extend(name_servers(source, rendered));
    notes.extend(delegations(index, source));
    notes.extend(authority(source, rendered, now));
    notes.extend(signing(source));
    notes.extend(source.left_out.iter().chain(&draft.refused).map(|left| format!("Not taken: {left}")));
    notes
}

fn contributed(source: &SourceZone, draft: &Draft) -> Option<String> {
    let mut types: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, type_) in &draft.contributed {
        types.entry(name.relative_to(source.zone.apex()).unwrap_or("@")).or_default().push(type_.to_string());
    }
    let names: Vec<String> = types.iter().map(|(name, types)| format!("{name} {}", types.join(" and "))).collect();
    (!names.is_empty()).then(|| {
        format!("Left out, because it is there by itself (mail, sites, settings, other Domains): {}.", names.join(", "))
    })
}

fn hosts(zone: &Zone) -> String {
    let values = zone.get(zone.apex(), RecordType::NS).map(RecordSet::values).unwrap_or_default();
    let host = |value: &RecordData| value.target().map(ToString::to_string);
    values.iter().filter_map(host).collect::<Vec<_>>().join(", ")
}

/// Name servers come from the settings; where they change the zone's delegation must.
fn name_servers(source: &SourceZone, rendered: &Zone) -> Option<String> {
    let (old, new) = (hosts(&source.zone), hosts(rendered));
    (old != new).then(|| format!("Its name servers become those of the settings: {new} in place of {old}. The registrar is told when they answer."))
}

/// Zones below that are Domains of their own.
fn delegations(index: &Index, source: &SourceZone) -> Option<String> {
    let apex = source.zone.apex();
    let is_child =
        |set: &&RecordSet| set.type_() == RecordType::NS && set.name != *apex && index.zone_holder(&set.name).is_some();
    let children: Vec<&str> = source.zone.sets().filter(is_child).map(|set| set.name.as_str()).collect();
    (!children.is_empty()).then(|| {
        format!("Left out, because these are Domains of their own, delegated by themselves: {}.", children.join(", "))
    })
}

/// What of the SOA matters: its serial, how long it is held, what denials are cached for.
fn authority(source: &SourceZone, rendered: &Zone, now: u32) -> Vec<String> {
    let mut told = Vec::new();
    if serial::is_newer(source.serial, now) {
        told.push(format!(
            "Its serial {} is ahead of the time, which serials follow here: a server that keeps its copy of the old zone would not take the \
             new one. The next serial goes above the highest that the configured servers answer; any other drops the old zone first.",
            source.serial
        ));
    }
    let (old, new) = (source.zone.soa(), rendered.soa());
    if old.minimum != new.minimum {
        told.push(format!(
            "Denials are cached for {} seconds (the settings' SOA) in place of {}.",
            new.minimum, old.minimum
        ));
    }
    told
}

fn signing(source: &SourceZone) -> Option<String> {
    let types: Vec<String> = source.signing.iter().map(|type_| super::zone_file::mnemonic(*type_)).collect();
    (!types.is_empty()).then(|| {
        format!(
            "The zone was signed ({} left out): it is signed anew, by a key of its own. While the zone above has a DS of the old key, moving it \
             makes it bogus: remove that DS and wait its time to live before the move, or see spec.dnssec.",
            types.join(", ")
        )
    })
}
