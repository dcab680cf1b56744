use super::*;
use crate::desired::golden::assert_golden;

fn web() -> Web {
    serde_yaml::from_str(
        "
addresses: ['192.0.2.80', '192.0.2.81', '2001:db8::80']
gateway: {name: cst, namespace: cst-web, podNamespace: traefik}
applications:
  Lamp: {image: 'cst.local/lamp:dev', storage: {size: 5Gi}, database: true}
  Static:
    image: registry.example.net/static:1
    port: 8081
    storage: {size: 1Gi, mountPath: /srv}
    resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {cpu: 200m, memory: 128Mi}}
    probes: {live: /healthz, ready: /readyz}
  Proxy: {image: registry.example.net/proxy:1}",
    )
    .unwrap()
}

fn site(name: &str, application: &str, host: &str, aliases: &[&str]) -> Site {
    Site {
        key: ObjectKey::new("t-urbino", name),
        tenant: "urbino".into(),
        application: web().applications[application].clone(),
        host: DomainName::parse(host).unwrap(),
        aliases: aliases.iter().map(|alias| DomainName::parse(alias).unwrap()).collect(),
        storage: None,
        deletion_policy: DeletionPolicy::Retain,
    }
}

pub(super) fn portale() -> Site {
    let aliases = ["www.comune.urbino.pu.it", "comune.urbino.ps.it"];
    Site { storage: Some(Quantity(20 << 30)), ..site("portale", "Lamp", "comune.urbino.pu.it", &aliases) }
}

#[test]
fn a_site_with_everything() {
    let password = Password::new("not-shown".into());
    let credentials = Credentials::new(&portale().key, web().database_host(), password);
    let objects = objects(&portale(), &web(), Some(&credentials));
    assert_golden("web/portale.yaml", &objects);
    assert!(objects.iter().all(|object| !serde_json::to_string(object).unwrap().contains("not-shown")));
}

#[test]
fn a_site_without_database() {
    let mut museo = site("1861", "Static", "museo.comune.urbino.pu.it", &[]);
    museo.deletion_policy = DeletionPolicy::Delete;
    assert_golden("web/static.yaml", &objects(&museo, &web(), None));
}

#[test]
fn a_site_without_files_rolls_over() {
    assert_golden(
        "web/proxy.yaml",
        &objects(&site("proxy", "Proxy", "servizi.comune.urbino.pu.it", &[]), &web(), None),
    );
}

#[test]
fn a_new_password_starts_the_pod_anew() {
    let credentials = |password: &str| Credentials::new(&portale().key, "db".into(), Password::new(password.into()));
    let made = |password| objects(&portale(), &web(), Some(&credentials(password)));
    let differing = made("old").into_iter().zip(made("new")).filter(|(old, new)| old != new);
    assert_eq!(differing.map(|(old, _)| old.types.unwrap().kind).collect::<Vec<_>>(), ["Deployment"]);
}

#[test]
fn names_fit_and_no_two_sites_share_one() {
    let long = "x".repeat(40);
    let alias = ["www.comune.urbino.pu.it"];
    let sites =
        [long.as_str(), "a", "a-aliases", "a-database", "site-a"].map(|name| site(name, "Lamp", "a.example", &alias));
    let mut names: Vec<_> = sites
        .iter()
        .flat_map(|site| objects(site, &web(), None))
        .map(|object| (object.types.clone().unwrap().kind, object.name_any()))
        .collect();
    assert!(names.iter().all(|(_, name)| name.len() <= 63));
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
