//! What a WebSite may say.

use crate::{accepts, change, rejects};

pub(crate) const SITE: &str = "application: Lamp, host: comune.urbino.pu.it";

#[tokio::test]
async fn a_sites_name_is_short() {
    accepts("WebSite", &"x".repeat(40), &[SITE]).await;
    rejects("WebSite", &"x".repeat(41), &[SITE], "metadata.name must be a DNS label of at most 40 characters").await;
    rejects("WebSite", "a.b", &[SITE], "metadata.name must be a DNS label of at most 40 characters").await;
}

#[tokio::test]
async fn a_site_has_an_application_and_hosts() {
    accepts("WebSite", "x", &[SITE, &format!("{SITE}, aliases: [www.comune.urbino.pu.it]")]).await;
    rejects("WebSite", "x", &["host: a.it"], "spec.application: Required value").await;
    rejects("WebSite", "x", &["application: '1x', host: a.it", "application: 'a b', host: a.it"], "spec.application")
        .await;
    for wrong in ["https://a.it", "a.it/x", "*.a.it", "a b.it", "a.it:80", ""] {
        rejects("WebSite", "x", &[&format!("application: Lamp, host: '{wrong}'")], "spec.host").await;
        rejects("WebSite", "x", &[&format!("{SITE}, aliases: ['{wrong}']")], "spec.aliases[0]").await;
    }
    let repeated = format!("{SITE}, aliases: [comune.urbino.pu.it]");
    rejects("WebSite", "x", &[&repeated], "aliases must not repeat the host").await;
}

#[tokio::test]
async fn a_sites_storage_never_shrinks() {
    accepts("WebSite", "x", &[&format!("{SITE}, storage: 20Gi")]).await;
    rejects("WebSite", "x", &[&format!("{SITE}, storage: 20GiB")], "spec.storage").await;
    let of = |storage: &str| format!("{SITE}, storage: {storage}");
    let because = change("WebSite", "shrinks", &of("2Gi"), &of("2047Mi")).await;
    assert!(because.unwrap().contains("storage can grow, never shrink"));
    assert_eq!(change("WebSite", "grows", &of("2Gi"), &of("3Gi")).await, None);
    assert_eq!(change("WebSite", "moves", &of("2Gi"), "application: Lamp, host: b.it, storage: 2Gi").await, None);
}
