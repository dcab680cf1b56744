//! The Sieve scripts (RFC 5228) by which Dovecot sends mail on to other hosts, and answers it (RFC 5230).
//!
//! They run before a user's own. What is sent on to other hosts bears the box's own address as its sender (Dovecot's
//! `sieve_redirect_envelope_from`): the next host finds it in our SPF, and what cannot be delivered comes back to the box instead of to
//! somebody who did not write to that host. Such returns have no sender themselves, and are never sent on.
//!
//! What Rspamd marked as spam (`X-Spam: Yes`, which nobody else's mail gets in with) is not sent on or answered. After this script one for
//! all boxes files it into Junk (`charts/images/dovecot/junk.sieve`); only where nobody would look there it stays what it is: a shared box
//! has it in its INBOX, and a group, which has no box, sends it on with its mark.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::routes::Installed;
use super::{Answer, BoxRole, DomainContent, MailBox};
use crate::model::{Address, Recipient};

/// The scripts of a domain's boxes, of those that have one.
pub fn scripts(content: &DomainContent, book: Installed<'_>) -> BTreeMap<Address, String> {
    let boxes = content.boxes().filter(|mailbox| mailbox.receives());
    boxes.filter_map(|mailbox| Some((mailbox.address.clone(), script(mailbox, &book.elsewhere(mailbox))?))).collect()
}

fn script(mailbox: &MailBox, elsewhere: &[&Recipient]) -> Option<String> {
    let is_shared = mailbox.role == BoxRole::Shared;
    if elsewhere.is_empty() && mailbox.answer.is_none() && !is_shared {
        return None;
    }
    let keeps = !mailbox.is_group() && mailbox.forward.as_ref().is_none_or(|forward| forward.keep_copy);
    let mut text = String::from("require [\"copy\", \"envelope\", \"fileinto\", \"vacation\"];\n");
    if !mailbox.is_group() {
        text += "if header :is \"X-Spam\" \"Yes\" {\n";
        text += if is_shared { "  fileinto \"INBOX\";\n  stop;\n}\n" } else { "  stop;\n}\n" };
    }
    if let Some(answer) = &mailbox.answer {
        write_answer(&mut text, answer);
    }
    if !elsewhere.is_empty() {
        text += "if not envelope :is \"from\" \"\" {\n";
        for recipient in elsewhere {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "  redirect :copy {};", quoted(&recipient.to_string()));
        }
        if !keeps && !mailbox.is_group() {
            text += "  discard;\n";
        }
        text += "}\n";
    }
    if mailbox.is_group() {
        text += "discard;\n";
    }
    Some(text)
}

fn write_answer(text: &mut String, answer: &Answer) {
    let addresses: Vec<String> = answer.addresses.iter().map(|address| quoted(&address.to_string())).collect();
    let subject = answer.subject.as_ref().map(|subject| format!(" :subject {}", quoted(subject))).unwrap_or_default();
    let _ = writeln!(
        text,
        "vacation :days 1 :addresses [{}]{subject} {};",
        addresses.join(", "),
        quoted(&answer.text.replace("\r\n", "\n").replace(['\r'], "\n").replace('\n', "\r\n"))
    );
}

/// A quoted string (RFC 5228 §2.4.2): everything stands for itself but `"` and `\`.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
