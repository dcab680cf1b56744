use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use cst_compiler::index::Index;
use cst_compiler::model::DomainName;
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_nameserver::{Clock, Keyring, Limits, Primary, PrimaryConfig};
use jiff::Timestamp;

use super::{Failure, validate};
use crate::output::Format;
use crate::render::{rendered, zones};
use crate::{Exit, clock, files, output, primary, telemetry};

/// How long before now signatures begin, in seconds, for resolvers whose clocks are behind.
const BACKDATED: u32 = 3600;

/// Answer a repository's zones on this machine, signed, without a cluster, and render the rest.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folders or files with the manifests.
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The settings file; searched as cst.yaml from the first DIR upward unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to answer, over UDP and TCP.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5353")]
    listen: SocketAddr,
    /// The folder for what would be applied, and for the zones' signing keys, which are kept there.
    #[arg(long, value_name = "OUT", default_value = "cst-serve")]
    out: PathBuf,
}

impl Serve {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some((repository, diagnostics)) = validate::read(&self.paths, self.config.as_deref())? else {
            return Ok(Exit::Invalid);
        };
        output::diagnostics(Format::Text, &diagnostics, repository.objects().count());
        let serial = u32::try_from(Timestamp::now().as_second())?;
        for (path, text) in rendered(&repository.index, serial, clock::today(repository.index.settings())) {
            files::write(&self.out.join(path), &text)?;
        }
        telemetry::runtime()?.block_on(self.serve(&repository.index, serial))?;
        Ok(Exit::Done)
    }

    async fn serve(&self, index: &Index, serial: u32) -> Result<(), Failure> {
        let config = PrimaryConfig {
            listen: vec![self.listen],
            keys: Keyring::default(),
            secondaries: Vec::new(),
            catalog: primary::catalog(&index.settings().dns),
            plain: true,
            limits: Limits::default(),
            clock: Clock::system(),
        };
        let (primary, _observations) = Primary::start(config).await?;
        let (mut sample, mut anchors) = (None, String::new());
        for zone in zones::zones(index) {
            let apex = zone.apex().clone();
            let key = self.key(&apex)?;
            let ds = primary.publish(ZoneVersion { zone, serial, inception: serial - BACKDATED, key })?;
            anchors += &ds.iter().map(|ds| anchor(&apex, ds)).collect::<String>();
            sample.get_or_insert(apex);
        }
        primary.set_complete();
        let file = self.out.join("anchors");
        files::write(&file, &anchors)?;
        let listen = primary.addresses().first().copied().unwrap_or(self.listen);
        output::print(&invitation(listen, &self.out, &file, sample.as_ref()));
        tokio::signal::ctrl_c().await?;
        primary.shutdown().await;
        Ok(())
    }

    /// The zone's key: kept from the last time, else a new one, readable by its owner alone.
    fn key(&self, apex: &DomainName) -> Result<KeyMaterial, Failure> {
        let path = self.out.join("keys").join(format!("{}.private", apex.as_str().replace('/', "%2f")));
        if path.is_file() {
            return Ok(KeyMaterial::new(std::fs::read(&path)?));
        }
        let key = cst_nameserver::key::generate()?;
        files::write_secret(&path, key.expose())?;
        Ok(key)
    }
}

/// What to try.
fn invitation(listen: SocketAddr, out: &Path, anchors: &Path, sample: Option<&DomainName>) -> String {
    let Some(zone) = sample else { return "there is no zone to answer\n".into() };
    let (address, port, out, anchors) = (listen.ip(), listen.port(), out.display(), anchors.display());
    format!(
        "\nanswering on {listen} until interrupted; what would be applied is in {out}. Try, with any of its zones:\n\n  \
         dig @{address} -p {port} +dnssec {zone} SOA\n  \
         delv @{address} -p {port} -a {anchors} +root={zone} {zone} SOA\n"
    )
}

/// A zone's DS as BIND's configuration and `delv` read it: the digest in quotes.
fn anchor(zone: &DomainName, ds: &str) -> String {
    let (head, digest) = ds.rsplit_once(' ').unwrap_or_default();
    format!("trust-anchors {{ \"{zone}\" static-ds {head} \"{digest}\"; }};\n")
}
