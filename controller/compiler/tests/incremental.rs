//! After any sequence of changes the units that were recompiled are what a compile from scratch gives.

use std::collections::BTreeMap;

use cst_api::{Domain, Mailbox, MailboxStatus, Tenant, WebSite};
use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::index::{Change, Index, Unit};
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::absence::Absence;
use cst_compiler::settings::Settings;
use serde_json::json;

const SETTINGS: &str = r#"{"apiVersion": "territorial.services/v1alpha1", "kind": "Settings",
    "dns": {"nameServers": ["ns1.cst.example.net", "www.a.pu.example"], "hostmaster": "hostmaster@cst.example.net", "acme": {"zone": "acme.c.a.pu.example"}},
    "mail": {"hosts": [{"name": "mx.cst.example.net", "preference": 10}, {"name": "www.a.pu.example", "preference": 20}], "postmaster": "postmaster@cst.example.net"},
    "web": {"addresses": ["192.0.2.80"], "applications": {}}}"#;
const NAMES: [&str; 10] = [
    "0/31.2.0.192.in-addr.arpa",
    "2.0.192.in-addr.arpa",
    "pu.example",
    "a.pu.example",
    "b.pu.example",
    "c.a.pu.example",
    "d.c.a.pu.example",
    "other.example",
    "x.other.example",
    "www.a.pu.example",
];

/// A small generator with a seed (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.roll(NAMES.len())]
    }

    /// A name that can be a host's.
    fn host(&mut self) -> &'static str {
        NAMES[1 + self.roll(NAMES.len() - 1)]
    }

    /// A host's name that is another: an object that names itself cannot be read, and then what it was before counts.
    fn host_but(&mut self, own: &str) -> &'static str {
        let host = self.host();
        if host == own { self.host_but(own) } else { host }
    }

    fn tenant(&mut self) -> &'static str {
        ["t1", "t2"][self.roll(2)]
    }

    /// One change: mostly something made or edited, one time in four something removed.
    fn change(&mut self) -> Change {
        let (tenant, gone) = (self.tenant(), self.roll(4) == 0);
        match self.roll(5) {
            0 => {
                let grants: Vec<_> = (0..=self.roll(5)).map(|_| self.name()).collect();
                let state = ["Active", "Suspended", "Terminated"][self.roll(3)];
                let limits = [
                    json!({}),
                    json!({"mailboxes": 2, "webSites": 1}),
                    json!({"mailStorage": "5Gi", "webStorage": "3Gi"}),
                    json!({"mailboxes": 4, "mailStorage": "6Gi"}),
                ][self.roll(4)]
                .clone();
                let spec = json!({"displayName": "x", "entityType": "Comune", "domains": grants, "state": state, "limits": limits});
                Change::Tenant(tenant.into(), (!gone).then(|| Box::new(made::<Tenant>("", tenant, &spec))))
            }
            1 => {
                let reverse = self.roll(3) == 0;
                let zone = if reverse { NAMES[self.roll(2)] } else { self.name() };
                let key = ObjectKey::new(format!("t-{tenant}"), zone);
                let mail = match self.roll(5) {
                    0 => json!({"mode": "None"}),
                    1 => json!({"mode": "Hosted", "catchAll": format!("u@{}", self.host())}),
                    2 => json!({"mode": "Hosted", "aliasOf": self.host_but(zone)}),
                    _ => json!({"mode": "Hosted"}),
                };
                let name = ["www", "c", "@"][self.roll(3)];
                let address = ["192.0.2.1", "192.0.2.2"][self.roll(2)];
                let record = json!({"name": name, "type": "A", "values": [address], "ptr": self.roll(2) == 0});
                let mut spec = json!({"zone": zone, "mail": mail, "records": [record]});
                if reverse {
                    spec["pointers"] = json!(["Tenant", "Centre", "None"][self.roll(3)]);
                }
                Change::Domain(key.clone(), (!gone).then(|| Box::new(made::<Domain>(&key.namespace, zone, &spec))))
            }
            2 => {
                let name = ["m1", "m2", "m3", "m4", "m5"][self.roll(5)];
                let key = ObjectKey::new(format!("t-{tenant}"), name);
                let address = |dice: &mut Self| format!("{}@{}", ["u", "v"][dice.roll(2)], dice.host());
                let own = address(self);
                let aliases = [format!("w{}", address(self)), format!("z{}", address(self))];
                let quota = ["1Gi", "2Gi", "4Gi"][self.roll(3)];
                let mut spec = json!({"address": own, "aliases": aliases});
                self.delivery(&mut spec, quota);
                let mut mailbox: Mailbox = made(&key.namespace, name, &spec);
                if name == "m4" {
                    mailbox.status = Some(MailboxStatus { addresses: vec![own], ..MailboxStatus::default() });
                }
                Change::Mailbox(key.clone(), (!gone).then(|| Box::new(mailbox)))
            }
            3 => self.secret(tenant, gone),
            _ => {
                let name = ["s1", "s2", "s3"][self.roll(3)];
                let key = ObjectKey::new(format!("t-{tenant}"), name);
                let (host, alias) = (self.host(), format!("w.{}", self.host()));
                let storage = ["1Gi", "2Gi"][self.roll(2)];
                let spec = json!({"application": "Lamp", "host": host, "aliases": [alias], "storage": storage});
                Change::WebSite(key.clone(), (!gone).then(|| Box::new(made::<WebSite>(&key.namespace, name, &spec))))
            }
        }
    }
}

