//! Which addresses are public.
//!
//! The tables follow the IANA [IPv4] and [IPv6] Special-Purpose Address Registries ([RFC 6890],
//! updated by RFC 8190): every block that they don't call globally reachable is special, and so
//! are multicast and the deprecated site-local addresses (RFC 3879). Blocks that they do call
//! globally reachable (the AS112 and AMT anycast services) are left alone, but for those inside
//! `2001::/23`, where no provider can be.
//!
//! [IPv4]: https://www.iana.org/assignments/iana-ipv4-special-registry
//! [IPv6]: https://www.iana.org/assignments/iana-ipv6-special-registry
//! [RFC 6890]: https://www.rfc-editor.org/rfc/rfc6890.html

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressClass {
    /// A unicast address of the public internet.
    Public,
    /// `127.0.0.0/8` or `::1`.
    Loopback,
    /// Anything else.
    Special,
}

/// Classifies `address`.
pub(crate) fn classify(address: IpAddr) -> AddressClass {
    if address.is_loopback() {
        AddressClass::Loopback
    } else if special_block(address).is_some() {
        AddressClass::Special
    } else {
        AddressClass::Public
    }
}

/// The name of the block that makes `address` special.
fn special_block(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    SPECIAL_V4
        .iter()
        .find(|(network, prefix, _)| contains_v4(*network, *prefix, address))
        .map(|(.., name)| *name)
}

/// Only `2000::/3` is assigned for global unicast (RFC 4291 §2.4, RFC 3587 §3); all else is special,
/// whether it has a row of its own or not.
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if let Some(embedded) = translated(address) {
        return special_v4(embedded);
    }
    let outside = !contains_v6(GLOBAL_UNICAST, 3, address);
    SPECIAL_V6
        .iter()
        .find(|(network, prefix, _)| contains_v6(*network, *prefix, address))
        .map(|(.., name)| *name)
        .or_else(|| outside.then_some("not global unicast"))
}

fn contains_v4(network: Ipv4Addr, prefix: u32, address: Ipv4Addr) -> bool {
    (u32::from(address) ^ u32::from(network)).leading_zeros() >= prefix
}

fn contains_v6(network: Ipv6Addr, prefix: u32, address: Ipv6Addr) -> bool {
    (u128::from(address) ^ u128::from(network)).leading_zeros() >= prefix
}

/// The IPv4 address that a NAT64 gateway would send to: the last 32 bits under `64:ff9b::/96`
/// (RFC 6052 §2.1).
///
/// DNS64 answers with such addresses for every provider that has IPv4 only, so they can't be
/// refused outright; where they lead is what counts.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    contains_v6(NAT64, 96, address).then_some(Ipv4Addr::new(a, b, c, d))
}

const GLOBAL_UNICAST: Ipv6Addr = v6(0x2000, 0, 0);
const NAT64: Ipv6Addr = v6(0x64, 0xff9b, 0);

const SPECIAL_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared (CGNAT)"),
    // Reached through a NAT64 gateway only; met directly it is `AddressClass::Loopback`.
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    // AWS, Azure and Google keep their metadata services here, at 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "IETF protocol assignments"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarking"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    // Limited broadcast, 255.255.255.255, is the last of them.
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
    // Not in the registry: Azure's host answers its guests at this one address of the public
    // space (Microsoft, "What is IP address 168.63.129.16?", seen 2026-11).
    (Ipv4Addr::new(168, 63, 129, 16), 32, "Azure host"),
];

const SPECIAL_V6: &[(Ipv6Addr, u32, &str)] = &[
    (v6(0x2001, 0, 0), 23, "IETF protocol assignments (Teredo)"),
    (v6(0x2001, 0xdb8, 0), 32, "documentation"),
    (v6(0x2002, 0, 0), 16, "6to4"),
    (v6(0x3fff, 0, 0), 20, "documentation"),
    // What follows lies outside global unicast.
    (
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0),
        96,
        "IPv4-mapped",
    ),
    (v6(0, 0, 0), 96, "IPv4-compatible"),
    (v6(0x64, 0xff9b, 1), 48, "local NAT64"),
    (v6(0x100, 0, 0), 32, "discard"),
    (v6(0x5f00, 0, 0), 16, "segment routing"),
    // AWS keeps its metadata service here, at fd00:ec2::254.
    (v6(0xfc00, 0, 0), 7, "unique local"),
    (v6(0xfe80, 0, 0), 10, "link-local"),
    (v6(0xfec0, 0, 0), 10, "site-local"),
    (v6(0xff00, 0, 0), 8, "multicast"),
];

