//! The lattice on which a cell's vertices lie, and unit vectors in two numbers.

use glam::{DVec3, Vec2, Vec3};

/// Where a cell's whole numbers stand: `origin + number * step`, in the site's space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Where the number zero stands, in the site's units (metres in a usual site); a multiple of the step.
    pub origin: DVec3,
    /// The step is two to this power.
    pub exponent: i8,
    /// Whether a number has 32 bits; else 16.
    pub wide: bool,
}

/// A vertex may lie this far from where the source puts it, in the site's units, or [`SHARE`] of its part's size, whichever is
/// larger: a millimetre.
const NEAR_ENOUGH: f64 = 1e-3;
/// See [`NEAR_ENOUGH`].
const SHARE: f64 = 1e-5;
/// No step is finer (a micron) or coarser than two to these powers; in between lies all that 64-bit places can tell apart.
const EXPONENTS: std::ops::RangeInclusive<i8> = -20..=40;

/// The coarsest step that keeps the promise about a part whose diagonal is `size`: rounding moves a vertex by at most half a step
/// along each axis, that is by the square root of three quarters of a step.
pub(super) fn coarsest_step(size: f64) -> f64 {
    NEAR_ENOUGH.max(SHARE * size) / 0.75f64.sqrt()
}

/// Two to the power of `exponent`, exactly; for exponents of normal numbers.
fn power(exponent: i8) -> f64 {
    f64::from_bits(((1023 + i64::from(exponent)) as u64) << 52)
}

/// The finest step with which `extent` takes at most `steps` steps.
fn finest(extent: f64, steps: f64) -> i8 {
    EXPONENTS.clone().find(|exponent| extent <= power(*exponent) * steps).unwrap_or(*EXPONENTS.end())
}

impl Grid {
    /// The finest lattice of 16 bits over the box; one of 32 bits where that would be coarser than `coarsest`.
    pub(super) fn over(min: DVec3, max: DVec3, coarsest: f64) -> Self {
        let extent = (max - min).max_element().max(0.0);
        // Two steps fewer than there are: the origin lies up to one below the box, and rounding may go up.
        let narrow = finest(extent, 65_533.0);
        if power(narrow) <= coarsest {
            return Self::at(min, narrow, false);
        }
        let wanted = EXPONENTS.clone().rev().find(|exponent| power(*exponent) <= coarsest).unwrap_or(*EXPONENTS.start());
        Self::at(min, finest(extent, 4_294_967_293.0).max(wanted), true)
    }

    fn at(min: DVec3, exponent: i8, wide: bool) -> Self {
        let step = power(exponent);
        // A zero has one sign, so that equal places are equal bytes.
        Self { origin: (min / step).floor() * step + 0.0, exponent, wide }
    }

    /// Whether 16 bits would do for the box.
    pub(super) fn is_narrow(extent: f64, coarsest: f64) -> bool {
        power(finest(extent, 65_533.0)) <= coarsest
    }

    /// Whether 32 bits would do.
    pub(super) fn reaches(extent: f64, coarsest: f64) -> bool {
        power(finest(extent, 4_294_967_293.0)) <= coarsest
    }

    /// A lattice as it was read; `None` for a step that no writer chooses.
    pub(super) fn read(origin: DVec3, exponent: i8, wide: bool) -> Option<Self> {
        EXPONENTS.contains(&exponent).then_some(Self { origin, exponent, wide })
    }

    /// Distance of neighbours.
    pub fn step(&self) -> f64 {
        power(self.exponent)
    }

    /// Place in the site's space.
    pub fn place(&self, numbers: [u32; 3]) -> DVec3 {
        self.origin + DVec3::from(numbers.map(f64::from)) * self.step()
    }

    /// The nearest point of the lattice.
    pub(super) fn nearest(&self, place: DVec3) -> [u32; 3] {
        let most = if self.wide { u32::MAX } else { 65_535 };
        let steps = (place - self.origin) / self.step();
        steps.to_array().map(|value| ((value + 0.5).floor().max(0.0) as u32).min(most))
    }
}

/// A unit vector as a point of the square onto which the octahedron is unfolded, in 32767ths (Meyer et al., "On floating-point
/// normal vectors", 2010).
pub(super) fn octahedral(normal: Vec3) -> [i16; 2] {
    let sum = normal.abs().element_sum();
    if !(sum > 0.0 && sum.is_finite()) {
        return [0, 32_767];
    }
    let mut at = Vec2::new(normal.x, normal.y) / sum;
    if normal.z < 0.0 {
        at = fold(at);
    }
    at.to_array().map(|value| (value.clamp(-1.0, 1.0) * 32_767.0).round() as i16)
}

/// The unit vector of two numbers of a block's normals: a point of the square onto which the octahedron is unfolded, in 32767ths.
pub fn from_octahedral(numbers: [i16; 2]) -> Vec3 {
    let at = Vec2::from(numbers.map(|value| (f32::from(value) / 32_767.0).max(-1.0)));
    let z = 1.0 - at.x.abs() - at.y.abs();
    let at = if z < 0.0 { fold(at) } else { at };
    at.extend(z).normalize_or(Vec3::Y)
}

/// Mirrors the corners of the square inwards, and back.
fn fold(at: Vec2) -> Vec2 {
    let sign = |value: f32| if value < 0.0 { -1.0 } else { 1.0 };
    Vec2::new((1.0 - at.y.abs()) * sign(at.x), (1.0 - at.x.abs()) * sign(at.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_within_half_a_step_wherever_the_cell_is() {
        for far in [0.0, -3.0, 5e5, 5_931_234.567, -9e8] {
            for (size, part) in [(0.01, 0.01), (60.0, 0.1), (64.5, 0.1), (3_000.0, 0.1), (3_000.0, 3_000.0), (1e9, 1e9)] {
                let min = DVec3::new(far, far + 0.3, -far);
                let coarsest = coarsest_step(part);
                let grid = Grid::over(min, min + size, coarsest);
                assert!(grid.step() <= coarsest, "{far} {size}");
                for share in [0.0, 0.123_456, 0.5, 0.999_9, 1.0] {
                    let place = min + size * share;
                    let error = grid.place(grid.nearest(place)).distance(place);
                    // Beyond a thousand kilometres the last bits of the places themselves count.
                    assert!(error <= 1e-3f64.max(1e-5 * part) + far.abs() * 1e-15, "{far} {size} {part}: {error}");
                }
            }
        }
    }

    #[test]
    fn sixteen_bits_are_used_where_they_do() {
        let wide = |size: f64, part: f64| Grid::over(DVec3::ZERO, DVec3::splat(size), coarsest_step(part)).wide;
        assert!(!wide(60.0, 0.1) && wide(70.0, 0.1) && !wide(500.0, 2_000.0));
    }

    #[test]
    fn unit_vectors_come_back_within_a_hundredth_of_a_degree() {
        for at in 0..2_000u32 {
            let turn = at as f32 * 0.37;
            let normal = Vec3::new(turn.sin(), (turn * 1.7).cos(), (turn * 0.3).sin()).normalize();
            assert!(from_octahedral(octahedral(normal)).dot(normal) > 0.999_999, "{normal}");
        }
        for axis in [Vec3::X, Vec3::Y, Vec3::Z, Vec3::NEG_X, Vec3::NEG_Y, Vec3::NEG_Z] {
            assert_eq!(from_octahedral(octahedral(axis)), axis);
        }
    }
}
