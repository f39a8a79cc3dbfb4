//! Builders of pcap and pcapng octets.

use super::super::ByteOrder;

/// 2023: blocks of one byte order, shifted by three octets, pass for the other's where all times are near 1970.
pub const BASE: u32 = 1_700_000_000;

pub struct Pcap {
    pub order: ByteOrder,
    pub bytes: Vec<u8>,
    pub modified: bool,
}

pub fn put16(order: ByteOrder, out: &mut Vec<u8>, value: u16) {
    match order {
        ByteOrder::Little => out.extend(value.to_le_bytes()),
        ByteOrder::Big => out.extend(value.to_be_bytes()),
    }
}

pub fn put32(order: ByteOrder, out: &mut Vec<u8>, value: u32) {
    match order {
        ByteOrder::Little => out.extend(value.to_le_bytes()),
        ByteOrder::Big => out.extend(value.to_be_bytes()),
    }
}

pub fn put64(order: ByteOrder, out: &mut Vec<u8>, value: u64) {
    match order {
        ByteOrder::Little => out.extend(value.to_le_bytes()),
        ByteOrder::Big => out.extend(value.to_be_bytes()),
    }
}

impl Pcap {
    pub fn with(order: ByteOrder, magic: u32, minor: u16, snap: u32, link: u32) -> Self {
        let mut bytes = Vec::new();
        put32(order, &mut bytes, magic);
        put16(order, &mut bytes, 2);
        put16(order, &mut bytes, minor);
        put64(order, &mut bytes, 0);
        put32(order, &mut bytes, snap);
        put32(order, &mut bytes, link);
        Self {
            order,
            bytes,
            modified: magic == 0xa1b2_cd34,
        }
    }

    pub fn new() -> Self {
        Self::with(ByteOrder::Little, 0xa1b2_c3d4, 4, 65_535, 1)
    }

    pub fn header(mut self, seconds: u32, fraction: u32, first: u32, second: u32) -> Self {
        for value in [seconds, fraction, first, second] {
            put32(self.order, &mut self.bytes, value);
        }
        if self.modified {
            put32(self.order, &mut self.bytes, 3);
            put32(self.order, &mut self.bytes, 0x0800_0000);
        }
        self
    }

    pub fn packet(self, seconds: u32, fraction: u32, data: &[u8]) -> Self {
        let length = data.len() as u32;
        self.header(seconds, fraction, length, length).raw(data)
    }

    pub fn raw(mut self, data: &[u8]) -> Self {
        self.bytes.extend_from_slice(data);
        self
    }

    /// Packets 0..count: packet n has the time [`BASE`]+n s and 60+n octets of n.
    pub fn packets(mut self, count: u8) -> Self {
        for n in 0..count {
            self = self.packet(BASE + u32::from(n), u32::from(n), &payload(n));
        }
        self
    }
}

/// What packet n holds: an Ethernet header of IPv4, then n.
pub fn payload(n: u8) -> Vec<u8> {
    let mut data = vec![n; 60 + usize::from(n)];
    data[12] = 8;
    data[13] = 0;
    data
}

pub struct Pcapng {
    pub order: ByteOrder,
    pub bytes: Vec<u8>,
}

pub fn option(order: ByteOrder, code: u16, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put16(order, &mut out, code);
    put16(order, &mut out, value.len() as u16);
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

impl Pcapng {
    pub fn empty(order: ByteOrder) -> Self {
        Self {
            order,
            bytes: Vec::new(),
        }
    }

    pub fn new(order: ByteOrder) -> Self {
        Self::empty(order).section(&[])
    }

    pub fn section(self, options: &[u8]) -> Self {
        let mut body = Vec::new();
        put32(self.order, &mut body, 0x1a2b_3c4d);
        put16(self.order, &mut body, 1);
        put16(self.order, &mut body, 0);
        put64(self.order, &mut body, u64::MAX);
        body.extend_from_slice(options);
        self.block(0x0a0d_0d0a, &body)
    }

    pub fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let length = (body.len().next_multiple_of(4) + 12) as u32;
        put32(self.order, &mut self.bytes, kind);
        put32(self.order, &mut self.bytes, length);
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        put32(self.order, &mut self.bytes, length);
        self
    }

    pub fn interface(self, link: u16, snap: u32, options: &[u8]) -> Self {
        let mut body = Vec::new();
        put16(self.order, &mut body, link);
        put16(self.order, &mut body, 0);
        put32(self.order, &mut body, snap);
        body.extend_from_slice(options);
        self.block(1, &body)
    }

    pub fn packet(self, interface: u32, units: u64, data: &[u8]) -> Self {
        self.packet_with(interface, units, data, &[])
    }

    pub fn packet_with(self, interface: u32, units: u64, data: &[u8], options: &[u8]) -> Self {
        let mut body = Vec::new();
        put32(self.order, &mut body, interface);
        put32(self.order, &mut body, (units >> 32) as u32);
        put32(self.order, &mut body, units as u32);
        put32(self.order, &mut body, data.len() as u32);
        put32(self.order, &mut body, data.len() as u32);
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(options);
        self.block(6, &body)
    }

    pub fn raw(mut self, data: &[u8]) -> Self {
        self.bytes.extend_from_slice(data);
        self
    }

    /// Packets 0..count on interface 0, as [`Pcap::packets`] makes them.
    pub fn packets(mut self, count: u8) -> Self {
        for n in 0..count {
            let units = (u64::from(BASE) + u64::from(n)) * 1_000_000 + u64::from(n);
            self = self.packet(0, units, &payload(n));
        }
        self
    }
}

/// The nanoseconds of packet n of [`Pcap::packets`].
pub fn time_of(n: u8) -> i64 {
    (i64::from(BASE) + i64::from(n)) * 1_000_000_000 + i64::from(n) * 1_000
}
