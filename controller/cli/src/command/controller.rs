use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use cst_compiler::desired::web::Password;
use cst_compiler::settings::Settings;
use cst_kubernetes::database::Server;
use cst_kubernetes::run::{Options, Servers, run};
use cst_kubernetes::tally::Tally;
use cst_nameserver::{Primary, Sample, exposition};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::output::Format;
use crate::primary::{self, Served};
use crate::{Exit, files, metrics, output, telemetry};

/// Reconcile the cluster's Tenants, Domains, Mailboxes and WebSites, and serve their zones as the hidden primary.
#[derive(Debug, Args)]
pub(crate) struct Controller {
    /// The settings file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Its namespace, with the published state.
    #[arg(long, env = "NAMESPACE")]
    namespace: String,
    /// Its pod's name, by which it holds the lease.
    #[arg(long, env = "POD_NAME")]
    pod: String,
    /// Its `ServiceAccount`, which the tenants' namespaces let in.
    #[arg(long, default_value = "cst")]
    service_account: String,
    /// The mail system's namespace.
    #[arg(long, default_value = "cst-mail")]
    mail_namespace: String,
    /// The mail pods that must acknowledge, by name; once for each.
    #[arg(long = "mail-pod", value_name = "POD")]
    mail_pods: Vec<String>,
    /// Where the hidden primary listens, over UDP and TCP; once for each address.
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:5353")]
    listen: Vec<SocketAddr>,
    /// A folder with a file for each TSIG key, named as the key, with its secret in base64 or `algorithm:secret`; two lines while it is replaced: the
    /// first signs, both are accepted. Read again whenever it changes.
    #[arg(long, value_name = "FOLDER")]
    keys: PathBuf,
    /// Where `GET /metrics` is answered for Prometheus; without it nowhere.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// A file with the password of the database server's user root; without it no site has a database.
    #[arg(long, value_name = "FILE")]
    database_password: Option<PathBuf>,
}

impl Controller {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        telemetry::start();
        let settings = match files::settings(&self.config)? {
            Ok(settings) => settings,
            Err(diagnostics) => {
                output::diagnostics(Format::Text, &diagnostics, 0);
                return Ok(Exit::Invalid);
            }
        };
        telemetry::runtime()?.block_on(self.serve(settings))?;
        Ok(Exit::Done)
    }

    async fn serve(self, settings: Settings) -> Result<(), Failure> {
        let dns = primary::with_keys(settings.dns.clone(), &self.keys)?;
        let config = primary::config(&dns, self.listen.clone(), &self.keys)?;
        let databases = self.databases(&settings)?;
        let (primary, observations) = Primary::start(config).await?;
        let tally = Arc::new(Tally::default());
        let (parents, said) = primary::watch_parents(&settings.dns);
        if let Some(address) = self.metrics {
            let (listener, counted, asked) = (TcpListener::bind(address).await?, primary.metrics(), parents.clone());
            let waiting = Arc::clone(&tally);
            let samples =
                move || exposition(counted.samples().into_iter().chain(asked.samples()).chain(samples(&waiting)));
            tokio::spawn(metrics::serve(listener, samples));
        }
        let zones = Arc::new(Served { primary, parents });
        tokio::spawn(primary::follow_keys(Arc::clone(&zones), dns, self.keys));
        let servers = Servers { zones, observations: primary::forward(observations, said), databases, tally };
        let client = kube::Client::try_default().await?;
        let options = Options {
            namespace: self.namespace,
            service_account: self.service_account,
            mail_namespace: self.mail_namespace,
            mail_pods: self.mail_pods,
            identity: self.pod,
        };
        run(client, settings, options, servers, stopped()?).await?;
        Ok(())
    }

    fn databases(&self, settings: &Settings) -> Result<Option<Server>, Failure> {
        let (Some(path), Some(web)) = (&self.database_password, &settings.web) else { return Ok(None) };
        let password = Password::new(std::fs::read_to_string(path)?.trim_end().to_owned());
        Ok(Some(Server { host: web.database_host(), port: 3306, username: "root".into(), password }))
    }
}

/// How much waits for a human.
fn samples(tally: &Tally) -> Vec<Sample> {
    let [held, untold, retained, missing] = tally.numbers();
    let held_by = |told, number| Sample {
        name: "cst_held_changes",
        help: "Changes that wait for the coordinator's approval, by where they are told.",
        labels: vec![("told", told)],
        ..gauge(number)
    };
    let retained = Sample {
        name: "cst_retained_units",
        help: "Zones, boxes and sites that nobody declares any more and that are served on.",
        ..gauge(retained)
    };
    let missing = Sample {
        name: "cst_missing_tenants",
        help: "Tenants that are gone and were not Terminated; what they have stays.",
        ..gauge(missing)
    };
    vec![held_by("status", held), held_by("log", untold), retained, missing]
}

fn gauge(number: u64) -> Sample {
    let value = f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    Sample { name: "", help: "", is_counter: false, labels: Vec::new(), value }
}

/// Waits for SIGTERM or SIGINT.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
