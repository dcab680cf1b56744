//! Mail at a hundred thousand boxes, each figure with its budget:
//!
//! ```text
//! mail compile DOMAINS BOXES          from Mailboxes to tables, on one core and without I/O, in processor time
//! mail install FOLDER DOMAINS BOXES   an agent on an empty volume, then single changes
//! mail restart FOLDER DOMAINS BOXES   the next agent on that volume
//! ```
#![expect(clippy::print_stdout, reason = "it measures")]

mod agent;
mod compile;

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Of the length that hashes have.
const HASH: &str =
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$F065s3INV7ie8kEO1yVswQ$QqbP49NEJ3vOUKGmig3XpYYfL3T4rZ6NkzKVuUJrqMU";

/// What comes of some work, and the processor time of this thread that it took, in milliseconds.
fn cpu<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let start = now();
    let made = work();
    (made, now().saturating_sub(start).as_secs_f64() * 1e3)
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The median of several measurements.
fn median(times: usize, mut measure: impl FnMut() -> f64) -> f64 {
    middle((0..times).map(|_| measure()).collect())
}

fn middle(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured.get(measured.len() / 2).copied().unwrap_or_default()
}

fn row(what: &str, milliseconds: f64, budget: Option<f64>) {
    let budget = budget.map(|budget| format!("   (at most {budget:.0} ms)")).unwrap_or_default();
    println!("  {what:<50} {milliseconds:>9.1} ms{budget}");
}

fn main() -> Fallible {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["compile", domains, boxes] => compile::measure(domains.parse()?, boxes.parse()?),
        ["install", folder, domains, boxes] => agent::install(folder.as_ref(), domains.parse()?, boxes.parse()?),
        ["restart", folder, domains, boxes] => agent::restart(folder.as_ref(), domains.parse()?, boxes.parse()?),
        _ => {
            Err("usage: mail compile DOMAINS BOXES | install FOLDER DOMAINS BOXES | restart FOLDER DOMAINS BOXES"
                .into())
        }
    }
}
