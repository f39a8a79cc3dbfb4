//! Numbers by seed: the same on every machine, so no function of the platform's mathematics library is used.

/// A source of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source that `seed` names.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `limit - 1`; 0 for a limit of 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        ((self.next() as u128 * limit as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in `permille` of 1,000 cases.
    pub const fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of the items; the slice must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// One of the items, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, items: &[(u64, T)]) -> T {
        let mut left = self.below(items.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        items[items.len() - 1].1
    }

    /// A log-normal number around `median`: the normal number under it is the sum of twelve uniform ones (Irwin-Hall).
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let uniform = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
        let normal = (0..12).map(|_| uniform(self.next())).sum::<f64>() - 6.0;
        median * exponential(sigma * normal)
    }
}

/// e to the power of `x`, for |x| < 700, with additions and multiplications only (the same bits everywhere).
fn exponential(x: f64) -> f64 {
    let halvings = (x * std::f64::consts::LOG2_E).floor();
    let rest = x - halvings * std::f64::consts::LN_2;
    let series = (1..18).rev().fold(1.0, |sum, n| 1.0 + sum * rest / f64::from(n));
    series * f64::from_bits(((1023 + halvings as i64) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_one() {
        for x in [-9.5, -1.0, 0.0, 0.3, 1.0, 9.6] {
            assert!((exponential(x) / f64::exp(x) - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn half_of_the_sizes_lie_below_the_median() {
        let mut random = Random::new(7);
        let below = (0..10_000)
            .filter(|_| random.log_normal(12_000.0, 1.6) < 12_000.0)
            .count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }
}
