//! The order in which values that follow from each other at once are computed. Knows only numbered nodes.

use std::collections::BTreeSet;

/// Circles that are named at most: each costs a pass over all nodes, and nobody mends more at once.
pub const MAX_CIRCLES: usize = 50;

/// Nodes so that each comes after those that it reads; of those that are free, the lowest number first.
///
/// `reads[n]` are the nodes that `n` reads; numbers of no node are passed over. Neither long chains nor large circles cost
/// stack: nothing here recurses.
///
/// # Errors
/// Circles, each as `n <- what it reads <- ... ` starting at its lowest number; circles share no node. At most
/// [`MAX_CIRCLES`].
pub fn after_inputs(reads: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let mut left_out = vec![false; reads.len()];
    let mut circles = Vec::new();
    loop {
        let (order, stuck) = sweep(reads, &left_out);
        if stuck.is_empty() {
            return if circles.is_empty() { Ok(order) } else { Err(circles) };
        }
        let circle = circle_among(reads, &stuck);
        for node in &circle {
            left_out[*node] = true;
        }
        circles.push(circle);
        if circles.len() >= MAX_CIRCLES {
            return Err(circles);
        }
    }
}

/// Kahn's algorithm (1962) over the nodes that are not left out: the ordered ones, and those that wait for each other.
pub(crate) fn sweep(reads: &[Vec<usize>], left_out: &[bool]) -> (Vec<usize>, BTreeSet<usize>) {
    let mut readers = vec![Vec::new(); reads.len()];
    let mut waits = vec![0_usize; reads.len()];
    let mut stuck: BTreeSet<usize> = (0..reads.len()).filter(|node| !left_out[*node]).collect();
    for node in &stuck {
        for input in reads[*node].iter().filter(|input| left_out.get(**input) == Some(&false)) {
            readers[*input].push(*node);
            waits[*node] += 1;
        }
    }
    let mut free: BTreeSet<usize> = stuck.iter().copied().filter(|node| waits[*node] == 0).collect();
    let mut order = Vec::with_capacity(stuck.len());
    while let Some(node) = free.pop_first() {
        stuck.remove(&node);
        order.push(node);
        for reader in &readers[node] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                free.insert(*reader);
            }
        }
    }
    (order, stuck)
}

/// Every stuck node reads a stuck node, so that walking from reader to input must come back to where it has been.
fn circle_among(reads: &[Vec<usize>], stuck: &BTreeSet<usize>) -> Vec<usize> {
    let mut walk: Vec<usize> = Vec::new();
    let mut been = vec![None; reads.len()];
    let mut at = stuck.first().copied();
    while let Some(node) = at {
        if let Some(start) = been[node] {
            walk.drain(..start);
            let lowest = (0..walk.len()).min_by_key(|i| walk[*i]).unwrap_or(0);
            walk.rotate_left(lowest);
            return walk;
        }
        been[node] = Some(walk.len());
        walk.push(node);
        at = reads[node].iter().copied().find(|input| stuck.contains(input));
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: &[&[usize]], expected: &Result<Vec<usize>, Vec<Vec<usize>>>) {
        let reads: Vec<Vec<usize>> = reads.iter().map(|inputs| inputs.to_vec()).collect();
        assert_eq!(after_inputs(&reads), *expected);
    }

    #[test]
    fn inputs_come_first_and_ties_go_by_number() {
        check(&[&[2], &[], &[1]], &Ok(vec![1, 2, 0]));
        check(&[&[], &[], &[]], &Ok(vec![0, 1, 2]));
        check(&[&[3, 1], &[3], &[], &[]], &Ok(vec![2, 3, 1, 0]));
        check(&[], &Ok(vec![]));
    }

    #[test]
    fn every_circle_is_found_once_without_the_nodes_that_only_hang_on_it() {
        check(&[&[0]], &Err(vec![vec![0]]));
        check(&[&[1], &[2], &[1], &[4], &[3]], &Err(vec![vec![1, 2], vec![3, 4]]));
        check(&[&[2], &[0], &[1]], &Err(vec![vec![0, 2, 1]]));
    }

    #[test]
    fn long_chains_large_circles_and_many_circles_are_taken_in_stride() {
        let chain: Vec<Vec<usize>> = (0..50_000).map(|node| vec![node + 1]).collect();
        assert_eq!(after_inputs(&chain).map(|order| order.first().copied()), Ok(Some(49_999)));
        let ring: Vec<Vec<usize>> = (0..50_000).map(|node| vec![(node + 1) % 50_000]).collect();
        assert_eq!(after_inputs(&ring).map_err(|circles| circles[0].len()), Err(50_000));
        let alone: Vec<Vec<usize>> = (0..50_000).map(|node| vec![node]).collect();
        assert_eq!(after_inputs(&alone).map_err(|circles| circles.len()), Err(MAX_CIRCLES));
    }
}
