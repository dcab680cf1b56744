//! Dovecot's passwd-file: one per domain, every field ours.

use std::fmt::Write;

use super::{DomainContent, MailBox};

/// Where mail is stored in the Dovecot container: `<root>/<domain of store>/<local part of store>`.
pub const STORE_ROOT: &str = "/var/vmail";

/// The passwd-file of a domain, sorted by address: `user:password:uid:gid:gecos:home:shell:extra fields`; user and group come from
/// the configuration.
///
/// Groups are there too, because the script of one with members elsewhere sends on to them; a group's home begins with a dot, which no
/// box's does. A box that nobody logs in to has the hash `*`, which refuses SMTP AUTH too (`nologin` would not). No field can hold a `:`, a
/// blank or a `%`: addresses and hashes have no such characters. Holds password hashes.
pub fn passwd_file(content: &DomainContent) -> String {
    let mut boxes: Vec<_> = content.boxes().collect();
    boxes.sort_by(|a, b| a.address.cmp(&b.address));
    boxes.into_iter().fold(String::new(), |mut text, mailbox| {
        write_line(&mut text, mailbox);
        text
    })
}

/// The passwd-files of a domain for its boxes' applications: the first has the first of each box that has one, and so on, because Dovecot takes one
/// line of a user in a file. They give a hash and nothing else. Holds password hashes.
pub fn application_files(content: &DomainContent) -> Vec<String> {
    let mut boxes: Vec<_> = content.boxes().filter(|mailbox| mailbox.application_logins().next().is_some()).collect();
    boxes.sort_by(|a, b| a.address.cmp(&b.address));
    let mut files: Vec<String> = Vec::new();
    for mailbox in boxes {
        for (place, hash) in mailbox.application_logins().enumerate() {
            if files.len() == place {
                files.push(String::new());
            }
            if let Some(text) = files.get_mut(place) {
                let _ = writeln!(text, "{}:{}", mailbox.address, hash.expose());
            }
        }
    }
    files
}

fn write_line(text: &mut String, mailbox: &MailBox) {
    let hash = mailbox.login().map_or("*", super::PasswordHash::expose);
    // A size of 0 would mean no limit.
    let quota = mailbox.quota.0.max(1);
    let dot = if mailbox.is_group() { "." } else { "" };
    let (store_domain, store_local) = (mailbox.store.domain(), mailbox.store.local());
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{}:{hash}::::{STORE_ROOT}/{store_domain}/{dot}{store_local}::userdb_quota_storage_size={quota}B",
        mailbox.address
    );
}