impl Dice {
    /// What a box or group names of others.
    fn delivery(&mut self, spec: &mut serde_json::Value, quota: &str) {
        let own = spec["address"].as_str().unwrap().split_once('@').unwrap().1.to_owned();
        let named = format!("{}@{}", ["u", "v"][self.roll(2)], self.host_but(&own));
        match self.roll(5) {
            0 => {
                spec["type"] = json!("Group");
                spec["members"] = json!([named, format!("*@{}", self.host()), "x@elsewhere.example.net"]);
                spec["posting"] = json!(["Anyone", "Tenant", "Members"][self.roll(3)]);
                return;
            }
            1 => spec["delegates"] = json!([{"user": named, "sendAs": true}]),
            2 => spec["forward"] = json!({"to": [named], "keepCopy": self.roll(2) == 0}),
            3 => spec["store"] = json!(named),
            _ => {}
        }
        spec["quota"] = json!(quota);
        match self.roll(4) {
            0 => spec["passwordSecretRef"] = json!({"name": "git", "key": "hash"}),
            1 => {
                spec["passwordSecretRef"] = json!({"name": "git", "key": "hash"});
                spec["passwordOwner"] = json!("User");
            }
            _ => {}
        }
    }

    /// A Secret that git has, or a box's own: generated, changed, unusable.
    fn secret(&mut self, tenant: &str, gone: bool) -> Change {
        let name = ["git", "m1-password", "m2-password", "m3-password", "m1-lock", "m2-lock"][self.roll(6)];
        if name.ends_with("-lock") {
            let data = [("since".to_owned(), b"2026-11-23T08:15:30Z".to_vec())].into();
            return Change::Secret(ObjectKey::new(format!("t-{tenant}"), name), (!gone).then_some(data));
        }
        let hash = format!("{{SHA512-CRYPT}}$6${}${}", ["x", "y"][self.roll(2)], "a".repeat(86));
        let data = match self.roll(4) {
            0 => vec![("hash", hash), ("password", "abcde".into())],
            1 => vec![("hash", hash), ("changed", "2026-11-23T08:15:30Z".into())],
            2 => vec![("hash", hash)],
            _ => vec![("hash", "segreto".to_owned())],
        };
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect();
        Change::Secret(ObjectKey::new(format!("t-{tenant}"), name), (!gone).then_some(data))
    }
}

