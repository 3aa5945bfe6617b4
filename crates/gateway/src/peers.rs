//! What peers may have of this server: seats and room, bounded in all and by address. Knows no sockets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::accept::{Seats, address_group};
use crate::config::ServerConfig;

/// Connections beside those of clients: pages, models, history, senders.
const BESIDE: usize = 1_024;

/// What all peers share.
pub struct Peers {
    /// Connections.
    pub seats: Arc<Seats>,
    /// Viewers at `/stream`.
    pub viewers: Arc<Guests>,
    /// Senders at `/ingest`, by the position of their source.
    pub senders: Arc<Guests>,
    /// Bytes of answers on their way.
    pub answers: Arc<Guests>,
}

impl Peers {
    /// As a configuration has it.
    pub fn new(config: &ServerConfig) -> Self {
        let connections = config.connections.unwrap_or_else(|| Self::connections_for(config.max_clients));
        let share = |most| share_of(most, config.address_share);
        let guests = |most| Arc::new(Guests::new(most, share(most)));
        Self {
            seats: Seats::new(connections, share(connections)),
            viewers: guests(config.max_clients),
            senders: guests(config.max_senders),
            answers: guests(config.answer_bytes),
        }
    }

    /// Connections that so many clients need, with what they fetch beside their stream.
    pub fn connections_for(clients: usize) -> usize {
        clients.saturating_mul(2).saturating_add(BESIDE)
    }
}

/// What one address may have of `most`, at least one.
fn share_of(most: usize, percent: u8) -> usize {
    let percent = usize::from(percent.min(100));
    (most / 100 * percent + most % 100 * percent / 100).max(1)
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// All of it is taken.
    All(usize),
    /// What one address may have is taken by that address.
    Address(usize),
}

/// So much of something (viewers, senders, bytes) at a time, and a share of it for each address. Kinds are counted apart.
#[derive(Debug)]
pub struct Guests {
    most: usize,
    per_address: usize,
    table: Mutex<Table>,
    given_back: Notify,
}

#[derive(Debug, Default)]
struct Table {
    by_kind: HashMap<u32, usize>,
    by_address: HashMap<(u32, IpAddr), usize>,
}

impl Guests {
    /// `most` of each kind, `per_address` of them for one address; at least one each.
    pub fn new(most: usize, per_address: usize) -> Self {
        Self { most: most.max(1), per_address: per_address.max(1), table: Mutex::default(), given_back: Notify::new() }
    }

    /// Takes `n` of a kind for a peer at `ip`. Whoever has nothing yet is let in while anything is left, however much it wants.
    ///
    /// # Errors
    /// Where that is more than is left.
    pub fn come(self: &Arc<Self>, kind: u32, ip: IpAddr, n: usize) -> Result<Guest, NoRoom> {
        let at = (kind, address_group(ip));
        self.change(at, 0, n)?;
        Ok(Guest { guests: self.clone(), at, n })
    }

    /// Whether somebody gave something back before `end`, from when this is called on. Then [`Self::come`] is worth another try.
    pub fn given_back(&self, end: Instant) -> impl Future<Output = bool> + Send {
        let given_back = self.given_back.notified();
        async move { timeout_at(end, given_back).await.is_ok() }
    }

    /// As [`Self::come`], and where that is more than is left, it waits for others to leave.
    ///
    /// # Errors
    /// Where it is more than is left for all of `patience`.
    pub async fn come_within(self: &Arc<Self>, patience: Duration, kind: u32, ip: IpAddr, n: usize) -> Result<Guest, NoRoom> {
        let end = Instant::now() + patience;
        loop {
            let given_back = self.given_back(end);
            match self.come(kind, ip, n) {
                Err(no_room) if !given_back.await => return Err(no_room),
                Err(_) => {}
                come => return come,
            }
        }
    }

    /// Makes `n` of what were `was`, all at once.
    fn change(&self, at: (u32, IpAddr), was: usize, n: usize) -> Result<(), NoRoom> {
        let mut table = self.lock();
        let all = table.by_kind.get(&at.0).copied().unwrap_or(0).saturating_sub(was);
        let here = table.by_address.get(&at).copied().unwrap_or(0).saturating_sub(was);
        if n > was && here > 0 && here.saturating_add(n) > self.per_address {
            return Err(NoRoom::Address(self.per_address));
        }
        if n > was && all > 0 && all.saturating_add(n) > self.most {
            return Err(NoRoom::All(self.most));
        }
        table.sub(at, was);
        table.add(at, n);
        drop(table);
        if n < was {
            self.given_back.notify_waiters();
        }
        Ok(())
    }

