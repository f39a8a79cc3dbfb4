//! One test for each link layer, tag, tunnel and extension header.

use super::*;
use crate::packet::{Header, MAXIMUM_LAYERS};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

fn ip4() -> Vec<u8> {
    ipv4(6, &tcp())
}

fn ip6() -> Vec<u8> {
    ipv6(6, &tcp())
}

fn inner_ethernet() -> Vec<u8> {
    ethernet(IPV4, &ip4())
}

#[test]
fn ethernet_carries_ipv4_and_ipv6() {
    assert_eq!(assert_tcp(LinkType::ETHERNET, &ethernet(IPV4, &ip4())), 0);
    assert_eq!(assert_tcp(LinkType::ETHERNET, &ethernet(IPV6, &ip6())), 0);
}

#[test]
fn ethernet_trailer_is_not_payload() {
    let padded = join(&[&ethernet(IPV4, &ip4()), &[0xee; 9]]);
    assert_tcp(LinkType::ETHERNET, &padded);
    let padded = join(&[&ethernet(IPV6, &ip6()), &[0xee; 9]]);
    assert_tcp(LinkType::ETHERNET, &padded);
}

#[test]
fn every_vlan_tag_protocol_is_followed() {
    for protocol in [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300] {
        let bytes = ethernet(protocol, &vlan(100, IPV4, &ip4()));
        assert_ne!(assert_tcp(LinkType::ETHERNET, &bytes), 0);
    }
}

#[test]
fn copies_on_two_vlans_differ_in_encapsulation_and_priority_does_not_count() {
    let on = |identifier| assert_tcp(LinkType::ETHERNET, &ethernet(0x8100, &vlan(identifier, IPV4, &ip4())));
    assert_ne!(on(100), on(101));
    assert_eq!(on(100), on(0xe000 | 100));
}

#[test]
fn stacked_vlan_tags_are_followed_to_the_limit_and_then_counted() {
    let stacked = |depth: u8| {
        let mut bytes = tagged(IPV4, &ip4());
        for identifier in 0..depth {
            let tag = vlan(identifier.into(), 0, &[]);
            bytes = join(&[&0x8100_u16.to_be_bytes(), &tag[..2], &bytes]);
        }
        join(&[&[2; 12], &bytes])
    };
    assert_tcp(LinkType::ETHERNET, &stacked(3));
    assert_tcp(LinkType::ETHERNET, &stacked(MAXIMUM_LAYERS));
    let counts = counts_of_other(LinkType::ETHERNET, &stacked(MAXIMUM_LAYERS + 1));
    assert_eq!(counts.too_many_layers, 1);
}

#[test]
fn tunnels_in_tunnels_are_followed_to_the_limit_and_then_counted() {
    let nested = |depth: u8| {
        let mut bytes = ip4();
        for _ in 0..depth {
            bytes = ipv4(4, &bytes);
        }
        bytes
    };
    // Raw IP has no link header, so one more fits.
    assert_tcp(LinkType::RAW, &nested(MAXIMUM_LAYERS + 1));
    assert_eq!(
        counts_of_other(LinkType::RAW, &nested(MAXIMUM_LAYERS + 2)).too_many_layers,
        1
    );
}

#[test]
fn llc_and_snap_are_followed_and_their_padding_is_not() {
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &tagged(IPV4, &ip4())]);
    let length = u16::try_from(snap.len()).unwrap();
    let bytes = join(&[&ethernet(length, &snap), &[0xee; 5]]);
    assert_tcp(LinkType::ETHERNET, &bytes);
    assert_tcp(LinkType::ETHERNET, &ethernet(0x8100, &vlan(5, length, &snap)));
    let llc = join(&[&[6, 6, 3], &ip4()]);
    assert_tcp(LinkType::ETHERNET, &ethernet(u16::try_from(llc.len()).unwrap(), &llc));
    let spanning_tree = counts_of_other(LinkType::ETHERNET, &ethernet(38, &[0x42; 38]));
    assert_eq!(spanning_tree.logical_links.get(0x4242), 1);
}

#[test]
fn backbone_tags_are_followed() {
    let bytes = ethernet(0x88e7, &join(&[&[0, 0, 1, 0], &inner_ethernet()]));
    assert_ne!(assert_tcp(LinkType::ETHERNET, &bytes), 0);
}