const fn v6(a: u16, b: u16, c: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::{AddressClass, SPECIAL_V4, SPECIAL_V6, classify, special_block};

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::1",
        "2001:200::1",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:800::200e",
        "3ffe:ffff::1",
        "3fff:1000::1",
        // DNS64 for 1.1.1.1.
        "64:ff9b::1.1.1.1",
    ];

    const LOOPBACK: &[&str] = &[
        "127.0.0.0",
        "127.0.0.1",
        "127.1.2.3",
        "127.255.255.255",
        "::1",
    ];

    const SPECIAL: &[(&str, &str)] = &[
        ("0.0.0.0", "this network"),
        ("0.255.255.255", "this network"),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("100.64.0.0", "shared (CGNAT)"),
        // Alibaba's metadata service.
        ("100.100.100.200", "shared (CGNAT)"),
        ("100.127.255.255", "shared (CGNAT)"),
        ("169.254.0.0", "link-local"),
        ("169.254.169.254", "link-local"),
        ("169.254.170.2", "link-local"),
        ("169.254.255.255", "link-local"),
        ("172.16.0.0", "private"),
        ("172.31.255.255", "private"),
        ("192.0.0.0", "IETF protocol assignments"),
        // Oracle's metadata service.
        ("192.0.0.192", "IETF protocol assignments"),
        ("192.0.0.255", "IETF protocol assignments"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.0.0", "private"),
        ("192.168.255.255", "private"),
        ("198.18.0.0", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.0", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.0", "reserved"),
        ("255.255.255.255", "reserved"),
        ("168.63.129.16", "Azure host"),
        ("::", "IPv4-compatible"),
        ("::2", "IPv4-compatible"),
        ("::7f00:1", "IPv4-compatible"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("::ffff:127.0.0.1", "IPv4-mapped"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::ffff:0:8.8.8.8", "not global unicast"),
        ("64:ff9b::127.0.0.1", "loopback"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::169.254.169.254", "link-local"),
        ("64:ff9b:1::1.1.1.1", "local NAT64"),
        ("64:ff9b::1:0:0", "not global unicast"),
        ("100::1", "discard"),
        ("100:0:0:1::1", "discard"),
        ("2001::1", "IETF protocol assignments (Teredo)"),
        ("2001:0:7f00:1::", "IETF protocol assignments (Teredo)"),
        ("2001:2::1", "IETF protocol assignments (Teredo)"),
        ("2001:20::1", "IETF protocol assignments (Teredo)"),
        ("2001:1ff:ffff::1", "IETF protocol assignments (Teredo)"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::1", "6to4"),
        ("2002:808:808::1", "6to4"),
        ("3fff::1", "documentation"),
        ("3fff:fff::1", "documentation"),
        ("4000::1", "not global unicast"),
        ("5f00::1", "segment routing"),
        ("fc00::1", "unique local"),
        ("fd00:ec2::254", "unique local"),
        ("fdff:ffff::1", "unique local"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("feff::1", "site-local"),
        ("ff02::1", "multicast"),
        ("ffff::1", "multicast"),
    ];

    #[test]
    fn every_address_is_of_its_class() {
        let special = SPECIAL.iter().map(|(text, _)| text);
        let rows = (PUBLIC.iter().map(|text| (text, AddressClass::Public)))
            .chain(LOOPBACK.iter().map(|text| (text, AddressClass::Loopback)))
            .chain(special.map(|text| (text, AddressClass::Special)));
        for (text, class) in rows {
            assert_eq!(classify(text.parse().unwrap()), class, "{text}");
        }
    }

    #[test]
    fn every_special_address_is_found_in_its_block() {
        for (text, block) in SPECIAL {
            assert_eq!(special_block(text.parse().unwrap()), Some(*block), "{text}");
        }
    }

    #[test]
    fn no_block_is_untested() {
        let names = SPECIAL_V4.iter().map(|(.., name)| name);
        for name in names.chain(SPECIAL_V6.iter().map(|(.., name)| name)) {
            assert!(SPECIAL.iter().any(|(_, tested)| tested == name), "{name}");
        }
    }
}
