//! What of the scene is worth drawing now: edges long enough to be seen, ghosts where there are any, and the beat at which
//! unacknowledged alarms blink.

use bevy::prelude::*;
use twin_scene::geometry::Aabb;

use super::high::HighMaterial;
use super::material::{Look, PartMaterial};
use super::{FOV_Y, MainCamera, SceneAssets};

/// Edges shorter than this many pixels, seen from the nearest point of their cell, make the picture darker and not clearer.
const MIN_EDGE_PIXELS: f32 = 6.0;
/// Seconds of a blink: half of them bright. ISA-18.2 names no rate; common panels blink at 1 to 2 Hz.
const BLINK_S: f64 = 1.0;
/// Pixels per period of the patterns, as in the design's table of statuses.
const PATTERN_PIXELS: f32 = 12.0;

/// Marks a mesh of edges of one length class.
#[derive(Component)]
pub(super) struct Edges {
    /// No edge is longer, in metres.
    pub(super) longest: f32,
    /// Around their cell, in the scene's space.
    pub(super) bounds: Aabb,
}

/// Marks the faint copy of a group.
#[derive(Component)]
pub(super) struct Ghosts;

/// Whether edges of this length are seen from a distance, both in metres, in a view that many pixels high.
fn is_seen(longest: f32, distance: f32, height: f32) -> bool {
    let pixels_per_metre = height * 0.5 / ((FOV_Y * 0.5).tan() * distance.max(0.01));
    longest * pixels_per_metre >= MIN_EDGE_PIXELS
}

/// Hides edges too short to be seen from where the camera is.
pub(super) fn edges_worth_drawing(
    camera: Query<'_, '_, (&Camera, &Transform), With<MainCamera>>,
    mut edges: Query<'_, '_, (&Edges, &mut Visibility)>,
) {
    let Ok((camera, transform)) = camera.single() else { return };
    let Some(height) = camera.physical_viewport_size().map(|size| size.y as f32) else { return };
    let eye = transform.translation;
    for (edges, mut visibility) in &mut edges {
        let bounds = edges.bounds;
        let distance = (eye - eye.clamp(bounds.min, bounds.max)).length();
        let wanted = if is_seen(edges.longest, distance, height) { Visibility::Inherited } else { Visibility::Hidden };
        visibility.set_if_neq(wanted);
    }
}

/// Draws the faint copies only while some part is faint.
pub(super) fn ghosts_worth_drawing(assets: Res<'_, SceneAssets>, mut ghosts: Query<'_, '_, &mut Visibility, With<Ghosts>>) {
    let wanted = if assets.any_ghosts { Visibility::Inherited } else { Visibility::Hidden };
    for mut visibility in &mut ghosts {
        visibility.set_if_neq(wanted);
    }
}

/// What of the look follows the clock and the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// The beat of unacknowledged alarms: 0 or 1.
    pulse: f32,
    /// Metres per period of the patterns.
    period: f32,
}

impl Default for Beat {
    fn default() -> Self {
        Self { pulse: 0.0, period: 1.0 }
    }
}

impl Beat {
    /// The beat at a moment in seconds since the start, seen from a distance in metres in a view that many pixels high.
    ///
    /// The pulse is square, so that two pictures a second are enough for it. The period is a power of two near
    /// [`PATTERN_PIXELS`] at that distance: the pattern stays put while the camera moves, and changes in steps.
    pub fn at(seconds: f64, blinking: bool, distance: f32, height: f32) -> Self {
        let metres_per_pixel = 2.0 * distance * (FOV_Y * 0.5).tan() / height.max(1.0);
        let period = (PATTERN_PIXELS * metres_per_pixel).max(1e-4).log2().round().exp2();
        Self { pulse: if blinking && (seconds / BLINK_S).fract() < 0.5 { 1.0 } else { 0.0 }, period }
    }

    fn put(self, look: &mut Look) {
        look.style.x = self.period;
        look.style.w = self.pulse;
    }
}

/// Shows a beat in every material of the scene.
pub fn beat(now: Beat, assets: &mut SceneAssets, materials: &mut Assets<PartMaterial>, high: &mut Assets<HighMaterial>) {
    assets.beat = now;
    for handle in &assets.parts {
        if let Some(mut material) = materials.get_mut(handle) {
            now.put(&mut material.look);
        }
    }
    for handle in &assets.high {
        if let Some(mut material) = high.get_mut(handle) {
            now.put(&mut material.extension.look);
        }
    }
}

/// A look with the present beat in it.
pub(super) fn with_beat(mut look: Look, now: Beat) -> Look {
    now.put(&mut look);
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_edges_are_seen_from_near_only() {
        assert!(is_seen(0.125, 1.0, 720.0));
        assert!(!is_seen(0.125, 44.0, 720.0));
        assert!(is_seen(1.0, 44.0, 720.0));
        assert!(is_seen(f32::INFINITY, 5_000.0, 720.0));
        assert!(is_seen(0.1, 0.0, 100.0), "inside the cell");
    }

    #[test]
    fn the_beat_is_still_without_alarms() {
        let pulse = |t: f64, blinking: bool| Beat::at(t, blinking, 10.0, 700.0).pulse;
        assert_eq!([0.1, 0.6, 1.1].map(|t| pulse(t, true)), [1.0, 0.0, 1.0]);
        assert_eq!([0.1, 0.6, 1.1].map(|t| pulse(t, false)), [0.0; 3]);
    }

    #[test]
    fn patterns_keep_about_their_size_on_the_screen() {
        for distance in [0.5, 3.0, 44.0, 900.0] {
            let period = Beat::at(0.0, false, distance, 720.0).period;
            let pixels = period * 720.0 / (2.0 * distance * (FOV_Y * 0.5).tan());
            assert!((8.0..=17.5).contains(&pixels), "{pixels} at {distance} m");
            assert_eq!(period.log2().fract(), 0.0);
        }
    }
}
