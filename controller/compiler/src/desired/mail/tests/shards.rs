use super::*;
use crate::desired::mail::content::Incomplete;
use crate::desired::mail::shard::{self, ShardError};
use crate::desired::mail::shrink::Shrinkage;

/// A domain of many boxes, such as a health agency's.
fn large(boxes: usize) -> MailDomain {
    let boxes = (0..boxes).map(|n| mailbox(&format!("u{n:05}@ast.example"), MailboxState::Active)).collect();
    MailDomain { domain: domain("ast.example"), boxes, aliases: aliases(&[("urp@ast.example", "u00000@ast.example")]) }
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
    assert_eq!(content(&large(3_000)).to_mail_domain(), large(3_000));
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
    let own = MailDomain { domain: domain("cst.example.net"), boxes: vec![], aliases: BTreeMap::new() };
    assert_eq!(
        required(&own),
        BTreeMap::from([pair("abuse@cst.example.net", "postmaster@cst.example.net")]),
        "the centre's own postmaster is not sent to itself"
    );
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
fn refuses_every_cut_and_every_turned_byte_or_reads_a_sound_shard() {
    let bytes = fano().shards(&centre(), 0).remove(0).bytes;
    let lines: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').map(|at| at + 1).collect();
    for end in 0..bytes.len() {
        assert_eq!(ShardContent::decode(&bytes[..end]).is_ok(), lines.contains(&end), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for byte in [b'\n', b':', 0, b' ', b'"', 0xff, b'%'] {
            let mut altered = bytes.clone();
            altered[at] = byte;
            let Ok(content) = ShardContent::decode(&altered) else { continue };
            for mailbox in &content.boxes {
                assert_eq!(mailbox.address.domain(), &content.domain);
                assert!(!mailbox.password.iter().any(|hash| hash.expose().contains([':', '\n', '%', ' ', '\0'])));
            }
        }
    }
}

#[test]
fn names_the_line_that_is_wrong_and_never_its_text() {
    let good = include_str!("golden/urbino.shard");
    let decode = |text: &str| ShardContent::decode(text.as_bytes()).unwrap_err();
    let header = good.lines().next().unwrap();
    let second = good.lines().nth(1).unwrap();
    assert_eq!(decode(""), ShardError::Header);
    assert_eq!(decode(second), ShardError::Header);
    assert_eq!(decode(&good.replace("\"format\":1", "\"format\":2")), ShardError::Format(2));
    assert_eq!(decode(&good.replace("\"bucket\":0", "\"bucket\":1")), ShardError::Layout { bucket: 1, buckets: 1 });
    assert_eq!(decode(&good.replace("\"buckets\":1", "\"buckets\":3")), ShardError::Layout { bucket: 0, buckets: 3 });
    assert_eq!(decode(&good.replace("\"domain\":\"comune.urbino", "\"domain\":\"comune.fano")), ShardError::Foreign(2));
    assert_eq!(decode(&format!("{header}\n{second}\n{second}\n")), ShardError::Order(3));
    assert_eq!(decode(&format!("{header}\n{second}\n{header}\n")), ShardError::Line(3));
    assert_eq!(decode(&good.replace("m=65536", "m=655360")), ShardError::Line(2));
    assert_eq!(decode(&good.replacen("\"quota\"", "\"quota\":1,\"quota\"", 1)), ShardError::Line(2));
    let withdrawn = header.replace("}}", ",\"withdrawn\":true}}");
    assert_eq!(decode(&format!("{withdrawn}\n{second}\n")), ShardError::Withdrawn(2));
    let error = decode(&good.replacen("\"Active\"", "\"SECRET\"", 1));
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}

#[test]
fn a_withdrawal_says_so_in_its_content() {
    let shard = shard::withdrawal(&domain("comune.urbino.pu.it"));
    let content = DomainContent::assemble(&read(std::slice::from_ref(&shard))).unwrap();
    assert!(content.is_withdrawn());
    assert_eq!(shard.name(), urbino().shards(&centre(), 0)[0].name());
}

#[test]
fn holds_a_drop_of_more_than_thirty_percent() {
    let of = |boxes| content(&large(boxes));
    let drop = |before, after| Shrinkage::between(&of(before), &of(after));
    assert_eq!(drop(19, 13), Shrinkage { before: 20, dropped: 6, after: 14 });
    assert!(!drop(19, 13).is_held(None));
    assert!(drop(19, 12).is_held(None));
    assert!(!drop(19, 12).is_held(Some(13)), "approved with the resulting number, the alias included");
    assert!(drop(19, 12).is_held(Some(12)));
    assert!(!drop(8, 1).is_held(None), "9 addresses are too few for a percentage");
    assert!(drop(1_000, 10).is_held(None), "another layout");
    let mut renamed = large(19);
    for mailbox in &mut renamed.boxes {
        mailbox.address = address(&format!("x{}", mailbox.address));
    }
    let exchanged = Shrinkage::between(&of(19), &content(&renamed));
    assert_eq!((exchanged.dropped, exchanged.after), (19, 20));
    assert!(exchanged.is_held(None), "as many addresses, but others");
}
