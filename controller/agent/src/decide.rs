//! What of the received state is installed, and what goes on as it was. No client, no disk.

use cst_compiler::desired::mail::DomainContent;

/// What becomes of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// What is installed is what was received, or there is nothing of either.
    Nothing,
    /// The received state takes its place.
    Install(DomainContent),
    /// The domain is given up.
    Withdraw,
    /// What is installed goes on; the reason.
    Hold(String),
}

/// Decides about a domain: what is installed and what was received.
///
/// What is whole is what the controller published on purpose, however much is gone from it: the controller has held back what nobody
/// approved. A Secret that was lost, cut or edited is not whole, and says nothing. A domain whose Secrets are gone was not withdrawn: an API
/// server that lost them looks the same.
pub fn decide(installed: Option<&DomainContent>, received: Option<Result<DomainContent, String>>) -> Decision {
    let received = match (received, installed) {
        (None, None) => return Decision::Nothing,
        (None, Some(_)) => {
            return Decision::Hold("its shard Secrets are gone and nothing withdrew it: it goes on as it was".into());
        }
        (Some(Err(reason)), _) => return Decision::Hold(reason),
        (Some(Ok(content)), _) => content,
    };
    let Some(installed) = installed else {
        return if received.is_withdrawn() { Decision::Nothing } else { Decision::Install(received) };
    };
    if received.is_withdrawn() {
        return Decision::Withdraw;
    }
    if received.digest() == installed.digest() {
        return Decision::Nothing;
    }
    Decision::Install(received)
}
