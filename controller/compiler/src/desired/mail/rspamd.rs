//! What Rspamd signs a domain's mail with: one file per domain, read anew for each message (`charts/images/rspamd/signing.lua`).

use std::fmt::Write;

use super::{DkimSigner, DomainContent};

/// The file of a domain: how many signatures its mail gets and whose boxes send as the domain, then `selector algorithm key` for each.
///
/// It is there for domains without keys too: one that is missing is no licence to send unsigned. Holds private keys.
pub fn signers_file(content: &DomainContent) -> String {
    let signers = content.dkim();
    let owner = content.alias_of().unwrap_or(content.domain());
    signers.iter().fold(format!("{} {owner}\n", signers.len()), |mut text, signer| {
        let DkimSigner { selector, algorithm, key } = signer;
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{selector} {algorithm} {}", key.expose());
        text
    })
}
