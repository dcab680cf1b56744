//! A server of somebody else joins with the stanza of the README, as it stands there.

use std::process::{Child, Command, Stdio};

use cst_api::Domain;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};

use crate::cluster::{Cluster, run};
use crate::member::until;

const README: &str = include_str!("../../README.md");

/// A BIND that ends with the test.
struct Named {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Named {
    /// Starts BIND with this configuration on a free port of the loopback.
    fn start(stanza: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = format!(
            "options {{ directory \"{}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none; \
             session-keyfile none;",
            folder.path().display()
        );
        let file = folder.path().join("named.conf");
        std::fs::write(&file, stanza.replacen("options {", &own, 1) + "\ncontrols { };\n").unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("/usr/sbin/named");
        command.args(["-f", "-g", "-c"]).arg(&file).stderr(log).stdout(Stdio::null());
        Self { process: command.spawn().unwrap(), port, _folder: folder }
    }

    /// The serial it answers for a zone.
    fn serial(&self, zone: &str) -> Option<u32> {
        let port = self.port.to_string();
        let answer =
            run("dig", &["@127.0.0.1", "-p", &port, "+short", "+norecurse", "+tries=1", "+time=2", zone, "SOA"]);
        answer.split(' ').nth(2)?.parse().ok()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The README's block that makes a BIND follow the catalog.
fn stanza() -> &'static str {
    let blocks = README.split("\n```\n").filter(|block| block.contains("catalog-zones"));
    blocks.last().expect("the README has it")
}

#[tokio::test]
async fn a_bind_of_ones_own_serves_every_zone_by_the_readmes_stanza() {
    let cluster = Cluster::connect().await;
    let primary = cluster.address("cst-system", "primary").await;
    let secret = cluster.secret("cst-system", "cst-transfer-key", "transfer").await;
    let (own, key) = (stanza().replace("192.0.2.1 ", &format!("{primary} ")), format!("secret \"{secret}\""));
    assert_ne!(own, stanza());
    let named = Named::start(&own.replace("secret \"…\"", &key));
    let domains: Api<Domain> = Api::all(cluster.client.clone());
    let domains = domains.list(&ListParams::default()).await.unwrap().items;
    assert!(domains.len() >= 31);
    for domain in domains {
        let zone = domain.status.as_ref().and_then(|status| status.zone.clone()).expect("the example is served");
        until(&format!("{} at serial {}", domain.name_any(), zone.serial), || {
            named.serial(&zone.name) == Some(zone.serial)
        })
        .await;
    }
}
