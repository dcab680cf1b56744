//! Names of addresses: `in-addr.arpa` (RFC 1035 §3.5), `ip6.arpa` (RFC 3596 §2.5), and parts of an IPv4 network (RFC 2317).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use super::DomainName;

/// The reverse name of an address.
pub fn reverse_name(address: IpAddr) -> DomainName {
    let text = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 0xF, octet >> 4));
            nibbles.collect::<String>() + "ip6.arpa"
        }
    };
    DomainName::parse(&text).unwrap_or(DomainName::ROOT)
}

/// The address of a reverse name.
pub fn address_of(name: &DomainName) -> Option<IpAddr> {
    let labels: Vec<&str> = name.labels().rev().collect();
    match labels.as_slice() {
        ["arpa", "in-addr", octets @ ..] if octets.len() == 4 => {
            let octets = octets.iter().map(|octet| decimal(octet)).collect::<Option<Vec<u8>>>()?;
            Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)))
        }
        ["arpa", "ip6", nibbles @ ..] if nibbles.len() == 32 => {
            let hex: String = nibbles.iter().filter(|nibble| nibble.len() == 1).copied().collect();
            (hex.len() == 32).then(|| u128::from_str_radix(&hex, 16).ok().map(|bits| Ipv6Addr::from(bits).into()))?
        }
        _ => None,
    }
}

/// Whether the name is of reverse zones.
pub fn is_reverse(name: &DomainName) -> bool {
    let above: Vec<&str> = name.labels().rev().take(2).collect();
    matches!(above.as_slice(), ["arpa", "in-addr" | "ip6"])
}

/// A zone for a part of the 256 addresses of the zone above (RFC 2317 §4): `0/27.2.0.192.in-addr.arpa` (the first address and the prefix's
/// length) or `0-31.2.0.192.in-addr.arpa` (the first and the last address). Gives the last octets of its addresses.
pub fn part_of_network(zone: &DomainName) -> Option<RangeInclusive<u8>> {
    let labels: Vec<&str> = zone.labels().rev().collect();
    let ["arpa", "in-addr", _, _, _, part] = labels.as_slice() else { return None };
    if let Some((first, length)) = part.split_once('/') {
        let (first, length) = (decimal(first)?, decimal(length)?);
        let size = 1_u16 << 32_u8.checked_sub(length).filter(|bits| *bits < 8)?;
        let is_aligned = u16::from(first) % size == 0;
        return is_aligned.then(|| first..=first + u8::try_from(size - 1).unwrap_or(u8::MAX));
    }
    let (first, last) = part.split_once('-')?;
    let (first, last) = (decimal(first)?, decimal(last)?);
    (first < last).then_some(first..=last)
}

fn decimal(text: &str) -> Option<u8> {
    let is_plain = text == "0" || !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn addresses_have_names_and_names_addresses() {
        for (address, reverse) in [
            ("192.0.2.10", "10.2.0.192.in-addr.arpa"),
            // RFC 3596 §2.5.
            ("4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(reverse_name(address), name(reverse));
            assert_eq!(address_of(&name(reverse)), Some(address));
        }
        for no_address in
            ["2.0.192.in-addr.arpa", "01.2.0.192.in-addr.arpa", "256.2.0.192.in-addr.arpa", "a.b.c.d.e.org"]
        {
            assert_eq!(address_of(&name(no_address)), None, "{no_address}");
        }
    }

    #[test]
    fn parts_of_networks() {
        let part = |label: &str| part_of_network(&name(&format!("{label}.2.0.192.in-addr.arpa")));
        assert_eq!(part("0/27"), Some(0..=31));
        assert_eq!(part("128/25"), Some(128..=255));
        assert_eq!(part("64-127"), Some(64..=127));
        assert_eq!(part("7/32"), Some(7..=7));
        for none in ["0/24", "1/27", "0/33", "31-0", "x/27", "10"] {
            assert_eq!(part(none), None, "{none}");
        }
        assert_eq!(part_of_network(&name("0/27.example.org")), None);
    }
}
