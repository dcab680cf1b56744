//! The machine's own resolvers.

use std::fs;
use std::io;
use std::net::IpAddr;

/// Where they are written (resolv.conf(5)).
const FILE: &str = "/etc/resolv.conf";
/// How many of them count.
const MOST: usize = 3;

/// Nobody to ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResolver {
    /// The file cannot be read.
    #[error("cannot read {FILE}: name a resolver with --resolver HOST:PORT, or dns.resolvers in the settings")]
    Unread(#[source] io::Error),
    /// No line of it names one.
    #[error("{FILE} names no resolver: name one with --resolver HOST:PORT, or dns.resolvers in the settings")]
    None,
}

/// These, or the machine's own when there are none; as `host:port`.
pub(crate) fn or_own(given: Vec<String>) -> Result<Vec<String>, NoResolver> {
    if !given.is_empty() {
        return Ok(given);
    }
    let own = read(&fs::read_to_string(FILE).map_err(NoResolver::Unread)?);
    if own.is_empty() { Err(NoResolver::None) } else { Ok(own) }
}

fn read(text: &str) -> Vec<String> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        let address: IpAddr = words.next()?.parse().ok()?;
        Some(std::net::SocketAddr::from((address, 53)).to_string())
    });
    servers.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn name_servers_are_read_and_all_else_is_left_alone() {
        let text = "# nameserver 192.0.2.1\nsearch example.net\nnameserver 192.0.2.53\n nameserver\t2001:db8::53 # spare\n\
                    nameserver fe80::1%eth0\nnameserver\noptions edns0\nnameserver 192.0.2.54\nnameserver 192.0.2.55\n";
        assert_eq!(read(text), ["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"]);
    }
}
