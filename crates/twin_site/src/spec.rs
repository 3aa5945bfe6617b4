//! The site file's tables and keys as data: the one list that the structure check, the JSON Schema and its tests share.
//!
//! Holds names, types and one line of help per key. Refuses to know what the values are used for.

/// Words for units of length, as used by `models.unit`.
pub const UNITS: &[&str] = &["m", "mm", "cm", "dm", "km", "in", "ft", "yd", "mi"];

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Ty {
    /// Any text.
    Text,
    /// Text that names something: not empty, no white space at the ends.
    Id,
    /// A finite number; whole numbers are accepted.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// A duration such as `"250ms"`, `"5s"`, `"2h"`.
    Duration,
    /// RFC 3339 with an offset, as TOML date-time or as text.
    Instant,
    /// `"recorded"`, `"now"` or an instant.
    Start,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Two numbers, the smaller first.
    Range,
    /// Three numbers.
    Vec3,
    /// One number or three.
    Scale,
    /// A text or a list of texts.
    Texts,
    /// A text, number or switch.
    Scalar,
    /// A column of a CSV file: its name, or its position from 0.
    Column,
    /// The same, or a table that says more.
    ColumnOr(&'static TableSpec),
    /// Priority: 1 to 4, or its word.
    Priority,
    /// Keys of one's own, each with a text.
    TextMap,
    /// Keys of one's own, each with a text or a list of texts.
    TextsMap,
    /// Keys of one's own, each with a text, number or switch.
    ScalarMap,
    /// A token: text, `{ env = "NAME" }` or `{ file = "path" }`. Never shown, not even where it is wrong.
    Secret,
    /// A table.
    Table(&'static TableSpec),
    /// A list of tables.
    Tables(&'static TableSpec),
    /// `false`, one table, or a list of tables.
    Bind(&'static TableSpec),
}

/// A key of a table.
#[derive(Debug, Clone, Copy)]
pub struct KeySpec {
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub ty: Ty,
    /// Whether the table is useless without it.
    pub required: bool,
    /// One line of help.
    pub help: &'static str,
}

/// A table.
#[derive(Debug)]
pub struct TableSpec {
    /// Its name in messages and in the schema, for example `signal`.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Its keys.
    pub keys: &'static [KeySpec],
}

impl TableSpec {
    /// The key of a name.
    pub fn key(&self, name: &str) -> Option<&'static KeySpec> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn must(name: &'static str, ty: Ty, help: &'static str) -> KeySpec {
    KeySpec { name, ty, required: true, help }
}

const fn may(name: &'static str, ty: Ty, help: &'static str) -> KeySpec {
    KeySpec { name, ty, required: false, help }
}

/// Words for a health status.
pub const STATUS: Ty = Ty::Choice(&["unknown", "normal", "maintenance", "out_of_specification", "function_check", "failure"]);
/// Words for an alarm state.
pub const ALARM_STATE: Ty = Ty::Choice(&[
    "normal",
    "returned_unacknowledged",
    "shelved",
    "suppressed_by_design",
    "out_of_service",
    "acknowledged",
    "unacknowledged",
]);

/// The whole file.
pub static ROOT: TableSpec = TableSpec {
    name: "site file",
    help: "An Orrery site: what exists, how it is drawn, what feeds it and what counts as healthy.",
    keys: &[
        must("site", Ty::Table(&SITE), "The site itself."),
        may("models", Ty::Tables(&MODEL), "3D model files and where they stand."),
        may("interfaces", Ty::Tables(&INTERFACE), "Types of twins: signals, rules, alarms and process models in common."),
        may("twins", Ty::Tables(&TWIN), "The things that exist."),
        may("bindings", Ty::Tables(&BINDING), "Which nodes of the models show which twin."),
        may("sources", Ty::Tables(&SOURCE), "Where samples come from."),
        may("knobs", Ty::Tables(&KNOB), "What a planner may change in a what-if run."),
        may("imports", Ty::Tables(&IMPORT), "Twins and placements out of other systems' files."),
        may("view", Ty::Table(&VIEW), "How the viewer starts."),
        may("check", Ty::Table(&CHECK), "What `orrery check` shall accept."),
    ],
};

static SITE: TableSpec = TableSpec {
    name: "site",
    help: "Name and place.",
    keys: &[
        must("id", Ty::Id, "Short id, for example bottling."),
        may("name", Ty::Text, "Words for people; default: the id."),
        may("time_zone", Ty::Text, "IANA time zone in which people there read clocks; default UTC."),
        may("years", Ty::Range, "First and last year of times that are believed; default [1990, 2100]."),
    ],
};

static MODEL: TableSpec = TableSpec {
    name: "model",
    help: "A 3D model file and where it stands.",
    keys: &[
        must("id", Ty::Id, "Id for bindings and messages."),
        must("path", Ty::Texts, "GLB or glTF file, relative to the site file; a list places several as one model."),
        may("translate", Ty::Vec3, "Where its origin stands, metres, Y up; default [0, 0, 0]."),
        may("rotate_deg", Ty::Vec3, "Rotation in degrees about X, Y, Z (applied as Rx * Ry * Rz); default none."),
        may("scale", Ty::Scale, "Scale, one number or one per axis; default 1."),
        may("unit", Ty::Choice(UNITS), "Unit of the file's coordinates; default m."),
        may("up", Ty::Choice(&["y", "z"]), "Which axis of the file points up; default y (glTF)."),
        may("twin", Ty::Id, "Twin that the whole model belongs to, where no binding says otherwise."),
        may("background", Ty::Texts, "Globs of node paths that belong to no twin on purpose; not reported as unbound."),
    ],
};

static INTERFACE: TableSpec = TableSpec {
    name: "interface",
    help: "A type of twin.",
    keys: &[
        must("id", Ty::Id, "Id, for example pump or dtmi:example:Pump;1."),
        may("name", Ty::Text, "Words for people; default: the id."),
        may("extends", Ty::Id, "Interface whose contents this one starts from."),
        may("source", Ty::Id, "Source of the signals of its twins."),
        may("bind", Ty::Bind(&TARGET), "Nodes of its twins, with {placeholders}; a twin's own bind goes before."),
        may("signals", Ty::Tables(&SIGNAL), "What its twins measure or report."),
        may("rules", Ty::Tables(&RULE), "What counts as healthy."),
        may("alarms", Ty::Tables(&ALARM), "What needs an operator's response."),
        may("processes", Ty::Tables(&PROCESS), "How signals follow from others, for what-if runs."),
    ],
};

static TWIN: TableSpec = TableSpec {
    name: "twin",
    help: "A thing that exists.",
    keys: &[
        must("id", Ty::Id, "Stable id; signals are called <id>.<signal name>."),
        may("name", Ty::Text, "Words for people; default: the id."),
        may("interface", Ty::Id, "Its type."),
        may("parent", Ty::Id, "The twin that contains it."),
        may("source", Ty::Id, "Source of its signals."),
        may("vars", Ty::TextMap, "Values for {placeholders} in texts of the interface."),
        may("bind", Ty::Bind(&TARGET), "Its nodes in the models; false: it has none on purpose."),
        may("relationships", Ty::Tables(&RELATIONSHIP), "Directed edges to other twins."),
        may("signals", Ty::Tables(&SIGNAL), "More signals, or changes to signals of the interface (same name)."),
        may("rules", Ty::Tables(&RULE), "More rules, or changes to rules of the interface (same id)."),
        may("alarms", Ty::Tables(&ALARM), "More alarms, or changes to alarms of the interface (same id)."),
        may("processes", Ty::Tables(&PROCESS), "More process models, or changes to those of the interface (same signal)."),
    ],
};

static RELATIONSHIP: TableSpec = TableSpec {
    name: "relationship",
    help: "A directed edge.",
    keys: &[
        must("name", Ty::Id, "What the edge means, for example feeds."),
        must("target", Ty::Id, "The twin that it leads to."),
    ],
};

static SIGNAL: TableSpec = TableSpec {
    name: "signal",
    help: "Something that a twin measures or reports.",
    keys: &[
        must("name", Ty::Id, "Name within the twin, for example temperature."),
        may("display_name", Ty::Text, "Words for people; default: the name with spaces."),
        may("unit", Ty::Text, "Unit text, for example \u{b0}C, mm/s, 1/min."),
        may(
            "kind",
            Ty::Choice(&["analog", "discrete", "counter", "computed"]),
            "How it behaves; default analog for floats, else discrete. computed: it follows from others by its expression.",
        ),
        may(
            "expression",
            Ty::Text,
            "computed: expression over signals of the same twin and whole signal ids, for example inlet - outlet; {placeholders} allowed.",
        ),
        may("value", Ty::Choice(&["float", "int", "bool", "text"]), "Which values it takes; default float."),
        may("period", Ty::Duration, "Time between samples when all is well; leave out for signals that report only changes."),
        may("late_after", Ty::Duration, "Age from which a value is late; default three periods."),
        may("stale_after", Ty::Duration, "Age from which a value is stale; default ten periods."),
        may("range", Ty::Range, "What the instrument can measure, [low, high]."),
        may("source", Ty::Id, "Source that feeds it."),
        may("source_key", Ty::Text, "Name under which the source knows it; default: its id. {placeholders} allowed."),
        may("remove", Ty::Bool, "true: the twin does not have this signal of its interface."),
    ],
};

static RULE: TableSpec = TableSpec {
    name: "rule",
    help: "Turns one signal into a health status.",
    keys: &[
        must("id", Ty::Id, "Id, unique within the twin."),
        may("kind", Ty::Choice(&["range", "match", "quality", "stale"]), "What the rule looks at."),
        may("signal", Ty::Id, "Signal name of the same twin, or a whole signal id; {placeholders} allowed."),
        may("bands", Ty::Tables(&BAND), "range: limits and the status beyond them; the worst passed one counts."),
        may("deadband", Ty::Number, "range: how far the value must come back before a band is left, in the signal's unit."),
        may("on_delay", Ty::Duration, "range: how long a worse status must hold before it counts."),
        may("off_delay", Ty::Duration, "range: how long a better status must hold before it counts."),
        may("cases", Ty::Tables(&CASE), "match: values and their status; the first that fits counts."),
        may("otherwise", STATUS, "match: status of any other value; default normal."),
        may("uncertain", STATUS, "quality: status while the quality is uncertain; default out_of_specification."),
        may("bad", STATUS, "quality: status while it is bad; default failure."),
        may("status", STATUS, "stale: status once the value is stale; default unknown."),
        may("note", Ty::Text, "Where the limits come from, or advice; shown as the reason."),
        may("remove", Ty::Bool, "true: the twin does not have this rule of its interface."),
    ],
};

static BAND: TableSpec = TableSpec {
    name: "band",
    help: "A limit and the status beyond it.",
    keys: &[
        may("above", Ty::Number, "Passed by values greater than this."),
        may("below", Ty::Number, "Passed by values less than this."),
        must("status", STATUS, "Status while it is passed."),
    ],
};

static CASE: TableSpec = TableSpec {
    name: "case",
    help: "A value and its status.",
    keys: &[must("value", Ty::Scalar, "The exact value."), must("status", STATUS, "Status while the signal has it.")],
};

static ALARM: TableSpec = TableSpec {
    name: "alarm",
    help: "Something that needs an operator's response.",
    keys: &[
        must("id", Ty::Id, "Id within the twin; the alarm is called <twin id>.<id>."),
        may("kind", Ty::Choice(&["limit", "reported"]), "limit: computed here; reported: the source runs the alarm."),
        may("signal", Ty::Id, "Signal name of the same twin, or a whole signal id; {placeholders} allowed."),
        may("priority", Ty::Priority, "1 or critical, 2 or high, 3 or medium (default), 4 or low."),
        may("message", Ty::Text, "Words for the operator; {placeholders} allowed; default: twin and alarm id."),
        may("above", Ty::Number, "limit: active for values greater than this."),
        may("below", Ty::Number, "limit: active for values less than this."),
        may("deadband", Ty::Number, "limit: how far the value must come back before the alarm clears."),
        may("on_delay", Ty::Duration, "limit: how long the limit must be passed first."),
        may("off_delay", Ty::Duration, "limit: how long the value must be back first."),
        may("acknowledge", Ty::Choice(&["auto", "required"]), "limit: whether someone must acknowledge it; default auto."),
        may("states", Ty::Tables(&ALARM_CASE), "reported: values of the signal and the state that they mean."),
        may("otherwise", ALARM_STATE, "reported: state of any other value; default normal."),
        may("remove", Ty::Bool, "true: the twin does not have this alarm of its interface."),
    ],
};

static ALARM_CASE: TableSpec = TableSpec {
    name: "alarm state",
    help: "A value and the alarm state that it means.",
    keys: &[must("value", Ty::Scalar, "The exact value."), must("state", ALARM_STATE, "The state.")],
};

static PROCESS: TableSpec = TableSpec {
    name: "process",
    help: "How one signal follows from others in a what-if run.",
    keys: &[
        must("signal", Ty::Id, "Signal name of the twin that the model computes."),
        may(
            "kind",
            Ty::Choice(&["assign", "lag", "integrate", "growth"]),
            "y = expr; tau*y' = expr - y; y' = expr per s; y' = y*expr per h.",
        ),
        may("expr", Ty::Text, "Expression over signal ids, for example {twin}.load * 0.3 + hall.ambient."),
        may("tau", Ty::Duration, "lag: the time constant."),
        may("clamp", Ty::Range, "Keeps the value within [low, high]."),
        may(
            "start",
            Ty::Choice(&["observed", "model"]),
            "assign, lag: observed (default) begins at the observed value and carries the difference to the model on as a constant \
             offset; model follows the equation.",
        ),
        may("remove", Ty::Bool, "true: the twin does not have this process model of its interface."),
    ],
};

/// Keys that find nodes; shared by `bind` and `bindings`.
macro_rules! target_keys {
    ($($more:expr),*) => {
        &[
            $($more,)*
            may("model", Ty::Id, "Look only in this model; default: in all."),
            may("node", Ty::Texts, "Exact path of a node, names joined by /."),
            may("name", Ty::Texts, "Exact name of one node anywhere."),
            may("global_id", Ty::Texts, "IFC GlobalId: the node's name, or GlobalId in its extras."),
            may("glob", Ty::Texts, "Pattern over paths: * within a name, ** over names, ? one character; may match many."),
            may("extras", Ty::ScalarMap, "Values that the node's extras must hold; may match many."),
        ]
    };
}

/// What `bind` of twins and interfaces holds.
pub static TARGET: TableSpec =
    TableSpec { name: "bind", help: "Finds nodes; several keys vote, a list means several nodes.", keys: target_keys!() };

static BINDING: TableSpec = TableSpec {
    name: "binding",
    help: "Says which nodes show a twin; several keys vote, a list means several nodes.",
    keys: target_keys!(must("twin", Ty::Id, "The twin.")),
};

static SOURCE: TableSpec = TableSpec {
    name: "source",
    help: "Where samples come from.",
    keys: &[
        must("id", Ty::Id, "Id."),
        must("kind", Ty::Choice(&["synthetic", "csv", "websocket"]), "What it is."),
        may("feeds", Ty::Texts, "Globs of signal ids that it feeds; needed where there are several sources."),
        may("plant", Ty::Id, "synthetic: which generator, for example bottling."),
        may("seed", Ty::Integer, "synthetic: seed; the same seed gives the same data; default 1."),
        may("start", Ty::Start, "synthetic, csv: where the data's first instant is put: recorded (default), now, or an instant."),
        may(
            "token",
            Ty::Secret,
            "websocket: a sender must present it: { env = \"NAME\" }, { file = \"path\" }, or, with a warning, the text itself.",
        ),
        may("path", Ty::Text, "csv: the file, relative to the site file."),
        may("layout", Ty::Choice(&["long", "wide"]), "csv: one row per sample (long), or one column per signal (wide, default)."),
        may("separator", Ty::Text, "csv: one character; default comma."),
        may("header", Ty::Bool, "csv: whether the first row names the columns; default true."),
        may("skip_lines", Ty::Integer, "csv: lines to leave out at the start; default 0."),
        may(
            "encoding",
            Ty::Choice(&twin_table::Encoding::WORDS),
            "csv: encoding, where no byte order mark says it; default utf-8.",
        ),
        may("units_row", Ty::Bool, "csv: whether the row after the header holds units; default false."),
        may("decimal", Ty::Choice(&[".", ","]), "csv: decimal mark of numbers; default a point."),
        may("thousands", Ty::Choice(&[",", ".", " ", "'"]), "csv: mark between groups of three digits; default none."),
        may("on", Ty::Texts, "csv: texts that mean true, beside the usual words."),
        may("off", Ty::Texts, "csv: texts that mean false, beside the usual words."),
        may(
            "zone",
            Ty::Text,
            "csv, websocket: zone of times without offset: an IANA name or an offset; default the site's time_zone.",
        ),
        may("time", Ty::Table(&TIME), "csv: where the time stands; csv, websocket: how it is written."),
        may("received", Ty::Column, "csv: column of the time of receipt, written like the time."),
        may(
            "clock",
            Ty::Choice(&["source", "received"]),
            "csv, websocket: whose clock says when a reading was taken: the source's own (default), or received, for one whose clock is wrong.",
        ),
        may("key", Ty::Text, "csv long: the signal's source key out of columns, for example {asset}.{attribute} or {2}.{3}."),
        may("value", Ty::Column, "csv long: column of the value."),
        may("values", Ty::TextMap, "csv long: column of a value = its key, where a row holds several."),
        may(
            "quality",
            Ty::ColumnOr(&QUALITY),
            "csv: column of the quality, or { column, codes }; websocket: opc_ua or opc_da, what numbers mean.",
        ),
        may("columns", Ty::TextsMap, "csv wide: column = signal id, or a list of signal ids."),
        may("null", Ty::Texts, "csv: texts that mean no value, beside the usual words; default the empty text."),
        may(
            "empty",
            Ty::Choice(&["no_value", "no_sample"]),
            "csv: an empty cell is a reading without a value (default), or none.",
        ),
        may("speed", Ty::Number, "csv: replay speed, 1 is real time; default 1."),
        may("loop", Ty::Bool, "csv: start again at the end; default false."),
    ],
};

static TIME: TableSpec = TableSpec {
    name: "time",
    help: "Where times stand, and how they are written.",
    keys: &[
        may("column", Ty::Column, "csv: the column."),
        may("date", Ty::Column, "csv: the column of the date, where date and time of day stand apart."),
        may("time", Ty::Column, "csv: the column of the time of day, beside date."),
        may(
            "format",
            Ty::Text,
            "rfc3339 (default), epoch_s, epoch_ms, epoch_us, epoch_ns, seconds, excel, excel_1904, or a pattern like %d.%m.%Y %H:%M:%S.",
        ),
        may("offset", Ty::Text, "The fixed offset of the file's clock, for example +01:00; default the source's zone."),
        may("origin", Ty::Instant, "seconds: the instant of second 0."),
    ],
};

static QUALITY: TableSpec = TableSpec {
    name: "quality",
    help: "The column of the quality, and what numbers in it mean.",
    keys: &[
        must("column", Ty::Column, "The column."),
        may(
            "codes",
            Ty::Choice(&["opc_ua", "opc_da"]),
            "What numbers mean: StatusCodes (default), or OPC DA, where 192 is good.",
        ),
    ],
};

static KNOB: TableSpec = TableSpec {
    name: "knob",
    help: "Something that a planner may change in a what-if run.",
    keys: &[
        must("id", Ty::Id, "Id."),
        may("name", Ty::Text, "Words for people; default: the id."),
        may("unit", Ty::Text, "Unit of the setting; default % for scale, h for reset, else the signal's."),
        must("min", Ty::Number, "Smallest setting."),
        must("max", Ty::Number, "Largest setting."),
        may("neutral", Ty::Number, "Setting at which nothing changes; default 0."),
        may("step", Ty::Number, "Step of the slider; default a hundredth of the range."),
        must("targets", Ty::Tables(&KNOB_TARGET), "What it changes, in order."),
    ],
};

static KNOB_TARGET: TableSpec = TableSpec {
    name: "knob target",
    help: "One signal and how the knob changes it: exactly one of scale, offset, set, reset.",
    keys: &[
        may("scale", Ty::Id, "Signal id: multiplied; a setting of 20 % is the factor 1.2."),
        may("offset", Ty::Id, "Signal id: the setting is added."),
        may("set", Ty::Id, "Signal id: the setting replaces it."),
        may("reset", Ty::Id, "Signal id: reset to a value at a planned moment; the setting postpones it, in hours."),
        may("to", Ty::Number, "reset: the value after the reset; default 0."),
        may("planned", Ty::Duration, "reset: when it is planned, after the start of the run."),
    ],
};

static IMPORT: TableSpec = TableSpec {
    name: "import",
    help: "Twins and placements out of another system's files.",
    keys: &[
        must("kind", Ty::Choice(&["twinmaker"]), "Whose files."),
        must("entities", Ty::Text, "twinmaker: the entities file."),
        may("scenes", Ty::Texts, "twinmaker: scene files; their models are placed and their tags become anchors."),
        may("component_types", Ty::Texts, "twinmaker: component type files; they become interfaces where interfaces names none."),
        may("models_path", Ty::Text, "Folder of the models that the scenes name; default: the folder of the site file."),
        may("include", Ty::Choice(&["telemetry", "all"]), "twinmaker: only entities with telemetry (default), or all."),
        may("rules", Ty::Bool, "twinmaker: true reads rule maps as health rules (icons and colours as status); default false."),
        may("interfaces", Ty::TextMap, "twinmaker: component type = interface id."),
        may("source", Ty::Id, "Source of the imported twins' signals."),
    ],
};

static VIEW: TableSpec = TableSpec {
    name: "view",
    help: "How the viewer starts.",
    keys: &[
        may("eye", Ty::Vec3, "Where the camera stands, metres."),
        may("target", Ty::Vec3, "What it looks at, metres."),
        may("time", Ty::Start, "now (default: follow live data), recorded (the start of the data), or an instant to pause at."),
        may("select", Ty::Id, "Twin that is selected at the start."),
        may("chart", Ty::Texts, "Signal ids that the chart shows at the start."),
        may("theme", Ty::Choice(&["auto", "dark", "light"]), "Colours of the panels; default auto."),
    ],
};

static CHECK: TableSpec = TableSpec {
    name: "check",
    help: "What `orrery check` shall accept.",
    keys: &[may("allow", Ty::Texts, "Codes of findings that are as they should be, for example twin.unbound.")],
};
