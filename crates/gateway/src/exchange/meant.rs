//! Names of columns that are surely meant for one that an import reads. A column that is passed over because of its spelling takes a bad
//! quality, a unit or a time of receipt away from every row.

use super::COLUMNS;
use super::row::Field;

/// What others call these columns, as letters and digits alone.
const OTHERS: [(&str, &[&str]); 4] = [
    (
        "quality",
        &[
            "status",
            "statuscode",
            "qual",
            "qualities",
            "qualitycode",
            "opcquality",
            "opcstatus",
            "opcqualitycode",
            "good",
            "isgood",
            "valid",
            "isvalid",
            "validity",
            "q",
        ],
    ),
    (
        "unit",
        &[
            "units",
            "uom",
            "engunit",
            "engunits",
            "engineeringunit",
            "engineeringunits",
            "unitofmeasure",
            "unitofmeasurement",
            "einheit",
        ],
    ),
    ("flags", &["flag", "predicted", "forecast", "historical", "simulated", "manual"]),
    (
        "received_time",
        &["received", "receivedat", "receipt", "receipttime", "receivetime", "arrived", "servertime", "servertimestamp"],
    ),
];

/// Columns whose absence takes something from a row that has it under another name.
const MAY_BE_MISSED: [&str; 6] = ["received_time", "unit", "quality", "quality_name", "flags", "flag_names"];

/// The column for which a name of none is surely meant, where the table has no such; `has` tells.
pub(super) fn field(name: &str, has: &dyn Fn(Field) -> bool) -> Option<&'static str> {
    let name = name.trim();
    if Field::by_name(name).is_some() {
        return None;
    }
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let spelt = COLUMNS.into_iter().chain(["time", "value"]).find(|own| own.replace('_', "") == plain);
    let other = || OTHERS.into_iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(own, _)| own);
    let slip = || {
        let near = twin_site::closest(&plain, MAY_BE_MISSED.into_iter().filter(|own| own.len() > 4))?;
        MAY_BE_MISSED.into_iter().find(|own| *own == near)
    };
    let meant = spelt.or_else(other).or_else(slip)?;
    Field::by_name(meant).filter(|field| !has(*field)).map(|_| meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_those_of_columns_are_noticed_and_others_are_not() {
        let none = |_: Field| false;
        for (name, meant) in [
            ("Quality", Some("quality")),
            ("qualty", Some("quality")),
            ("STATUS", Some("quality")),
            ("Unit", Some("unit")),
            ("units", Some("unit")),
            ("Flag", Some("flags")),
            ("received", Some("received_time")),
            ("Received Time", Some("received_time")),
            ("TIME", Some("time")),
            ("quality", None),
            ("note", None),
            ("operator", None),
            ("machine_status", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(field(name, &none), meant, "{name}");
        }
        assert_eq!(field("status", &|field| field == Field::Quality), None, "it has a quality, and this is something else");
    }
}
