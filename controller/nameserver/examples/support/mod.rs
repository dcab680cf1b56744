//! What the examples share.

use std::error::Error;

use cst_compiler::model::{DomainName, Soa};
use cst_nameserver::{Catalog, Clock, Keyring, Limits, PrimaryConfig};

/// A primary on loopback that nobody is told of.
pub fn config(port: &str, keys: Keyring) -> Result<PrimaryConfig, Box<dyn Error>> {
    let nobody = DomainName::parse("invalid")?;
    let (mname, rname) = (nobody.clone(), nobody);
    let soa = Soa { mname, rname, serial: 0, refresh: 60, retry: 10, expire: 2_419_200, minimum: 0 };
    Ok(PrimaryConfig {
        listen: vec![format!("127.0.0.1:{port}").parse()?],
        keys,
        secondaries: Vec::new(),
        catalog: Catalog { name: DomainName::parse("catalog.invalid")?, soa },
        plain: false,
        limits: Limits::default(),
        clock: Clock::system(),
    })
}
