//! What `tests/bench` measures of the primary: one program, so that every measurement and every peer meets the same zones.
//!
//! usage: bench zones FOLDER small ZONES          writes small zones, each with its key, and signed for other primaries
//!        bench zones FOLDER large RECORDS        the same with one zone of hosts
//!        bench serve FOLDER ADDRESS KEY SECRET   serves a folder's zones, signed, until it is killed
//!        bench memory [ZONES]                    the memory of small zones, before and after their transfer
//!        bench signing FOLDER [SECONDS]          the signatures a second of the stored zones in a folder, on one core

mod memory;
mod serve;
mod signing;
mod zones;

use std::error::Error;

/// Whatever goes wrong ends the measurement.
type Fallible<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Fallible {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["zones", folder, "small", count] => zones::write(folder, (0..count.parse()?).map(zones::small)),
        ["zones", folder, "large", records] => zones::write(folder, [zones::large(records.parse()?)]),
        ["serve", folder, address, key, secret] => serve::run(folder, address, key, secret).await,
        ["memory"] => memory::run(10_000).await,
        ["memory", zones] => memory::run(zones.parse()?).await,
        ["signing", folder] => signing::run(folder, 2),
        ["signing", folder, seconds] => signing::run(folder, seconds.parse()?),
        _ => Err("usage: bench zones | serve | memory | signing, see the head of its source".into()),
    }
}
