//! The address records a site brings into the zone that covers its host names.

use std::net::IpAddr;

use super::Site;
use crate::model::{DomainName, RecordData, RecordSet};

/// Short, so that a move to another address is soon everywhere; seconds.
const TTL: u32 = 300;

/// A and AAAA sets at the host and every alias, for the gateway's public addresses. None when there are no addresses.
pub fn contributions(site: &Site, addresses: &[IpAddr]) -> Vec<RecordSet> {
    let (v4, v6): (Vec<_>, Vec<_>) = addresses.iter().map(record).partition(|data| matches!(data, RecordData::A(_)));
    let sets = |name: &DomainName| {
        [&v4, &v6].map(|values| RecordSet::new(name.clone(), TTL, values.clone())).into_iter().flatten()
    };
    std::iter::once(&site.host).chain(&site.aliases).flat_map(sets).collect()
}

fn record(address: &IpAddr) -> RecordData {
    match address {
        IpAddr::V4(address) => RecordData::A(*address),
        IpAddr::V6(address) => RecordData::Aaaa(*address),
    }
}
