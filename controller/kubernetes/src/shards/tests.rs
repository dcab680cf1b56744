use cst_compiler::model::{ObjectKey, Quantity};

use super::*;

fn domain(boxes: usize) -> MailDomain {
    let domain = DomainName::parse("comune.urbino.pu.it").unwrap();
    let mailbox = |n: usize| {
        let address = Address::parse(&format!("box{n:05}@{domain}")).unwrap();
        MailBox::new(ObjectKey::new("t-urbino", format!("box{n}")), address, Quantity(1 << 30))
    };
    let boxes = (0..boxes).map(mailbox).collect();
    MailDomain { boxes, ..MailDomain::empty(domain) }
}

fn stored(shards: &[Shard]) -> BTreeMap<u32, StoredShard> {
    let mut stored = BTreeMap::new();
    for shard in shards {
        let mut secret = secret(shard);
        secret.metadata.resource_version = Some("12".into());
        let (_, bucket, shard) = read(&secret).unwrap();
        stored.insert(bucket, shard);
    }
    stored
}

#[test]
fn a_stored_domain_reads_back() {
    let domain = domain(40);
    let postmaster = Address::parse("postmaster@cst.example.net").unwrap();
    let stored = stored(&domain.shards(&postmaster, 0));
    assert_eq!(published(&domain.domain, &stored), Some(domain));
    assert_eq!((stored[&0].version, stored[&0].intact, unknown(&stored)), (12, true, None));
}

#[test]
fn a_growth_of_the_buckets_that_was_broken_off_loses_nothing() {
    let domain = domain(600);
    let postmaster = Address::parse("postmaster@cst.example.net").unwrap();
    let small = domain.shards(&postmaster, 0);
    let large = domain.shards(&postmaster, u32::try_from(small.len()).unwrap() * 2);
    // Written from the last bucket to the first: what leaves a bucket is in its new one before.
    for cut in 0..large.len() {
        let mixed: Vec<Shard> = small.iter().chain(&large[cut..]).cloned().collect();
        assert_eq!(published(&domain.domain, &stored(&mixed)).as_ref(), Some(&domain), "new buckets from {cut} on");
        assert_eq!(unknown(&stored(&mixed)), None, "new buckets from {cut} on");
    }
}

#[test]
fn what_is_missing_or_cannot_be_read_is_unknown() {
    let postmaster = Address::parse("postmaster@cst.example.net").unwrap();
    let whole = stored(&domain(1_000).shards(&postmaster, 0));
    assert!(whole.len() >= 4, "{}", whole.len());
    for bucket in whole.keys() {
        let mut lost = whole.clone();
        lost.remove(bucket);
        assert_eq!(unknown(&lost), Some((1, whole.len())), "bucket {bucket} is lost");
        let mut cut = whole.clone();
        cut.get_mut(bucket).unwrap().content = None;
        assert_eq!(unknown(&cut), Some((1, whole.len())), "bucket {bucket} is cut");
    }
    assert_eq!(unknown(&BTreeMap::new()), None, "nothing was ever there");
}

#[test]
fn a_secret_that_is_not_named_after_its_domain_is_no_shard() {
    let shard = &domain(1).shards(&Address::parse("postmaster@cst.example.net").unwrap(), 0)[0];
    let mut secret = secret(shard);
    secret.metadata.name = Some("mail-0000000000000000-0".into());
    assert!(read(&secret).is_none());
}
