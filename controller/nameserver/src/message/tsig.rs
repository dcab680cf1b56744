//! Transaction signatures (RFC 8945): requests checked, responses signed, transfers message by message, our own requests signed.

use std::sync::Arc;

use cst_compiler::model::DomainName;
use hickory_proto::rr::Name;
use hickory_proto::rr::rdata::TSIG;

use crate::keyring::Keyring;
use crate::tsig::TsigKey;

use super::request::{Request, domain_name};
use super::{HEADER, read_u16};

/// Seconds that clocks may differ (RFC 8945 §10).
const FUDGE: u16 = 300;

/// The MAC is wrong (RFC 8945 §3, as are the next).
const BADSIG: u16 = 16;
/// The key is not known.
const BADKEY: u16 = 17;
/// The clocks differ by more than the fudge.
const BADTIME: u16 = 18;
/// The MAC is cut short.
const BADTRUNC: u16 = 22;

/// What a TSIG record says apart from its MAC (RFC 8945 §4.2).
#[derive(Clone, Debug)]
struct Fields {
    owner: Vec<u8>,
    algorithm: Vec<u8>,
    time: u64,
    fudge: u16,
    error: u16,
    other: Vec<u8>,
}

impl Fields {
    fn of(key: &TsigKey, now: u64) -> Self {
        let (owner, algorithm) = (key.owner(), key.algorithm_wire().to_vec());
        Self { owner, algorithm, time: now, fudge: FUDGE, error: 0, other: Vec::new() }
    }

    /// What a MAC covers of them (RFC 8945 §4.3.3).
    fn variables(&self) -> Vec<u8> {
        let mut bytes = self.owner.clone();
        bytes.extend_from_slice(&[0, 255, 0, 0, 0, 0]);
        bytes.extend_from_slice(&self.algorithm);
        bytes.extend_from_slice(&self.timers());
        bytes.extend_from_slice(&self.error.to_be_bytes());
        bytes.extend_from_slice(&counted(&self.other));
        bytes
    }

    /// The 48 bits of the time, and the fudge: all that later messages of a sequence cover (RFC 8945 §5.3.1).
    fn timers(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..6].copy_from_slice(&self.time.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&self.fudge.to_be_bytes());
        bytes
    }

    fn is_timely(&self, now: u64) -> bool {
        now.abs_diff(self.time) <= self.fudge.into()
    }

    /// Puts the record onto a message.
    fn append(&self, message: &mut Vec<u8>, mac: &[u8]) {
        let mut data = self.algorithm.clone();
        data.extend_from_slice(&self.timers());
        data.extend_from_slice(&counted(mac));
        data.extend_from_slice(&message[..2]);
        data.extend_from_slice(&self.error.to_be_bytes());
        data.extend_from_slice(&counted(&self.other));
        message.extend_from_slice(&self.owner);
        message.extend_from_slice(&[0, 250, 0, 255, 0, 0, 0, 0]);
        message.extend_from_slice(&counted(&data));
        let count = read_u16(message, 10).unwrap_or_default().wrapping_add(1);
        message[10..HEADER].copy_from_slice(&count.to_be_bytes());
    }
}

/// Octets with their length before them.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    out.extend_from_slice(bytes);
    out
}

/// A message's TSIG record.
#[derive(Clone, Debug)]
pub(crate) struct TsigRecord {
    key_name: Option<DomainName>,
    fields: Fields,
    mac: Vec<u8>,
    original_id: u16,
    /// Where the record begins in its message.
    start: usize,
}

impl TsigRecord {
    pub(crate) fn new(owner: &Name, data: &TSIG, start: usize) -> Self {
        let fields = Fields {
            owner: wire(owner),
            algorithm: wire(&data.algorithm.to_name()),
            time: data.time,
            fudge: data.fudge,
            error: data.error.map_or(0, u16::from),
            other: data.other.clone(),
        };
        Self { key_name: domain_name(owner), fields, mac: data.mac.clone(), original_id: data.oid, start }
    }

