//! What of the scene is worth drawing now: edges long enough to be seen, ghosts where there are any, and the beat at which
//! unacknowledged alarms blink.

use bevy::camera::primitives::Aabb;
use bevy::prelude::*;

use super::high::HighMaterial;
use super::material::PartMaterial;
use super::{FOV_Y, MainCamera, SceneAssets};

/// Edges shorter than this many pixels, seen from the nearest point of their chunk, make the picture darker and not clearer.
const MIN_EDGE_PIXELS: f32 = 6.0;
/// Seconds of a blink: half of them bright. ISA-18.2 names no rate; common panels blink at 1 to 2 Hz.
const BLINK_S: f64 = 1.0;

/// Marks a mesh of edges of one length class.
#[derive(Component)]
pub(super) struct Edges {
    /// No edge is longer, in metres.
    pub(super) longest: f32,
}

/// Marks the faint copy of a chunk.
#[derive(Component)]
pub(super) struct Ghosts;

/// Whether edges of this length are seen from a distance, both in metres, in a view that many pixels high.
fn is_seen(longest: f32, distance: f32, height: f32) -> bool {
    let pixels_per_metre = height * 0.5 / ((FOV_Y * 0.5).tan() * distance.max(0.01));
    longest * pixels_per_metre >= MIN_EDGE_PIXELS
}

/// Hides chunks of edges too short to be seen from where the camera is.
pub(super) fn edges_worth_drawing(
    camera: Query<'_, '_, (&Camera, &Transform), With<MainCamera>>,
    mut edges: Query<'_, '_, (&Edges, &Aabb, &mut Visibility)>,
) {
    let Ok((camera, transform)) = camera.single() else { return };
    let Some(height) = camera.physical_viewport_size().map(|size| size.y as f32) else { return };
    let eye = transform.translation;
    for (edges, bounds, mut visibility) in &mut edges {
        let outside = (eye - Vec3::from(bounds.center)).abs() - Vec3::from(bounds.half_extents);
        let distance = outside.max(Vec3::ZERO).length();
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

/// The beat of unacknowledged alarms: 0 or 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pulse(f32);

impl Pulse {
    /// The beat at a moment, in seconds since the start. Square, so that two pictures a second are enough for it.
    pub fn at(seconds: f64, blinking: bool) -> Self {
        Self(if blinking && (seconds / BLINK_S).fract() < 0.5 { 1.0 } else { 0.0 })
    }
}

/// Shows a beat in every material of the scene.
pub fn pulse(now: Pulse, assets: &SceneAssets, materials: &mut Assets<PartMaterial>, high: &mut Assets<HighMaterial>) {
    for handle in &assets.parts {
        if let Some(mut material) = materials.get_mut(handle) {
            material.look.style.w = now.0;
        }
    }
    for handle in &assets.high {
        if let Some(mut material) = high.get_mut(handle) {
            material.extension.look.style.w = now.0;
        }
    }
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
        assert!(is_seen(0.1, 0.0, 100.0), "inside the chunk");
    }

    #[test]
    fn the_beat_is_still_without_alarms() {
        assert_eq!([0.1, 0.6, 1.1].map(|t| Pulse::at(t, true).0), [1.0, 0.0, 1.0]);
        assert_eq!([0.1, 0.6, 1.1].map(|t| Pulse::at(t, false).0), [0.0; 3]);
    }
}
