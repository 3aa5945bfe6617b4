//! Who sits where: a bound on connections, and on what one address may have of them. Knows no bytes.
//!
//! Where all seats are taken, whoever idles longest (no request in progress, no socket) has to go, of the same address first;
//! only where nobody idles is the newcomer refused. So connections that are merely held open never lock anybody out.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// No seat is free, and nobody idles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// What happened at the door, for `/metrics`.
#[derive(Debug, Default)]
pub struct SeatCounts {
    /// Connections ever taken.
    pub ever: AtomicU64,
    /// Connections refused for want of a seat.
    pub refused: AtomicU64,
    /// Idle connections that had to make room.
    pub let_go: AtomicU64,
}

/// The address that counts as one peer: of IPv6 its first 64 bits, which one household has; of IPv4 in IPv6 clothes the IPv4.
pub fn address_group(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// See the module's head.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    per_address: usize,
    table: Mutex<Table>,
    taken: watch::Sender<usize>,
    /// What happened.
    pub counts: SeatCounts,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    seats: BTreeMap<u64, Arc<Seat>>,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's seat.
#[derive(Debug)]
pub(super) struct Seat {
    group: IpAddr,
    state: Mutex<State>,
    leave: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests in progress.
    busy: usize,
    /// It became a socket, which has rules of its own.
    stays: bool,
    /// Since when it idles, where it does.
    since: Instant,
}

impl Seats {
    /// `most` connections at a time, `per_address` of them of one address; at least one each.
    pub fn new(most: usize, per_address: usize) -> Arc<Self> {
        let (most, per_address) = (most.max(1), per_address.max(1));
        let (table, taken) = (Mutex::default(), watch::Sender::new(0));
        Arc::new(Self { most, per_address, table, taken, counts: SeatCounts::default() })
    }

    /// Connections now.
    pub fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Connections that may be open at a time.
    pub fn most(&self) -> usize {
        self.most
    }

    /// A seat for a connection from `ip`.
    pub(super) fn take(self: &Arc<Self>, ip: IpAddr) -> Result<Taken, Full> {
        let group = address_group(ip);
        let mut table = self.lock();
        let crowded = table.by_address.get(&group).is_some_and(|n| *n >= self.per_address);
        let full = crowded || table.seats.len() >= self.most;
        if full && !self.evict(&mut table, |seat| !crowded || seat.group == group) {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Full);
        }
        let state = State { busy: 0, stays: false, since: Instant::now() };
        let seat = Arc::new(Seat { group, state: Mutex::new(state), leave: Notify::new() });
        table.next += 1;
        let id = table.next;
        table.seats.insert(id, seat.clone());
        *table.by_address.entry(group).or_default() += 1;
        self.counts.ever.fetch_add(1, Ordering::Relaxed);
        self.publish(&table);
        Ok(Taken { id, seat, seats: self.clone() })
    }

    /// Lets go who idles longest, where the system has no room for newcomers.
    pub(super) fn make_room(&self) {
        self.evict(&mut self.lock(), |_| true);
    }

    /// Completes when no connection is left.
    pub async fn empty(&self) {
        // The sender is this one; it cannot be gone.
        self.taken.subscribe().wait_for(|n| *n == 0).await.ok();
    }

    fn evict(&self, table: &mut Table, candidate: impl Fn(&Seat) -> bool) -> bool {
        let idle = table.seats.iter().filter(|(_, seat)| candidate(seat));
        let longest = idle.filter_map(|(id, seat)| Some((seat.idle_since()?, *id))).min();
        let Some((_, id)) = longest else { return false };
        if let Some(seat) = self.remove(table, id) {
            seat.leave.notify_one();
        }
        self.counts.let_go.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn remove(&self, table: &mut Table, id: u64) -> Option<Arc<Seat>> {
        let seat = table.seats.remove(&id)?;
        if let Some(n) = table.by_address.get_mut(&seat.group) {
            *n -= 1;
            if *n == 0 {
                table.by_address.remove(&seat.group);
            }
        }
        self.publish(table);
        Some(seat)
    }

    fn publish(&self, table: &Table) {
        self.taken.send_replace(table.seats.len());
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A request came: until the visit is dropped, the connection does not idle.
    pub(super) fn begin(self: &Arc<Self>) -> Visit {
        self.state().busy += 1;
        Visit { seat: self.clone() }
    }

    /// Completes when this connection has to make room.
    pub(super) async fn leave(&self) {
        self.leave.notified().await;
    }

    fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.busy == 0 && !state.stays).then_some(state.since)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its head to the end of its answer.
pub(super) struct Visit {
    seat: Arc<Seat>,
}

impl Visit {
    /// The connection became a socket.
    pub(super) fn stays(&self) {
        self.seat.state().stays = true;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.seat.state();
        state.busy = state.busy.saturating_sub(1);
        state.since = Instant::now();
    }
}

/// A seat that is given back when this is dropped. It lives as long as the connection's stream, also as a socket.
pub(super) struct Taken {
    id: u64,
    seat: Arc<Seat>,
    seats: Arc<Seats>,
}

impl Taken {
    pub(super) fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut table = self.seats.lock();
        self.seats.remove(&mut table, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv6_household_counts_as_one_and_ipv4_is_itself_in_any_clothes() {
        for (a, b, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
        ] {
            assert_eq!(address_group(ip(a)) == address_group(ip(b)), same, "{a} {b}");
        }
    }

    #[tokio::test]
    async fn who_idles_longest_makes_room_of_the_same_address_first_and_who_works_stays() {
        let seats = Seats::new(4, 3);
        let other = seats.take(ip("10.0.0.9")).unwrap();
        let [a, b, c] = ["10.0.0.1"; 3].map(|text| seats.take(ip(text)).unwrap());
        let work = a.seat().begin();
        // A fourth of that address: b idles longest of it, though 10.0.0.9 idles longer.
        let d = seats.take(ip("10.0.0.1")).unwrap();
        b.seat().leave().await;
        assert_eq!(seats.taken(), 4);
        // Another address: now whoever idles longest of all.
        let e = seats.take(ip("10.0.0.5")).unwrap();
        other.seat().leave().await;
        let _busy: Vec<Visit> = [&c, &d, &e].map(|one| one.seat().begin()).into();
        assert!(matches!(seats.take(ip("10.0.0.6")), Err(Full)), "all work");
        drop((other, b));
        assert_eq!(seats.taken(), 4, "who left before gives nothing back twice");
        drop(work);
        assert!(seats.take(ip("10.0.0.6")).is_ok());
        a.seat().leave().await;
        assert_eq!(seats.counts.refused.load(Ordering::Relaxed), 1);
        drop((a, c, d, e));
        seats.empty().await;
    }

    #[test]
    fn a_socket_never_makes_room_for_a_connection() {
        let seats = Seats::new(1, 1);
        let taken = seats.take(ip("::1")).unwrap();
        let visit = taken.seat().begin();
        visit.stays();
        drop(visit);
        assert!(matches!(seats.take(ip("::1")), Err(Full)));
        drop(taken);
        assert!(seats.take(ip("::1")).is_ok());
    }
}