    /// The message as it was signed: without this record, under its original id (RFC 8945 §4.3.2).
    fn signed_message(&self, bytes: &[u8]) -> Vec<u8> {
        let mut message = bytes[..self.start].to_vec();
        let count = read_u16(&message, 10).unwrap_or_default().wrapping_sub(1);
        message[..2].copy_from_slice(&self.original_id.to_be_bytes());
        message[10..HEADER].copy_from_slice(&count.to_be_bytes());
        message
    }

    /// Whether it says why the other side could not verify us.
    pub(crate) fn is_error(&self) -> bool {
        self.fields.error != 0
    }

    /// Whether it says that the other side has no such key.
    pub(crate) fn is_key_unknown(&self) -> bool {
        self.fields.error == BADKEY
    }

    /// Whether it says that the other side has another secret for the key.
    pub(crate) fn is_secret_other(&self) -> bool {
        self.fields.error == BADSIG
    }

    /// Whether it says that the other side's clock differs from ours.
    pub(crate) fn is_time_refused(&self) -> bool {
        self.fields.error == BADTIME
    }

    /// Whether the MAC is of this key over what comes before, the message as it was signed, and the variables.
    fn is_by(&self, key: &TsigKey, prior: &[u8], bytes: &[u8]) -> bool {
        key.verify(&[prior, &self.signed_message(bytes), &self.fields.variables()], &self.mac)
    }

    fn is_of(&self, key: &TsigKey) -> bool {
        self.key_name.as_ref() == Some(key.name()) && self.fields.algorithm == key.algorithm_wire()
    }
}

fn wire(name: &Name) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name {
        wire.push(u8::try_from(label.len()).unwrap_or(63));
        wire.extend(label.to_ascii_lowercase());
    }
    wire.push(0);
    wire
}

/// An authenticated exchange: what was signed last.
#[derive(Clone, Debug)]
pub(crate) struct TsigSession {
    key: Arc<TsigKey>,
    prior_mac: Vec<u8>,
    /// Whether the next message is a response's first: the others sign only the timers.
    is_first: bool,
}

impl TsigSession {
    /// Signs a request of ours.
    pub(crate) fn request(key: &Arc<TsigKey>, message: &mut Vec<u8>, now: u64) -> Self {
        let fields = Fields::of(key, now);
        let mac = key.mac(&[message, &fields.variables()]);
        fields.append(message, &mac);
        Self { key: Arc::clone(key), prior_mac: mac, is_first: true }
    }

    /// Signs the next message of the response.
    pub(crate) fn sign(&mut self, message: &mut Vec<u8>, now: u64) {
        self.sign_after(&[], message, now);
    }

    /// Signs a message, and with it those that came unsigned before it (RFC 8945 §5.3.1).
    pub(crate) fn sign_after(&mut self, unsigned: &[u8], message: &mut Vec<u8>, now: u64) {
        let fields = Fields::of(&self.key, now);
        let tail = if self.is_first { fields.variables() } else { fields.timers().to_vec() };
        self.prior_mac = self.key.mac(&[&counted(&self.prior_mac), unsigned, message, &tail]);
        self.is_first = false;
        fields.append(message, &self.prior_mac);
    }

    /// Whether the response to our request is signed by whom we asked, and says that all is well.
    pub(crate) fn verify(&self, response: &[u8], record: &TsigRecord, now: u64) -> bool {
        let is_whole = record.mac.len() == self.key.mac_length() && record.fields.error == 0;
        let is_timely = record.is_of(&self.key) && record.fields.is_timely(now);
        is_whole && is_timely && record.is_by(&self.key, &counted(&self.prior_mac), response)
    }

