//! From Mailboxes to the tables of the mail servers, without I/O.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use cst_api::{Date, Domain, Mailbox, Tenant};
use cst_compiler::compile::{self, MailOutcome};
use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::desired::mail::{DomainContent, Domains, MailDomain, ShardContent, dovecot};
use cst_compiler::index::{Change, Index, Unit};
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::parse::{HASH_KEY, password_secret};
use cst_compiler::plan::absence::Absence;
use cst_compiler::plan::mail as plan;
use cst_compiler::settings::Settings;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Fallible, HASH, cpu, median, row};

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
            let key = ObjectKey::new(&namespace, format!("d{at}-n{number}"));
            changes.push(mailbox(&key, &domain, number)?);
            let data = BTreeMap::from([(HASH_KEY.to_owned(), HASH.as_bytes().to_vec())]);
            changes.extend((number > 0).then(|| Change::Secret(password_secret(&key), Some(data))));
        }
    }
    Ok(changes)
}

fn compiled(index: &Index, name: &DomainName, published: Option<&MailDomain>) -> MailOutcome {
    compile::mail(index, name, published, TODAY, |_| Absence::Deleted)
}

/// A domain as an agent assembles it from its shards.
fn content(domain: &MailDomain, postmaster: &Address) -> Fallible<DomainContent> {
    let mut shards = BTreeMap::new();
    for shard in domain.shards(postmaster, 0) {
        shards.insert(shard.bucket, Arc::new(ShardContent::decode(&shard.bytes)?));
    }
    Ok(DomainContent::assemble(&shards)?)
}

/// What a controller does about a change in a domain: from what is published to the shards to write; how many those are.
fn controlled(index: &Index, published: &DomainContent, postmaster: &Address) -> usize {
    let before = published.to_mail_domain();
    let outcome = compiled(index, published.domain(), Some(&before));
    let step = plan::step(Some(&before), outcome.domain, (TODAY, 0), |_| false);
    let buckets = u32::try_from(published.shards().len()).unwrap_or(u32::MAX);
    let stored = |bucket| published.shards().get(usize::try_from(bucket).ok()?).map(|shard| &**shard);
    step.domain.changed_shards(postmaster, buckets, stored).0.len()
}

/// Measures so many domains with so many boxes each.
pub fn measure(domains: usize, boxes: usize) -> Fallible {
    let changes = changes(domains, boxes)?;
    let objects = changes.len();
    let settings = settings()?;
    let postmaster = settings.mail.as_ref().ok_or("there is mail in the settings")?.postmaster.clone();
    println!("\nMail of {domains} domains with {boxes} boxes each\n");
    let mut index = Index::new(settings);
    let ((), filled) = cpu(|| {
        for change in changes {
            black_box(index.apply(change));
        }
    });
    row("all objects into the index", filled, None);
    let names: Vec<DomainName> = index
        .units()
        .into_iter()
        .filter_map(|unit| if let Unit::Mail(name) = unit { Some(name) } else { None })
        .collect();
    let all = || names.iter().map(|name| compiled(&index, name, None)).collect::<Vec<MailOutcome>>();
    row("every mail domain compiled", median(5, || cpu(all).1), Some(300.0));
    let outcomes = all();
    let (contents, passed) = cpu(|| {
        let contents = outcomes.iter().map(|outcome| content(&outcome.domain, &postmaster));
        contents
            .map(|content| content.map(|content| (content.domain().clone(), content)))
            .collect::<Fallible<Domains>>()
    });
    row("written to shards and read by an agent", passed, None);
    let contents = contents?;
    row("Postfix' tables of all", median(3, || cpu(|| Tables::of(&contents)).1), None);
    let written = || contents.values().map(dovecot::passwd_file).map(|text| text.len()).sum::<usize>();
    row("Dovecot's passwd-files of all", median(3, || cpu(written).1), None);
    let first = names.first().and_then(|name| contents.get(name)).ok_or("there are domains")?;
    let mut quota = 2;
    let edited = median(11, || {
        quota += 1;
        let key = ObjectKey::new(cst_api::tenant_namespace("t0"), "d0-n2");
        let spec = json!({"address": "n00002@comune00000.pu.example", "quota": format!("{quota}Gi")});
        let Ok(mailbox) = object::<Mailbox>("Mailbox", &key, &spec) else { return f64::INFINITY };
        let (written, took) = cpu(|| {
            index.apply(Change::Mailbox(key, Some(mailbox)));
            controlled(&index, first, &postmaster)
        });
        if written == 1 { took } else { f64::INFINITY }
    });
    row("one box edited, to the shard to write", edited, Some(20.0));
    let tables = Tables::of(&contents);
    let entries: usize = Table::ALL.iter().map(|table| tables.entries(*table).len()).sum();
    println!("\n  {objects} objects, {entries} entries of tables, {} octets of passwd-files", written());
    Ok(())
}