#[test]
fn mpls_stacks_carry_ip_and_ethernet() {
    for ether_type in [0x8847, 0x8848] {
        let one = ethernet(ether_type, &label(100, true, &ip4()));
        let three = ethernet(ether_type, &label(1, false, &label(2, false, &label(3, true, &ip6()))));
        assert_ne!(
            assert_tcp(LinkType::ETHERNET, &one),
            assert_tcp(LinkType::ETHERNET, &three)
        );
    }
    let with_control_word = label(100, true, &join(&[&[0; 4], &inner_ethernet()]));
    assert_tcp(LinkType::ETHERNET, &ethernet(0x8847, &with_control_word));
    let mut without = inner_ethernet();
    for first in [0x00, 0x02, 0x45, 0x60] {
        without[0] = first;
        assert_tcp(LinkType::ETHERNET, &ethernet(0x8847, &label(100, true, &without)));
    }
    let unknown = counts_of_other(LinkType::ETHERNET, &ethernet(0x8847, &label(100, true, &[0x11; 30])));
    assert_eq!(unknown.mpls_payloads, 1);
}

#[test]
fn pppoe_sessions_and_ppp_in_all_its_framings_are_followed() {
    let ppp = join(&[&[0x00, 0x21], &ip4()]);
    let session = |ppp: &[u8]| {
        let length = u16::try_from(ppp.len()).unwrap().to_be_bytes();
        join(&[&[0x11, 0, 0x12, 0x34], &length, ppp, &[0xee; 3]])
    };
    assert_tcp(LinkType::ETHERNET, &ethernet(0x8864, &session(&ppp)));
    assert_tcp(LinkType::PPP_ETHER, &session(&join(&[&[0x57], &ip6()])));
    assert_tcp(LinkType::PPP, &ppp);
    assert_tcp(LinkType::PPP, &join(&[&[0x21], &ip4()]));
    assert_tcp(LinkType::PPP_HDLC, &join(&[&[0xff, 0x03], &ppp]));
    assert_tcp(LinkType::PPP_HDLC, &join(&[&[0xff, 0x03, 0x57], &ip6()]));
    assert_tcp(LinkType::PPP, &join(&[&[0x02, 0x81], &label(9, true, &ip4())]));
    assert_tcp(LinkType::PPP_HDLC, &join(&[&[0x0f, 0x00], &tagged(IPV4, &ip4())]));
    assert_tcp(LinkType(104), &join(&[&[0x8f, 0x00], &tagged(IPV6, &ip6())]));
    assert_eq!(
        counts_of_other(LinkType::PPP, &[0xc0, 0x21, 1, 1, 0, 4])
            .ppp_protocols
            .get(0xc021),
        1
    );
    let discovery = counts_of_other(LinkType::ETHERNET, &ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0]));
    assert_eq!(discovery.ether_types.get(0x8863), 1);
}

#[test]
fn linux_cooked_captures_of_both_versions_are_followed() {
    let cooked = |protocol: u16, inner: &[u8]| join(&[&[0, 0, 0, 1, 0, 6], &[2; 8], &tagged(protocol, inner)]);
    let cooked2 = |protocol: u16, inner: &[u8]| join(&[&protocol.to_be_bytes(), &[0; 18], inner]);
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &tagged(IPV4, &ip4())]);
    for (protocol, inner) in [(IPV4, ip4()), (IPV6, ip6()), (0x8100, vlan(7, IPV4, &ip4())), (4, snap)] {
        assert_tcp(LinkType::LINUX_SLL, &cooked(protocol, &inner));
        assert_tcp(LinkType::LINUX_SLL2, &cooked2(protocol, &inner));
    }
    assert_eq!(
        counts_of_other(LinkType::LINUX_SLL, &cooked(0x0c, &[0; 16]))
            .ether_types
            .get(0x0c),
        1
    );
}

#[test]
fn loopback_families_of_every_system_and_byte_order_are_followed() {
    for link_type in [LinkType::NULL, LinkType::LOOP] {
        for order in [u32::to_be_bytes, u32::to_le_bytes] {
            assert_tcp(link_type, &join(&[&order(2), &ip4()]));
            for family in [10, 23, 24, 28, 30] {
                assert_tcp(link_type, &join(&[&order(family), &ip6()]));
            }
            assert_eq!(counts_of_other(link_type, &order(7)).link_families.get(7), 1);
        }
    }
}

#[test]
fn raw_ip_link_types_are_followed_and_others_counted_by_number() {
    for link_type in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        assert_tcp(link_type, &ip4());
        assert_tcp(link_type, &ip6());
    }
    assert_tcp(LinkType::IPV4, &ip4());
    assert_tcp(LinkType::IPV6, &ip6());
    for wireless in [105, 119, 127, 163] {
        assert_eq!(
            counts_of_other(LinkType(wireless), &ip4())
                .link_types
                .get(wireless.into()),
            1
        );
    }
}

