//! What is known of units as texts: which are spellings of one and the same, and how values of one become values of another. A text
//! that is not listed is a unit like any other; nothing is known of it but its letters.

/// A unit of which more is known than its letters.
struct Known {
    /// Units of one quantity convert into each other.
    quantity: Quantity,
    /// What one is in the quantity's own unit, and what is added after that: `own = value * factor + offset`.
    factor: f64,
    offset: f64,
    /// As [`written`] gives them; the first is how it is shown.
    spellings: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Quantity {
    Temperature,
    Pressure,
    Length,
    Mass,
    Time,
    Speed,
    VolumeFlow,
    MassFlow,
    Frequency,
    Rotation,
    Power,
    Energy,
    Voltage,
    Current,
    Volume,
    Share,
}

use Quantity::{
    Current, Energy, Frequency, Length, Mass, MassFlow, Power, Pressure, Rotation, Share, Speed, Temperature, Time, Voltage,
    Volume, VolumeFlow,
};

const fn known(quantity: Quantity, factor: f64, spellings: &'static [&'static str]) -> Known {
    Known { quantity, factor, offset: 0.0, spellings }
}

/// Factors: the prefixes of the SI, definitions (bar, litre, hour, inch, pound), and NIST SP 811 (2008), appendix B.8, for the rest.
/// A letter that means two units (`C`, `F`) stands here as what it means in plants.
const UNITS: &[Known] = &[
    known(Temperature, 1.0, &["K", "kelvin"]),
    Known {
        quantity: Temperature,
        factor: 1.0,
        offset: 273.15,
        spellings: &["°C", "C", "degC", "deg_C", "DegC", "degreeC", "degreesC", "Cel", "celsius", "Celsius", "GradC", "Grad"],
    },
    Known {
        quantity: Temperature,
        factor: 5.0 / 9.0,
        offset: 459.67 * 5.0 / 9.0,
        spellings: &["°F", "F", "degF", "deg_F", "DegF", "degreeF", "degreesF", "[degF]", "fahrenheit", "Fahrenheit"],
    },
    known(Pressure, 1.0, &["Pa", "pascal"]),
    known(Pressure, 100.0, &["mbar", "hPa"]),
    known(Pressure, 1e3, &["kPa"]),
    known(Pressure, 1e5, &["bar", "Bar"]),
    known(Pressure, 1e6, &["MPa"]),
    known(Pressure, 101_325.0, &["atm"]),
    known(Pressure, 6_894.757, &["psi", "PSI", "lbf/in2"]),
    known(Length, 1e-6, &["µm", "um"]),
    known(Length, 1e-3, &["mm"]),
    known(Length, 1e-2, &["cm"]),
    known(Length, 1.0, &["m"]),
    known(Length, 1e3, &["km"]),
    known(Length, 0.0254, &["in", "inch", "\""]),
    known(Length, 0.3048, &["ft", "foot"]),
    known(Mass, 1e-3, &["g"]),
    known(Mass, 1.0, &["kg"]),
    known(Mass, 1e3, &["t", "tonne"]),
    known(Mass, 0.453_592_37, &["lb", "lbs"]),
    known(Time, 1e-3, &["ms"]),
    known(Time, 1.0, &["s", "sec"]),
    known(Time, 60.0, &["min"]),
    known(Time, 3_600.0, &["h", "hr"]),
    known(Time, 86_400.0, &["d"]),
    known(Speed, 1e-3, &["mm/s"]),
    known(Speed, 1.0, &["m/s"]),
    known(Speed, 1.0 / 60.0, &["m/min"]),
    known(Speed, 1.0 / 3.6, &["km/h", "kph"]),
    known(Speed, 0.3048 / 60.0, &["ft/min", "fpm"]),
    known(VolumeFlow, 1.0, &["m3/s"]),
    known(VolumeFlow, 1.0 / 3_600.0, &["m3/h", "cbm/h"]),
    known(VolumeFlow, 1e-3, &["l/s", "L/s"]),
    known(VolumeFlow, 1e-3 / 60.0, &["l/min", "L/min", "lpm"]),
    known(VolumeFlow, 1e-3 / 3_600.0, &["l/h", "L/h"]),
    known(MassFlow, 1.0, &["kg/s"]),
    known(MassFlow, 1.0 / 60.0, &["kg/min"]),
    known(MassFlow, 1.0 / 3_600.0, &["kg/h"]),
    known(MassFlow, 1.0 / 3.6, &["t/h"]),
    known(Frequency, 1.0, &["Hz", "hertz"]),
    known(Frequency, 1e3, &["kHz"]),
    known(Rotation, 1.0, &["1/s", "rps"]),
    known(Rotation, 1.0 / 60.0, &["1/min", "rpm", "RPM", "U/min", "r/min", "min-1"]),
    known(Power, 1.0, &["W"]),
    known(Power, 1e3, &["kW"]),
    known(Power, 1e6, &["MW"]),
    known(Power, 745.699_9, &["hp"]),
    known(Energy, 1.0, &["J"]),
    known(Energy, 1e3, &["kJ"]),
    known(Energy, 1e6, &["MJ"]),
    known(Energy, 3_600.0, &["Wh"]),
    known(Energy, 3.6e6, &["kWh"]),
    known(Energy, 3.6e9, &["MWh"]),
    known(Voltage, 1e-3, &["mV"]),
    known(Voltage, 1.0, &["V", "volt"]),
    known(Voltage, 1e3, &["kV"]),
    known(Current, 1e-3, &["mA"]),
    known(Current, 1.0, &["A", "amp", "ampere"]),
    known(Volume, 1e-6, &["ml", "mL"]),
    known(Volume, 1e-3, &["l", "L", "litre", "liter"]),
    known(Volume, 1.0, &["m3", "cbm"]),
    known(Share, 1e-3, &["‰"]),
    known(Share, 1e-2, &["%", "percent", "pct"]),
];

