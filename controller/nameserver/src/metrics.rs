//! What the primary has done, counted. Labels are few and bounded: no zone, no address, no name that a stranger could choose.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::message::read_u16;

/// The response codes that are given (IANA DNS parameters).
const RCODES: [(u16, &str); 7] =
    [(0, "NOERROR"), (1, "FORMERR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (4, "NOTIMP"), (5, "REFUSED"), (9, "NOTAUTH")];
/// Why a signature does not hold (RFC 8945 §3), and its use from an address that the key is not bound to.
const TSIG_ERRORS: [&str; 5] = ["BADKEY", "BADSIG", "BADTIME", "BADTRUNC", "address"];

/// A number that goes up, or up and down.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, number: u64) {
        self.0.fetch_sub(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Transfers of one kind.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    pub(crate) complete: Count,
    pub(crate) broken: Count,
    pub(crate) octets: Count,
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    responses: [Count; RCODES.len()],
    tsig_errors: [Count; TSIG_ERRORS.len()],
    pub(crate) whole: Transfers,
    pub(crate) incremental: Transfers,
    pub(crate) notifies: Count,
    pub(crate) notifies_taken: Count,
    pub(crate) notifies_refused: Count,
    pub(crate) notifies_unanswered: Count,
    pub(crate) connections: Count,
    pub(crate) connections_refused: Count,
    pub(crate) zones_signed: Count,
    signing_microseconds: Count,
}

impl Counts {
    /// A response as it is sent.
    pub(crate) fn response(&self, message: &[u8]) {
        let rcode = read_u16(message, 2).map(|flags| flags & 0xF);
        let counts = RCODES.iter().zip(&self.responses);
        counts.filter(|((number, _), _)| Some(*number) == rcode).for_each(|(_, count)| count.add(1));
    }

    pub(crate) fn tsig_error(&self, reason: &str) {
        let counts = TSIG_ERRORS.iter().zip(&self.tsig_errors);
        counts.filter(|(known, _)| **known == reason).for_each(|(_, count)| count.add(1));
    }

    pub(crate) fn signed(&self, time: Duration) {
        self.zones_signed.add(1);
        self.signing_microseconds.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }
}

/// What the primary counts, for whoever prints it.
#[derive(Clone, Debug)]
pub struct Metrics(pub(crate) Arc<Counts>);

/// One number of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric's name, after the conventions of Prometheus.
    pub name: &'static str,
    /// What is counted.
    pub help: &'static str,
    /// Whether it only goes up.
    pub is_counter: bool,
    /// Its labels as name and value.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The number.
    pub value: f64,
}

/// The samples of one metric: each with its labels.
pub(crate) struct Family {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
}

impl Family {
    pub(crate) fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, is_counter: true }
    }

    pub(crate) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { is_counter: false, ..Self::counter(name, help) }
    }

    pub(crate) fn sample(&self, labels: &[(&'static str, &'static str)], value: u64) -> Sample {
        let Self { name, help, is_counter } = *self;
        // Exact below 2^53, which nothing here reaches.
        #[expect(clippy::cast_precision_loss, reason = "a count of what happened fits")]
        let value = value as f64;
        Sample { name, help, is_counter, labels: labels.to_vec(), value }
    }
}

impl Metrics {
    /// All numbers as they are now, those of one metric next to each other.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = self.transfers();
        let family = Family::counter("cst_dns_responses_total", "Responses by their code, transfers apart.");
        samples.extend(
            RCODES
                .iter()
                .zip(&self.0.responses)
                .map(|((_, code), count)| family.sample(&[("rcode", code)], count.get())),
        );
        let family = Family::counter("cst_dns_tsig_errors_total", "Signed requests that were refused, by the reason.");
        samples.extend(
            TSIG_ERRORS
                .iter()
                .zip(&self.0.tsig_errors)
                .map(|(error, count)| family.sample(&[("error", error)], count.get())),
        );
        let family =
            Family::counter("cst_dns_notifies_total", "NOTIFY messages sent to secondaries, by what came of them.");
        for (result, count) in [
            ("taken", &self.0.notifies_taken),
            ("refused", &self.0.notifies_refused),
            ("unanswered", &self.0.notifies_unanswered),
            ("sent", &self.0.notifies),
        ] {
            samples.push(family.sample(&[("result", result)], count.get()));
        }
        samples.extend(self.rest());
        samples
    }

    fn transfers(&self) -> Vec<Sample> {
        let kinds = [("AXFR", &self.0.whole), ("IXFR", &self.0.incremental)];
        let family = Family::counter(
            "cst_dns_transfers_total",
            "Transfers over TCP, by what was sent and whether all of it was.",
        );
        let results = kinds.iter().flat_map(|(kind, transfers)| {
            let result = |result, count: &Count| family.sample(&[("kind", kind), ("result", result)], count.get());
            [result("complete", &transfers.complete), result("broken", &transfers.broken)]
        });
        let octets = Family::counter("cst_dns_transfer_octets_total", "The octets of the messages of transfers.");
        let octets = kinds.iter().map(|(kind, transfers)| octets.sample(&[("kind", kind)], transfers.octets.get()));
        results.chain(octets).collect()
    }

    fn rest(&self) -> [Sample; 4] {
        let connections = Family::gauge("cst_dns_connections", "Open TCP connections.");
        let refused = Family::counter(
            "cst_dns_connections_refused_total",
            "Connections closed because their client has its share.",
        );
        let signed = Family::counter("cst_dns_zones_signed_total", "Zone versions signed.");
        let time = Family::counter("cst_dns_signing_seconds_total", "How long signing took.");
        let mut time = time.sample(&[], self.0.signing_microseconds.get());
        time.value /= 1e6;
        [
            connections.sample(&[], self.0.connections.get()),
            refused.sample(&[], self.0.connections_refused.get()),
            signed.sample(&[], self.0.zones_signed.get()),
            time,
        ]
    }
}

/// Samples in the text format of Prometheus, version 0.0.4. No label here needs an escape.
pub fn exposition(samples: impl IntoIterator<Item = Sample>) -> String {
    let (mut text, mut last) = (String::new(), "");
    for Sample { name, help, is_counter, labels, value } in samples {
        if name != last {
            let kind = if is_counter { "counter" } else { "gauge" };
            write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n").ok();
        }
        last = name;
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        writeln!(text, "{name}{labels} {value}").ok();
    }
    text
}
