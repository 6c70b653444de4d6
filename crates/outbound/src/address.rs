//! Which addresses are public: those that anybody on the Internet reaches as well as this server does. RFC 6890 and the
//! registries of special-purpose addresses that it began.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are not public, with the length of their prefix.
const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network: connecting to 0.0.0.0 reaches the machine itself
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // carrier-grade NAT, RFC 6598
    ([127, 0, 0, 0], 8),     // loopback
    ([169, 254, 0, 0], 16),  // link-local, with the metadata services of cloud machines
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, and the broadcast address
];

/// Networks within 2000::/3 that are not public.
const SPECIAL_V6: &[([u16; 2], u32)] = &[
    ([0x2001, 0], 23),     // protocol assignments, Teredo and ORCHID among them
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4: an IPv4 address in disguise
    ([0x3fff, 0], 20),     // documentation
];

/// Whether the address is a public one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(network, length): &([u8; 4], u32)| {
        (u32::from(address) ^ u32::from_be_bytes(*network)).checked_shr(32 - length) == Some(0)
    };
    !SPECIAL_V4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // IPv4-mapped, and what NAT64 makes of IPv4 (RFC 6052): what they stand for decides.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(embedded(address)),
        // Nothing else outside of 2000::/3 has been given out: loopback, link-local, unique local, multicast are there.
        [first, ..] if first & 0xe000 != 0x2000 => false,
        [first, second, ..] => {
            let head = u32::from(first) << 16 | u32::from(second);
            let is_in = |([high, low], length): &([u16; 2], u32)| {
                (head ^ (u32::from(*high) << 16 | u32::from(*low))).checked_shr(32 - length) == Some(0)
            };
            !SPECIAL_V6.iter().any(is_in)
        }
    }
}

/// The last four bytes.
fn embedded(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: bool) {
        assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn public_ipv4() {
        for address in ["8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"] {
            check(address, true);
        }
        for address in ["126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"] {
            check(address, true);
        }
        for address in ["192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "169.253.255.255"] {
            check(address, true);
        }
    }

    #[test]
    fn special_ipv4() {
        for address in ["0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255"] {
            check(address, false);
        }
        for address in ["127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.0", "172.31.255.255"] {
            check(address, false);
        }
        for address in ["192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.1"] {
            check(address, false);
        }
        for address in ["198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1"] {
            check(address, false);
        }
        check("255.255.255.255", false);
    }

    #[test]
    fn public_ipv6() {
        for address in ["2606:4700::1111", "2a01:e0a::1", "2003::1", "2001:200::1", "2001:4860:4860::8888"] {
            check(address, true);
        }
        check("::ffff:8.8.8.8", true);
        check("64:ff9b::8.8.8.8", true);
    }

    #[test]
    fn special_ipv6() {
        for address in ["::", "::1", "::127.0.0.1", "::8.8.8.8", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fdff::1"]
        {
            check(address, false);
        }
        for address in
            ["ff02::1", "2001:db8::1", "2001::1", "2001:1ff::1", "2002:7f00:1::", "2002:808:808::", "3fff::1"]
        {
            check(address, false);
        }
        for address in ["100::1", "64:ff9b:1::1", "5f00::1", "4000::1", "e000::1"] {
            check(address, false);
        }
    }

    #[test]
    fn ipv4_in_ipv6_is_what_it_stands_for() {
        for address in ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"] {
            check(address, false);
        }
        for address in ["64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b::c0a8:1"] {
            check(address, false);
        }
    }
}
