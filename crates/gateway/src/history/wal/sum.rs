//! The checksum of SQLite's log: two running sums over pairs of words. Forwards, backwards, and which single byte explains a sum
//! that does not fit (<https://www.sqlite.org/fileformat2.html#checksum_algorithm>). Knows nothing of frames.

/// How the bytes of a log make words; its header says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    fn word(self, bytes: &[u8]) -> u32 {
        let four = bytes.try_into().unwrap_or([0; 4]);
        match self {
            Self::Little => u32::from_le_bytes(four),
            Self::Big => u32::from_be_bytes(four),
        }
    }

    /// The pairs of words of a stretch whose length is a multiple of eight.
    fn pairs(self, bytes: &[u8]) -> impl DoubleEndedIterator<Item = (u32, u32)> + '_ {
        bytes.chunks_exact(8).map(move |pair| {
            let (first, second) = pair.split_at(4);
            (self.word(first), self.word(second))
        })
    }
}

/// Where the sums stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum(pub(super) u32, pub(super) u32);

impl Sum {
    /// After these bytes.
    pub(super) fn add(self, order: Order, bytes: &[u8]) -> Self {
        order.pairs(bytes).fold(self, |Self(a, b), (first, second)| {
            let a = a.wrapping_add(first).wrapping_add(b);
            Self(a, b.wrapping_add(second).wrapping_add(a))
        })
    }

    /// Before these bytes: each step can be taken back.
    pub(super) fn before(self, order: Order, bytes: &[u8]) -> Self {
        order.pairs(bytes).rev().fold(self, |Self(a, b), (first, second)| {
            let b = b.wrapping_sub(second).wrapping_sub(a);
            Self(a.wrapping_sub(first).wrapping_sub(b), b)
        })
    }

    /// Whether it is the other but for one byte.
    pub(super) fn is_but_for_a_byte(self, other: Self) -> bool {
        let differ = u64::from(self.0 ^ other.0) << 32 | u64::from(self.1 ^ other.1);
        differ.to_be_bytes().iter().filter(|byte| **byte != 0).count() == 1
    }
}

/// Which one byte of `bytes` may have been another so that they end in the sum `wanted` from `begun` on: places, and what they differ
/// by. Empty where no single byte explains it.
///
/// The sums are linear: a word that is off by `d` is off by (d, d) after its pair where it is the first of it and by (0, d) where
/// it is the second, and every further pair turns (x, y) into (x + y, x + 2y). So the difference at the end is taken back pair by
/// pair, and where it has one of these forms a word that is off by `d` explains it, if that is a change of one byte. That an
/// alteration of more than one byte looks like this by chance has odds of about 2^-44 for a page of 4,096 bytes: 2^-32 for the form
/// and 2^-22 for one byte, at a thousand places. A change of a word's highest nine bits alone may have more explanations than one: it
/// leaves the lower bits of both sums as they are, and of so few bits the pairs of a page make the same difference again.
pub(super) fn altered_bytes(order: Order, begun: Sum, bytes: &[u8], wanted: Sum) -> Vec<(usize, u8)> {
    let found = begun.add(order, bytes);
    let mut off = (wanted.0.wrapping_sub(found.0), wanted.1.wrapping_sub(found.1));
    let mut all = Vec::new();
    let mut at = bytes.len() / 8 * 8;
    while at > 0 && off != (0, 0) {
        at -= 8;
        let places = [(off.0 == off.1, at), (off.0 == 0, at + 4)];
        for (_, place) in places.into_iter().filter(|(fits, _)| *fits) {
            let altered = bytes.get(place..place + 4).and_then(|word| of_word(order, word, off.1));
            all.extend(altered.map(|(byte, change)| (place + byte, change)));
        }
        off = (off.0.wrapping_mul(2).wrapping_sub(off.1), off.1.wrapping_sub(off.0));
    }
    all
}

/// Which byte of a word differs where the word is to grow by `by`; none where more than one would.
fn of_word(order: Order, bytes: &[u8], by: u32) -> Option<(usize, u8)> {
    let was = order.word(bytes);
    let differ = was ^ was.wrapping_add(by);
    let differ = match order {
        Order::Little => differ.to_le_bytes(),
        Order::Big => differ.to_be_bytes(),
    };
    let mut altered = differ.into_iter().enumerate().filter(|(_, byte)| *byte != 0);
    let one = altered.next()?;
    altered.next().is_none().then_some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn a_sum_taken_back_is_where_it_began() {
        let bytes = noise(4_104);
        for order in [Order::Little, Order::Big] {
            let begun = Sum(0x1234_5678, 0xfedc_ba98);
            assert_eq!(begun.add(order, &bytes).before(order, &bytes), begun);
        }
    }

    #[test]
    fn any_single_altered_byte_is_found_and_is_the_only_one_unless_it_changes_the_highest_bits_of_a_word_alone() {
        let bytes = noise(4_104);
        for order in [Order::Little, Order::Big] {
            let begun = Sum(3, 5);
            let wanted = begun.add(order, &bytes);
            assert_eq!(altered_bytes(order, begun, &bytes, wanted), [], "nothing is altered");
            for at in (0..bytes.len()).step_by(5) {
                for change in [1, 0x55, 0x80, 0xff] {
                    let mut hurt = bytes.clone();
                    hurt[at] ^= change;
                    let found = altered_bytes(order, begun, &hurt, wanted);
                    let byte = if order == Order::Little { at % 4 } else { 3 - at % 4 };
                    let lowest_bit = byte as u32 * 8 + change.trailing_zeros();
                    assert!(found.contains(&(at, change)), "byte {at}: {found:?}");
                    assert!(found.len() == 1 || lowest_bit >= 23, "byte {at}: {found:?}");
                    for (place, change) in found {
                        let mut again = hurt.clone();
                        again[place] ^= change;
                        assert_eq!(begun.add(order, &again), wanted, "each of them explains it");
                    }
                }
            }
        }
    }

    #[test]
    fn a_torn_write_is_not_taken_for_one_altered_byte() {
        let bytes = noise(4_104);
        let wanted = Sum(3, 5).add(Order::Little, &bytes);
        for sector in 0..8 {
            let mut torn = bytes.clone();
            torn[8 + sector * 512..][..512].fill(0);
            assert_eq!(altered_bytes(Order::Little, Sum(3, 5), &torn, wanted), [], "sector {sector}");
        }
    }
}
