use super::*;
use crate::desired::golden::assert_golden;

fn tenant(yaml: &str) -> Tenant {
    serde_yaml::from_str(yaml).unwrap()
}

#[test]
fn a_tenant_with_everything() {
    let urbino = tenant(
        "apiVersion: territorial.services/v1alpha1
kind: Tenant
metadata: {name: urbino}
spec:
  displayName: Comune di Urbino
  entityType: Comune
  limits: {mailboxes: 120, mailStorage: 300Gi, webSites: 4, webStorage: 100Gi, cpu: '8', memory: 16Gi}
  administrators: [{kind: Group, name: urbino-admins}, {kind: User, name: ci@comune.urbino.pu.it}]
  helpdesk: [{kind: Group, name: centre-helpdesk}]",
    );
    assert_golden("tenancy/urbino.yaml", &objects(&urbino, &Installation::default()));
}

#[test]
fn a_tenant_with_nothing_is_fenced_all_the_same() {
    let bare = tenant(
        "apiVersion: territorial.services/v1alpha1
kind: Tenant
metadata: {name: parco}
spec: {displayName: Ente Parco, entityType: EnteTerritoriale}",
    );
    let installation =
        Installation { controller: ObjectKey::new("centro", "operator"), mail_namespace: "posta".into() };
    assert_golden("tenancy/bare.yaml", &objects(&bare, &installation));
}

/// A WebSite's name is a DNS label; what it becomes is called after it.
#[test]
fn no_site_gets_what_is_a_tenants_own() {
    let of_sites = ["NetworkPolicy", "PersistentVolumeClaim", "Deployment", "Service", "HTTPRoute", "Secret"];
    let urbino = tenant(
        "{apiVersion: territorial.services/v1alpha1, kind: Tenant, metadata: {name: urbino}, spec: {displayName: X, entityType: Comune}}",
    );
    let objects = objects(&urbino, &Installation::default());
    let shared: Vec<_> =
        objects.iter().filter(|object| of_sites.contains(&object.types.as_ref().unwrap().kind.as_str())).collect();
    assert_eq!(shared.len(), 3, "a kind of a site's objects that is new here belongs into the list above");
    assert!(shared.iter().all(|object| object.name_any().contains('.')));
}

#[test]
fn the_longest_name_fits() {
    let name = "x".repeat(61);
    let longest = tenant(&format!(
        "{{apiVersion: territorial.services/v1alpha1, kind: Tenant, metadata: {{name: {name}}}, spec: {{displayName: X, entityType: Comune}}}}"
    ));
    let objects = objects(&longest, &Installation::default());
    assert!(objects.iter().all(|object| object.name_any().len() <= 63));
    assert!(objects.iter().flat_map(|object| object.labels().values()).all(|value| value.len() <= 63));
}
