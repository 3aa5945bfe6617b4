//! The orbit camera: pure motion over angles, distance and target, eased and interruptible. Knows neither input nor ECS.

use glam::{Mat3, Quat, Vec2, Vec3};

use crate::viewer::stage::Sight;

/// Length of an eased move in seconds.
const MOVE_S: f32 = 0.3;
/// Steepest and flattest look, in radians; the floor is never passed from above.
const PITCH: (f32, f32) = (-0.03, 1.55);

/// Where the camera stands and looks: a target and the spherical offset from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// The point looked at, in metres.
    pub target: Vec3,
    /// Turn about the vertical, in radians.
    pub yaw: f32,
    /// Height angle above the horizon, in radians.
    pub pitch: f32,
    /// Metres from target to eye.
    pub distance: f32,
}

impl Pose {
    /// Position of the eye.
    pub fn eye(&self) -> Vec3 {
        self.target + self.back() * self.distance
    }

    /// Unit vector from the target towards the eye.
    pub fn back(&self) -> Vec3 {
        let (sy, cy) = self.yaw.sin_cos();
        let (sp, cp) = self.pitch.sin_cos();
        Vec3::new(sy * cp, sp, cy * cp)
    }

    /// Orientation of the eye, looking at the target.
    pub fn rotation(&self) -> Quat {
        Quat::from_rotation_y(self.yaw) * Quat::from_rotation_x(-self.pitch)
    }

    /// What is seen from here: `fov_y` in radians, `aspect` is width over height, `height` of the picture in physical pixels.
    pub fn sight(&self, fov_y: f32, aspect: f32, height: f32) -> Sight {
        let (eye, rotation) = (self.eye(), self.rotation());
        let tan_y = (fov_y * 0.5).tan();
        let tan_x = tan_y * aspect;
        // The eye looks along -z: a point is right of the left side where x - tan_x * z is not negative.
        let inward = [
            Vec3::new(1.0, 0.0, -tan_x),
            Vec3::new(-1.0, 0.0, -tan_x),
            Vec3::new(0.0, 1.0, -tan_y),
            Vec3::new(0.0, -1.0, -tan_y),
        ];
        let planes = inward.map(|inward| {
            let normal = rotation * inward.normalize();
            normal.extend(-normal.dot(eye))
        });
        Sight { eye, fov_y, height, planes }
    }

    /// Pose that frames a box from a pleasant three-quarter angle.
    ///
    /// `fov_y` in radians, `aspect` is width over height; the eight corners fit with a small margin, as much of it left as
    /// right and above as below: near corners reach farther out than far ones, so that the middle of the box is not the
    /// middle of its picture.
    pub fn framing(min: Vec3, max: Vec3, yaw: f32, pitch: f32, fov_y: f32, aspect: f32) -> Self {
        let mut pose = Self { target: (min + max) * 0.5, yaw, pitch, distance: 1.0 };
        let rotation = pose.rotation();
        let view = Mat3::from_quat(rotation).transpose();
        let tan_y = (fov_y * 0.5).tan();
        let tan_x = tan_y * aspect;
        /// Moves towards the middle of the picture; each leaves about a third of the error.
        const STEPS: usize = 8;
        let corners = [0, 1, 2, 3, 4, 5, 6, 7].map(|corner| {
            let pick = |bit: usize, low: f32, high: f32| if corner >> bit & 1 == 0 { low } else { high };
            Vec3::new(pick(0, min.x, max.x), pick(1, min.y, max.y), pick(2, min.z, max.z))
        });
        for step in 0..=STEPS {
            let seen = corners.map(|corner| view * (corner - pose.target));
            // A corner fits when |v.x| <= tan_x * (distance - v.z), and likewise for y.
            pose.distance = seen.iter().map(|v| v.z + (v.x.abs() / tan_x).max(v.y.abs() / tan_y)).fold(0.5, f32::max);
            if step < STEPS {
                let at = seen.map(|v| v.truncate() / (pose.distance - v.z));
                let low = at.into_iter().fold(at[0], Vec2::min);
                let high = at.into_iter().fold(at[0], Vec2::max);
                pose.target += rotation * ((low + high) * 0.5 * pose.distance).extend(0.0);
            }
        }
        pose.distance *= 1.04;
        pose
    }
}

