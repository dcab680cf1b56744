use super::*;
use crate::desired::mail::ack::{Ack, fleet_digest};
use crate::desired::mail::shard::secret_name;

fn ack() -> Ack {
    let fleet = fleet(&[urbino(), fano()]);
    Ack {
        watermark: 1_000,
        refused: BTreeMap::from([("comune.urbino.pu.it".to_owned(), "held".to_owned())]),
        digest: fleet_digest(&fleet),
        domains: fleet.len(),
    }
}

#[test]
fn goes_through_a_config_map() {
    assert_eq!(Ack::from_data(&ack().to_data()).unwrap(), ack());
    assert_eq!(ack().to_data()["refused"], r#"{"comune.urbino.pu.it":"held"}"#);
}

#[test]
fn serves_what_is_below_the_watermark_and_not_refused() {
    let mut ack = ack();
    assert!(ack.serves(&domain("comune.fano.pu.it"), 1_000));
    assert!(!ack.serves(&domain("comune.fano.pu.it"), 1_001));
    assert!(!ack.serves(&domain("comune.urbino.pu.it"), 1));
    ack.refused.insert(secret_name(&domain("comune.fano.pu.it"), 3), "cannot be read".into());
    assert!(!ack.serves(&domain("comune.fano.pu.it"), 1), "a Secret of its that says nothing");
    assert!(ack.serves(&domain("comune.pesaro.pu.it"), 1));
}

#[test]
fn nothing_counts_when_more_is_refused_than_fits() {
    let mut ack = ack();
    ack.refused = (0..5_000).map(|n| (format!("d{n}.example"), "x".repeat(10_000))).collect();
    let data = ack.to_data();
    assert!(data.values().map(String::len).sum::<usize>() < 512 * 1024);
    assert!(!Ack::from_data(&data).unwrap().serves(&domain("comune.fano.pu.it"), 1));
}

#[test]
fn the_digest_follows_every_change() {
    let mut changed = urbino();
    changed.boxes[0].quota = Quantity(1);
    let digests = [
        fleet_digest(&fleet(&[urbino(), fano()])),
        fleet_digest(&fleet(&[changed, fano()])),
        fleet_digest(&fleet(&[fano()])),
        fleet_digest(&fleet(&[])),
    ];
    assert_eq!(digests.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn refuses_what_is_no_acknowledgement() {
    for key in ["watermark", "refused", "digest", "domains"] {
        let mut data = ack().to_data();
        data.remove(key);
        assert!(Ack::from_data(&data).unwrap_err().to_string().contains(key));
    }
    for (key, value) in [("watermark", "-1"), ("watermark", "abc"), ("refused", "[]"), ("domains", "")] {
        let mut data = ack().to_data();
        data.insert(key.into(), value.into());
        assert!(Ack::from_data(&data).unwrap_err().to_string().contains(key));
    }
}
