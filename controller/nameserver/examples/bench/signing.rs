//! The deterministic signatures that one thread makes in a second: the library's alone, and ours with all that belongs to signing a zone.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cst_api::DnssecAlgorithm;
use cst_compiler::model::Zone;
use cst_compiler::published::ZoneVersion;
use cst_nameserver::{key, sign, signed_zone_text};
use ed25519_dalek::Signer as _;

use crate::{Fallible, zones};

/// As long as what is signed for a set of one address.
const MESSAGE: [u8; 100] = [0; 100];

/// The time that this process has had on all cores, in seconds: what others do beside it counts for nothing.
fn processor_time() -> Fallible<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // After the name in parentheses; user and system time are the fields 14 and 15, in hundredths of a second (proc_pid_stat(5)).
    let fields = stat.rsplit(')').next().ok_or("no stat")?.split_whitespace().skip(11).take(2);
    Ok(fields.map(str::parse::<f64>).sum::<Result<f64, _>>()? / 100.0)
}

/// How often `work`, which tells how often it did, does something in a second of one core.
fn rate(time: Duration, mut work: impl FnMut() -> Fallible<u32>) -> Fallible<f64> {
    let (start, until, mut count) = (processor_time()?, Instant::now() + time, 0);
    while Instant::now() < until {
        count += work()?;
    }
    Ok(f64::from(count) / (processor_time()? - start))
}

/// What the library does, and nothing else.
fn library(algorithm: DnssecAlgorithm, time: Duration) -> Fallible<f64> {
    let secret = [7; 32];
    match algorithm {
        DnssecAlgorithm::EcdsaP256Sha256 => {
            let key = p256::ecdsa::SigningKey::from_slice(&secret)?;
            rate(time, || {
                let signature: p256::ecdsa::Signature = key.sign(black_box(&MESSAGE));
                black_box(signature);
                Ok(1)
            })
        }
        DnssecAlgorithm::Ed25519 => {
            let key = ed25519_dalek::SigningKey::from_bytes(&secret);
            rate(time, || {
                black_box(key.sign(black_box(&MESSAGE)));
                Ok(1)
            })
        }
    }
}

/// Our signer over all zones in turn.
fn ours(algorithm: DnssecAlgorithm, time: Duration, contents: &[Arc<Zone>]) -> Fallible<f64> {
    let key = key::generate(algorithm)?;
    let version = |zone: &Arc<Zone>| {
        let version = zones::version(Arc::clone(zone), key.clone())?;
        let signatures = signed_zone_text(&version)?.matches(" IN RRSIG ").count();
        Ok((version, u32::try_from(signatures)?))
    };
    let versions: Vec<(ZoneVersion, u32)> = contents.iter().map(version).collect::<Fallible<_>>()?;
    rate(time, || {
        versions.iter().try_fold(0, |count, (version, signatures)| {
            black_box(sign(version, None)?);
            Ok(count + signatures)
        })
    })
}

/// A line `ALGORITHM WHAT RATE` for each.
pub(crate) fn run(folder: &str, seconds: u64) -> Fallible {
    let time = Duration::from_secs(seconds);
    let contents: Vec<_> = zones::stored(Path::new(folder))?.collect::<Fallible<_>>()?;
    for algorithm in [DnssecAlgorithm::EcdsaP256Sha256, DnssecAlgorithm::Ed25519] {
        let name = algorithm.mnemonic();
        let (library, ours) = (library(algorithm, time)?, ours(algorithm, time, &contents)?);
        writeln!(std::io::stdout(), "{name} library {library:.0}\n{name} ours {ours:.0}")?;
    }
    Ok(())
}
