//! Rows of rules and alarms, and of the values that they compare with.

use serde::{Deserialize, Serialize};
use twin_model::MAX_BANDS;

use super::{Text, no_time};
use crate::limits::FEW;
use crate::list::{List, Num};

/// `above` or `below`, one of them.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::model) struct BandRow<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) above: Option<Num>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) below: Option<Num>,
    #[serde(borrow)]
    pub(in crate::model) status: Text<'a>,
}

/// A value with its kind: `{"float": 1.5}`, `{"int": 3}`, `{"bool": true}`, `{"text": "AUTO"}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::model) enum ValueRow<'a> {
    Float(Num),
    Int(i64),
    Bool(bool),
    #[serde(borrow)]
    Text(Text<'a>),
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::model) struct CaseRow<'a> {
    #[serde(borrow)]
    pub(in crate::model) value: ValueRow<'a>,
    /// A status in rules, a state in alarms.
    #[serde(borrow)]
    pub(in crate::model) is: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::model) struct RuleRow<'a> {
    #[serde(borrow)]
    pub(in crate::model) id: Text<'a>,
    /// Position of the signal that it reads.
    pub(in crate::model) signal: u32,
    /// Position of the twin that it judges; left out where it is the signal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) twin: Option<u32>,
    /// `range`, `match`, `quality` or `stale`; which of the fields below there are follows from it.
    #[serde(borrow)]
    pub(in crate::model) kind: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(in crate::model) bands: List<BandRow<'a>, MAX_BANDS>,
    #[serde(default, skip_serializing_if = "Num::is_zero")]
    pub(in crate::model) deadband: Num,
    #[serde(default, skip_serializing_if = "no_time")]
    pub(in crate::model) on_delay_us: i64,
    #[serde(default, skip_serializing_if = "no_time")]
    pub(in crate::model) off_delay_us: i64,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(in crate::model) cases: List<CaseRow<'a>, FEW>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) otherwise: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) uncertain: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) bad: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) status: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(in crate::model) note: Text<'a>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::model) struct AlarmRow<'a> {
    #[serde(borrow)]
    pub(in crate::model) id: Text<'a>,
    pub(in crate::model) signal: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) twin: Option<u32>,
    /// 1 to 4, most urgent first.
    pub(in crate::model) priority: u8,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(in crate::model) message: Text<'a>,
    /// `limit` or `reported`.
    #[serde(borrow)]
    pub(in crate::model) kind: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) above: Option<Num>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) below: Option<Num>,
    #[serde(default, skip_serializing_if = "Num::is_zero")]
    pub(in crate::model) deadband: Num,
    #[serde(default, skip_serializing_if = "no_time")]
    pub(in crate::model) on_delay_us: i64,
    #[serde(default, skip_serializing_if = "no_time")]
    pub(in crate::model) off_delay_us: i64,
    /// Whether somebody has to acknowledge it: there is a signal for that then, behind all others (below).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::model) acknowledge: bool,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(in crate::model) states: List<CaseRow<'a>, FEW>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(in crate::model) otherwise: Option<Text<'a>>,
}
