//! Where compressed blocks lie: pages of up to one MiB, less where the budget is small, filled in the order of sealing, so that blocks of one time lie
//! together and a jump reads memory in order. Clock records are shared by all blocks of a page that have the same times.
//!
//! Knows offsets and lengths; what a block means is `block`'s business.

use std::collections::HashMap;

use crate::bits::SLACK;
use crate::block::{self, Block, CLOCK_ALIGN, Encoder, Numbers};

/// Bytes of a page at most: 18 bits of [`ALIGN`] and 16 of [`CLOCK_ALIGN`] name a place in it.
const PAGE_BYTES: usize = 1 << 20;
/// And at least, several of the largest blocks. Where the budget is small, so are the pages: one that is filled and one that is emptied
/// would be much of it.
const SMALL_PAGE_BYTES: usize = 1 << 16;
/// Pages of a budget.
const PAGES: usize = 32;
const OFFSET_BITS: u32 = 18;
/// Blocks start at multiples of this.
const ALIGN: usize = 4;

/// A block's place: page number and offset in units of [`ALIGN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loc(u32);

impl Loc {
    /// Names no block.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    fn new(page: usize, offset: usize) -> Self {
        Self((page as u32) << OFFSET_BITS | (offset / ALIGN) as u32)
    }

    pub(crate) const fn page(self) -> usize {
        (self.0 >> OFFSET_BITS) as usize
    }

    pub(crate) const fn offset(self) -> usize {
        (self.0 & ((1 << OFFSET_BITS) - 1)) as usize * ALIGN
    }
}

#[derive(Debug, Clone, Default)]
struct Page {
    /// Records, then [`SLACK`] zero bytes.
    bytes: Vec<u8>,
    /// Bytes of blocks in use.
    live: usize,
    /// Bytes of blocks ever put here.
    filled: usize,
    /// Bytes of clock records.
    clocks: usize,
    /// Blocks in use, and blocks ever put here.
    blocks: (u32, u32),
    /// The signal of each block put here, in order.
    owners: Vec<u32>,
}

impl Page {
    /// Bytes in use, and bytes ever put here. Who uses a clock record isn't counted: as large a part of them is taken to be in use as of
    /// the blocks. That is right on average where every block has its own; where many share one, there is little of them.
    const fn use_of(&self) -> (usize, usize) {
        let (alive, ever) = self.blocks;
        let clocks = if ever == 0 { 0 } else { (self.clocks as u64 * alive as u64 / ever as u64) as usize };
        (self.live + clocks, self.filled + self.clocks)
    }

    /// Whether more than half is wasted: moving what is left elsewhere gains more than it takes.
    const fn is_wasteful(&self) -> bool {
        let (used, ever) = self.use_of();
        used * 2 <= ever
    }

    const fn wasted(&self) -> usize {
        let (used, ever) = self.use_of();
        ever - used
    }
}

/// All pages of a store.
#[derive(Debug, Clone)]
pub(crate) struct Arena {
    page_bytes: usize,
    pages: Vec<Page>,
    open: usize,
    /// Slots of dropped pages.
    vacant: Vec<usize>,
    /// Clock records of the open page by hash.
    clocks: HashMap<u64, u16>,
}