#[derive(Debug, Clone, Copy)]
struct Move {
    from: Pose,
    to: Pose,
    at: f32,
}

/// The camera with its limits and the move in progress.
#[derive(Debug, Clone)]
pub struct Orbit {
    /// Where it is now.
    pub pose: Pose,
    moving: Option<Move>,
    /// Height of the floor that the eye does not pass.
    pub floor: f32,
    /// Nearest and farthest distance in metres.
    pub reach: (f32, f32),
    /// Jumps instead of easing.
    pub reduced_motion: bool,
}

impl Default for Orbit {
    fn default() -> Self {
        Self {
            pose: Pose { target: Vec3::ZERO, yaw: 0.6, pitch: 0.5, distance: 40.0 },
            moving: None,
            floor: 0.0,
            reach: (0.2, 2_000.0),
            reduced_motion: false,
        }
    }
}

impl Orbit {
    /// Turns by a drag of `delta` pixels in a view `height` pixels high.
    pub fn orbit(&mut self, delta: Vec2, height: f32) {
        self.orbit_about(self.pose.target, delta, height);
    }

    /// Turns about a pivot, for example the point under the pointer: the pivot keeps its place on the screen.
    pub fn orbit_about(&mut self, pivot: Vec3, delta: Vec2, height: f32) {
        self.moving = None;
        let scale = std::f32::consts::PI / height.max(1.0);
        let before = self.pose;
        self.pose.yaw -= delta.x * scale;
        self.pose.pitch = (self.pose.pitch + delta.y * scale).clamp(PITCH.0, PITCH.1);
        // Keep the pivot where it was in the camera's own frame.
        let local = before.rotation().inverse() * (pivot - before.eye());
        let eye = pivot - self.pose.rotation() * local;
        self.pose.target = eye - self.pose.back() * self.pose.distance;
        self.keep_above_floor();
    }

    /// Moves sideways by a drag of `delta` pixels; a point at the target's depth follows the pointer.
    pub fn pan(&mut self, delta: Vec2, height: f32, fov_y: f32) {
        self.moving = None;
        let metres = 2.0 * self.pose.distance * (fov_y * 0.5).tan() / height.max(1.0);
        let r = self.pose.rotation();
        self.pose.target += r * Vec3::new(-delta.x * metres, delta.y * metres, 0.0);
        self.keep_above_floor();
    }

    /// Zooms by a factor below 1 (nearer) or above (farther), towards `anchor` where given.
    pub fn zoom(&mut self, factor: f32, anchor: Option<Vec3>) {
        self.moving = None;
        let wanted = (self.pose.distance * factor).clamp(self.reach.0, self.reach.1);
        let real = wanted / self.pose.distance;
        if let Some(anchor) = anchor {
            self.pose.target = anchor + (self.pose.target - anchor) * real;
        }
        self.pose.distance = wanted;
        self.keep_above_floor();
    }

    /// Starts an eased move; any input interrupts it.
    pub fn go(&mut self, to: Pose) {
        if self.reduced_motion {
            self.pose = to;
            self.moving = None;
        } else {
            let mut from = self.pose;
            // The short way round.
            let turn = (to.yaw - from.yaw).rem_euclid(std::f32::consts::TAU);
            from.yaw = to.yaw - if turn > std::f32::consts::PI { turn - std::f32::consts::TAU } else { turn };
            self.moving = Some(Move { from, to, at: 0.0 });
        }
    }

    /// Whether a move is in progress.
    pub fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Advances the move by `dt` seconds; true where the pose changed.
    pub fn step(&mut self, dt: f32) -> bool {
        let Some(mut m) = self.moving else { return false };
        m.at = (m.at + dt / MOVE_S).min(1.0);
        let s = m.at * m.at * (3.0 - 2.0 * m.at);
        let mix = |a: f32, b: f32| a + (b - a) * s;
        self.pose = Pose {
            target: m.from.target.lerp(m.to.target, s),
            yaw: mix(m.from.yaw, m.to.yaw),
            pitch: mix(m.from.pitch, m.to.pitch),
            // Distances feel even on a logarithmic scale.
            distance: mix(m.from.distance.ln(), m.to.distance.ln()).exp(),
        };
        self.moving = if m.at >= 1.0 { None } else { Some(m) };
        true
    }

