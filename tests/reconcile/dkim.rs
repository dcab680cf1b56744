//! The keys that sign mail: made, stored, published, in the shards, and replaced.

use std::collections::BTreeMap;

use cst_api::DkimPhase;
use cst_kubernetes::dkim::secret_name;
use cst_kubernetes::shards;
use k8s_openapi::ByteString;
use kube::api::PostParams;

use super::*;

/// A negative answer is kept as long as the SOA at most: 30 s.
const MAIL: &str = ", ttl: 30, mail: {mode: Hosted DKIM}";

fn hosted(name: &str, dkim: &str) -> String {
    domain("urbino", name, &MAIL.replace(" DKIM", dkim))
}

/// The selectors that a domain's mail servers sign with.
async fn signers(centre: &Centre, domain: &str) -> Vec<String> {
    let secrets: Api<Secret> = centre.api(&centre.mail_namespace);
    let stored = secrets.list(&ListParams::default()).await.unwrap();
    let of_domain = stored.iter().filter_map(shards::read).filter(|(of, ..)| of.as_str() == domain);
    let signers = of_domain.filter_map(|(_, _, shard)| shard.content).flat_map(|content| content.dkim.clone());
    signers.map(|signer| signer.selector.to_string()).collect()
}

/// The data of a domain's key Secret, once it has so many keys.
async fn keys(centre: &Centre, domain: &str, count: usize) -> BTreeMap<String, ByteString> {
    let secrets: Api<Secret> = centre.api(&centre.namespace);
    let name = secret_name(&DomainName::parse(domain).unwrap());
    let of = |secret: &Secret| secret.data.iter().flatten().filter(|(key, _)| !key.starts_with("made-")).count();
    centre.until(&secrets, &name, |secret| of(secret) == count).await.data.unwrap()
}

fn key_record(zone: &PublishedZone, selector: &str) -> Option<String> {
    let name = zone.apex().child(&format!("{selector}._domainkey")).unwrap();
    zone.zone.get(&name, RecordType::TXT).map(|set| set.values()[0].to_string())
}

async fn until_signed(centre: &Centre, domain: &str, wanted: &[String]) {
    let signed = eventually(async || {
        centre.agent_installs_all().await;
        (signers(centre, domain).await == wanted).then_some(())
    });
    signed.await.unwrap_or_else(|| panic!("{domain} is not signed with {wanted:?}"));
}

#[tokio::test]
async fn keys_sign_once_every_server_has_them_and_are_replaced_by_a_date() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("urbino", "[\"comune.urbino.pu.it\", \"museo.urbino.pu.it\"]").await;
    let domains: Api<Domain> = centre.api("t-urbino");

    // Made and stored, then published.
    centre.apply(&hosted("museo.urbino.pu.it", "")).await;
    let made = keys(&centre, "museo.urbino.pu.it", 2).await;
    let selectors: Vec<&String> = made.keys().filter(|name| !name.starts_with("made-")).rev().collect();
    let [rsa, ed25519] = &selectors[..] else { panic!("{selectors:?}") };
    assert!(rsa.starts_with('r') && ed25519.starts_with('e'));
    let zone = until_published(&centre, "museo.urbino.pu.it", |zone| key_record(zone, ed25519).is_some()).await;
    let text = key_record(&zone, rsa).unwrap();
    assert!(text.contains("v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"), "{text}");

    // Keys of a backup, made in January, of a domain of which nothing else is left.
    let in_january = |name: &str| format!("{}20260101", &name[..1]);
    let old: BTreeMap<String, ByteString> =
        selectors.iter().map(|name| (in_january(name), made[*name].clone())).collect();
    let secret = Secret {
        metadata: kube::api::ObjectMeta {
            name: Some("dkim-key.comune.urbino.pu.it".into()),
            labels: Some([("territorial.services/published".to_owned(), "dkim-key".to_owned())].into()),
            ..Default::default()
        },
        data: Some(old),
        ..Secret::default()
    };
    centre.api::<Secret>(&centre.namespace).create(&PostParams::default(), &secret).await.unwrap();

    // While the public servers are away nothing is signed.
    controller.server.public_servers(false);
    centre.apply(&hosted("comune.urbino.pu.it", "")).await;
    until_published(&centre, "comune.urbino.pu.it", |zone| key_record(zone, "r20260101").is_some()).await;
    let waits = |domain: &Domain, text: &str| {
        let mail = domain.status.as_ref().and_then(|status| status.mail.as_ref());
        mail.and_then(|mail| mail.next.as_ref()).is_some_and(|next| next.waits_for.contains(text))
    };
    let name = "comune.urbino.pu.it";
    centre.until(&domains, name, |domain| waits(domain, "ns1, ns2 to serve the keys 20260101")).await;
    centre.agent_installs_all().await;
    assert_eq!(signers(&centre, name).await, Vec::<String>::new());
    controller.server.public_servers(true);
    let old = ["r20260101", "e20260101"].map(str::to_owned);
    let served = std::time::Instant::now();
    until_signed(&centre, name, &old).await;
    assert!(served.elapsed() >= std::time::Duration::from_secs(29), "{:?}", served.elapsed());

    // Replaced: the old ones stay in the zone.
    centre.apply(&hosted(name, ", dkim: {rotation: 2026-01-02}")).await;
    let stored = keys(&centre, name, 4).await;
    let new: Vec<String> = ["r", "e"]
        .map(|letter| stored.keys().find(|name| name.starts_with(letter) && !name.ends_with("0101")).unwrap().clone())
        .into();
    until_signed(&centre, name, &new).await;
    let phases = |domain: &Domain| -> Vec<DkimPhase> {
        let mail = domain.status.as_ref().and_then(|status| status.mail.clone()).unwrap_or_default();
        mail.dkim.iter().map(|key| key.phase).collect()
    };
    let expected = [[DkimPhase::Retired; 2], [DkimPhase::Signing; 2]].concat();
    centre.until(&domains, name, |domain| phases(domain) == expected).await;
    centre.agent_installs_all().await;
    centre.until(&domains, name, |domain| waits(domain, "mail that was signed with the keys 20260101 to arrive")).await;
    let zone = published(&centre, name).await.unwrap();
    assert!(key_record(&zone, "r20260101").unwrap().len() > 300);

    // A Secret that somebody deletes is stored again; another controller goes on with what is stored.
    let secrets: Api<Secret> = centre.api(&centre.namespace);
    secrets.delete("dkim-key.comune.urbino.pu.it", &DeleteParams::default()).await.unwrap();
    assert_eq!(keys(&centre, name, 4).await, stored);
    controller.stop().await;
    let content = async || (published(&centre, name).await, domains.get(name).await.unwrap().status);
    let (was, before) = (content().await, centre.versions().await);
    let next = centre.controller("b").await;
    until_complete(&next).await;
    centre.apply(&domain("urbino", "museo.urbino.pu.it", ", ttl: 30")).await;
    let is_retired = |zone: &PublishedZone| zone.dkim.sets.iter().all(|set| set.phase == DkimPhase::Retired);
    until_published(&centre, "museo.urbino.pu.it", is_retired).await;
    let after = centre.versions().await;
    let of_domain = |versions: &BTreeMap<String, String>| -> Vec<(String, String)> {
        versions
            .iter()
            .filter(|(key, _)| key.contains(name))
            .map(|(key, version)| (key.clone(), version.clone()))
            .collect()
    };
    assert_eq!(was, content().await);
    assert_eq!(of_domain(&before), of_domain(&after));
    next.stop().await;
}