    /// Taken of all kinds.
    pub fn taken(&self) -> usize {
        self.lock().by_kind.values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, at: (u32, IpAddr), n: usize) {
        *self.by_kind.entry(at.0).or_default() += n;
        *self.by_address.entry(at).or_default() += n;
    }

    fn sub(&mut self, at: (u32, IpAddr), n: usize) {
        if let Some(all) = self.by_kind.get_mut(&at.0) {
            *all = all.saturating_sub(n);
        }
        if let Some(here) = self.by_address.get_mut(&at) {
            *here = here.saturating_sub(n);
            if *here == 0 {
                self.by_address.remove(&at);
            }
        }
    }
}

/// Something taken of [`Guests`], given back when this is dropped.
#[derive(Debug)]
pub struct Guest {
    guests: Arc<Guests>,
    at: (u32, IpAddr),
    n: usize,
}

impl Guest {
    /// Corrects what was taken, where that was a bound or a guess. Less is never refused.
    ///
    /// # Errors
    /// Where it is more than was taken, and more than is left; what was taken stays taken.
    pub fn set(&mut self, n: usize) -> Result<(), NoRoom> {
        self.guests.change(self.at, self.n, n)?;
        self.n = n;
        Ok(())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.lock().sub(self.at, self.n);
        self.guests.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    #[test]
    fn one_address_leaves_room_for_others_and_kinds_are_counted_apart() {
        let guests = Arc::new(Guests::new(3, 2));
        let a = guests.come(0, ip(1), 1).unwrap();
        let _b = guests.come(0, ip(1), 1).unwrap();
        assert_eq!(guests.come(0, ip(1), 1).unwrap_err(), NoRoom::Address(2));
        let _other_source = guests.come(1, ip(1), 1).unwrap();
        let _c = guests.come(0, ip(2), 1).unwrap();
        assert_eq!(guests.come(0, ip(3), 1).unwrap_err(), NoRoom::All(3));
        drop(a);
        assert!(guests.come(0, ip(1), 1).is_ok());
    }

    #[test]
    fn an_answer_larger_than_all_room_goes_alone_and_a_bound_is_corrected() {
        let bytes = Arc::new(Guests::new(100, 50));
        let mut large = bytes.come(0, ip(1), 1_000).unwrap();
        assert_eq!(bytes.come(0, ip(2), 1).unwrap_err(), NoRoom::All(100));
        large.set(10).unwrap();
        assert!(bytes.come(0, ip(1), 41).is_err() && bytes.come(0, ip(1), 40).is_ok());
        assert_eq!(bytes.taken(), 10);
        large.set(1_000).unwrap();
    }

    #[test]
    fn what_was_too_low_a_guess_is_corrected_only_where_there_is_room() {
        let bytes = Arc::new(Guests::new(100, 50));
        let mut guess = bytes.come(0, ip(1), 10).unwrap();
        let _beside = bytes.come(0, ip(1), 20).unwrap();
        assert_eq!((guess.set(31), guess.set(30)), (Err(NoRoom::Address(50)), Ok(())));
        let _others = bytes.come(0, ip(2), 50).unwrap();
        let mut last = bytes.come(0, ip(3), 0).unwrap();
        assert_eq!((last.set(1), bytes.taken()), (Err(NoRoom::All(100)), 100));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_for_some_and_not_for_ever() {
        let bytes = Arc::new(Guests::new(100, 50));
        let first = bytes.come(0, ip(1), 50).unwrap();
        let patience = Duration::from_secs(2);
        assert_eq!(bytes.come_within(patience, 0, ip(1), 1).await.unwrap_err(), NoRoom::Address(50));
        let leaves = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(first);
        };
        let (come, ()) = tokio::join!(bytes.come_within(patience, 0, ip(1), 50), leaves);
        assert_eq!((come.unwrap().n, bytes.taken()), (50, 50));
    }

    #[test]
    fn a_share_is_at_least_one_and_does_not_overflow() {
        for (most, percent, share) in
            [(1, 50, 1), (500, 50, 250), (3, 100, 3), (usize::MAX, 100, usize::MAX), (256 << 20, 50, 128 << 20)]
        {
            assert_eq!(share_of(most, percent), share, "{most} {percent}");
        }
    }
}
