//! The primary of a folder's zones, as the controller starts it: it reads the stored versions, and signs what it is asked for.

use std::net::SocketAddr;

use cst_compiler::model::{DomainName, Soa};
use cst_nameserver::{Catalog, Clock, Keyring, Limits, Primary, PrimaryConfig, TsigKey};

use crate::{Fallible, zones};

/// A primary that nobody is told of.
pub(crate) fn config(listen: SocketAddr, keys: Keyring) -> Fallible<PrimaryConfig> {
    let nobody = DomainName::parse("invalid")?;
    let (mname, rname) = (nobody.clone(), nobody);
    let soa = Soa { mname, rname, serial: 0, refresh: 60, retry: 10, expire: 2_419_200, minimum: 0 };
    Ok(PrimaryConfig {
        listen: vec![listen],
        keys,
        secondaries: Vec::new(),
        catalog: Catalog { name: DomainName::parse("catalog.invalid")?, soa },
        plain: true,
        is_alone: true,
        limits: Limits::default(),
        clock: Clock::system(),
    })
}

pub(crate) async fn run(folder: &str, address: &str, key: &str, secret: &str) -> Fallible {
    let keys = Keyring::new(TsigKey::from_lines(&DomainName::parse(key)?, secret)?);
    let (primary, _observations) = Primary::start(config(address.parse()?, keys)?).await?;
    for version in zones::read(folder)? {
        primary.publish(version?)?;
    }
    primary.set_complete();
    std::future::pending().await
}