#[test]
fn ip_in_ip_is_followed_in_all_four_ways() {
    for inner in [(4, ip4()), (41, ip6())] {
        assert_ne!(assert_tcp(LinkType::RAW, &ipv4(inner.0, &inner.1)), 0);
        assert_ne!(assert_tcp(LinkType::RAW, &ipv6(inner.0, &inner.1)), 0);
    }
    assert_tcp(LinkType::RAW, &ipv4(137, &label(5, true, &ip6())));
    assert_tcp(LinkType::RAW, &ipv4(97, &join(&[&[0x30, 0], &inner_ethernet()])));
}

fn gre(flags: u16, protocol: u16, fields: &[u8], inner: &[u8]) -> Vec<u8> {
    ipv4(
        47,
        &join(&[&flags.to_be_bytes(), &protocol.to_be_bytes(), fields, inner]),
    )
}

#[test]
fn gre_with_every_field_is_followed_to_what_it_carries() {
    for (flags, fields) in [(0, 0), (0x8000, 4), (0x2000, 4), (0x1000, 4), (0xa000, 8), (0xb000, 12)] {
        let fields = vec![0; fields];
        assert_tcp(LinkType::RAW, &gre(flags, IPV4, &fields, &ip4()));
        assert_tcp(LinkType::RAW, &gre(flags, IPV6, &fields, &ip6()));
        assert_tcp(LinkType::RAW, &gre(flags, 0x6558, &fields, &inner_ethernet()));
        assert_tcp(LinkType::RAW, &gre(flags, 0x8847, &fields, &label(1, true, &ip4())));
    }
    let key = |key: u32| assert_tcp(LinkType::RAW, &gre(0x2000, IPV4, &key.to_be_bytes(), &ip4()));
    assert_ne!(key(1), key(2));
    assert_eq!(
        counts_of_other(LinkType::RAW, &gre(0, 0x883e, &[], &[0; 9]))
            .ether_types
            .get(0x883e),
        1
    );
    let routed = counts_of_other(LinkType::RAW, &gre(0x4000, IPV4, &[], &ip4()));
    assert_eq!(routed.malformed.get(&Header::Tunnel), Some(&1));
}

#[test]
fn pptp_is_followed_to_its_payload_length() {
    let ppp = join(&[&[0xff, 0x03, 0x00, 0x21], &ip4()]);
    let length = u16::try_from(ppp.len()).unwrap().to_be_bytes();
    let with_acknowledgment = join(&[&length, &[0, 9, 0, 0, 0, 1, 0, 0, 0, 1]]);
    assert_tcp(LinkType::RAW, &gre(0x3081, 0x880b, &with_acknowledgment, &ppp));
    let without = join(&[&length, &[0, 9, 0, 0, 0, 1]]);
    assert_tcp(LinkType::RAW, &gre(0x3001, 0x880b, &without, &ppp));
    let acknowledges_only = gre(0x2081, 0x880b, &[0, 0, 0, 9, 0, 0, 0, 1], &[]);
    assert_eq!(
        counts_of_other(LinkType::RAW, &acknowledges_only).ip_protocols.get(47),
        1
    );
}

#[test]
fn erspan_of_all_three_types_is_followed() {
    assert_tcp(LinkType::RAW, &gre(0, 0x88be, &[], &inner_ethernet()));
    let second = join(&[&[0, 0, 0, 1], &[0x10, 0x01, 0, 0x2a, 0, 0, 0, 0]]);
    assert_tcp(LinkType::RAW, &gre(0x1000, 0x88be, &second, &inner_ethernet()));
    let third = |last: [u8; 2], platform: &[u8]| {
        join(&[&[0, 0, 0, 1], &[0x20, 0x01, 0, 0x2a, 0, 0, 0, 0, 0, 0], &last, platform])
    };
    assert_tcp(
        LinkType::RAW,
        &gre(0x1000, 0x22eb, &third([0, 0], &[]), &inner_ethernet()),
    );
    assert_tcp(
        LinkType::RAW,
        &gre(0x1000, 0x22eb, &third([0, 1], &[0; 8]), &inner_ethernet()),
    );
    assert_tcp(LinkType::RAW, &gre(0x1000, 0x22eb, &third([0x08, 0], &[]), &ip4()));
}

