//! The units of an interface's clock → nanoseconds since the epoch (if_tsresol, if_tsoffset).

use crate::time::Timestamp;

/// How much time one unit of a timestamp is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resolution {
    /// 10^-n seconds.
    Decimal(u8),
    /// 2^-n seconds.
    Binary(u8),
}

impl Resolution {
    /// Reads the if_tsresol octet.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        if octet & 0x80 == 0 {
            Self::Decimal(octet)
        } else {
            Self::Binary(octet & 0x7f)
        }
    }

    /// The if_tsresol octet.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::Decimal(power) => power & 0x7f,
            Self::Binary(power) => power | 0x80,
        }
    }

    /// How many fractional digits (0 to 9) show every unit apart, as far as nanoseconds can.
    #[must_use]
    pub const fn digits(self) -> u8 {
        let digits = match self {
            Self::Decimal(power) => power as u16,
            Self::Binary(power) => (power as u16 * 302).div_ceil(1_000),
        };
        if digits > 9 { 9 } else { digits as u8 }
    }
}

/// The clock of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// if_tsresol; microseconds where the option is absent.
    pub resolution: Resolution,
    /// if_tsoffset: seconds to add.
    pub offset: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            resolution: Resolution::Decimal(6),
            offset: 0,
        }
    }
}

impl Clock {
    /// The time that so many units are, and whether it had to be clamped to what 64-bit nanoseconds can say.
    #[must_use]
    pub fn time(self, units: u64) -> (Timestamp, bool) {
        let quick = match (self.resolution, self.offset) {
            (Resolution::Decimal(6), 0) => i64::try_from(units).ok().and_then(|units| units.checked_mul(1_000)),
            (Resolution::Decimal(9), 0) => i64::try_from(units).ok(),
            _ => None,
        };
        if let Some(nanoseconds) = quick {
            return (Timestamp::from_nanoseconds(nanoseconds), false);
        }
        let scaled = u128::from(units) * 1_000_000_000;
        let units = match self.resolution {
            Resolution::Decimal(power) => 10_u128
                .checked_pow(u32::from(power))
                .map_or(0, |divisor| scaled / divisor),
            Resolution::Binary(power) => scaled >> power.min(127),
        };
        let exact = i128::try_from(units)
            .unwrap_or(i128::MAX)
            .saturating_add(i128::from(self.offset) * 1_000_000_000);
        let clamped = exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let nanoseconds = i64::try_from(clamped).unwrap_or(i64::MAX);
        (Timestamp::from_nanoseconds(nanoseconds), clamped != exact)
    }
}
