//! The header of a log: what a sound one says, and what a damaged or lost one must have said.

use super::super::salvage::PAGE;
use super::sum::{Order, Sum, altered_bytes};
use super::walk::word;

/// Bytes of it.
pub(super) const HEADER: usize = 32;
/// First bytes of a log whose checksums are over little-endian words; one more: over big-endian words.
const MAGIC: u32 = 0x377f_0682;
/// The only version of the format of logs that there is.
const VERSION: u32 = 3_007_000;
/// What the frames of a log are read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    pub(super) order: Order,
    pub(super) page: usize,
    pub(super) salts: (u32, u32),
    /// Sum after the header; none where it is lost, and the first frame can't be checked.
    pub(super) seed: Option<Sum>,
}

impl Log {
    /// What a sound header says.
    pub(super) fn of(header: &[u8; HEADER]) -> Option<Self> {
        let (magic, page) = (word(header, 0), word(header, 8) as usize);
        if magic & !1 != MAGIC || !page.is_power_of_two() || !(512..=65_536).contains(&page) {
            return None;
        }
        let order = if magic == MAGIC { Order::Little } else { Order::Big };
        let seed = Sum::default().add(order, header.get(..24)?);
        (seed == Sum(word(header, 24), word(header, 28))).then_some(Self {
            order,
            page,
            salts: (word(header, 16), word(header, 20)),
            seed: Some(seed),
        })
    }

    /// What a damaged header may have said, where one altered byte explains it.
    fn mended(header: &[u8; HEADER]) -> Vec<Self> {
        let wanted = Sum(word(header, 24), word(header, 28));
        let (said, _) = header.split_at(24);
        let mut all = Vec::new();
        for order in [Order::Little, Order::Big] {
            let sum = Sum::default().add(order, said);
            let mut again: Vec<Vec<u8>> = Vec::new();
            if sum.is_but_for_a_byte(wanted) {
                again.push([said, &sum.0.to_be_bytes(), &sum.1.to_be_bytes()].concat());
            }
            for (at, change) in altered_bytes(order, Sum::default(), said, wanted) {
                let mut one = header.to_vec();
                one.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= change);
                again.push(one);
            }
            all.extend(again.iter().filter_map(|header| Self::of(header.first_chunk()?)));
        }
        all
    }

    /// What a lost header must have said, by the first frame. Its sum goes back through the frame to where the header ended, and
    /// through the salts, which frames repeat. Of the rest only the count of checkpoints is unknown, so that one of the two sums
    /// proves that the frame is what was written. `head` is the first frame's, `body` what its checksum covers.
    fn rebuilt(head: &[u8], body: &[u8]) -> Option<Self> {
        [(Order::Little, MAGIC), (Order::Big, MAGIC + 1)].into_iter().find_map(|(order, magic)| {
            let seed = Sum(word(head, 16), word(head, 20)).before(order, body);
            let counted = seed.before(order, head.get(8..16)?);
            let begun = Sum::default().add(order, &[magic.to_be_bytes(), VERSION.to_be_bytes()].concat());
            let known = begun.add(order, &[(PAGE as u32).to_be_bytes(), [0; 4]].concat());
            (counted.0 == known.0).then_some(Self { order, page: PAGE, salts: (word(head, 8), word(head, 12)), seed: Some(seed) })
        })
    }

    /// What a damaged header may have said, the most certain first, by the first frames: their heads, and what the checksum of the
    /// first covers. Pages are of the size that this program has.
    pub(super) fn guessed(header: &[u8; HEADER], heads: &[Vec<u8>], body: &[u8]) -> Vec<Self> {
        let mut all: Vec<Self> = heads.first().and_then(|head| Self::rebuilt(head, body)).into_iter().collect();
        all.extend(Self::mended(header));
        let mut salts: Vec<(u32, u32)> = heads.iter().map(|head| (word(head, 8), word(head, 12))).collect();
        salts.dedup();
        let unseeded = |salts: (u32, u32)| [Order::Little, Order::Big].map(|order| Self { order, page: PAGE, salts, seed: None });
        all.extend(salts.into_iter().flat_map(unseeded));
        all
    }
}
