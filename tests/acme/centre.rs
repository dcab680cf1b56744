//! A centre of two municipalities: the zones of its manifests at a hidden primary, the public servers as the chart configures them, a
//! resolver that validates, and a certificate authority.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::manifest::{Repository, Schemas, SourceFile, read_settings};
use cst_compiler::model::{DomainName, Soa};
use cst_compiler::published::{VersionKey, ZoneVersion};
use cst_compiler::settings::Settings;
use cst_nameserver::key::{self, SigningKey};
use cst_nameserver::{Catalog, Clock, Keyring, Limits, Primary, PrimaryConfig, Secondary, TsigAlgorithm, TsigKey};
use cst_tests::chart::{self, kind_of};
use kube::ResourceExt as _;
use serde_json::Value;

use crate::network::{AUTHORITY, PRIMARY, RESOLVER, SERVERS};
use crate::software::Software;

/// The zones of the manifests.
pub const ZONES: [&str; 3] = ["comune.fano.example", "comune.xfano.example", "cst.example.net"];
/// The dynamic zone.
pub const DYNAMIC: &str = "acme.cst.example.net";
/// How long anything may take here, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process of ours, ended with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What runs, and where its files are.
pub struct Centre {
    pub folder: PathBuf,
    software: Software,
    /// What the chart makes: data of ConfigMaps and Secrets by their names, and the pods of the public servers.
    data: BTreeMap<String, Value>,
    pods: BTreeMap<String, Value>,
    processes: BTreeMap<String, Process>,
    _primary: Primary,
}

impl Centre {
    /// Everything up, every zone at every public server.
    pub async fn start(folder: &Path, software: Software) -> Self {
        let (settings, manifests) = (include_str!("cst.yaml"), include_str!("manifests.yaml"));
        fs::write(folder.join("cst.yaml"), settings).unwrap();
        let rendered = chart::render_with(&folder.join("cst.yaml"), &[]);
        let (mut data, mut pods) = (BTreeMap::new(), BTreeMap::new());
        for object in rendered {
            let name = object.name_any();
            match kind_of(&object) {
                "ConfigMap" => _ = data.insert(name, object.data["data"].clone()),
                "Secret" => _ = data.insert(name, object.data["stringData"].clone()),
                "StatefulSet" => _ = pods.insert(name, object.data["spec"]["template"]["spec"].clone()),
                _ => {}
            }
        }
        let settings = read_settings(&source("cst.yaml", settings), |_| true).unwrap();
        let repository = Repository::read(&[source("manifests.yaml", manifests)], settings.clone(), &Schemas::new());
        assert_eq!(repository.diagnostics, []);
        let key = data["cst-transfer-key"]["transfer"].as_str().unwrap().to_owned();
        let primary = primary(&settings, &key).await;
        let anchors = publish(&primary, &repository);
        let mut centre =
            Self { folder: folder.to_owned(), software, data, pods, processes: BTreeMap::new(), _primary: primary };
        for (server, _) in SERVERS {
            centre.start_server(server);
        }
        centre.start_resolver(&anchors);
        for (_, address) in SERVERS {
            for zone in ZONES.into_iter().chain([DYNAMIC]) {
                until(&format!("{zone} at {address}"), || !dig(address, &[zone, "SOA"]).is_empty());
            }
        }
        centre
    }

    /// A value that the chart puts into a ConfigMap or Secret.
    pub fn data(&self, object: &str, key: &str) -> &str {
        self.data[object][key].as_str().unwrap_or_else(|| panic!("{object} has {key}"))
    }

    /// A file with a client's key, as the chart gives it for `nsupdate`.
    pub fn key_file(&self, client: &str) -> PathBuf {
        let file = self.folder.join(format!("{client}.key"));
        fs::write(&file, self.data(&format!("acme-{client}"), "nsupdate.key")).unwrap();
        file
    }