/// How values of one unit become values of another: `new = old * factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    factor: f64,
    offset: f64,
}

impl Conversion {
    /// From one unit to another of the same quantity; `None` where one of them is not known, or they measure different things.
    pub fn between(from: &str, to: &str) -> Option<Self> {
        let (from, to) = (find(&written(from))?, find(&written(to))?);
        let (from, to) = (UNITS.get(from)?, UNITS.get(to)?);
        let (factor, offset) = (from.factor / to.factor, (from.offset - to.offset) / to.factor);
        (from.quantity == to.quantity).then_some(Self { factor, offset })
    }

    /// One value. NaN and infinities stay what they are. Rounded to what a conversion there and back gives unharmed: 12 digits.
    pub fn apply(self, value: f64) -> f64 {
        let new = value * self.factor + self.offset;
        if !new.is_finite() || new == 0.0 {
            return new;
        }
        format!("{new:.11e}").parse().unwrap_or(new)
    }
}

/// Whether two texts say the same unit: the same letters but for spaces and signs that look alike, or spellings of one unit
/// (`C`, `degC`, `°C`).
pub fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (written(a), written(b));
    a == b || find(&a).is_some_and(|known| find(&b) == Some(known))
}

/// Without spaces, and with one sign for those that look alike.
fn written(unit: &str) -> String {
    let one = |c: char| match c {
        '\u{ba}' | '\u{2da}' => '°',
        '\u{3bc}' => '\u{b5}',
        '\u{b2}' => '2',
        '\u{b3}' => '3',
        '\u{207b}' | '\u{2212}' => '-',
        '\u{b9}' => '1',
        c => c,
    };
    let text = unit.replace('\u{2103}', "°C").replace('\u{2109}', "°F");
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}')).map(one).collect()
}

/// Place of a unit in the table.
fn find(written: &str) -> Option<usize> {
    UNITS.iter().position(|known| known.spellings.contains(&written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_unit_are_alike_and_other_units_are_not() {
        for (a, b, same) in [
            ("C", "°C", true),
            ("degC", "\u{2103}", true),
            ("\u{ba}C", " ° C", true),
            ("m³/h", "m3/h", true),
            ("U/min", "1/min", true),
            ("mbar", "hPa", true),
            ("\u{3bc}m", "\u{b5}m", true),
            ("widgets", "wid\u{a0}gets", true),
            ("°C", "°F", false),
            ("C", "F", false),
            ("mW", "MW", false),
            ("bar", "mbar", false),
            ("widgets", "Widgets", false),
            ("", "°C", false),
            ("", "", true),
        ] {
            assert_eq!(alike(a, b), same, "{a} {b}");
            assert_eq!(alike(b, a), same, "{b} {a}");
        }
    }

    #[test]
    fn values_convert_between_units_of_one_quantity_only_and_come_back_as_they_were() {
        let convert = |from: &str, to: &str, value: f64| Conversion::between(from, to).map(|how| how.apply(value));
        for (from, to, value, wanted) in [
            ("°C", "°F", 90.0, 194.0),
            ("degF", "C", -40.0, -40.0),
            ("°F", "K", 32.0, 273.15),
            ("bar", "kPa", 2.5, 250.0),
            ("l/min", "m³/h", 100.0, 6.0),
            ("1/min", "1/s", 1_500.0, 25.0),
            ("kWh", "MJ", 2.0, 7.2),
            ("in", "mm", 1.0, 25.4),
        ] {
            assert_eq!(convert(from, to, value), Some(wanted), "{value} {from} in {to}");
            assert_eq!(convert(to, from, wanted), Some(value), "{wanted} {to} in {from}");
        }
        for (from, to) in [("°C", "bar"), ("widgets", "°C"), ("", "°C"), ("Hz", "1/min"), ("kg/h", "l/h")] {
            assert_eq!(convert(from, to, 1.0), None, "{from} {to}");
        }
        assert!(convert("°C", "°F", f64::NAN).unwrap().is_nan());
        assert_eq!(convert("°C", "°F", f64::INFINITY), Some(f64::INFINITY));
    }

    #[test]
    fn no_spelling_stands_for_two_units_and_each_is_as_texts_are_compared() {
        let all: Vec<&str> = UNITS.iter().flat_map(|known| known.spellings).copied().collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
        assert!(all.iter().all(|spelling| written(spelling) == *spelling));
    }
}
