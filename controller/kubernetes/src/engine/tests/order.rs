use super::*;

#[test]
fn nothing_is_decided_before_every_watch_has_listed_and_by_nobody_but_the_leader() {
    let mut play = Play::new();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.domain("urbino", "comune.urbino.pu.it", &json!({}));
    play.engine.lead(true);
    for event in [Event::Tenant(Seen::Listed), Event::Domain(Seen::Listed), Event::WebSite(Seen::Listed)] {
        play.take(event);
        assert!(play.all_work().is_empty());
    }
    play.listed();
    assert!(!play.all_work().is_empty());
    play.engine.lead(false);
    play.domain("urbino", "www.comune.urbino.pu.it", &json!({}));
    assert!(play.all_work().is_empty());
    play.engine.lead(true);
    assert!(!play.all_work().is_empty());
}

#[test]
fn thousands_of_boxes_at_the_start_compile_each_unit_once() {
    let mut play = Play::new();
    for tenant in 0..25 {
        let (tenant, domain) = (format!("t{tenant}"), format!("t{tenant}.example"));
        play.tenant(&tenant, &[&domain]);
        play.domain(&tenant, &domain, &json!({"mail": {"mode": "Hosted"}}));
        for number in 0..100 {
            play.mailbox(&tenant, &format!("box{number}@{domain}"));
        }
    }
    play.listed();
    play.engine.lead(true);
    let work: Vec<Work> = play.all_work().into_iter().map(|(work, _)| work).collect();
    assert_eq!(units(&work).len(), 75, "25 tenants, zones and mail domains");
}

#[test]
fn a_tenant_that_is_being_filled_is_counted_now_and_then() {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.domain("urbino", "comune.urbino.pu.it", &json!({"mail": {"mode": "Hosted"}}));
    play.all_work();
    for number in 0..50 {
        play.mailbox("urbino", &format!("box{number}@comune.urbino.pu.it"));
        let work: Vec<Work> = play.all_work().into_iter().map(|(work, _)| work).collect();
        assert_eq!(units(&work), [&Unit::Mail(name("comune.urbino.pu.it"))]);
    }
    play.turn(3);
    let work: Vec<Work> = play.all_work().into_iter().map(|(work, _)| work).collect();
    assert!(units(&work).contains(&&Unit::Tenant("urbino".into())));
}

#[test]
fn work_comes_to_rest() {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.domain("urbino", "comune.urbino.pu.it", &json!({"mail": {"mode": "Hosted"}}));
    play.mailbox("urbino", "protocollo@comune.urbino.pu.it");
    assert!(play.settle().len() < 20);
    for _ in 0..5 {
        play.turn(60);
        play.settle();
    }
    assert_eq!(play.settle(), []);
}
