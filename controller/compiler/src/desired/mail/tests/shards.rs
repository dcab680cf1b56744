use cst_api::Date;
use sha2::Digest as _;

use super::*;
use crate::desired::mail::Limits;
use crate::desired::mail::content::Incomplete;
use crate::desired::mail::dkim::{DkimAlgorithm, DkimKey, DkimSelector};
use crate::desired::mail::shard::{self, ShardError};

/// A domain of many boxes, such as a health agency's.
fn large(boxes: usize) -> MailDomain {
    let boxes = (0..boxes).map(|n| mailbox(&format!("u{n:05}@ast.example"), MailboxState::Active)).collect();
    let aliases = aliases(&[("urp@ast.example", "u00000@ast.example")]);
    MailDomain { boxes, aliases, ..MailDomain::empty(domain("ast.example")) }
}

#[test]
fn a_small_domain_is_one_shard() {
    let shards = urbino().shards(&centre(), 0);
    assert_eq!(String::from_utf8(shards[0].bytes.clone()).unwrap(), include_str!("golden/urbino.shard"));
    assert_eq!((shards.len(), shards[0].name().as_str()), (1, "mail-c9c40e96d5f33613-0"));
}

#[test]
fn what_is_read_is_what_was_written() {
    let mut expected = urbino();
    expected.aliases.remove(&address("trasloco@comune.urbino.pu.it")); // a box has this address
    expected.boxes.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(content(&urbino()).to_mail_domain(), expected);
    let removed = [address("abuse@ast.example"), address("gone@ast.example")]
        .map(|a| (a, Date { year: 2026, month: 11, day: 23 }));
    let signer = |selector: &str, algorithm| DkimSigner {
        selector: DkimSelector::parse(selector).unwrap(),
        algorithm,
        key: DkimKey::parse("MC4CAQAwBQYDK2VwBCIEIA==").unwrap(),
    };
    let dkim = vec![signer("r20261201", DkimAlgorithm::RsaSha256), signer("e20261201", DkimAlgorithm::Ed25519Sha256)];
    let limits = Limits { recipients_per_hour: Some(500) };
    let lost = MailDomain { removed: removed.into(), limits, dkim, ..large(3_000) };
    assert_eq!(content(&lost).to_mail_domain(), lost);
    assert_eq!(content(&lost).dkim(), lost.dkim);
    for shard in lost.shards(&centre(), 0).into_iter().chain([shard::withdrawal(&lost.domain)]) {
        let again = ShardContent::decode(&shard.bytes).unwrap().encode();
        assert_eq!(String::from_utf8(again), String::from_utf8(shard.bytes));
    }
    assert!(!content(&lost).holds(&address("gone@ast.example")));
}

#[test]
fn postmaster_and_abuse_always_exist() {
    let required = |domain: &MailDomain| {
        content(domain).required().map(|(a, to)| (a.to_string(), to.to_string())).collect::<BTreeMap<_, _>>()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        required(&urbino()),
        BTreeMap::from([
            pair("postmaster@comune.urbino.pu.it", "postmaster@cst.example.net"),
            pair("abuse@comune.urbino.pu.it", "postmaster@cst.example.net")
        ])
    );
    assert_eq!(required(&fano()), BTreeMap::from([pair("abuse@comune.fano.pu.it", "postmaster@comune.fano.pu.it")]));
    let own = MailDomain::empty(domain("cst.example.net"));
    assert_eq!(
        required(&own),
        BTreeMap::from([pair("abuse@cst.example.net", "postmaster@cst.example.net")]),
        "the centre's own postmaster is not sent to itself"
    );
}

/// What is there to be written anew beside these shards, found by content, and by the bytes of all.
fn both_ways(next: &MailDomain, stored: &[ShardContent]) -> (Vec<Shard>, Vec<Shard>) {
    let buckets = stored.len().try_into().unwrap();
    let (changed, count) = next.changed_shards(&centre(), buckets, |bucket| stored.get(bucket as usize));
    let all = next.shards(&centre(), buckets);
    assert_eq!(all.len(), count as usize);
    let is_stored = |shard: &Shard| stored.iter().any(|s| s.digest[..] == sha2::Sha256::digest(&shard.bytes)[..]);
    (changed, all.into_iter().filter(|shard| !is_stored(shard)).collect())
}

