//! The chart and the manifests of the repository, judged by Helm and by a real API server: each object is taken with strict validation,
//! and each pod is admitted where it shall run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cst_compiler::manifest::{SourceFile, read_settings};
use cst_compiler::settings::Settings;
use cst_tests::api_server::{self, apply, client, try_apply};
use cst_tests::chart::{self, helm, kind_of, objects, render_with};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DynamicObject, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

/// What users set in the chart: nothing, and all that makes other objects.
const VALUES: [&[&str]; 2] = [
    &[],
    &[
        "controller.replicas=2",
        "controller.serviceType=LoadBalancer",
        "controller.clusterIP=10.96.0.53",
        "dns.servers[0].name=ns1",
        "dns.servers[0].clusterIP=10.96.0.54",
        "dns.serviceType=LoadBalancer",
        "dns.tsigSecret=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "dns.acmeSecrets.cert-manager=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "mail.tlsSecret=mail-certificate",
        "mail.services.mx.type=LoadBalancer",
        "mail.services.imap.type=NodePort",
        "mail.storageClass=fast",
        "mail.antivirus.enabled=true",
        "mail.antivirus.storageClass=fast",
        "web.gatewayClass=traefik",
        "web.database.storageClass=fast",
    ],
];

/// The settings of every example.
fn settings() -> Vec<PathBuf> {
    let files = folders("examples").into_iter().map(|folder| folder.join("cst.yaml"));
    let files: Vec<_> = files.filter(|file| file.exists()).collect();
    assert!(files.len() > 1, "{files:?}");
    files
}

fn folders(below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(chart::root().join(below)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// The objects of all YAML files below a folder, in the order in which `kubectl apply -R` takes them.
fn manifests(folder: &Path) -> Vec<DynamicObject> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let of = |path: &PathBuf| match path.extension() {
        _ if path.is_dir() => manifests(path),
        Some(extension) if extension == "yaml" => objects(&fs::read(path).unwrap()),
        _ => Vec::new(),
    };
    paths.iter().flat_map(of).collect()
}

/// Makes the namespaces in which objects shall be; those that the objects do not make themselves are restricted ones.
async fn make_namespaces(client: &Client, objects: &[DynamicObject]) {
    let restricted = BTreeMap::from([("pod-security.kubernetes.io/enforce".to_owned(), "restricted".to_owned())]);
    let mut all: BTreeMap<String, _> =
        objects.iter().filter_map(|object| Some((object.namespace()?, restricted.clone()))).collect();
    let own = objects.iter().filter(|object| kind_of(object) == "Namespace");
    all.extend(own.map(|object| (object.name_any(), object.labels().clone())));
    for (name, labels) in all {
        api_server::namespace(client, &name, labels).await;
    }
}

async fn are_taken(client: &Client, objects: &[DynamicObject]) {
    make_namespaces(client, objects).await;
    for object in objects {
        let taken = try_apply(client, object).await;
        assert!(taken.is_ok(), "{} {}: {}", kind_of(object), object.name_any(), taken.unwrap_err());
    }
}

#[test]
fn helm_finds_nothing_to_blame() {
    let settings = settings();
    for file in [None].into_iter().chain(settings.iter().map(|file| Some(file.as_path()))) {
        for values in VALUES {
            let output = helm(&["lint", "--strict"], file, values);
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{file:?}: {told}");
            assert!(!told.contains("[ERROR]") && !told.contains("[WARNING]"), "{file:?}: {told}");
        }
    }
}

#[test]
fn without_settings_the_chart_says_how_to_give_them() {
    let output = helm(&["template", "cst", "--kube-version", "1.35.4"], None, &[]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("--set-file settings=cst.yaml"), "{told}");
}

#[tokio::test]
async fn everything_that_the_chart_makes_is_taken() {
    let client = client().await;
    for file in settings() {
        for values in VALUES {
            are_taken(&client, &render_with(&file, values)).await;
        }
    }
}

#[tokio::test]
async fn every_pod_of_the_chart_is_admitted_where_it_runs() {
    let client = client().await;
    let made = chart::render(&["web.gatewayClass=traefik", "mail.antivirus.enabled=true"]);
    make_namespaces(&client, &made).await;
    for account in made.iter().filter(|object| kind_of(object) == "ServiceAccount") {
        apply(&client, account).await.unwrap();
    }
    let mut pods = 0;
    for owner in made.iter().filter(|object| matches!(kind_of(object), "Deployment" | "StatefulSet")) {
        let api: Api<Pod> = Api::namespaced(client.clone(), &owner.namespace().unwrap());
        let dry = PostParams { dry_run: true, ..PostParams::default() };
        let admitted = api.create(&dry, &serde_json::from_value(pod_of(owner)).unwrap()).await;
        assert!(admitted.is_ok(), "{}: {}", owner.name_any(), admitted.unwrap_err());
        pods += 1;
    }
    assert!(pods >= 6, "controller, two public servers, mail, virus scanner and database: only {pods}");
}

/// The first pod of a Deployment or `StatefulSet`, as its controller would make it.
fn pod_of(owner: &DynamicObject) -> Value {
    let spec = &owner.data["spec"];
    let mut pod = spec["template"].clone();
    pod["metadata"]["name"] = format!("{}-0", owner.name_any()).into();
    let claims = spec["volumeClaimTemplates"].as_array().into_iter().flatten().map(|claim| &claim["metadata"]["name"]);
    let claimed = claims.map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
    let given = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
    pod["spec"]["volumes"] = given.into_iter().chain(claimed).collect();
    pod
}

/// What `cst render` writes of each example; `golden.rs` sees to it that these files are that.
#[tokio::test]
async fn everything_that_is_rendered_is_taken() {
    let client = client().await;
    let mut count = 0;
    for folder in folders("tests/golden").into_iter().map(|folder| folder.join("objects")).filter(|f| f.exists()) {
        let objects = manifests(&folder);
        are_taken(&client, &objects).await;
        count += objects.len();
    }
    assert!(count > 100, "only {count} objects");
}

#[tokio::test]
async fn every_example_is_applied_in_one_go() {
    let client = client().await;
    for file in settings() {
        let folder = file.parent().unwrap();
        let parts = ["tenants", "members"].map(|part| folder.join(part));
        for object in parts.iter().filter(|part| part.exists()).flat_map(|part| manifests(part)) {
            let taken = apply(&client, &object).await;
            assert!(taken.is_ok(), "{} {}: {}", kind_of(&object), object.name_any(), taken.unwrap_err());
        }
    }
}

#[tokio::test]
async fn a_field_that_is_unknown_or_wrong_is_not_taken() {
    let client = client().await;
    let made = chart::render(&[]);
    make_namespaces(&client, &made).await;
    let controller = made.iter().find(|object| kind_of(object) == "Deployment").unwrap();
    for (path, value, because) in [
        (
            "/spec/template/spec/containers/0",
            json!({"name": "x", "image": "x", "imagepullPolicy": "Never"}),
            "imagepullPolicy",
        ),
        ("/spec/replicas", json!("two"), "spec.replicas"),
        ("/spec/template/spec/restartPolicy", json!("Sometimes"), "Unsupported value"),
    ] {
        let mut wrong = controller.clone();
        let (parent, field) = path.rsplit_once('/').unwrap();
        match wrong.data.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[0] = value,
            fields => fields[field] = value,
        }
        let refused = try_apply(&client, &wrong).await.unwrap_err().to_string();
        assert!(refused.contains(because), "{path}: {refused}");
    }
}

