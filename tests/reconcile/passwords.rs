//! Passwords that are generated, cannot be, and are forgotten.

use cst_api::Mailbox;
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;

use super::{domain, mailbox};

#[tokio::test]
async fn a_password_that_cannot_be_written_holds_back_no_other_box() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("peglio", "[comune.peglio.pu.it]").await;
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: alba-password, namespace: t-peglio}\nimmutable: true";
    centre.apply(secret).await;
    centre.apply(&domain("peglio", "comune.peglio.pu.it", ", mail: {mode: Hosted}")).await;
    for local in ["alba", "bruna"] {
        centre.apply(&mailbox("peglio", "comune.peglio.pu.it", local)).await;
    }
    let boxes: Api<Mailbox> = centre.api("t-peglio");
    let told = |mailbox: &Mailbox| {
        condition(mailbox, "Stalled").is_some_and(|c| c.message.contains("is not the controller's"))
    };
    centre.until(&boxes, "alba", told).await;
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "bruna", "Ready").await;
    // Out of the way, it is made.
    let secrets: Api<Secret> = centre.api("t-peglio");
    secrets.delete("alba-password", &DeleteParams::default()).await.unwrap();
    eventually(async || secrets.get_opt("alba-password").await.unwrap()).await.expect("its password is generated");
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "alba", "Ready").await;
    controller.stop().await;
}

#[tokio::test]
async fn a_members_own_secret_under_the_name_of_a_generated_one_stays_as_it_is() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("tavullia", "[comune.tavullia.pu.it]").await;
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: urp-password, namespace: t-tavullia}\n\
                  stringData: {password: mia, altro: importante}";
    centre.apply(secret).await;
    let secrets: Api<Secret> = centre.api("t-tavullia");
    let before = secrets.get("urp-password").await.unwrap();
    centre.apply(&domain("tavullia", "comune.tavullia.pu.it", ", mail: {mode: Hosted}")).await;
    let urp = "apiVersion: territorial.services/v1alpha1\nkind: Mailbox\nmetadata: {name: urp, namespace: t-tavullia}\n\
               spec: {address: urp@comune.tavullia.pu.it, deletionPolicy: Delete}";
    centre.apply(urp).await;
    let mailboxes: Api<Mailbox> = centre.api("t-tavullia");
    let told = centre.until_reason(&mailboxes, "urp", "SecretMissing").await;
    let message = condition(&told, "Ready").unwrap().message;
    assert!(message.contains("t-tavullia/urp-password that is not the controller's"), "{message}");
    mailboxes.delete("urp", &DeleteParams::default()).await.unwrap();
    // Whatever follows in the same watch is done after it.
    centre.apply(&mailbox("tavullia", "comune.tavullia.pu.it", "ultima")).await;
    eventually(async || secrets.get_opt("ultima-password").await.unwrap()).await.expect("another's password is made");
    assert_eq!(secrets.get("urp-password").await.unwrap(), before);
    controller.stop().await;
}

#[tokio::test]
async fn who_gets_an_address_next_does_not_get_its_password() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("tavullia", "[comune.tavullia.pu.it]").await;
    centre.apply(&domain("tavullia", "comune.tavullia.pu.it", ", mail: {mode: Hosted}")).await;
    let (boxes, secrets): (Api<Mailbox>, Api<Secret>) = (centre.api("t-tavullia"), centre.api("t-tavullia"));
    let password = async |local: &str| {
        let name = format!("{local}-password");
        let made = eventually(async || secrets.get_opt(&name).await.unwrap()).await.expect("a password is generated");
        made.data.unwrap()["password"].0.clone()
    };
    let gone = |local: &str| {
        mailbox("tavullia", "comune.tavullia.pu.it", local).replace("{address", "{deletionPolicy: Delete, address")
    };
    for (local, manifest) in
        [("retained", mailbox("tavullia", "comune.tavullia.pu.it", "retained")), ("gone", gone("gone"))]
    {
        centre.apply(&manifest).await;
        let before = password(local).await;
        centre.until_installed("t-tavullia", local).await;
        boxes.delete(local, &DeleteParams::default()).await.unwrap();
        if local == "gone" {
            let removed = async || secrets.get_opt("gone-password").await.unwrap().is_none().then_some(());
            eventually(removed).await.expect("its Secret goes with it");
        }
        centre.apply(&manifest).await;
        assert_eq!(password(local).await == before, local == "retained", "{local}");
    }
    controller.stop().await;
}