type Edit = fn(&mut MailDomain);

#[test]
fn what_changed_is_found_without_writing_all_out() {
    let before = large(3_000);
    let stored: Vec<_> =
        before.shards(&centre(), 0).iter().map(|shard| ShardContent::decode(&shard.bytes).unwrap()).collect();
    let edits: [(usize, Edit); 11] = [
        (0, |_| {}),
        (1, |next| next.boxes[1234].quota = Quantity(1)),
        (1, |next| next.boxes[1234].state = MailboxState::Suspended),
        (1, |next| drop(next.boxes.remove(77))),
        (1, |next| next.boxes.push(mailbox("v@ast.example", MailboxState::Active))),
        (1, |next| drop(next.aliases.insert(address("urp@ast.example"), address("u00001@ast.example")))),
        (1, |next| drop(next.aliases.insert(address("postmaster@ast.example"), address("u00001@ast.example")))),
        (1, |next| next.removed = [(address("w@ast.example"), Date { year: 2026, month: 11, day: 23 })].into()),
        (1, |next| next.catch_all = Some(address("u00002@ast.example"))),
        (16, |next| next.epoch = 7),
        (32, |next| *next = MailDomain { aliases: next.aliases.clone(), ..large(5_000) }),
    ];
    for (number, (least, edit)) in edits.into_iter().enumerate() {
        let mut next = before.clone();
        edit(&mut next);
        let (found, wanted) = both_ways(&next, &stored);
        assert_eq!(found.len(), wanted.len(), "edit {number}");
        assert!(found == wanted && found.len() >= least, "edit {number}: {} shards", found.len());
        assert!(least != 0 || found.is_empty());
    }
}

#[test]
fn one_change_rewrites_one_bucket() {
    let before = large(3_000).shards(&centre(), 0);
    assert_eq!(before.len(), 16);
    assert!(before.iter().all(|shard| shard.bytes.len() <= shard::BUCKET_BYTES));
    let mut changed = large(3_000);
    changed.boxes[1234].quota = Quantity(1);
    let after = changed.shards(&centre(), 16);
    assert_eq!(before.iter().zip(&after).filter(|(a, b)| a.digest() != b.digest()).count(), 1);
}

#[test]
fn buckets_never_shrink() {
    assert_eq!(large(3).shards(&centre(), 32).len(), 32);
    assert_eq!(large(3).shards(&centre(), 0).len(), 1);
}

#[test]
fn a_growing_domain_is_whole_before_or_after_never_between() {
    let (old, new) = (large(100), large(1_000));
    let (old_shards, new_shards) = (read(&old.shards(&centre(), 0)), read(&new.shards(&centre(), 0)));
    let mut seen = old_shards.clone();
    for (bucket, written) in new_shards.iter().rev() {
        assert!(
            seen == old_shards || DomainContent::assemble(&seen).is_ok(),
            "the old layout stays whole until bucket 0"
        );
        seen.insert(*bucket, written.clone());
        if let Ok(content) = DomainContent::assemble(&seen) {
            let domain = content.to_mail_domain();
            assert!(domain == old || domain == new);
        }
    }
    assert_eq!(DomainContent::assemble(&seen).unwrap().to_mail_domain(), new);
    seen.remove(&3);
    assert_eq!(DomainContent::assemble(&seen), Err(Incomplete::Bucket { bucket: 3, buckets: 8 }));
    assert_eq!(DomainContent::assemble(&BTreeMap::new()), Err(Incomplete::First));
}

