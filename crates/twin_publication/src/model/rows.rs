//! The rows of the model's form as serde structs. What is a default is left out; positions count within the document.

mod judged;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::{FEW, INTERFACES, KNOBS, PLACEMENTS, RULES, SIGNALS, SOURCES, TWINS};
use crate::list::{List, Num};

pub(super) use judged::{AlarmRow, BandRow, CaseRow, RuleRow, ValueRow};

/// Whether a span is none, which is not written.
fn no_time(us: &i64) -> bool {
    *us == 0
}

/// A text that is borrowed from the bytes where it has no escapes.
pub(super) type Text<'a> = Cow<'a, str>;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, default)]
    pub(super) format: Text<'a>,
    #[serde(default)]
    pub(super) version: u32,
    #[serde(borrow)]
    pub(super) site: SiteRow<'a>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) interfaces: List<InterfaceRow<'a>, INTERFACES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) sources: List<SourceRow<'a>, SOURCES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) twins: List<TwinRow<'a>, TWINS>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) signals: List<SignalRow<'a>, SIGNALS>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) rules: List<RuleRow<'a>, RULES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) alarms: List<AlarmRow<'a>, RULES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) relationships: List<RelationshipRow<'a>, RULES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) processes: List<ProcessRow<'a>, RULES>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) computed: List<ComputedRow<'a>, SIGNALS>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) knobs: List<KnobRow<'a>, KNOBS>,
    #[serde(borrow, default, skip_serializing_if = "ViewRow::is_empty")]
    pub(super) view: ViewRow<'a>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) placements: List<PlacementRow<'a>, PLACEMENTS>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub(super) no_geometry: List<u32, TWINS>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) anchors: List<AnchorRow<'a>, PLACEMENTS>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SiteRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) time_zone: Text<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InterfaceRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    /// Left out where it is the id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<Text<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SourceRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TwinRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    /// Left out where it is the id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) interface: Text<'a>,
    /// Position of the twin that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SignalRow<'a> {
    /// Position of its twin.
    pub(super) twin: u32,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    /// Left out where it is `<twin id>.<name>`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Text<'a>>,
    /// Left out where it is the name.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) unit: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expected_period_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) late_after_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stale_after_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) range: Option<[Num; 2]>,
    /// Position of the source that feeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<u32>,
    /// Left out where it is the id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) source_key: Option<Text<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RelationshipRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    pub(super) source: u32,
    pub(super) target: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ComputedRow<'a> {
    pub(super) signal: u32,
    #[serde(borrow)]
    pub(super) expr: Text<'a>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProcessRow<'a> {
    pub(super) signal: u32,
    /// `assign`, `lag`, `integrate` or `growth`.
    #[serde(borrow)]
    pub(super) kind: Text<'a>,
    /// Of a lag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tau_us: Option<i64>,
    #[serde(borrow)]
    pub(super) expr: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) clamp: Option<[Num; 2]>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Text<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KnobRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub(super) targets: List<TargetRow, FEW>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) unit: Text<'a>,
    pub(super) min: Num,
    pub(super) max: Num,
    pub(super) neutral: Num,
    pub(super) step: Num,
}

/// Exactly one of `scale`, `offset`, `set` and `reset`, each with the position of a signal.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct TargetRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scale: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) set: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reset: Option<u32>,
    #[serde(default, skip_serializing_if = "Num::is_zero")]
    pub(super) to: Num,
    #[serde(default, skip_serializing_if = "no_time")]
    pub(super) planned_us: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ViewRow<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) eye: Option<[Num; 3]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<[Num; 3]>,
    /// `now`, `recorded` or an instant.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<u32>,
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub(super) chart: List<u32, FEW>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) theme: Option<Text<'a>>,
}

impl ViewRow<'_> {
    fn is_empty(&self) -> bool {
        let places = self.eye.is_none() && self.target.is_none();
        places && self.time.is_none() && self.select.is_none() && self.chart.is_empty() && self.theme.is_none()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PlacementRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    /// Left out where nothing is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) transform: Option<[Num; 16]>,
    #[serde(borrow, default, skip_serializing_if = "List::is_empty")]
    pub(super) background: List<Text<'a>, FEW>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AnchorRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) twin: Option<u32>,
    pub(super) position: [Num; 3],
}
