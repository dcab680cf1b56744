//! Networks of addresses.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};

use super::shown;

/// A network in the notation of RFC 4632 §3.1 and RFC 4291 §2.3, such as `192.0.2.0/24`; a bare address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error(
        "`{0}` is no network: write an address such as 192.0.2.53, or a network such as 192.0.2.0/24 or 2001:db8::/32"
    )]
    Malformed(String),
    /// An address within a network in the place of the network's.
    #[error("`{text}` is an address within a network: write {network} for the network, or the address alone")]
    Host {
        /// The text.
        text: String,
        /// The network that the address is in.
        network: Network,
    },
}

impl Network {
    /// Reads an address or a network.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let malformed = || NetworkError::Malformed(shown(text));
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => whole,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().ok().filter(|length| *length <= whole).ok_or_else(malformed)?
            }
            Some(_) => return Err(malformed()),
        };
        let network = Self { address: cut(address, length), length };
        if network.address == address { Ok(network) } else { Err(NetworkError::Host { text: shown(text), network }) }
    }

    /// Whether the address is in it; an IPv4 address is the same in its IPv6 form (RFC 4291 §2.5.5.2).
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && cut(address, self.length) == self.address
    }
}

/// The address with all but its first bits cleared.
fn cut(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_contain_what_begins_alike() {
        for (network, inside, outside) in [
            ("192.0.2.53", "192.0.2.53", "192.0.2.54"),
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"),
            ("2001:db8::53", "2001:db8::53", "2001:db8::54"),
            ("::/0", "2001:db8::", "192.0.2.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.1", "::ffff:192.0.3.1"),
        ] {
            let contains = |address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
            assert!(contains(inside) && !contains(outside), "{network}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_would_be_right() {
        for text in ["", "x", "192.0.2", "192.0.2.0/33", "192.0.2.0/+8", "2001:db8::/129", "192.0.2.0/", "/8"] {
            assert_eq!(Network::parse(text), Err(NetworkError::Malformed(text.to_owned())));
        }
        let error = Network::parse("192.0.2.53/24").unwrap_err().to_string();
        assert!(error.contains("write 192.0.2.0/24 for the network"), "{error}");
    }
}