    fn keep_above_floor(&mut self) {
        let low = self.floor + 0.1;
        let eye = self.pose.eye();
        if eye.y < low {
            self.pose.target.y += low - eye.y;
        }
        self.pose.target.y = self.pose.target.y.max(self.floor - 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_fits_every_corner() {
        let (min, max) = (Vec3::new(-30.0, 0.0, -12.0), Vec3::new(30.0, 9.0, 12.0));
        let (fov, aspect) = (0.8_f32, 1.6_f32);
        let pose = Pose::framing(min, max, 0.7, 0.5, fov, aspect);
        let view = pose.rotation().inverse();
        let (mut low, mut high) = (Vec2::splat(9.0), Vec2::splat(-9.0));
        for c in 0..8 {
            let p = Vec3::new(
                if c & 1 == 0 { min.x } else { max.x },
                if c & 2 == 0 { min.y } else { max.y },
                if c & 4 == 0 { min.z } else { max.z },
            );
            let v = view * (p - pose.eye());
            assert!(v.z < 0.0);
            assert!((v.x / -v.z).abs() <= (fov * 0.5).tan() * aspect, "corner {c} outside");
            assert!((v.y / -v.z).abs() <= (fov * 0.5).tan(), "corner {c} outside");
            let share = Vec2::new(v.x / -v.z / aspect, v.y / -v.z) / (fov * 0.5).tan();
            (low, high) = (low.min(share), high.max(share));
        }
        assert!((low + high).abs().max_element() < 0.04, "off the middle: {low} to {high}");
        assert!((high - low).max_element() > 1.85, "room is left: {low} to {high}");
    }

    #[test]
    fn orbiting_about_a_pivot_keeps_it_on_the_same_pixel() {
        let mut orbit = Orbit { floor: -100.0, ..Orbit::default() };
        let pivot = Vec3::new(3.0, 1.0, -2.0);
        let project = |pose: &Pose| {
            let v = pose.rotation().inverse() * (pivot - pose.eye());
            Vec2::new(v.x / -v.z, v.y / -v.z)
        };
        let before = project(&orbit.pose);
        orbit.orbit_about(pivot, Vec2::new(120.0, -30.0), 700.0);
        assert!((project(&orbit.pose) - before).length() < 1e-3);
    }

    #[test]
    fn the_eye_never_goes_through_the_floor() {
        let mut orbit = Orbit::default();
        for _ in 0..50 {
            orbit.orbit(Vec2::new(7.0, -90.0), 400.0);
            orbit.zoom(0.8, Some(Vec3::new(1.0, -0.5, 1.0)));
            assert!(orbit.pose.eye().y >= 0.09, "{:?}", orbit.pose.eye());
        }
    }

    #[test]
    fn a_move_takes_the_short_way_and_ends_exactly() {
        let mut orbit = Orbit::default();
        orbit.pose.yaw = 3.0;
        let to = Pose { yaw: -3.0, ..orbit.pose };
        orbit.go(to);
        let mut turned = 0.0;
        let mut last = orbit.pose.yaw;
        let mut first = true;
        while orbit.step(0.016) {
            if !first {
                turned += (orbit.pose.yaw - last).abs();
            }
            first = false;
            last = orbit.pose.yaw;
        }
        assert!(turned < 0.5, "turned {turned}");
        assert_eq!(orbit.pose, to);
    }

    #[test]
    fn reduced_motion_jumps() {
        let mut orbit = Orbit { reduced_motion: true, ..Orbit::default() };
        let to = Pose { distance: 5.0, ..orbit.pose };
        orbit.go(to);
        assert_eq!(orbit.pose, to);
        assert!(!orbit.is_moving());
    }
}
