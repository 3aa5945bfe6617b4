//! The expression language: text in, a checked expression out.
//!
//! Holds grammar and evaluation. Refuses to know stores, clocks and sites. Start reading at [`program`] (process models).
//!
//! ```text
//! expression = both { "or" both }
//! both       = negated { "and" negated }
//! negated    = "not" negated | compared
//! compared   = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]       no chains
//! sum        = product { ("+" | "-") product }
//! product    = signed { ("*" | "/") signed }
//! signed     = "-" signed | "+" signed | power
//! power      = atom [ "^" signed ]                                       right to left: 2^3^2 is 2^9, -2^2 is -4
//! atom       = number | text | "true" | "false" | signal | function "(" expression { "," expression } ")" | "(" expression ")"
//! number     = 12 | 1.5 | .5 | 2e-3
//! text       = '"' characters '"' | "'" characters "'"                   a backslash before a quotation mark or a backslash
//! signal     = letter or "_", then letters, digits, "_", and "-" or "." where another of these follows
//!            | "`" any characters but a backtick "`"
//! function   = abs(x) exp(x) ln(x) sqrt(x) pow(x, y) clamp(x, low, high) if(condition, a, b)
//!              min(a, b, ...) max(a, b, ...)
//! ```
//!
//! Ids contain minus signs: `tank-01.level-3` is one signal. Put spaces around a minus that subtracts. Any number but zero is
//! true, and where a number is due, true is 1 and false 0. A word is a function only where `(` follows.
//!
//! The same values give the same bits on every platform: basic arithmetic is IEEE 754, all else comes from [`math`], and the
//! order of operations is fixed.

mod error;
mod function;
mod lex;
pub mod math;
mod names;
mod order;
mod parse;
mod print;
pub mod program;
mod syntax;

pub use error::ExprError;
pub use names::nearest;
pub use order::{MAX_CIRCLES, after_inputs};
pub use parse::parse;
pub use syntax::Syntax;

/// Longest expression text, in bytes.
pub const MAX_LENGTH: usize = 4_096;
/// Deepest nesting of brackets, signs, negations and powers.
pub const MAX_DEPTH: usize = 48;
/// Most intermediate values that an expression may need at once.
pub const MAX_STACK: usize = 64;
