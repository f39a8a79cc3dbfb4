//! Internet checksums (RFC 1071) of whole headers and segments → right or wrong. A wrong one drops nothing: the sending
//! host's network card fills it in after the capture saw the segment (offload).

use std::net::IpAddr;

use etherparse::checksum::u64_16bit_word;

use super::ip::protocol;
use super::position::Network;

pub(super) fn ipv4_header_is_right(header: &[u8]) -> bool {
    u64_16bit_word::ones_complement(u64_16bit_word::add_slice(0, header)) == 0
}

/// Over the pseudo-header, the TCP header and the payload (RFC 9293, 3.1); `segment` must be whole.
pub(super) fn tcp_is_right(network: &Network, segment: &[u8]) -> bool {
    let mut sum = 0;
    for address in [network.source, network.destination] {
        sum = match address {
            IpAddr::V4(address) => u64_16bit_word::add_4bytes(sum, address.octets()),
            IpAddr::V6(address) => u64_16bit_word::add_slice(sum, &address.octets()),
        };
    }
    sum = u64_16bit_word::add_2bytes(sum, [0, protocol::TCP]);
    let length = u32::try_from(segment.len()).unwrap_or(u32::MAX);
    sum = u64_16bit_word::add_4bytes(sum, length.to_be_bytes());
    u64_16bit_word::ones_complement(u64_16bit_word::add_slice(sum, segment)) == 0
}
