//! A cursor over the octets of one handshake message: every read is checked, nothing is allocated by a claimed length.

/// Reads big-endian fields and length-prefixed vectors (RFC 8446, section 3.4).
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first octet.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// No octets are left.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The octets not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` octets; nothing is read where fewer are left.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// One octet.
    pub(super) fn octet(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Two octets as a number.
    pub(super) fn short(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// Three octets as a number.
    pub(super) fn medium(&mut self) -> Option<u32> {
        match self.take(3)? {
            &[high, middle, low] => Some(u32::from_be_bytes([0, high, middle, low])),
            _ => None,
        }
    }

    /// A vector with a length of one octet.
    pub(super) fn vector8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.octet()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// A vector with a length of two octets.
    pub(super) fn vector16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.short()?;
        let taken = ahead.take(usize::from(length))?;
        *self = ahead;
        Some(taken)
    }

    /// A vector with a length of three octets.
    pub(super) fn vector24(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.medium()?;
        let taken = ahead.take(usize::try_from(length).ok()?)?;
        *self = ahead;
        Some(taken)
    }
}

/// The octets as two-octet numbers; the second value says that one octet was left over.
pub(super) fn shorts(bytes: &[u8]) -> (Vec<u16>, bool) {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let numbers = pairs
        .filter_map(|pair| pair.try_into().ok().map(u16::from_be_bytes))
        .collect();
    (numbers, odd)
}
