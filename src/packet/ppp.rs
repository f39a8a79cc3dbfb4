//! PPP (RFC 1661, 1662), PPPoE sessions (RFC 2516) and Cisco HDLC → the IP or MPLS header behind them.
//! Compressed or encrypted PPP is counted by its protocol number.

use super::position::{Layer, Position, Stop, Tunnel};

/// PPP with or without address and control fields, with or without protocol field compression (RFC 1661, 6.5 and 6.6).
pub(super) fn ppp(position: &mut Position<'_>) -> Result<(), Stop> {
    let mut at = 0;
    match *position.array::<2>(0)? {
        [0xff, 0x03] => at = 2,
        // Cisco HDLC is found under the link type of PPP as well.
        [0x0f | 0x8f, 0x00] => return cisco_hdlc(position),
        _ => {}
    }
    let first = position.u8(at)?;
    // The last octet of a protocol number is odd, the first even (RFC 1661, section 2).
    let protocol = if first & 1 == 1 {
        at += 1;
        u16::from(first)
    } else {
        let protocol = position.u16(at)?;
        at += 2;
        protocol
    };
    match protocol {
        0x0021 => position.enter(at, Layer::Ipv4),
        0x0057 => position.enter(at, Layer::Ipv6),
        0x0281 | 0x0283 => position.enter(at, Layer::Mpls),
        other => Err(Stop::PppProtocol(other)),
    }
}

/// The PPPoE header of a session: version and type 1, code 0, session, length.
pub(super) fn pppoe_session(position: &mut Position<'_>) -> Result<(), Stop> {
    let [version, code, session @ .., length_high, length_low] = *position.array::<6>(0)?;
    if version != 0x11 {
        return Err(position.malformed());
    }
    if code != 0 {
        return Err(Stop::EtherType(0x8863));
    }
    position.encapsulate(Tunnel::Pppoe, u32::from(u16::from_be_bytes(session)));
    position.enter(6, Layer::Ppp)?;
    let length = u16::from_be_bytes([length_high, length_low]);
    position.octets = position.octets.limited(usize::from(length));
    Ok(())
}

/// Cisco HDLC: address, control, EtherType.
pub(super) fn cisco_hdlc(position: &mut Position<'_>) -> Result<(), Stop> {
    match position.u16(2)? {
        ether_type @ 0x0600.. => position.enter(4, Layer::EtherType(ether_type)),
        other => Err(Stop::EtherType(other)),
    }
}
