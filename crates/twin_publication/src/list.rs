//! Lists with a most number of entries, and numbers as JSON can say them. The building blocks of the wire structs.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list of at most `MOST` entries. Room is made as entries come, never by a length that somebody claims.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List<T, const MOST: usize>(pub(crate) Vec<T>);

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> List<T, MOST> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T, const MOST: usize> FromIterator<T> for List<T, MOST> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T: Serialize, const MOST: usize> Serialize for List<T, MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for ListVisitor<T, MOST> {
    type Value = List<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST} entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut out = Vec::new();
        while let Some(entry) = entries.next_element()? {
            if out.len() >= MOST {
                return Err(A::Error::custom(format_args!("more than {MOST} entries in a list")));
            }
            out.push(entry);
        }
        Ok(List(out))
    }
}

/// A number with every bit. JSON has no words for some; they are texts: `"NaN"`, `"Infinity"`, `"-Infinity"`, and for a NaN with
/// other bits than the usual one `"NaN:"` and its 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Num(pub(crate) f64);

impl Num {
    /// Whether it is zero with a plus, which may be left out.
    pub(crate) fn is_zero(&self) -> bool {
        self.0.to_bits() == 0
    }
}

impl Serialize for Num {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let v = self.0;
        if v.is_finite() {
            serializer.serialize_f64(v)
        } else if v.to_bits() == f64::NAN.to_bits() {
            serializer.serialize_str("NaN")
        } else if v.is_nan() {
            serializer.serialize_str(&format!("NaN:{:016x}", v.to_bits()))
        } else {
            serializer.serialize_str(if v > 0.0 { "Infinity" } else { "-Infinity" })
        }
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumVisitor)
    }
}

struct NumVisitor;

impl Visitor<'_> for NumVisitor {
    type Value = Num;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E>(self, v: f64) -> Result<Num, E> {
        Ok(Num(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Num, E> {
        Ok(Num(v as f64))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Num, E> {
        Ok(Num(v as f64))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Num, E> {
        let odd = |digits: &str| {
            let plain = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            u64::from_str_radix(digits, 16).ok().filter(|_| plain).map(f64::from_bits).filter(|v| v.is_nan())
        };
        let number = match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => text.strip_prefix("NaN:").and_then(odd),
        };
        number.map(Num).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(v: f64, text: &str) {
        assert_eq!(serde_json::to_string(&Num(v)).unwrap(), text);
        let back: Num = serde_json::from_str(text).unwrap();
        assert_eq!(back.0.to_bits(), v.to_bits(), "{text}");
    }

    #[test]
    fn every_number_comes_back_to_the_bit() {
        check(0.1 + 0.2, "0.30000000000000004");
        check(-0.0, "-0.0");
        check(f64::MAX, "1.7976931348623157e+308");
        check(5e-324, "5e-324");
        check(f64::NAN, "\"NaN\"");
        check(f64::from_bits(0xfff8_0000_0000_beef), "\"NaN:fff800000000beef\"");
        check(f64::INFINITY, "\"Infinity\"");
        check(f64::NEG_INFINITY, "\"-Infinity\"");
    }

    #[test]
    fn whole_numbers_without_a_point_are_numbers_and_words_are_not() {
        for (text, number) in [("80", 80.0), ("-3", -3.0), ("18446744073709551615", 1.8446744073709552e19), ("1e2", 100.0)] {
            assert_eq!(serde_json::from_str::<Num>(text).unwrap().0, number, "{text}");
        }
        for text in ["\"inf\"", "\"NaN:\"", "\"NaN:3ff0000000000000\"", "\"NaN:+ff8000000000000\"", "null", "true", "[]", "1e999"]
        {
            assert!(serde_json::from_str::<Num>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_refused_when_one_entry_too_many_comes() {
        type Three = List<u8, 3>;
        assert_eq!(serde_json::from_str::<Three>("[1,2,3]").unwrap().0, [1, 2, 3]);
        let error = serde_json::from_str::<Three>("[1,2,3,4]").unwrap_err().to_string();
        assert!(error.contains("more than 3"), "{error}");
    }
}
