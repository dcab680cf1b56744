//! What keeps a public server from following, as far as it can be seen from here.

use std::collections::BTreeMap;
use std::fmt;

/// Why a public server takes no new version of any zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// No message is answered.
    Silent,
    /// It does not know the key that our messages are signed with (RFC 8945 §5.2.1: BADKEY).
    UnknownKey,
    /// It knows the key with another secret (RFC 8945 §5.2.2: BADSIG).
    OtherSecret,
    /// It refuses the time of our messages (RFC 8945 §5.2.3: BADTIME).
    Clock,
    /// It refuses NOTIFY for zones that it has (RFC 1996 §3.10), so that it learns of a version when it next asks by itself.
    NotifyRefused,
    /// It answers, but does not have the catalog zone (RFC 9432).
    NoCatalog,
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "does not answer",
            Self::UnknownKey => "does not know our TSIG key",
            Self::OtherSecret => "has another secret for our TSIG key",
            Self::Clock => "has another time than we have, by more than 5 minutes",
            Self::NotifyRefused => {
                "refuses our NOTIFY: allow it there, for our key, or new versions come only with the SOA's refresh"
            }
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