#[test]
fn refuses_whatever_was_cut_emptied_or_altered() {
    let bytes = fano().shards(&centre(), 0).remove(0).bytes;
    for end in 0..bytes.len() {
        assert!(ShardContent::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for byte in [b'\n', b':', 0, b' ', b'"', 0xff, b'%', b'1'].into_iter().filter(|byte| bytes[at] != *byte) {
            let mut altered = bytes.clone();
            altered[at] = byte;
            assert!(ShardContent::decode(&altered).is_err(), "{byte} at {at}");
        }
    }
}

/// A shard of these lines as the controller would write it.
fn sealed(header: &str, lines: &[&str]) -> Vec<u8> {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let digest = shard::hex(&sha2::Sha256::digest(format!("{header}\n{body}")));
    format!("{},\"digest\":\"{digest}\"}}}}\n{body}", header.strip_suffix("}}").unwrap()).into_bytes()
}

#[test]
fn names_the_line_that_is_wrong_and_never_its_text() {
    let good = include_str!("golden/urbino.shard");
    let lines: Vec<&str> = good.lines().skip(1).collect();
    let header = r#"{"shard":{"format":5,"domain":"comune.urbino.pu.it","bucket":0,"buckets":1}}"#;
    assert_eq!(sealed(header, &lines), good.as_bytes());
    let decode = |header: &str, lines: &[&str]| ShardContent::decode(&sealed(header, lines)).unwrap_err();
    assert_eq!(ShardContent::decode(b"").unwrap_err(), ShardError::Header);
    assert_eq!(ShardContent::decode(lines[0].as_bytes()).unwrap_err(), ShardError::Header);
    let other = |from: &str, to: &str| decode(&header.replace(from, to), &lines);
    assert_eq!(other("\"format\":5", "\"format\":6"), ShardError::Format(6));
    assert_eq!(other("\"bucket\":0", "\"bucket\":1"), ShardError::Layout { bucket: 1, buckets: 1 });
    assert_eq!(other("\"buckets\":1", "\"buckets\":3"), ShardError::Layout { bucket: 0, buckets: 3 });
    assert_eq!(other("\"comune.urbino", "\"comune.fano"), ShardError::Foreign(2));
    assert_eq!(other("}}", ",\"withdrawn\":true}}"), ShardError::Withdrawn(2));
    let first = lines[0];
    assert_eq!(decode(header, &[first, first]), ShardError::Order(3));
    assert_eq!(decode(header, &[first, header]), ShardError::Line(3));
    let gone = |local: &str| format!(r#"{{"removed":{{"address":"{local}@comune.urbino.pu.it","on":"2026-11-23"}}}}"#);
    assert_eq!(decode(header, &[first, &gone("anna.rossi")]), ShardError::Order(3), "it is there");
    assert_eq!(decode(header, &[&gone("b"), &gone("a")]), ShardError::Order(3));
    let altered = |from: &str, to: &str| decode(header, &[&first.replacen(from, to, 1)]);
    assert_eq!(altered("m=65536", "m=655360"), ShardError::Line(2));
    assert_eq!(altered("\"quota\"", "\"quota\":1,\"quota\""), ShardError::Line(2));
    let error = altered("\"Suspended\"", "\"SECRET\"");
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}

#[test]
fn a_shard_of_an_older_format_is_read() {
    let (header, body) = include_str!("golden/urbino.shard").split_once('\n').unwrap();
    let lines: Vec<&str> = body.lines().collect();
    for format in [2, 3] {
        let older =
            format!(r#"{{"shard":{{"format":{format},"domain":"comune.urbino.pu.it","bucket":0,"buckets":1}}}}"#);
        assert_eq!(ShardContent::decode(&sealed(&older, &lines)).unwrap().boxes.len(), 6, "{format}");
    }
    let first = header.replace("\"format\":5", "\"format\":1");
    let without = format!("{}}}}}\n{body}", first.split_once(",\"digest").unwrap().0);
    assert_eq!(ShardContent::decode(without.as_bytes()).unwrap().boxes.len(), 6);
    assert_eq!(ShardContent::decode(format!("{first}\n{body}").as_bytes()).unwrap_err(), ShardError::Altered);
}

#[test]
fn a_withdrawal_says_so_in_its_content() {
    let shard = shard::withdrawal(&domain("comune.urbino.pu.it"));
    let content = DomainContent::assemble(&read(std::slice::from_ref(&shard))).unwrap();
    assert!(content.is_withdrawn());
    assert_eq!(shard.name(), urbino().shards(&centre(), 0)[0].name());
}
