//! Octets of no good will as replies: the reader neither panics nor takes one for the answer to what was not asked.

use cst_compiler::model::{DomainName, RecordType};

use super::reply::Reply;
use super::{Data, Question};
use crate::message::{HEADER, read_u16, skip_name};

const ID: u16 = 0x1234;

fn asked() -> Question {
    Question { edns: None, ..Question::new(&DomainName::parse("x.example").unwrap(), RecordType::DS) }
}

/// Reads octets as a reply, and looks at what is taken for one; whether they are.
pub(crate) fn read_reply(bytes: &[u8]) -> bool {
    let Ok(reply) = Reply::read(bytes, &asked(), ID) else { return false };
    assert!(bytes.len() >= HEADER && read_u16(bytes, 0) == Some(ID), "{bytes:?}");
    let end = skip_name(bytes, HEADER).unwrap_or_default();
    let is_repeated = read_u16(bytes, end) == Some(asked().type_.number());
    assert!(is_repeated || reply.rcode != 0, "{bytes:?}");
    for record in reply.answers.iter().chain(&reply.authorities).chain(&reply.additionals) {
        if let Data::Dnskey(key) = &record.data {
            key.tag();
        }
        record.data.write_wire(&mut Vec::new());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Numbers, STRINGS, rounds};
    use crate::message::{AA, QR, question};

    /// A reply with a record of each type in each section.
    fn seed(flags: u16, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = question(ID, QR | flags, &asked().name, asked().type_.number());
        let count = u8::try_from(records.len()).unwrap();
        (bytes[7], bytes[9], bytes[11]) = (count, count, count);
        for (type_number, data) in records.iter().chain(records).chain(records) {
            bytes.extend_from_slice(&[0xC0, 12]);
            bytes.extend_from_slice(&type_number.to_be_bytes());
            bytes.extend_from_slice(&[0, 1, 0, 0, 2, 88]);
            bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(data);
        }
        bytes
    }

    fn seeds() -> Vec<Vec<u8>> {
        let soa = [&[0xC0, 12, 0xC0, 12][..], &[0; 20]].concat();
        let rrsig = [&[0, 43, 13, 2, 0, 0, 1, 44, 0, 0, 0, 9, 0, 0, 0, 8, 1, 2, 1, 120, 0][..], &[3; 64]].concat();
        let (nsec, nsec3) = (vec![1, b'Y', 0, 0, 2, 0x40, 1], vec![1, 0, 0, 5, 1, 7, 2, 8, 9, 0, 1, 0x40]);
        let signed =
            [(43, vec![1, 2, 13, 2, 9, 9, 9]), (46, rrsig), (48, vec![1, 1, 3, 13, 5, 6, 7]), (47, nsec), (50, nsec3)];
        let plain =
            [(2, vec![0xC0, 12]), (6, soa), (1, vec![192, 0, 2, 1]), (28, vec![0; 16]), (15, vec![0, 1, 0xC0, 12])];
        vec![seed(AA, &signed), seed(AA, &plain), seed(0x0380, &plain), seed(3, &[]), seed(5, &[])]
    }

    #[test]
    fn whatever_comes_is_read_or_not_and_answers_what_was_asked() {
        let (seeds, mut numbers, mut read) = (seeds(), Numbers(0x9E37_79B9_7F4A_7C15), 0_u64);
        assert!(seeds.iter().all(|seed| Reply::read(seed, &asked(), ID).is_ok()));
        for _ in 0..STRINGS * rounds() {
            let bytes = numbers.mutated(&seeds);
            read += u64::from(read_reply(&bytes));
        }
        // Else nothing was tried.
        assert!(read > STRINGS / 20, "{read}");
    }
}
