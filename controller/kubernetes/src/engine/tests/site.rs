use cst_compiler::model::ObjectKey;
use k8s_openapi::api::apps::v1::Deployment;

use super::*;
use crate::applied::Applied;
use crate::engine::site::SiteJob;

/// A leader with a site that is to be built.
pub(super) fn with_a_site() -> Play {
    let web = json!({"addresses": ["192.0.2.80"], "applications": {"Static": {"image": "static", "storage": {"size": "1Gi"}}}});
    let mut play = Play::with(settings(&json!({"web": web})));
    play.engine.lead(true);
    play.take(Event::Deployment(Seen::Listed));
    play.take(Event::Route(Seen::Listed));
    play.listed();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.domain("urbino", "comune.urbino.pu.it", &json!({}));
    let spec = json!({"application": "Static", "host": "comune.urbino.pu.it"});
    play.there(Event::WebSite, "portale", Some("urbino"), &spec);
    play
}

pub(super) fn portale() -> ObjectKey {
    ObjectKey::new("t-urbino", "portale")
}

/// The site's work, which is now in hand; all other work there is gets done.
fn begin(play: &mut Play) -> (Work, Box<SiteJob>) {
    while let Some((work, job)) = play.engine.next(&play.now) {
        if let Job::Site(job) = job {
            return (work, job);
        }
        let effects = play.carry_out(job);
        play.engine.done(&work, effects, Ok(()), play.now.instant);
    }
    panic!("no work on the site");
}

fn deployment_comes_and_goes(play: &mut Play) {
    let deployment: Deployment = serde_json::from_value(json!({"metadata": {
        "namespace": "t-urbino", "name": "portale", "labels": {cst_compiler::desired::object::SITE: "portale"},
    }}))
    .unwrap();
    play.take(Event::Deployment(Seen::There(Box::new(deployment))));
    play.take(Event::Deployment(Seen::Gone(portale())));
}

#[test]
fn what_is_removed_while_a_site_is_built_is_built_again() {
    let mut play = with_a_site();
    let (work, job) = begin(&mut play);
    deployment_comes_and_goes(&mut play);
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    let (work, job) = begin(&mut play);
    assert_eq!(job.builds(), Some(true));
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    play.settle();
    assert_eq!(play.settle(), []);
}

#[test]
fn a_site_that_is_built_anew_does_not_begin_again_with_every_attempt() {
    let mut play = with_a_site();
    play.settle();
    deployment_comes_and_goes(&mut play);
    let (work, job) = begin(&mut play);
    assert_eq!(job.builds(), Some(true));
    play.engine.done(&work, Vec::new(), Err(broken()), play.now.instant);
    play.turn(1);
    let (_, job) = begin(&mut play);
    assert_eq!(job.builds(), Some(false), "what the first attempt applied stays as it is");
}

#[test]
fn a_site_that_was_half_built_as_something_else_is_built_as_it_was() {
    let mut play = with_a_site();
    play.settle();
    let is = |play: &mut Play, more: &Value| {
        let mut spec = json!({"application": "Static", "host": "comune.urbino.pu.it"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        play.there(Event::WebSite, "portale", Some("urbino"), &spec);
    };
    is(&mut play, &json!({"storage": "2Gi"}));
    let (work, _) = begin(&mut play);
    let hosts = vec![name("comune.urbino.pu.it")];
    let half = Applied { hosts, database: Some("begun".into()), ..Applied::default() };
    let recorded = Effect::Recorded(Unit::Site(portale()), half.clone());
    play.engine.done(&work, vec![recorded, Effect::Advanced], Err(broken()), play.now.instant);
    is(&mut play, &json!({}));
    let (work, job) = begin(&mut play);
    assert_eq!(job.builds(), Some(false), "some of it may be as it was between");
    assert_eq!(job.last(), Some(&half), "and all that was begun is known");
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    play.settle();
    assert_eq!(play.settle(), []);
}

#[test]
fn work_that_got_further_comes_back_soon() {
    let mut play = with_a_site();
    for _ in 0..20 {
        let (work, _) = begin(&mut play);
        play.engine.done(&work, vec![Effect::Advanced], Err(broken()), play.now.instant);
        play.turn(1);
    }
    for _ in 0..4 {
        let (work, _) = begin(&mut play);
        play.engine.done(&work, Vec::new(), Err(broken()), play.now.instant);
        play.turn(1);
    }
    assert_eq!(play.settle(), [], "work that gets no further waits longer and longer");
}

#[test]
fn sites_and_zones_of_a_tenant_go_by_one_count_and_a_retained_site_by_its_name() {
    let mut play = with_a_site();
    let zones = ["a.example", "b.example", "c.example"];
    play.tenant("urbino", &["comune.urbino.pu.it", "example"]);
    for zone in zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    let is_there = |play: &Play| play.engine.applied.contains_key(&Unit::Site(portale()));
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", zones[0]))));
    play.settle();
    assert!(play.published(zones[0]).is_none(), "one of five");
    play.take(Event::WebSite(Seen::Gone(portale())));
    play.settle();
    assert!(is_there(&play), "retained");
    assert_eq!(play.engine.retained_of("urbino").1[0].name, "portale");
    play.now.today = play.now.today.plus(30);
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", zones[1]))));
    play.engine.tick();
    play.settle();
    assert!(!is_there(&play), "one of four units is below the guard's size");

    // With more units, two of five at once are held.
    let mut play = with_a_site();
    play.tenant("urbino", &["comune.urbino.pu.it", "example"]);
    for zone in zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    play.take(Event::WebSite(Seen::Gone(portale())));
    play.settle();
    play.now.today = play.now.today.plus(30);
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", zones[0]))));
    play.engine.tick();
    play.settle();
    assert!(is_there(&play) && play.published(zones[0]).is_some());
    let held = &play.engine.held_without_domain("urbino")[0].message;
    assert!(held.starts_with("it would drop 2 of 5 units (site t-urbino/portale, zone a.example"), "{held}");
    let word = {
        let retained = play.engine.retained_of("urbino").1;
        let unit = retained.iter().find(|unit| unit.name == "portale").unwrap();
        format!("WebSite/{}/{}", unit.name, unit.since)
    };
    let metadata = json!({"name": "urbino", "annotations": {"territorial.services/drop": word}});
    let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": ["comune.urbino.pu.it", "example"]});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
    play.settle();
    assert!(!is_there(&play));
    assert!(play.published(zones[0]).is_some(), "the zone waits: with the site it were too many");
}

#[test]
fn who_leads_again_goes_on_from_what_another_leader_built() {
    let mut play = with_a_site();
    play.settle();
    let unit = Unit::Site(portale());
    let applied = play.engine.applied[&unit].clone();
    play.engine.lead(false);
    let hosts = vec![name("comune.urbino.pu.it"), name("www.comune.urbino.pu.it")];
    let newer = Applied { hosts, ..applied };
    play.take(Event::Published(Seen::There(Box::new(crate::applied::to_config_map(&unit, &newer)))));
    play.engine.lead(true);
    let (_, job) = begin(&mut play);
    assert_eq!(
        (job.last(), job.builds()),
        (Some(&newer), Some(false)),
        "built, and nothing of it is known to be damaged"
    );
}
