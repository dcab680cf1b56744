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
  administrators: [{kind: Group, name: urbino-admins}, {kind: User, name: ci@comune.urbino.pu.it}]",
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