fn made<T: serde::de::DeserializeOwned>(namespace: &str, name: &str, spec: &serde_json::Value) -> T {
    let object = json!({"apiVersion": "territorial.services/v1alpha1", "kind": std::any::type_name::<T>().rsplit("::").next(),
        "metadata": {"namespace": namespace, "name": name}, "spec": spec});
    serde_json::from_value(object).unwrap()
}

fn index() -> Index {
    Index::new(serde_json::from_str::<Settings>(SETTINGS).unwrap())
}

/// Everything a unit comes out as, as text.
fn outcome(index: &Index, unit: &Unit) -> String {
    match unit {
        Unit::Tenant(name) => format!("{:?} {:?}", compile::tenant(index, name), index.counts(name)),
        Unit::Zone(name) => format!("{:?}", compile::zone(index, name, &ZoneFacts::hopeful())),
        Unit::Mail(name) => {
            let outcome =
                compile::mail(index, name, None, cst_api::Date { year: 2026, month: 1, day: 1 }, |_| Absence::Deleted);
            // A hash prints as nothing.
            let hashes = outcome.domain.boxes.iter().filter_map(|mailbox| Some(mailbox.password.as_ref()?.expose()));
            format!("{} {outcome:?}", hashes.collect::<Vec<_>>().join(" "))
        }
        Unit::Site(key) => {
            format!("{:?}", compile::site(index, key))
        }
    }
}

fn object_of(change: &Change) -> String {
    match change {
        Change::Tenant(name, _) => format!("Tenant {name}"),
        Change::Domain(key, _) => format!("Domain {key}"),
        Change::Mailbox(key, _) => format!("Mailbox {key}"),
        Change::WebSite(key, _) => format!("WebSite {key}"),
        Change::Secret(key, _) => format!("Secret {key}"),
        Change::SitePublished(key, _) => format!("SitePublished {key}"),
    }
}

#[test]
fn recompiling_dependents_equals_compiling_from_scratch() {
    for seed in 1..=60 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let (mut incremental, mut outcomes, mut last) = (index(), BTreeMap::new(), BTreeMap::new());
        for step in 0..60 {
            let change = dice.change();
            last.insert(object_of(&change), change.clone());
            for unit in incremental.apply(change.clone()) {
                outcomes.insert(unit.clone(), outcome(&incremental, &unit));
            }
            let mut scratch = index();
            for change in last.values() {
                scratch.apply(change.clone());
            }
            for unit in scratch.units() {
                let expected = outcome(&scratch, &unit);
                assert_eq!(
                    outcomes.get(&unit),
                    Some(&expected),
                    "seed {seed}, step {step}, after {change:?}: {unit:?} is stale"
                );
            }
        }
    }
}

/// A case that dice rarely make: glue stands in every zone above.
#[test]
fn the_addresses_of_name_servers_concern_every_zone_above() {
    let mut index = index();
    let spec = json!({"displayName": "x", "entityType": "Comune", "domains": ["pu.example"]});
    index.apply(Change::Tenant("t1".into(), Some(Box::new(made::<Tenant>("", "t1", &spec)))));
    let domain = |zone: &str, address: &str| {
        let record = json!({"name": "@", "type": "A", "values": [address]});
        let spec = json!({"records": [record], "mail": {"mode": "None"}});
        Change::Domain(ObjectKey::new("t-t1", zone), Some(Box::new(made::<Domain>("t-t1", zone, &spec))))
    };
    for zone in ["pu.example", "a.pu.example", "www.a.pu.example"] {
        index.apply(domain(zone, "192.0.2.1"));
    }
    let top = Unit::Zone(DomainName::parse("pu.example").unwrap());
    let before = outcome(&index, &top);
    let concerned = index.apply(domain("www.a.pu.example", "192.0.2.2"));
    assert_ne!(outcome(&index, &top), before);
    assert!(concerned.contains(&top), "{concerned:?}");
}