    /// Starts a public server as its pod does: first its init containers, then BIND.
    pub fn start_server(&mut self, name: &str) {
        let place = self.folder.join(name);
        for folder in ["etc/keys", "cache", "run"] {
            fs::create_dir_all(place.join(folder)).unwrap();
        }
        let pod = self.pods[name].clone();
        let named = &pod["containers"][0];
        for mount in named["volumeMounts"].as_array().unwrap().iter().filter(|mount| mount["name"] == "config") {
            let key = mount["subPath"].as_str().unwrap();
            let file = mount["mountPath"].as_str().unwrap().replace("/etc/bind", "etc");
            write(&place, &file, self.data("named", key), name);
        }
        write(&place, "etc/acme.zone", self.data("named", "acme.zone"), name);
        let keys = pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == "keys").unwrap();
        for secret in keys["projected"]["sources"].as_array().unwrap() {
            for (file, text) in self.data[secret["secret"]["name"].as_str().unwrap()].as_object().unwrap() {
                write(&place, &format!("etc/keys/{file}"), text.as_str().unwrap(), name);
            }
        }
        for container in pod["initContainers"].as_array().unwrap() {
            let command: Vec<_> =
                container["command"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
            let script = chart::root().join("charts/images/bind").join(command[0]);
            let arguments = command[1..].iter().map(|argument| here(argument, &place, name));
            run(Command::new(script).args(arguments));
        }
        let mut command = self.software.command();
        command.args(["-g", "-n", "1", "-c"]).arg(place.join("etc/named.conf"));
        self.spawn(name, &mut command);
    }

    /// A resolver that knows where the zones above are, and trusts their keys.
    fn start_resolver(&mut self, anchors: &str) {
        let place = self.folder.join("resolver");
        fs::create_dir_all(&place).unwrap();
        let servers: String = SERVERS.iter().map(|(_, address)| format!("{address}; ")).collect();
        let zones: String = ZONES
            .iter()
            .map(|zone| format!("zone \"{zone}\" {{ type static-stub; server-addresses {{ {servers}}}; }};\n"))
            .collect();
        let path = place.display();
        let config = format!(
            r#"options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key"; listen-on {{ {RESOLVER}; }};
              listen-on-v6 {{ none; }}; recursion yes; allow-recursion {{ any; }}; dnssec-validation yes; }};
            trust-anchors {{ {anchors} }}; {zones} controls {{ }};"#
        );
        fs::write(place.join("named.conf"), config).unwrap();
        let mut command = self.software.command();
        command.args(["-g", "-n", "1", "-c"]).arg(place.join("named.conf"));
        self.spawn("resolver", &mut command);
    }

    /// A certificate authority that asks the resolver; where its directory is.
    pub fn start_authority(&mut self) -> String {
        let certificate = self.folder.join("authority.pem");
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=acme.example.net", "-addext", "subjectAltName=DNS:acme.example.net", "-keyout"])
            .arg(self.folder.join("authority.key"))
            .arg("-out")
            .arg(&certificate));
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("{AUTHORITY}:14000"), "managementListenAddress": format!("{AUTHORITY}:15000"),
            "certificate": certificate, "privateKey": self.folder.join("authority.key"), "httpPort": 80, "tlsPort": 443,
        }});
        fs::write(self.folder.join("pebble.json"), config.to_string()).unwrap();
        let mut command = Command::new(chart::binary("pebble"));
        command
            .args(["-strict", "-dnsserver", &format!("{RESOLVER}:53"), "-config"])
            .arg(self.folder.join("pebble.json"));
        self.spawn("authority", command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0"));
        until("the authority listens", || self.log("authority").contains("Listening on"));
        "https://acme.example.net:14000/dir".into()
    }

    fn spawn(&mut self, name: &str, command: &mut Command) {
        let log = File::options().create(true).append(true).open(self.folder.join(format!("{name}.log"))).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.processes.insert(name.into(), Process(child));
    }

    /// Ends a process without a word.
    pub fn kill(&mut self, name: &str) {
        assert!(self.processes.remove(name).is_some());
    }

    /// Forgets what a public server has on its volume.
    pub fn lose_volume(&self, name: &str) {
        fs::remove_dir_all(self.folder.join(name).join("cache")).unwrap();
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default()
    }
}

