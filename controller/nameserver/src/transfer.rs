//! A whole zone in messages (AXFR, RFC 5936), each of them signed (RFC 8945 §5.3.1). An IXFR is answered in the same form (RFC 1995 §4).

use std::iter::Peekable;
use std::sync::Arc;

use crate::clock::Clock;
use crate::message::tsig::TsigSession;
use crate::message::{AA, MessageWriter, Owner, QR, Request, Section};
use crate::rtype;
use crate::served::ServedZone;

/// Octets of a message: names compress up to 16 KiB, so that longer messages carry no more.
const MESSAGE: usize = 16_384;
/// What TCP's length field allows (RFC 1035 §4.2.2).
const LARGEST: usize = 65_535;
/// More than a TSIG record ever has.
const MAX_OVERHEAD: usize = 512;

/// A transfer that was granted.
pub(crate) struct Transfer {
    pub(crate) zone: Arc<ServedZone>,
    pub(crate) request: Vec<u8>,
    pub(crate) session: TsigSession,
}

/// One record as it is written.
pub(crate) struct RecordRef<'z> {
    owner: Owner<'z>,
    type_number: u16,
    ttl: u32,
    data: &'z [u8],
}

impl ServedZone {
    /// All records, the SOA first and once more at the end.
    fn transfer_records(&self) -> impl Iterator<Item = RecordRef<'_>> + Send {
        let all = self.nodes.iter().flat_map(|node| {
            let owner = Owner::Name(&node.name);
            node.sets.iter().flat_map(move |set| {
                let record = move |type_number, data| RecordRef { owner, type_number, ttl: set.ttl, data };
                let data = set.data.iter().map(move |data| record(set.type_number, data));
                data.chain(set.signature.as_deref().map(|data| record(rtype::RRSIG, data)))
            })
        });
        let (apex, soa) = self.soa();
        let last = soa.data.iter().map(move |data| RecordRef {
            owner: Owner::Name(&apex.name),
            type_number: rtype::SOA,
            ttl: soa.ttl,
            data,
        });
        all.chain(last)
    }
}

impl Transfer {
    /// The messages in their order, made one by one.
    pub(crate) fn messages(&mut self, clock: &Clock) -> impl Iterator<Item = Vec<u8>> + Send {
        let Self { zone, request, session } = self;
        let mut records = zone.transfer_records().peekable();
        let mut first = Request::read(request).ok();
        let id = first.as_ref().map_or(0, |request| request.id);
        std::iter::from_fn(move || {
            records.peek()?;
            let limit = MESSAGE - session.overhead();
            let mut bytes = match first.take() {
                Some(request) => fill(MessageWriter::response(&request, limit), &mut records),
                None => fill(MessageWriter::bare(id, QR | AA, limit), &mut records),
            }?;
            session.sign(&mut bytes, clock.now());
            Some(bytes)
        })
    }
}

/// As many records as go into the message; `None` when not even one does.
fn fill<'w, 'z: 'w>(
    mut writer: MessageWriter<'w>,
    records: &mut Peekable<impl Iterator<Item = RecordRef<'z>>>,
) -> Option<Vec<u8>> {
    writer.set_flag(AA);
    add(&mut writer, records);
    if writer.is_empty() {
        writer.set_limit(LARGEST - MAX_OVERHEAD);
        add(&mut writer, records);
    }
    (!writer.is_empty()).then(|| writer.finish())
}

fn add<'w, 'z: 'w>(writer: &mut MessageWriter<'w>, records: &mut Peekable<impl Iterator<Item = RecordRef<'z>>>) {
    while records.next_if(|r| writer.record(Section::Answer, r.owner, r.type_number, r.ttl, r.data)).is_some() {}
}
