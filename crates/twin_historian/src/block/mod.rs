//! Up to 128 consecutive samples of one signal in few bytes, any of which can be read without decoding the others.
//!
//! A block refers to a clock record for its times; both lie in the same page of the arena. In-memory form only: it may
//! change with any version of the program (what is kept and sent are chunks).
//!
//! Block, little-endian:
//! ```text
//! 0  u16  place of the clock record in the page, in units of 16 bytes
//! 2  u8   samples - 1
//! 3  u8   bits 0-2 value kind; 3-4 scheme (0 whole, 1 decimal, 2 raw bits); 5 slope follows; 6 base has 64 bits; 7 extras follow
//! 4  u8   width of a packed number in bits
//! 5  u8   decimal: exponent e (value = m / 10^e); raw: shift (bits = m << shift)
//! 6  u8   position of the lowest, 7 of the highest drawable value
//! 8  i32 or i64  base
//!    [i32 slope]     m(i) = base + (slope * i >> 8) + packed(i)
//!    [u8 runs, u8 exceptions, u8 marks (1: a sample has no number, 2: all have none), u8 0
//!     runs x {u8 first position, u8 flags, u16 quality}
//!     exceptions x u8 position, exceptions x u64 value bits]   without extras: good, no flags
//!    packed numbers
//! ```
//! Clock record:
//! ```text
//! 0  i64  first source time     8  i64  step
//! 16 u8   samples - 1  17 u8 width of time residuals (0: regular)  18 u8 their unit 10^u us
//! 19 u8   width of delays (0: constant)  20 u8 their unit 10^u us
//! 21 u8   1: received times follow  22-23 0
//! 24 i64  smallest delay
//!    [i64 smallest residual, i64 longest distance between neighbours]   where not regular
//!    packed residuals
//!    [i64 smallest, i64 largest received time]   where delays and times do not tell them closely
//!    packed delays
//! ```
//! time(i) = first + step * i + (smallest residual + packed(i) * unit); received(i) = time(i) + smallest delay + packed(i) * unit.

mod encode;
mod view;

pub(crate) use encode::{Encoder, Numbers};
pub(crate) use view::{Block, clock_bytes, length};

/// Most samples in a block.
pub(crate) const BLOCK: usize = 128;

const WHOLE: u8 = 0;
const DECIMAL: u8 = 1;
const RAW: u8 = 2;
const HAS_SLOPE: u8 = 1 << 5;
const BASE_64: u8 = 1 << 6;
const HAS_EXTRAS: u8 = 1 << 7;
const MARK_NO_NUMBER: u8 = 1;
/// Clock records start at multiples of this, so that 16 bits name one.
pub(crate) const CLOCK_ALIGN: usize = 16;
const CLOCK_FIXED: usize = 32;
const HEADER_FIXED: usize = 8;
