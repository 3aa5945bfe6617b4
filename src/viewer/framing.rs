//! What the camera looks at when it flies to something: a box about its parts, without the few that would spoil the picture.
//! Knows boxes only.

use glam::Vec3;

/// A box by its lowest and highest corner.
pub type Corners = (Vec3, Vec3);

/// Parts are left out where the picture without them is this many times closer.
const STRETCH: f32 = 1.7;
/// One of them has to be this many times as long as everything that stays: a supply pipe at a machine.
const LONG: f32 = 1.5;
/// And each has to be thin, at most this part of its length in one direction at least: a pipe or its support, not the body
/// of a machine under its nozzles.
const SLENDER: f32 = 0.18;
/// Or they stand aside, further from the others than those are long, in a thing of at least this many parts: a far sensor.
const MANY: usize = 5;
/// At most one in so many parts is left out, but one may always be.
const FEW: usize = 4;
/// At most so many are left out for one another: a pipe with what carries it. Each has to bring the picture this much closer.
const TOGETHER: usize = 4;
const CLOSER: f32 = 0.9;

/// The box to frame: about all parts, without those that are longer than all others together or stand far aside.
///
/// Corners that are not numbers and boxes that are inside out do not count; `None` where no part is left. A thing that
/// consists of long parts only, such as a pipe rack, keeps them all. The rule is ours.
pub fn box_to_frame(parts: &[Corners]) -> Option<Corners> {
    let sound = |(min, max): &Corners| min.is_finite() && max.is_finite() && min.cmple(*max).all();
    let mut kept: Vec<Corners> = parts.iter().copied().filter(sound).collect();
    let mut spare = (kept.len() / FEW).max(1).min(kept.len().saturating_sub(1));
    while let Some(fewer) = without_outliers(&kept, spare) {
        spare -= kept.len() - fewer.len();
        kept = fewer;
    }
    kept.into_iter().reduce(union)
}

/// The parts without the few that keep the picture far away; `None` where there are no such.
fn without_outliers(parts: &[Corners], spare: usize) -> Option<Vec<Corners>> {
    let whole = length(parts.iter().copied().reduce(union)?);
    let (mut kept, mut longest, mut aside) = (parts.to_vec(), 0.0_f32, true);
    for _ in 0..spare.min(TOGETHER) {
        let (at, rest) = outlier(&kept)?;
        let part = kept.swap_remove(at);
        longest = longest.max(length(part));
        aside &= is_aside(part, rest, parts.len());
        if whole > STRETCH * length(rest) && (longest > LONG * length(rest) || aside) {
            return Some(kept);
        }
    }
    None
}

/// Of the parts that may be left out, the one without which the picture comes closest, with the box of the others.
fn outlier(parts: &[Corners]) -> Option<(usize, Corners)> {
    // Boxes of everything before and after each part, so that "all but this one" is one union.
    let before: Vec<Corners> = running(parts.iter().copied());
    let mut after: Vec<Corners> = running(parts.iter().rev().copied());
    after.reverse();
    let whole = length(*before.last()?);
    let rests = parts.iter().enumerate().filter_map(|(at, part)| {
        let rest = match (at.checked_sub(1).and_then(|at| before.get(at)), after.get(at + 1)) {
            (Some(a), Some(b)) => union(*a, *b),
            (Some(only), None) | (None, Some(only)) => *only,
            (None, None) => return None,
        };
        let sides = part.1 - part.0;
        let slender = sides.min_element() <= SLENDER * sides.max_element();
        (slender || is_aside(*part, rest, parts.len())).then_some((at, rest))
    });
    let (at, rest) = rests.min_by(|a, b| length(a.1).total_cmp(&length(b.1)))?;
    (length(rest) < CLOSER * whole).then_some((at, rest))
}

fn is_aside(part: Corners, rest: Corners, count: usize) -> bool {
    count >= MANY && distance(rest, (part.0 + part.1) * 0.5) > length(rest)
}