#[test]
fn vxlan_and_geneve_are_followed_and_other_udp_tunnels_counted_by_port() {
    for port in [4789, 8472] {
        let bytes = ipv4(17, &udp(port, &join(&[&[8, 0, 0, 0, 0, 0, 5, 0], &inner_ethernet()])));
        assert_ne!(assert_tcp(LinkType::RAW, &bytes), 0);
        let other = ipv4(17, &udp(port, &[0; 60]));
        assert_eq!(counts_of_other(LinkType::RAW, &other).udp_tunnels.get(port.into()), 1);
    }
    let geneve = |options: &[u8], ether_type: u16, inner: &[u8]| {
        let length = u8::try_from(options.len() / 4).unwrap();
        let header = join(&[&[length, 0], &ether_type.to_be_bytes(), &[0, 0, 5, 0], options, inner]);
        ipv6(17, &udp(6081, &header))
    };
    assert_tcp(LinkType::RAW, &geneve(&[], 0x6558, &inner_ethernet()));
    assert_tcp(LinkType::RAW, &geneve(&[0; 12], 0x6558, &inner_ethernet()));
    assert_tcp(LinkType::RAW, &geneve(&[0; 252], IPV6, &ip6()));
    for port in [2152, 3544] {
        let bytes = ipv4(17, &udp(port, &ip4()));
        assert_eq!(counts_of_other(LinkType::RAW, &bytes).udp_tunnels.get(port.into()), 1);
    }
}

#[test]
fn ipv6_extension_headers_are_followed() {
    for number in [0, 43, 60, 135, 139, 140] {
        for units in [0, 1, 3] {
            let header = join(&[&[6, units], &vec![0; 6 + usize::from(units) * 8]]);
            assert_tcp(LinkType::RAW, &ipv6(number, &join(&[&header, &tcp()])));
        }
    }
    let authentication = join(&[&[6, 4], &[0; 22], &tcp()]);
    assert_tcp(LinkType::RAW, &ipv6(51, &authentication));
    assert_tcp(LinkType::RAW, &ipv4(51, &authentication));
    let chain = join(&[&[60, 0, 0, 0, 0, 0, 0, 0], &[6, 0, 0, 0, 0, 0, 0, 0], &tcp()]);
    assert_tcp(LinkType::RAW, &ipv6(0, &chain));
    for number in [50, 59, 132] {
        assert_eq!(
            counts_of_other(LinkType::RAW, &ipv6(number, &tcp()))
                .ip_protocols
                .get(number.into()),
            1
        );
    }
    assert_eq!(
        counts_of_other(LinkType::RAW, &ipv4(60, &tcp())).ip_protocols.get(60),
        1
    );
}

#[test]
fn routing_header_with_segments_left_names_the_end_of_the_way() {
    let end = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x99);
    for (kind, first) in [(0, [0x11; 16]), (2, [0; 16])] {
        let (length, list) = if kind == 0 {
            (4, join(&[&first, &end.octets()]))
        } else {
            (2, end.octets().to_vec())
        };
        let header = join(&[&[6, length, kind, 1, 0, 0, 0, 0], &list, &tcp()]);
        let bytes = ipv6(43, &header);
        let (destination, _) = decode_one(&frame(LinkType::RAW, &bytes), |packet| match packet {
            Packet::Segment(segment) => segment.flow.destination().address,
            other => panic!("{other:?}"),
        });
        assert_eq!(destination, IpAddr::V6(end));
    }
    let segment_routing = join(&[&[6, 4, 4, 1, 1, 0, 0, 0], &end.octets(), &[0x11; 16], &tcp()]);
    let bytes = ipv6(43, &segment_routing);
    let (destination, _) = decode_one(&frame(LinkType::RAW, &bytes), |packet| match packet {
        Packet::Segment(segment) => segment.flow.destination().address,
        other => panic!("{other:?}"),
    });
    assert_eq!(destination, IpAddr::V6(end));
}

#[test]
fn what_is_not_decoded_is_counted_by_number() {
    let counts = |ether_type| counts_of_other(LinkType::ETHERNET, &ethernet(ether_type, &[0; 60]));
    assert_eq!(counts(0x88e5).ether_types.get(0x88e5), 1);
    assert_eq!(counts(0x0806).arp, 1);
    assert_eq!(counts_of_other(LinkType::RAW, &ipv4(17, &udp(53, &[0; 9]))).udp, 1);
}

#[test]
fn numbers_beyond_the_table_are_counted_together() {
    let mut decoder = Decoder::new();
    for number in 0..100_u16 {
        decoder.decode(&frame(LinkType(1000 + number), &[]));
    }
    let tally = &decoder.finish().link_types;
    assert_eq!((tally.iter().count(), tally.beyond(), tally.total()), (64, 36, 100));
    let mut merged = decoder.counts().clone();
    merged.merge(decoder.counts());
    assert_eq!((merged.frames, merged.link_types.total()), (200, 200));
}
