//! Which IP addresses are public, by IANA's registries of special-purpose addresses and of the
//! IPv6 address space. `Ipv4Addr::is_global` of the standard library is unstable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The IPv4 networks that no public server has.
const NON_PUBLIC_V4: [Ipv4Net; 18] = [
    // This network (RFC 791). Linux connects 0.0.0.0 to this machine.
    v4([0, 0, 0, 0], 8),
    // Private (RFC 1918).
    v4([10, 0, 0, 0], 8),
    // Shared by the customers of a provider (RFC 6598); Alibaba's metadata is at 100.100.100.200.
    v4([100, 64, 0, 0], 10),
    // Loopback (RFC 1122).
    v4([127, 0, 0, 0], 8),
    // Azure's services for its own machines, though the address is in no registry.
    v4([168, 63, 129, 16], 32),
    // Link-local (RFC 3927), with the metadata of most clouds at 169.254.169.254.
    v4([169, 254, 0, 0], 16),
    // Private (RFC 1918).
    v4([172, 16, 0, 0], 12),
    // Protocol assignments (RFC 6890); Oracle's metadata is at 192.0.0.192.
    v4([192, 0, 0, 0], 24),
    // Documentation (RFC 5737).
    v4([192, 0, 2, 0], 24),
    // AS112, which answers names of private addresses (RFC 7535, RFC 7534), and multicast without
    // multicast (RFC 7450). They are public, but have no files.
    v4([192, 31, 196, 0], 24),
    v4([192, 52, 193, 0], 24),
    v4([192, 175, 48, 0], 24),
    // Relays of 6to4 (RFC 7526).
    v4([192, 88, 99, 0], 24),
    // Private (RFC 1918).
    v4([192, 168, 0, 0], 16),
    // Benchmarks (RFC 2544).
    v4([198, 18, 0, 0], 15),
    // Documentation (RFC 5737).
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Multicast (RFC 5771), reserved (RFC 1112) and broadcast.
    v4([224, 0, 0, 0], 3),
];

/// The network of IPv6's unicast addresses that IANA gives to the public (RFC 4291). Loopback,
/// unique local, link-local, multicast and mapped addresses are outside.
const UNICAST_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The networks of [`UNICAST_V6`] that no public server has.
const NON_PUBLIC_V6: [Ipv6Net; 6] = [
    // Protocol assignments (RFC 2928), with Teredo, which embeds IPv4 addresses (RFC 4380).
    v6([0x2001, 0, 0], 23),
    // Documentation (RFC 3849).
    v6([0x2001, 0x0db8, 0], 32),
    // 6to4, which embeds IPv4 addresses (RFC 3056).
    v6([0x2002, 0, 0], 16),
    // AS112 (RFC 7534).
    v6([0x2620, 0x004f, 0x8000], 48),
    // The 6bone, given back (RFC 3701).
    v6([0x3ffe, 0, 0], 16),
    // Documentation (RFC 9637).
    v6([0x3fff, 0, 0], 20),
];

/// Where a network without IPv4 puts the IPv4 addresses of others (NAT64, RFC 6052).
const NAT64: Ipv6Net = v6([0x0064, 0xff9b, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Whether an address may be one of a public server.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NON_PUBLIC_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => is_public(IpAddr::V4(address)),
            None => UNICAST_V6.contains(&address) && !NON_PUBLIC_V6.iter().any(|network| network.contains(&address)),
        },
    }
}

/// The IPv4 address to which a mapped or a NAT64 address leads.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if NAT64.contains(&address) {
        let [.., a, b, c, d] = address.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    address.to_ipv4_mapped()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_of_a_special_network_is_not_public() {
        for (address, why) in [
            ("0.0.0.0", "unspecified"),
            ("0.255.255.255", "this network"),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "carrier-grade NAT"),
            ("100.100.100.200", "Alibaba's metadata"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("168.63.129.16", "Azure's services"),
            ("169.254.0.1", "link-local"),
            ("169.254.169.254", "metadata"),
            ("169.254.170.2", "metadata of containers"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.9", "port control protocol"),
            ("192.0.0.192", "Oracle's metadata"),
            ("192.0.2.1", "documentation"),
            ("192.31.196.1", "AS112"),
            ("192.52.193.1", "automatic multicast tunnels"),
            ("192.88.99.1", "6to4 relay"),
            ("192.168.0.1", "private"),
            ("192.168.255.255", "private"),
            ("192.175.48.1", "AS112"),
            ("198.18.0.1", "benchmarks"),
            ("198.19.255.255", "benchmarks"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.9", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.250", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::7f00:1", "compatible form of loopback"),
            ("::ffff:127.0.0.1", "mapped loopback"),
            ("::ffff:10.0.0.1", "mapped private"),
            ("::ffff:169.254.169.254", "mapped metadata"),
            ("::ffff:0:127.0.0.1", "translated loopback"),
            ("64:ff9b::7f00:1", "NAT64 of loopback"),
            ("64:ff9b::a9fe:a9fe", "NAT64 of metadata"),
            ("64:ff9b::c0a8:1", "NAT64 of private"),
            ("64:ff9b:1::1", "local NAT64"),
            ("100::1", "discard"),
            ("100:0:0:1::1", "dummy"),
            ("2001::1", "Teredo"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
            ("2001:2::1", "benchmarks"),
            ("2001:10::1", "ORCHID"),
            ("2001:20::1", "ORCHID"),
            ("2001:1ff:ffff::1", "protocol assignments"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::1", "6to4 of loopback"),
            ("2002:a9fe:a9fe::1", "6to4 of metadata"),
            ("2620:4f:8000::1", "AS112"),
            ("3ffe::1", "6bone"),
            ("3fff::1", "documentation"),
            ("3fff:fff::1", "documentation"),
            ("4000::1", "not given to anyone"),
            ("5f00::1", "segment routing"),
            ("fc00::1", "unique local"),
            ("fd00:ec2::254", "Amazon's metadata"),
            ("fd20:ce::254", "Google's metadata"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address} ({why})");
        }
    }

    #[test]
    fn address_beside_a_special_network_is_public() {
        for address in [
            "1.1.1.1",
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
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2600:9000::1",
            "2606:4700:4700::1111",
            "3ffd::1",
            "3fff:1000::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