fn source(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

/// What stands in a pod, on this machine: its folders are below one, and its port is the one of the Service in front.
fn here(text: &str, place: &Path, server: &str) -> String {
    let (_, address) = SERVERS.into_iter().find(|(name, _)| *name == server).unwrap();
    let path = |name: &str| place.join(name).display().to_string();
    text.replace("/etc/bind", &path("etc"))
        .replace("/var/cache/bind", &path("cache"))
        .replace("/run/named", &path("run"))
        .replace("listen-on port 5353 { any; }", &format!("listen-on port 53 {{ {address}; }}"))
        .replace("listen-on-v6 port 5353 { any; }", "listen-on-v6 { none; }")
}

/// Writes a file of a server's pod.
fn write(place: &Path, file: &str, text: &str, server: &str) {
    fs::write(place.join(file), here(text, place, server)).unwrap();
}

/// The hidden primary, which tells the public servers.
async fn primary(settings: &Settings, secret: &str) -> Primary {
    let name = |text: &str| DomainName::parse(text).unwrap();
    let nobody = name("invalid");
    let soa =
        Soa { mname: nobody.clone(), rname: nobody, serial: 0, refresh: 60, retry: 10, expire: 2_419_200, minimum: 0 };
    let secondary = |(name_, address): &(&str, &str)| Secondary {
        name: (*name_).into(),
        address: format!("{address}:53"),
        key: name("transfer"),
    };
    let config = PrimaryConfig {
        listen: vec![format!("{PRIMARY}:53").parse().unwrap()],
        keys: Keyring::new([TsigKey::from_base64(name("transfer"), TsigAlgorithm::HmacSha256, secret).unwrap()]),
        secondaries: SERVERS.iter().map(secondary).collect(),
        catalog: Catalog { name: settings.dns.catalog.clone(), soa },
        plain: false,
        is_alone: true,
        limits: Limits::default(),
        clock: Clock::system(),
    };
    let (primary, _) = Primary::start(config).await.unwrap();
    primary
}

/// Publishes every zone, signed; the trust anchors of all.
fn publish(primary: &Primary, repository: &Repository) -> String {
    let now = u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let mut anchors = String::new();
    for zone in ZONES {
        let apex = DomainName::parse(zone).unwrap();
        let outcome = compile::zone(&repository.index, &apex, &ZoneFacts::hopeful());
        assert_eq!(outcome.problems, [], "{zone}");
        let material = key::generate(DnssecAlgorithm::EcdsaP256Sha256).unwrap();
        let ds = SigningKey::load(&material).unwrap().ds(&apex).to_string();
        let [tag, algorithm, digest_type, digest]: [&str; 4] = ds.split(' ').collect::<Vec<_>>().try_into().unwrap();
        anchors += &format!("\"{zone}\" static-ds {tag} {algorithm} {digest_type} \"{digest}\"; ");
        let keys = vec![VersionKey::sole(material)];
        let zone: Arc<_> = outcome.zone.unwrap();
        let version =
            ZoneVersion { zone, serial: now, inception: now - 3600, keys, denial: Denial::Nsec, leaving: false };
        primary.publish(version).unwrap();
    }
    primary.set_complete();
    anchors
}

/// Runs to the end; a failure is the panic's text.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// What a server answers: values only, a line each. Empty: nothing, or no answer.
pub fn dig(server: &str, question: &[&str]) -> Vec<String> {
    let output =
        Command::new("dig").args([&format!("@{server}"), "+short", "+tries=1", "+time=2"]).args(question).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.lines().filter(|line| !line.starts_with(';')).map(ToOwned::to_owned).collect()
}

/// Waits until it is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
