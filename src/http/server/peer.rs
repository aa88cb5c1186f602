//! Who sends a request: the address of the connection, or the one that a trusted proxy names.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The header to which a proxy adds the address of its client, at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The prefix of an IPv6 address that one customer of a network gets. It counts as one peer.
const IPV6_PEER_BITS: u32 = 64;

/// The sender of requests that share a cap: an IPv4 address, or a /64 network of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::http) struct Peer(IpAddr);

impl Peer {
    pub(super) fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - IPV6_PEER_BITS))))
            }
        })
    }
}

/// The proxies whose word about their clients counts: those of `server.trusted_proxies`, and this
/// machine.
#[derive(Clone, Debug)]
pub(super) struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub(super) fn new(proxies: &[IpNet]) -> Self {
        Self(proxies.into())
    }

    /// The peer at the other end of a connection; none for a trusted proxy, which stands for many.
    pub(super) fn direct_peer(&self, address: IpAddr) -> Option<Peer> {
        (!self.trusts(address)).then(|| Peer::new(address))
    }

    /// The peer that a trusted proxy names: the last address in `X-Forwarded-For` that is not a
    /// trusted proxy itself. A client can write only the addresses before that one. None if a
    /// trusted proxy sends the request for itself.
    pub(super) fn forwarded_peer(&self, headers: &HeaderMap) -> Option<Peer> {
        headers
            .get_all(FORWARDED_FOR)
            .iter()
            .rev()
            .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','))
            .map_while(parse_address)
            .find(|address| !self.trusts(*address))
            .map(Peer::new)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, as proxies write it: some add a port, and brackets around IPv6.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    bare.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse().unwrap()])
    }

    fn peer(address: &str) -> Option<Peer> {
        Some(Peer::new(address.parse().unwrap()))
    }

    #[test]
    fn direct_peer_is_none_for_loopback_and_trusted_proxies() {
        for trusted in ["127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"] {
            assert_eq!(proxies().direct_peer(trusted.parse().unwrap()), None, "{trusted}");
        }
        assert_eq!(proxies().direct_peer("::ffff:192.0.2.1".parse().unwrap()), peer("192.0.2.1"));
        let network = proxies().direct_peer("2001:db8:1:2:3::4".parse().unwrap());
        assert_eq!(network, proxies().direct_peer("2001:db8:1:2:ffff::".parse().unwrap()));
        assert_ne!(network, proxies().direct_peer("2001:db8:1:3::".parse().unwrap()));
    }

    #[test]
    fn forwarded_peer_is_the_last_address_that_no_trusted_proxy_has() {
        for (values, expected) in [
            (&["192.0.2.1"][..], peer("192.0.2.1")),
            (&["192.0.2.9, 192.0.2.1 ,10.0.0.2"], peer("192.0.2.1")),
            (&["192.0.2.9", "192.0.2.1"], peer("192.0.2.1")),
            (&["192.0.2.9", "10.0.0.1, 127.0.0.1"], peer("192.0.2.9")),
            (&["192.0.2.1:4711"], peer("192.0.2.1")),
            (&["[2001:db8::5]:4711"], peer("2001:db8::5")),
            (&["2001:db8::5"], peer("2001:db8::5")),
            (&["10.0.0.2"], None),
            (&["192.0.2.1, unknown"], None),
            (&[""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            assert_eq!(proxies().forwarded_peer(&headers), expected, "{values:?}");
        }
    }
}
