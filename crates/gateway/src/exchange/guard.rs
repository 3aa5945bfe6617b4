//! Keeps what is wrong with a file an error where a foreign decoder panics on it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs calls into a decoder that is known to panic on damaged files (fuzzing found it of parquet 60.1): a panic is an error in
/// words then, and prints nothing. Whatever the decoder was working on must be dropped after an error. Nothing of our own belongs
/// in here: its panics would be taken for damage.
///
/// # Errors
/// Those of `decode`, or that the file is damaged.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    GUARDED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    GUARDED.set(false);
    outcome.unwrap_or_else(|_| Err("its parts don't fit together; the file is damaged, write it anew".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_is_a_damaged_file_and_everything_else_stays_what_it_is() {
        assert_eq!(guarded(|| Ok(7)), Ok(7));
        assert_eq!(guarded(|| Err::<u8, _>("as it was".to_owned())), Err("as it was".to_owned()));
        let damaged =
            guarded(|| -> Result<u8, String> { Err([0_u8; 4].iter().map(u8::to_string).collect::<String>()[..9].into()) });
        assert!(damaged.unwrap_err().contains("the file is damaged"));
        assert!(!GUARDED.get(), "panics of others are heard again");
    }
}
