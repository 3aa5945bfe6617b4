//! Stands in for the crate `inventory`, by which Bevy 0.19 collects every type that it could reflect, and collects nothing.
//!
//! Most of Bevy's crates ask for `bevy_reflect` with its default features, `auto_register_inventory` among them. Then every reflected
//! type is registered by a constructor that runs before `main`, so that the linker keeps the code that prints, parses and compares each
//! of some thousand types, which nobody calls here: no scene files, no editor, no remote inspection. docs/decisions/0031 has the figures.
//! Types that a plugin registers by hand are registered as ever.
//!
//! Holds the three names that `bevy_reflect` uses; whoever else comes to use the crate will not compile, or finds nothing.

use std::iter::Empty;
use std::marker::PhantomData;

pub use self::iter::*;

/// Takes a value that would be collected, and forgets it.
#[macro_export]
macro_rules! submit {
    ($($value:tt)*) => {};
}

/// Names a type whose values would be collected.
#[macro_export]
macro_rules! collect {
    ($type:ty) => {};
}

/// All that was collected of a type: nothing. A type and a value of one name, as `for one in inventory::iter::<T>` needs.
#[allow(non_camel_case_types, reason = "the name of the crate that this stands in for")]
#[derive(Debug, Clone, Copy)]
pub enum iter<T: 'static> {
    /// The value.
    iter,
    /// Never made.
    #[doc(hidden)]
    Never(PhantomData<T>, std::convert::Infallible),
}

impl<T> IntoIterator for iter<T> {
    type Item = &'static T;
    type IntoIter = Empty<&'static T>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::empty()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_submitted_is_not_there() {
        struct Some(#[allow(dead_code, reason = "nobody makes one")] u8);
        crate::collect!(Some);
        crate::submit! { Some(1) }
        assert!(crate::iter::<Some>.into_iter().next().is_none());
    }
}
