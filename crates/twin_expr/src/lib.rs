//! The expression language: text in, a checked expression out, and what it says of values, with how far that can be trusted.
//!
//! Holds grammar, types, evaluation with quality and time, and the reasons behind a result. Refuses to know stores, clocks and
//! sites. Start reading at [`Expression`] (computed from readings), [`Plan`] (all computed signals of a model) and [`program`] (process
//! models, numbers only).
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
//! ```
//! use twin_expr::{Expression, Input, Operand};
//! use twin_model::{Quality, SignalIndex, Timestamp, Unit, Value, ValueKind};
//!
//! let mut pump = |id: &str| match id {
//!     "pump.flow" => Ok(Operand { signal: SignalIndex(0), kind: ValueKind::Float, unit: Unit("m³/h".into()) }),
//!     "pump.mode" => Ok(Operand { signal: SignalIndex(1), kind: ValueKind::Text, unit: Unit::default() }),
//!     _ => Err("did you mean 'pump.flow'?".to_owned()),
//! };
//! let starved = Expression::compile("pump.mode == \"run\" and pump.flow < 2", &mut pump)?;
//! let at = Timestamp::from_secs;
//! let mode = Input::good(Value::text("run"), at(100));
//! let flow = Input::good(Value::Float(1.5), at(160)).with_quality(Quality::UNCERTAIN_LAST_USABLE);
//! let outcome = starved.evaluate_with(&[mode, flow]);
//! assert_eq!(outcome.value, Some(Value::Bool(true)));
//! assert_eq!(outcome.quality, Quality::UNCERTAIN_LAST_USABLE);
//! assert_eq!(outcome.time.instant(), Some(at(100)));
//! // A pump that stands still needs no flow.
//! let stopped = starved.evaluate_with(&[Input::good(Value::text("stop"), at(100)), Input::unseen()]);
//! assert_eq!(stopped.value, Some(Value::Bool(false)));
//! # Ok::<(), twin_expr::ExprError>(())
//! ```
//!
//! The same values give the same bits on every platform: basic arithmetic is IEEE 754, all else comes from [`math`], and the
//! order of operations is fixed.

mod check;
mod computed;
#[cfg(test)]
mod documented;
mod error;
mod eval;
mod explain;
mod function;
mod input;
mod lex;
pub mod math;
mod names;
mod order;
mod outcome;
mod parse;
mod print;
pub mod program;
mod steps;
mod syntax;
mod types;
mod units;

pub use check::{Expression, Operand, operand_of};
pub use computed::{Computed, Evaluated, Obstacle, Plan};
pub use error::{ExprError, Finding};
pub use explain::{Explanation, NeededRow};
pub use input::{AsOf, Input};
pub use names::nearest;
pub use order::{MAX_CIRCLES, after_inputs};
pub use outcome::{Cause, Fault, FaultKind, Needed, Outcome};
pub use parse::parse;
pub use syntax::Syntax;
pub use types::Type;

/// Longest expression text, in bytes.
pub const MAX_LENGTH: usize = 4_096;
/// Deepest nesting of brackets, signs, negations and powers.
pub const MAX_DEPTH: usize = 48;
/// Most intermediate values that an expression may need at once.
pub const MAX_STACK: usize = 64;
