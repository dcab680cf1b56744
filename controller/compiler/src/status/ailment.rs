//! What keeps a public server from following, as far as it can be seen from here.

use std::collections::BTreeMap;
use std::fmt;

/// Why a public server takes no new version of any zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// No message is answered.
    Silent,
    /// It refuses the signature of our messages (RFC 8945 §5.2: BADKEY, BADSIG).
    UnknownKey,
    /// It refuses the time of our messages (RFC 8945 §5.2.3: BADTIME).
    Clock,
    /// It answers, but does not have the catalog zone (RFC 9432).
    NoCatalog,
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "does not answer",
            Self::UnknownKey => "does not know our TSIG key, or has another secret for it",
            Self::Clock => "has another time than we have, by more than 5 minutes",
            Self::NoCatalog => "answers, but does not have the catalog zone",
        })
    }
}

/// What ails those of the servers that something ails, as a sentence; empty: nothing.
pub fn told(servers: &[&str], ailments: &BTreeMap<String, Ailment>) -> String {
    let told = servers.iter().filter_map(|name| ailments.get(*name).map(|ailment| format!("{name} {ailment}")));
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_something_ails_are_told() {
        let ailments = BTreeMap::from([("ns2".into(), Ailment::Silent), ("ns4".into(), Ailment::UnknownKey)]);
        assert_eq!(told(&["ns1", "ns2"], &ailments), "ns2 does not answer");
        assert_eq!(told(&["ns1"], &ailments), "");
    }
}