impl Default for Arena {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl Arena {
    /// Without blocks, for a store of so many bytes.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self {
            page_bytes: (budget_bytes / PAGES).clamp(SMALL_PAGE_BYTES, PAGE_BYTES),
            pages: Vec::new(),
            open: 0,
            vacant: Vec::new(),
            clocks: HashMap::new(),
        }
    }

    /// Bytes of the page that holds a block.
    #[inline]
    pub(crate) fn page(&self, loc: Loc) -> &[u8] {
        &self.pages[loc.page()].bytes
    }

    /// The block at a place.
    #[inline]
    pub(crate) fn block(&self, loc: Loc) -> Block<'_> {
        Block::parse(self.page(loc), loc.offset())
    }

    /// Puts down what is loaded into the encoder, as a block of `kind`, and empties that; returns the block's place and how its
    /// numbers are kept.
    pub(crate) fn seal(&mut self, signal: u32, encoder: &mut Encoder, kind: u8, numbers: Numbers) -> (Loc, Numbers) {
        #[cfg(debug_assertions)]
        let expected = encoder.expected(kind, numbers);
        let kept = encoder.write(kind, numbers);
        let (clock, block) = encoder.written();
        let loc = self.put(signal, clock, block);
        #[cfg(debug_assertions)]
        debug_assert!(self.block(loc).rows().eq(expected), "a block must give back what was put in");
        encoder.clear();
        (loc, kept)
    }

    /// Puts a block down; its first two bytes are filled with the place of its clock record.
    pub(crate) fn put(&mut self, signal: u32, clock: &[u8], block: &mut [u8]) -> Loc {
        let need = clock.len() + CLOCK_ALIGN + block.len() + ALIGN + SLACK;
        if self.pages.get(self.open).is_none_or(|page| page.bytes.len() + need > self.page_bytes) {
            self.open_page();
        }
        let clock_at = self.put_clock(clock);
        block[..2].copy_from_slice(&clock_at.to_le_bytes());
        let page = &mut self.pages[self.open];
        let offset = append(&mut page.bytes, block, ALIGN);
        page.live += block.len();
        page.filled += block.len();
        page.blocks = (page.blocks.0 + 1, page.blocks.1 + 1);
        if page.owners.last() != Some(&signal) {
            page.owners.push(signal);
        }
        Loc::new(self.open, offset)
    }

    fn open_page(&mut self) {
        self.clocks.clear();
        if self.pages.get(self.open).is_some_and(|page| page.live == 0 && !page.bytes.is_empty()) {
            self.pages[self.open] = Page::default();
            self.vacant.push(self.open);
        }
        let fresh = Page { bytes: vec![0; SLACK], ..Page::default() };
        self.open = match self.vacant.pop() {
            Some(slot) => {
                self.pages[slot] = fresh;
                slot
            }
            None => {
                self.pages.push(fresh);
                self.pages.len() - 1
            }
        };
    }

    fn put_clock(&mut self, clock: &[u8]) -> u16 {
        let hash = hash(clock);
        let page = &mut self.pages[self.open];
        if let Some(at) = self.clocks.get(&hash) {
            let from = usize::from(*at) * CLOCK_ALIGN;
            if page.bytes[from..].starts_with(clock) {
                return *at;
            }
        }
        let at = (append(&mut page.bytes, clock, CLOCK_ALIGN) / CLOCK_ALIGN) as u16;
        page.clocks += clock.len();
        self.clocks.insert(hash, at);
        at
    }

    /// Gives a block's space up. A page without blocks is dropped.
    pub(crate) fn free(&mut self, loc: Loc) {
        let length = block::length(self.page(loc), loc.offset());
        let page = &mut self.pages[loc.page()];
        page.live -= length;
        page.blocks.0 -= 1;
        if page.live == 0 && loc.page() != self.open {
            *page = Page::default();
            self.vacant.push(loc.page());
        }
    }

    /// A page of which more than half is wasted, and the signals that may have blocks in it.
    pub(crate) fn wasteful(&self) -> Option<(usize, Vec<u32>)> {
        let full = self.pages.iter().enumerate().filter(|(at, page)| *at != self.open && page.live > 0);
        let (at, page) = full.filter(|(_, page)| page.is_wasteful()).min_by_key(|(_, page)| {
            let (used, ever) = page.use_of();
            used as u64 * 1024 / ever.max(1) as u64
        })?;
        let mut owners = page.owners.clone();
        owners.sort_unstable();
        owners.dedup();
        Some((at, owners))
    }

    /// Moves a block into the open page.
    pub(crate) fn relocate(&mut self, loc: Loc, signal: u32) -> Loc {
        let page = self.page(loc);
        let mut block = page[loc.offset()..loc.offset() + block::length(page, loc.offset())].to_vec();
        let clock = block::clock_bytes(page, loc.offset()).to_vec();
        let moved = self.put(signal, &clock, &mut block);
        self.free(loc);
        moved
    }

    /// Bytes of all pages, and of those the bytes of blocks and clock records given up.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let all = self.pages.iter().map(|page| page.bytes.capacity() + page.owners.capacity() * 4).sum();
        (all, self.pages.iter().map(Page::wasted).sum())
    }

    /// Of the bytes given up those that emptying pages gains.
    pub(crate) fn recoverable(&self) -> usize {
        self.pages.iter().filter(|page| page.is_wasteful()).map(Page::wasted).sum()
    }
}

/// Writes before the slack, at the next multiple of `align`.
fn append(bytes: &mut Vec<u8>, record: &[u8], align: usize) -> usize {
    let at = (bytes.len() - SLACK).next_multiple_of(align);
    bytes.resize(at, 0);
    bytes.extend_from_slice(record);
    bytes.extend_from_slice(&[0; SLACK]);
    at
}

/// Multiplicative hash over 8-byte words (FxHash's constant); only compared within one run.
fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}
