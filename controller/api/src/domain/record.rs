use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::RecordType;

/// One record set: all values of a type at a name.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("self.type != 'CNAME' || self.name != '@'").message("a CNAME cannot stand at the apex: use A and AAAA there"),
    validation = Rule::new("self.type != 'CNAME' || self.values.size() == 1").message("a CNAME has exactly one value"),
    validation = Rule::new("!has(self.ptr) || !self.ptr || self.type == 'A' || self.type == 'AAAA'").message("ptr is for A and AAAA")
)]
pub struct Record {
    /// The name relative to the zone, such as `www`; `@` is the zone itself, `*` stands for every name that has no record.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = "^(@|\\*|(\\*\\.)?[^\\s.@*\"();\\\\]+(\\.[^\\s.@*\"();\\\\]+)*)$")
    )]
    pub name: String,
    /// The type, with a value as it is written: `A` (`192.0.2.10`), `AAAA` (`2001:db8::10`), `CAA` (`0 issue "ca.example.net"`), `CNAME`
    /// (`www.example.org`; stands alone at its name, never at `@`), `DS` (`12345 13 2 <digest>`, beside the NS of a delegation), `HTTPS`
    /// and `SVCB` (`1 . alpn=h2,h3`), `LOC` (`43 43 33 N 12 38 11 E 485m`), `MX` (`10 mail.example.org`), `NAPTR`
    /// (`100 10 "s" "SIP+D2U" "" _sip._udp.example.org`), `NS` (`ns1.example.org`, of a name that other servers answer), `PTR`
    /// (`host.example.org`, in reverse zones), `SRV` (`0 5 5061 sip.example.org`), `SSHFP` (`4 2 <fingerprint>`), `TLSA` (`3 1 1 <digest>`),
    /// `TXT` (any text), `URI` (`10 1 "https://www.example.org/"`). A type that has no name here is `TYPE` and its number, with its data in
    /// the form of RFC 3597: `\# <octets> <hexadecimal>`.
    #[serde(rename = "type")]
    pub type_: RecordType,
    /// The values, at most 100 of 4096 bytes. TXT: the text itself on one line, without quotes or escapes. Every other type: its
    /// right-hand side in a zone file, such as `10 mail.example.org` for MX; host names in it are whole, with or without the dot at the end.
    #[schemars(length(min = 1, max = 100), inner(length(max = 4096)))]
    pub values: Vec<String>,
    /// The set's time to live in seconds, from 30 to 604800; the Domain's `ttl` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30, max = 604_800))]
    pub ttl: Option<u32>,
    /// For `A` and `AAAA`: whether the reverse zone of each address gets a `PTR` with this name; no unless given. The reverse zone must be a
    /// Domain of the centre that takes them (see `pointers` there). One address has one: where several names ask, the first by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ptr: Option<bool>,
}
