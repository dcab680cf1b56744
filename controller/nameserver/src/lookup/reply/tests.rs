use super::*;
use crate::message::question;

fn asked() -> Question {
    Question::new(&DomainName::parse("fano.pu.it").unwrap(), RecordType::DS)
}

/// A response to the question without records, with these flags.
fn response(question: &Question, id: u16, flags: u16) -> Vec<u8> {
    let mut bytes = question.write(id);
    bytes[2..4].copy_from_slice(&(QR | flags).to_be_bytes());
    bytes
}

#[test]
fn only_what_responds_to_the_question_is_read() {
    let reply = Reply::read(&response(&asked(), 7, AA), &asked(), 7).unwrap();
    assert!(reply.authoritative && reply.is_answer() && reply.edns.is_some());
    let other = Question::new(&DomainName::parse("urbino.pu.it").unwrap(), RecordType::DS);
    let type_ = Question::new(&asked().name, RecordType::NS);
    for bytes in [
        response(&asked(), 8, AA),
        asked().write(7),
        response(&other, 7, AA),
        response(&type_, 7, AA),
        response(&asked(), 7, crate::message::NOTIFY),
        response(&asked(), 7, AA)[..12].to_vec(),
        Vec::new(),
    ] {
        assert_eq!(Reply::read(&bytes, &asked(), 7), Err(NoReply::Other), "{bytes:?}");
    }
}

#[test]
fn the_case_of_the_question_does_not_matter() {
    let mut bytes = response(&asked(), 7, AA);
    bytes[HEADER + 1..HEADER + 5].make_ascii_uppercase();
    assert!(Reply::read(&bytes, &asked(), 7).is_ok());
}

#[test]
fn an_error_may_come_without_the_question() {
    let bare = |flags: u16| [[0, 7], flags.to_be_bytes(), [0; 2], [0; 2], [0; 2], [0; 2]].concat();
    assert_eq!(Reply::read(&bare(QR | 1), &asked(), 7).unwrap().rcode_name(), "FORMERR");
    assert_eq!(Reply::read(&bare(QR), &asked(), 7), Err(NoReply::Other), "a yes to whatever");
}

#[test]
fn what_is_cut_is_truncated_or_malformed() {
    let mut bytes = response(&asked(), 7, AA);
    bytes[7] = 1;
    bytes.truncate(bytes.len() - 4);
    assert_eq!(Reply::read(&bytes, &asked(), 7), Err(NoReply::Malformed));
    bytes[2] |= TC.to_be_bytes()[0];
    assert!(Reply::read(&bytes, &asked(), 7).unwrap().truncated);
}

/// A response with one record at the question's name.
fn with_record(type_number: u16, data: &[u8]) -> Result<Reply, NoReply> {
    let question_alone = Question { edns: None, ..asked() };
    let mut bytes = question(7, QR | AA, &asked().name, asked().type_.number());
    bytes[7] = 1;
    bytes.extend_from_slice(&[0xC0, 12]);
    bytes.extend_from_slice(&type_number.to_be_bytes());
    bytes.extend_from_slice(&[0, 1, 0, 0, 2, 88]);
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(data);
    Reply::read(&bytes, &question_alone, 7)
}

#[test]
fn dnssec_records_are_read_field_by_field() {
    let reply = with_record(43, &[0x30, 0x39, 13, 2, 1, 2, 3]).unwrap();
    let ds = reply.set(&asked().name, RecordType::DS).find_map(Record::ds).unwrap();
    assert_eq!((ds.key_tag, ds.algorithm, ds.digest_type, &ds.digest[..]), (12345, 13, 2, &[1, 2, 3][..]));
    assert_eq!(reply.answers[0].ttl, 600);

    let mut rrsig = vec![0, 43, 13, 3, 0, 0, 1, 44, 0, 0, 0, 9, 0, 0, 0, 8, 0x30, 0x39];
    asked().name.write_wire(&mut rrsig);
    rrsig.extend_from_slice(&[5, 6]);
    let Data::Rrsig(read) = &with_record(46, &rrsig).unwrap().answers[0].data else { panic!("an RRSIG") };
    assert_eq!((read.covered, read.labels, read.original_ttl), (RecordType::DS, 3, 300));
    assert_eq!((read.expiration, read.inception, read.key_tag), (9, 8, 12345));
    assert_eq!((&read.signer, &read.signature[..]), (&asked().name, &[5, 6][..]));

    let Data::Dnskey(key) = &with_record(48, &[1, 1, 3, 13, 9]).unwrap().answers[0].data else { panic!("a DNSKEY") };
    assert_eq!((key.flags, key.protocol, key.algorithm, &key.key[..]), (257, 3, 13, &[9][..]));
}

#[test]
fn a_record_that_is_not_of_its_type_spoils_the_reply() {
    for (type_number, data) in [(43, &[1, 2, 3][..]), (46, &[0; 20][..18]), (48, &[1]), (46, &[9; 30])] {
        assert_eq!(with_record(type_number, data), Err(NoReply::Malformed), "{type_number}");
    }
}
