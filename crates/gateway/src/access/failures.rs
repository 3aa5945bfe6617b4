//! How often each address failed lately. A bounded table: what it can't hold is let go, oldest first.
//!
//! A right token is always let in, also from an address that failed often: behind one address may be a whole site, and one
//! script with an old token must not cut off the good sender beside it. With tokens of 256 bits, guesses need no lock to be
//! hopeless; the limit keeps log and processor from being filled by them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::accept::address_group;

/// Failures of one address within [`WINDOW`] that are answered one by one.
const FREE: u32 = 10;
/// How long failures are remembered.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered.
const ADDRESSES: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<Option<IpAddr>, (Instant, u32)>>);

impl Failures {
    /// Counts a failure. `Err` with the seconds to wait where there were too many before.
    pub(super) fn note(&self, address: Option<IpAddr>, now: Instant) -> Result<(), u64> {
        let key = address.map(address_group);
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) =
            table.get(&key).copied().filter(|(since, _)| now.duration_since(*since) < WINDOW).unwrap_or((now, 0));
        if table.len() >= ADDRESSES && !table.contains_key(&key) {
            table.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        if table.len() >= ADDRESSES && !table.contains_key(&key) {
            let oldest = table.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| *key);
            oldest.and_then(|key| table.remove(&key));
        }
        table.insert(key, (since, count.saturating_add(1)));
        if count < FREE { Ok(()) } else { Err(WINDOW.saturating_sub(now.duration_since(since)).as_secs().max(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_a_minute_are_answered_and_then_the_address_has_to_wait() {
        let (failures, start) = (Failures::default(), crate::clock::instant());
        let (a, b): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        let note = |ip, s| failures.note(Some(ip), start + Duration::from_secs(s));
        for n in 0..10 {
            assert_eq!(note(if n % 2 == 0 { a } else { b }, n), Ok(()), "{n}");
        }
        assert_eq!(note(a, 20), Err(40), "one household, one count");
        assert_eq!(note("10.0.0.1".parse().unwrap(), 20), Ok(()));
        assert_eq!(note(a, 60), Ok(()), "a new minute");
    }

    #[test]
    fn a_million_addresses_cost_no_more_than_some_thousand() {
        let (failures, start) = (Failures::default(), crate::clock::instant());
        for n in 0..20_000_u32 {
            failures.note(Some(IpAddr::V4(n.into())), start + Duration::from_micros(u64::from(n))).unwrap();
        }
        assert_eq!(failures.0.lock().unwrap().len(), ADDRESSES);
    }
}