fn running(parts: impl Iterator<Item = Corners>) -> Vec<Corners> {
    let mut all: Option<Corners> = None;
    parts
        .map(|part| {
            let grown = all.map_or(part, |all| union(all, part));
            all = Some(grown);
            grown
        })
        .collect()
}

fn union(a: Corners, b: Corners) -> Corners {
    (a.0.min(b.0), a.1.max(b.1))
}

fn length(corners: Corners) -> f32 {
    (corners.1 - corners.0).length()
}

/// From a box to a point; zero inside.
fn distance(corners: Corners, point: Vec3) -> f32 {
    (point - point.clamp(corners.0, corners.1)).length()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(x: f32, y: f32, z: f32, half: f32) -> Corners {
        let center = Vec3::new(x, y, z);
        (center - half, center + half)
    }

    fn check(parts: &[Corners], expected: &[usize]) {
        let wanted = expected.iter().filter_map(|at| parts.get(*at).copied()).reduce(union);
        assert_eq!(box_to_frame(parts), wanted);
    }

    #[test]
    fn a_machine_with_a_long_pipe_is_framed_without_it() {
        let pipe = (Vec3::new(0.0, 3.0, 0.0), Vec3::new(30.0, 3.2, 0.2));
        // A body and its nozzles: the nozzles do not make the body an outlier.
        let mut parts = vec![about(0.0, 1.5, 0.0, 1.5)];
        parts.extend((0..40).map(|nth| about((nth as f32 / 40.0 - 0.5) * 2.0, 3.1, 0.0, 0.05)));
        let machine: Vec<usize> = (0..parts.len()).collect();
        check(&parts, &machine);
        parts.push(pipe);
        check(&parts, &machine);
    }

    #[test]
    fn a_pipe_and_what_carries_it_go_together() {
        let mut parts: Vec<Corners> = (0..12).map(|nth| about(nth as f32 * 0.3, 1.5, 0.0, 1.4)).collect();
        let machine: Vec<usize> = (0..parts.len()).collect();
        parts.push((Vec3::new(0.0, 3.0, 0.0), Vec3::new(0.3, 6.0, 14.0)));
        parts.push((Vec3::new(0.0, 0.0, 4.0), Vec3::new(0.4, 6.0, 8.0)));
        check(&parts, &machine);
    }

    #[test]
    fn of_a_body_and_its_pipe_the_body_is_framed() {
        check(&[about(0.0, 1.0, 0.0, 1.0), (Vec3::new(0.0, 2.0, 0.0), Vec3::new(20.0, 2.1, 0.1))], &[0]);
    }

    #[test]
    fn things_of_long_parts_and_things_far_apart_stay_whole() {
        let rack: Vec<Corners> =
            (0..6).map(|nth| (Vec3::new(0.0, nth as f32, 0.0), Vec3::new(40.0, nth as f32 + 0.2, 0.2))).collect();
        check(&rack, &[0, 1, 2, 3, 4, 5]);
        check(&[about(0.0, 0.0, 0.0, 1.0), about(50.0, 0.0, 0.0, 1.0)], &[0, 1]);
        check(&[about(0.0, 0.0, 0.0, 1.0)], &[0]);
        check(&[], &[]);
    }

    #[test]
    fn a_far_sensor_is_left_out_where_the_rest_is_many_parts() {
        let mut parts: Vec<Corners> = (0..8).map(|nth| about(nth as f32, 0.0, 0.0, 0.6)).collect();
        parts.push(about(60.0, 0.0, 0.0, 0.1));
        check(&parts, &[0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn empty_and_broken_boxes_do_not_count() {
        let inside_out = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        let nowhere = (Vec3::splat(f32::NAN), Vec3::ONE);
        check(&[inside_out, about(0.0, 0.0, 0.0, 1.0), nowhere], &[1]);
        assert_eq!(box_to_frame(&[inside_out, nowhere]), None);
    }
}