/// Helm reads and writes the settings on their way: nothing may be lost of them, and BIND must know the same catalog.
#[test]
fn the_settings_arrive_as_they_were_given() {
    for file in settings() {
        let given = settings_of(fs::read_to_string(&file).unwrap());
        let maps: BTreeMap<_, _> = render_with(&file, &[])
            .into_iter()
            .filter(|object| kind_of(object) == "ConfigMap")
            .map(|object| (object.name_any(), object.data))
            .collect();
        let arrived = maps["cst-settings"]["data"]["cst.yaml"].as_str().unwrap();
        assert_eq!(settings_of(arrived.to_owned()), given, "{}", file.display());
        let named = maps["named"]["data"]["named.conf"].as_str().unwrap();
        let zones = named.matches(&format!("zone \"{}\"", given.dns.catalog)).count();
        assert_eq!(zones, 2, "{}: {named}", file.display());
    }
}

/// A client has the key that BIND has, in each namespace, and nobody else has it; what is no name does not get into BIND's configuration.
#[test]
fn each_client_has_its_key_and_bind_has_all() {
    let secrets = |objects: Vec<DynamicObject>| -> Vec<_> {
        let secrets = objects.into_iter().filter(|object| kind_of(object) == "Secret");
        secrets
            .map(|object| (object.namespace().unwrap(), object.name_any(), object.data["stringData"].clone()))
            .collect()
    };
    let made = secrets(render_with(&chart::root().join("tests/acme/cst.yaml"), &[]));
    let of = |name: &str| -> Vec<_> { made.iter().filter(|(_, secret, _)| secret == name).collect() };
    let [(_, _, bind)] = &of("acme-keys")[..] else { panic!("one Secret for BIND") };
    for (client, namespaces) in [("cert-manager", &["cst-dns", "cert-manager"][..]), ("fano-vpn", &["cst-dns"])] {
        let copies = of(&format!("acme-{client}"));
        assert_eq!(copies.iter().map(|(namespace, ..)| namespace).collect::<Vec<_>>(), namespaces);
        for (_, name, data) in copies {
            let secret = data["secret"].as_str().unwrap();
            let key = format!("key \"{name}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n");
            assert_eq!(data["nsupdate.key"], key);
            assert!(secret.len() == 44 && bind["acme.conf"].as_str().unwrap().contains(&key), "{name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cst.yaml");
    let hostile = fs::read_to_string(chart::root().join("tests/acme/cst.yaml")).unwrap();
    fs::write(&file, hostile.replace("VPN.comune.fano.example.", "x\\\" ANY; grant y zonesub \\\"")).unwrap();
    let output = helm(&["template", "cst", "--kube-version", "1.35.4"], Some(&file), &[]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("is no name"), "{told}");
}

fn settings_of(text: String) -> Settings {
    read_settings(&SourceFile { path: "cst.yaml".into(), text }, |zone| zone == "Europe/Rome").unwrap()
}

#[test]
#[should_panic(expected = "duplicate entry")]
fn a_field_written_twice_is_not_read() {
    objects(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\ndata: {c: d}\n");
}