    /// Whether the next signed message of a transfer to us is by whom we asked; `unsigned`: the messages that came since the last one that
    /// was signed, which its MAC covers too (RFC 8945 §5.3.1).
    pub(crate) fn verify_next(&mut self, unsigned: &[u8], response: &[u8], record: &TsigRecord, now: u64) -> bool {
        let tail = if self.is_first { record.fields.variables() } else { record.fields.timers().to_vec() };
        let is_whole = record.mac.len() == self.key.mac_length() && record.fields.error == 0;
        let is_timely = record.is_of(&self.key) && record.fields.is_timely(now);
        let parts = [&counted(&self.prior_mac), unsigned, &record.signed_message(response), &tail];
        let is_right = is_whole && is_timely && self.key.verify(&parts, &record.mac);
        (self.prior_mac, self.is_first) = (record.mac.clone(), false);
        is_right
    }

    /// Whether no message of the response was signed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.is_first
    }

    /// The octets that [`Self::sign`] adds.
    pub(crate) fn overhead(&self) -> usize {
        self.key.owner().len() + self.key.algorithm_wire().len() + self.key.mac_length() + 26
    }

    /// The key.
    pub(crate) fn key(&self) -> &TsigKey {
        &self.key
    }
}

/// What came of a request's signature.
#[derive(Debug)]
pub(crate) enum Authentication {
    /// It has none.
    Unsigned,
    Signed(TsigSession),
    Rejected(Box<TsigRejection>),
    /// A MAC of a length that none has.
    Malformed,
}

/// A request whose signature does not hold; it is answered NOTAUTH with this said (RFC 8945 §5.2, §5.3.2).
#[derive(Debug)]
pub(crate) struct TsigRejection {
    fields: Fields,
    /// Present when the key is right, so that the response can be signed.
    session: Option<TsigSession>,
}

/// Checks a request's signature in the order of RFC 8945 §5.2: key, MAC, time, truncation. Of a key that is being replaced both secrets hold.
pub(crate) fn authenticate(request: &Request<'_>, keys: &Keyring, now: u64) -> Authentication {
    let Some(record) = &request.tsig else { return Authentication::Unsigned };
    let reject = |error, other, session| {
        let fields = Fields { error, other, ..record.fields.clone() };
        Authentication::Rejected(Box::new(TsigRejection { fields, session }))
    };
    let mut named = keys.iter().filter(|key| record.is_of(key)).peekable();
    let Some(length) = named.peek().map(|key| key.mac_length()) else { return reject(BADKEY, Vec::new(), None) };
    // A MAC shorter than half of itself is malformed (RFC 8945 §5.2.2.1).
    if !(length / 2..=length).contains(&record.mac.len()) {
        return Authentication::Malformed;
    }
    let Some(key) = named.find(|key| record.is_by(key, &[], request.bytes)) else {
        return reject(BADSIG, Vec::new(), None);
    };
    let session = TsigSession { key: Arc::clone(key), prior_mac: record.mac.clone(), is_first: true };
    if !record.fields.is_timely(now) {
        return reject(BADTIME, now.to_be_bytes()[2..].to_vec(), Some(session));
    }
    if record.mac.len() < length {
        return reject(BADTRUNC, Vec::new(), Some(session));
    }
    Authentication::Signed(session)
}

impl TsigRejection {
    /// Puts the TSIG record that says why onto the response: with the request's time, signed if that is possible.
    pub(crate) fn finish(&self, message: &mut Vec<u8>) {
        let mac = self.session.as_ref().map_or_else(Vec::new, |session| {
            session.key.mac(&[&counted(&session.prior_mac), message, &self.fields.variables()])
        });
        self.fields.append(message, &mac);
    }

    /// What is wrong, by the name of RFC 8945 §3.
    pub(crate) fn reason(&self) -> &'static str {
        match self.fields.error {
            BADKEY => "BADKEY",
            BADSIG => "BADSIG",
            BADTIME => "BADTIME",
            _ => "BADTRUNC",
        }
    }
}
