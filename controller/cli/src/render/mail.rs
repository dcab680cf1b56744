use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cst_api::Date;
use cst_compiler::compile;
use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::desired::mail::routes::Installed;
use cst_compiler::desired::mail::sharing::Sharing;
use cst_compiler::desired::mail::{DomainContent, ShardContent, dovecot, sieve};
use cst_compiler::index::{Index, Unit};
use cst_compiler::model::{Address, DomainName};
use cst_compiler::plan::absence::Absence;

/// The tables of Postfix as text; of each domain the passwd-file, with `<hash>` in place of what would open a box, who uses others' boxes,
/// and the boxes' scripts.
pub(super) fn files(index: &Index, today: Date) -> Vec<(PathBuf, String)> {
    let Some(settings) = &index.settings().mail else { return Vec::new() };
    let domains = contents(index, &settings.postmaster, today);
    let tables = Tables::of(&domains);
    let folder = Path::new("mail");
    let (book, sharing) = (Installed::new(&domains), Sharing::of(&domains));
    let mut files = Vec::new();
    for (name, content) in &domains {
        files.push((folder.join("passwd").join(name.as_str()), redacted(&dovecot::passwd_file(content))));
        let acl = (folder.join("acl").join(name.as_str()), sharing.acl(name));
        files.extend(Some(acl).filter(|(_, rights)| !rights.is_empty()));
        let scripts = sieve::scripts(content, book).into_iter();
        files.extend(scripts.map(|(address, script)| (folder.join("sieve").join(format!("{address}.sieve")), script)));
    }
    files.extend(Table::ALL.map(|table| {
        let lines: String = tables.entries(table).iter().map(|(key, value)| format!("{key}\t{value}\n")).collect();
        (folder.join(format!("{}.txt", table.file_name())), lines)
    }));
    files
}

/// Every mail domain as an agent would assemble it from its shards.
fn contents(index: &Index, postmaster: &Address, today: Date) -> BTreeMap<DomainName, DomainContent> {
    let names = index.units().into_iter().filter_map(|unit| match unit {
        Unit::Mail(name) => Some(name),
        _ => None,
    });
    let live = names.map(|name| (compile::mail(index, &name, None, today, |_| Absence::Deleted), name));
    live.filter(|(outcome, _)| outcome.standing == compile::Standing::Live)
        .filter_map(|(outcome, name)| {
            let shards = outcome.domain.shards(postmaster, 0);
            let decoded = shards
                .iter()
                .filter_map(|shard| Some((shard.bucket, Arc::new(ShardContent::decode(&shard.bytes).ok()?))));
            Some((name, DomainContent::assemble(&decoded.collect()).ok()?))
        })
        .collect()
}

/// The second field of each line is the hash; `*` opens nothing and stays.
fn redacted(passwd: &str) -> String {
    let lines = passwd.lines().map(|line| {
        let mut fields: Vec<&str> = line.split(':').collect();
        if let Some(hash) = fields.get_mut(1).filter(|hash| **hash != "*") {
            *hash = "<hash>";
        }
        fields.join(":") + "\n"
    });
    lines.collect()
}
