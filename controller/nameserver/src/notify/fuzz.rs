//! The reader of responses, for the tests that feed it what no server would send.

use std::sync::Arc;

use cst_compiler::model::DomainName;

use crate::message::tsig::TsigSession;
use crate::tsig::TsigKey;

use super::exchange::{Exchange, Outcome};
use super::track::Step;

/// What came of a response.
pub(crate) enum Asked {
    /// It says yes, or gives a serial.
    Believed,
    /// It says no, which it may do without a signature.
    Refused,
    /// It is not the response.
    Ignored,
}

/// A signed message that waits for its response.
pub(crate) struct Asking(Exchange);

pub(crate) fn ask(zone: &DomainName, is_notify: bool, key: &Arc<TsigKey>, now: u64) -> Asking {
    let step = if is_notify { Step::Notify } else { Step::Ask };
    Asking(Exchange::begin(7, zone, step, Some(key), now).0)
}

impl Asking {
    /// What the other side goes on from when it signs.
    pub(crate) fn session(&self) -> Option<TsigSession> {
        self.0.session().cloned()
    }

    pub(crate) fn end(&self, bytes: &[u8], now: u64) -> Asked {
        match self.0.end(bytes, now) {
            None => Asked::Ignored,
            Some(Outcome::Serial(Some(_)) | Outcome::Notified) => Asked::Believed,
            Some(_) => Asked::Refused,
        }
    }
}
