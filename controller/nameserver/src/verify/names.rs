//! Names that are not to be had, or not by a local body.

use cst_compiler::model::DomainName;

use super::observed::Observed;
use super::{Check, Problem};

pub(super) const CHECKS: &[Check] = &[Check { name: "name", right: "the name is not a reserved one", run: name }];

/// Names that the public DNS does not have (RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 8375, RFC 9476 and ICANN's `internal`).
const SPECIAL: [&str; 10] =
    ["test", "example", "invalid", "localhost", "local", "onion", "home.arpa", "alt", "internal", "example.it"];

#[expect(clippy::unnecessary_wraps, reason = "the form of a check: a name can always be judged")]
fn name(observed: &Observed) -> Option<Vec<Problem>> {
    Some(warning(&observed.zone).map(Problem::warning).into_iter().collect())
}

/// Names in `.it`: the registry's rules on assignment reserve the geographic names (§3.4 and appendix C: the bare ones for nobody, those of the
/// bodies for them); `gov.it` is the central administrations' since `AgID`'s determinations 36/2018 and 130/2022.
fn warning(zone: &DomainName) -> Option<String> {
    let is_below = |above: &str| DomainName::parse(above).is_ok_and(|above| zone.is_within(&above));
    if let Some(special) = SPECIAL.into_iter().find(|special| is_below(special)) {
        return Some(format!("names below `{special}` are not in the public DNS: only your own resolvers can know it"));
    }
    if is_below("gov.it") {
        let message =
            "gov.it is for central administrations: a local body moves to a name such as comune.NAME.PROVINCE.it";
        return Some(message.to_owned());
    }
    let labels: Vec<&str> = zone.labels().collect();
    let is_province = |label: &str| label.len() == 2 && label.bytes().all(|letter| letter.is_ascii_lowercase());
    match labels[..] {
        [province, "it"] if is_province(province) => Some(format!(
            "{zone} looks like a province's code, which the registry assigns to nobody: take a name below it"
        )),
        [place, province, "it"] if is_province(province) && !["comune", "provincia", "regione"].contains(&place) => {
            Some(format!("the bare names of places below {province}.it are reserved: a municipality has comune.{zone}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_to_be_had_are_told_from_those_that_are() {
        let told = |text: &str| warning(&DomainName::parse(text).unwrap());
        for reserved in ["pu.it", "urbino.pu.it", "comune.fano.gov.it", "fano.test", "test", "x.home.arpa"] {
            assert!(told(reserved).is_some(), "{reserved}");
        }
        for right in
            ["comune.urbino.pu.it", "provincia.pu.it", "unionepiandelbruscolo.it", "fano.org", "2.0.192.in-addr.arpa"]
        {
            assert_eq!(told(right), None, "{right}");
        }
    }
}
