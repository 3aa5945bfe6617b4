//! Stable text ids and the dense indices that stand for them inside one loaded [`Model`](crate::Model).

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands; uniqueness is checked when the model is built.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// Identity of a twin that survives restarts and re-exports, for example `filler-01`.
    TwinId
}
text_id! {
    /// Identity of a signal: `<twin id>.<signal name>`, for example `filler-01.bearing_temperature`.
    SignalId
}

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a position in a slice.
            pub const fn at(self) -> usize {
                self.0 as usize
            }

            /// The index of a position; positions beyond `u32::MAX` saturate (no site comes near).
            pub fn from_at(position: usize) -> Self {
                Self(u32::try_from(position).unwrap_or(u32::MAX))
            }
        }
    };
}

index! {
    /// Position of a twin in [`Model::twins`](crate::Model::twins); also its texel in the palette texture.
    TwinIndex
}
index! {
    /// Position of a signal in [`Model::signals`](crate::Model::signals); its column in the time store.
    SignalIndex
}
index! {
    /// Position of a rule in [`Model::rules`](crate::Model::rules).
    RuleIndex
}
index! {
    /// Position of an alarm in [`Model::alarms`](crate::Model::alarms).
    AlarmIndex
}
index! {
    /// Position of a source in [`Model::sources`](crate::Model::sources).
    SourceIndex
}
index! {
    /// Position of a what-if knob in [`Model::knobs`](crate::Model::knobs).
    KnobIndex
}
