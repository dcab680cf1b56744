use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use cst_api::DnssecAlgorithm;
use cst_compiler::index::Index;
use cst_compiler::model::DomainName;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::renewal;
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use cst_nameserver::key::SigningKey;
use cst_nameserver::{Clock, Keyring, Limits, Primary, PrimaryConfig};
use jiff::Timestamp;

use super::{Failure, validate};
use crate::output::Format;
use crate::render::{rendered, zones};
use crate::{Exit, clock, files, output, primary, telemetry};

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
        let Some((repository, diagnostics)) = validate::read(&self.paths, self.config.as_deref(), Format::Text)? else {
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
            is_alone: true,
            limits: Limits::default(),
            clock: Clock::system(),
        };
        let (primary, _observations) = Primary::start(config).await?;
        let (mut sample, mut anchors) = (None, String::new());
        for (zone, wanted) in zones::zones(index, clock::today(index.settings())) {
            let apex = zone.apex().clone();
            let mut keys = Vec::new();
            if wanted.signed {
                let (material, ds) = self.key(&apex, wanted.algorithm)?;
                anchors += &anchor(&apex, &ds);
                keys.push(VersionKey::sole(material));
            }
            let (inception, denial) = (renewal::first(serial), wanted.denial);
            primary.publish(ZoneVersion { zone, serial, inception, keys, denial, leaving: false })?;
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

    /// The zone's key and its DS: kept from the last time, else a new one, readable by its owner alone.
    fn key(&self, apex: &DomainName, algorithm: DnssecAlgorithm) -> Result<(KeyMaterial, Ds), Failure> {
        let path = self.out.join("keys").join(format!("{}.private", apex.as_str().replace('/', "%2f")));
        if path.is_file() {
            let kept = KeyMaterial::new(std::fs::read(&path)?);
            let key = SigningKey::load(&kept)?;
            if key.algorithm() == algorithm {
                return Ok((kept, key.ds(apex)));
            }
        }
        let key = cst_nameserver::key::generate(algorithm)?;
        files::write_secret(&path, key.expose())?;
        let ds = SigningKey::load(&key)?.ds(apex);
        Ok((key, ds))
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
fn anchor(zone: &DomainName, ds: &Ds) -> String {
    let text = ds.to_string();
    let (head, digest) = text.rsplit_once(' ').unwrap_or_default();
    format!("trust-anchors {{ \"{zone}\" static-ds {head} \"{digest}\"; }};\n")
}
