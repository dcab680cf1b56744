//! A whole zone (AXFR, RFC 5936) or what has changed in it (IXFR, RFC 1995) in messages, each of them signed (RFC 8945 §5.3.1).

use std::iter::Peekable;
use std::sync::Arc;

use crate::clock::Clock;
use crate::history::Difference;
use crate::message::tsig::TsigSession;
use crate::message::{AA, MessageWriter, Owner, QR, Request, Section};
use crate::metrics::{Counts, Transfers};
use crate::records::RecordRef;
use crate::served::ServedZone;

/// Octets of a message: names compress up to 16 KiB, so that longer messages carry no more.
const MESSAGE: usize = 16_384;
/// What TCP's length field allows (RFC 1035 §4.2.2).
const LARGEST: usize = 65_535;
/// More than a TSIG record ever has.
const MAX_OVERHEAD: usize = 512;

/// What is transferred.
pub(crate) struct Content {
    pub(crate) zone: Arc<ServedZone>,
    /// What leads to the zone from the client's version; `None`: the whole of it.
    pub(crate) differences: Option<Vec<Arc<Difference>>>,
}

/// A transfer that was granted.
pub(crate) struct Transfer {
    pub(crate) content: Content,
    pub(crate) request: Vec<u8>,
    pub(crate) session: TsigSession,
}

impl Content {
    /// Where transfers of its kind are counted.
    pub(crate) fn counts<'c>(&self, counts: &'c Counts) -> &'c Transfers {
        if self.differences.is_some() { &counts.incremental } else { &counts.whole }
    }

    /// The records in their order: the SOA, all that is to be told, and the SOA once more.
    fn records(&self) -> Box<dyn Iterator<Item = RecordRef<'_>> + Send + '_> {
        let zone = &self.zone;
        match &self.differences {
            None => Box::new(zone.records().chain(zone.soa_record())),
            Some(differences) => {
                let changes = differences.iter().flat_map(|difference| difference.records());
                Box::new(zone.soa_record().chain(changes).chain(zone.soa_record()))
            }
        }
    }

    /// Writes it into one message; `false` when it does not fit.
    pub(crate) fn write<'w, 'z: 'w>(&'z self, writer: &mut MessageWriter<'w>) -> bool {
        writer.set_flag(AA);
        self.records().all(|record| write(writer, record))
    }
}

impl Transfer {
    /// The messages in their order, made one by one.
    pub(crate) fn messages(&mut self, clock: &Clock) -> impl Iterator<Item = Vec<u8>> + Send {
        let Self { content, request, session } = self;
        let mut records = content.records().peekable();
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
    while records.next_if(|record| write(writer, *record)).is_some() {}
}

fn write<'w, 'z: 'w>(writer: &mut MessageWriter<'w>, record: RecordRef<'z>) -> bool {
    let RecordRef { owner, type_number, ttl, data } = record;
    writer.record(Section::Answer, Owner::Name(owner), type_number, ttl, data)
}
