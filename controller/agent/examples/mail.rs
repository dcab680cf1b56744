//! How long it takes from Mailboxes to the tables of the mail servers: `mail [DOMAINS] [BOXES PER DOMAIN]`, one core, no I/O.
#![expect(clippy::print_stdout, reason = "it measures")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use cst_api::{Date, Domain, Mailbox, Tenant};
use cst_compiler::compile::{self, MailOutcome};
use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::desired::mail::{DomainContent, Domains, ShardContent, dovecot};
use cst_compiler::index::{Change, Index, Unit};
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::plan::absence::Absence;
use cst_compiler::settings::Settings;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const TODAY: Date = Date { year: 2026, month: 11, day: 30 };
/// So many domains have one tenant.
const DOMAINS_OF_TENANT: usize = 10;

fn settings() -> Fallible<Settings> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "territorial.services/v1alpha1", "kind": "Settings",
        "dns": {"nameServers": ["ns1.cst.example.net", "ns2.cst.example.net"], "hostmaster": "hostmaster@cst.example.net"},
        "mail": {"hosts": [{"name": "mx.cst.example.net", "preference": 10}], "postmaster": "postmaster@cst.example.net"},
    }))?)
}

fn object<T: DeserializeOwned>(kind: &str, key: &ObjectKey, spec: &Value) -> Fallible<Box<T>> {
    let metadata = if key.namespace.is_empty() {
        json!({"name": key.name})
    } else {
        json!({"namespace": key.namespace, "name": key.name})
    };
    let object =
        json!({"apiVersion": "territorial.services/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec});
    Ok(Box::new(serde_json::from_value(object)?))
}

/// One box in ten has an alias, one in fifty a forward; each domain has a list of all.
fn mailbox(key: &ObjectKey, domain: &str, number: usize) -> Fallible<Change> {
    let mut spec = json!({"address": format!("n{number:05}@{domain}"), "quota": "2Gi"});
    if number == 0 {
        spec = json!({"type": "Group", "address": format!("tutti@{domain}"), "members": [format!("*@{domain}")]});
    } else if number.is_multiple_of(10) {
        spec["aliases"] = json!([format!("alias{number}@{domain}")]);
    } else if number % 50 == 1 {
        spec["forward"] = json!({"to": [format!("n{:05}@{domain}", number + 1), "a@elsewhere.example"]});
    }
    Ok(Change::Mailbox(key.clone(), Some(object::<Mailbox>("Mailbox", key, &spec)?)))
}

fn changes(domains: usize, boxes: usize) -> Fallible<Vec<Change>> {
    let mut changes = Vec::new();
    for at in 0..domains {
        let (tenant, domain) = (format!("t{}", at / DOMAINS_OF_TENANT), format!("comune{at:05}.pu.example"));
        let namespace = cst_api::tenant_namespace(&tenant);
        if at % DOMAINS_OF_TENANT == 0 {
            let grants: Vec<_> = (at..at + DOMAINS_OF_TENANT).map(|at| format!("comune{at:05}.pu.example")).collect();
            let spec = json!({"displayName": tenant, "entityType": "Comune", "domains": grants});
            let key = ObjectKey::new("", &tenant);
            changes.push(Change::Tenant(tenant, Some(object::<Tenant>("Tenant", &key, &spec)?)));
        }
        let key = ObjectKey::new(&namespace, &domain);
        let spec = json!({"mail": {"mode": "Hosted"}});
        changes.push(Change::Domain(key.clone(), Some(object::<Domain>("Domain", &key, &spec)?)));
        for number in 0..boxes {
            changes.push(mailbox(&ObjectKey::new(&namespace, format!("d{at}-n{number}")), &domain, number)?);
        }
    }
    Ok(changes)
}

fn compiled(index: &Index, name: &DomainName) -> MailOutcome {
    compile::mail(index, name, None, TODAY, |_| Absence::Deleted)
}

/// A domain as an agent assembles it from its shards.
fn content(outcome: &MailOutcome, postmaster: &Address) -> Fallible<DomainContent> {
    let mut shards = BTreeMap::new();
    for shard in outcome.domain.shards(postmaster, 0) {
        shards.insert(shard.bucket, Arc::new(ShardContent::decode(&shard.bytes)?));
    }
    Ok(DomainContent::assemble(&shards)?)
}

fn row<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = work();
    println!("  {what:<58} {:>9.1} ms", start.elapsed().as_secs_f64() * 1e3);
    made
}

fn main() -> Fallible {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse());
    let (domains, boxes) = (number(10_000)?, number(10)?);
    let changes = changes(domains, boxes)?;
    let last = changes.len() - 1;
    let key = ObjectKey::new(cst_api::tenant_namespace("t0"), "d0-n2");
    let spec = json!({"address": "n00002@comune00000.pu.example", "quota": "3Gi"});
    let edited = Change::Mailbox(key.clone(), Some(object::<Mailbox>("Mailbox", &key, &spec)?));
    let settings = settings()?;
    let postmaster = settings.mail.as_ref().ok_or("there is mail in the settings")?.postmaster.clone();

    println!("\nMail of {domains} domains with {boxes} boxes each (--example mail {domains} {boxes})\n");
    let mut index = Index::new(settings);
    row("all objects into the index", || {
        for change in changes {
            black_box(index.apply(change));
        }
    });
    let names: Vec<DomainName> = index
        .units()
        .into_iter()
        .filter_map(|unit| if let Unit::Mail(name) = unit { Some(name) } else { None })
        .collect();
    let outcomes: Vec<MailOutcome> = row("every mail domain compiled (wanted: 300 ms for 100,000)", || {
        names.iter().map(|name| compiled(&index, name)).collect()
    });
    let contents: Domains = row("written to shards and read by an agent", || {
        outcomes
            .iter()
            .map(|outcome| Ok((outcome.domain.domain.clone(), content(outcome, &postmaster)?)))
            .collect::<Fallible<_>>()
    })?;
    let tables = row("Postfix' tables of all", || Tables::of(&contents));
    let written = row("Dovecot's passwd-files of all", || {
        contents.values().map(dovecot::passwd_file).map(|text| text.len()).sum::<usize>()
    });
    let first = names.first().ok_or("there are domains")?;
    let units = row("one box edited: the index", || index.apply(edited));
    row("one box edited: its domain", || black_box(compiled(&index, first)));
    let entries: usize = Table::ALL.iter().map(|table| tables.entries(*table).len()).sum();
    println!(
        "\n  {last} objects, {entries} entries of tables, {written} octets of passwd-files; the edit concerns {} units",
        units.len()
    );
    Ok(())
}
