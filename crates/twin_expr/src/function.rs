//! The functions of the language: their names and how many values they take.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Min,
    Max,
    Abs,
    Exp,
    Ln,
    Sqrt,
    Pow,
    Clamp,
    If,
}

/// What a message says of all of them.
pub(crate) const FUNCTIONS: &str = "the functions are min, max, abs, exp, ln, sqrt, pow, clamp and if";

impl Function {
    pub(crate) const ALL: [Self; 9] =
        [Self::Min, Self::Max, Self::Abs, Self::Exp, Self::Ln, Self::Sqrt, Self::Pow, Self::Clamp, Self::If];

    /// The function of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.as_str() == name)
    }

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Abs => "abs",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Sqrt => "sqrt",
            Self::Pow => "pow",
            Self::Clamp => "clamp",
            Self::If => "if",
        }
    }

    /// How it is written.
    pub(crate) const fn usage(self) -> &'static str {
        match self {
            Self::Min => "min(a, b)",
            Self::Max => "max(a, b)",
            Self::Abs => "abs(x)",
            Self::Exp => "exp(x)",
            Self::Ln => "ln(x)",
            Self::Sqrt => "sqrt(x)",
            Self::Pow => "pow(x, y)",
            Self::Clamp => "clamp(x, low, high)",
            Self::If => "if(condition, a, b)",
        }
    }

    /// How many values it takes; at least so many where it folds.
    pub(crate) const fn takes(self) -> usize {
        match self {
            Self::Abs | Self::Exp | Self::Ln | Self::Sqrt => 1,
            Self::Min | Self::Max | Self::Pow => 2,
            Self::Clamp | Self::If => 3,
        }
    }

    /// Whether it takes any number of values from two on, pair by pair from the left.
    pub(crate) const fn folds(self) -> bool {
        matches!(self, Self::Min | Self::Max)
    }
}
