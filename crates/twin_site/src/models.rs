//! Model files of a site and where they stand.

use std::collections::HashSet;

use glam::{DMat4, DQuat, DVec3, EulerRot};

use super::bindings::{BindKey, RawBinding};
use super::codes;
use super::diag::{Diagnostics, Location};
use super::read::{Section, Word};

/// Metres per unit; `None` for a word that is no unit. Inch, foot, yard and mile are the international ones of 1959.
pub fn metres_per(unit: &str) -> Option<f64> {
    Some(match unit {
        "m" => 1.0,
        "mm" => 1e-3,
        "cm" => 1e-2,
        "dm" => 1e-1,
        "km" => 1e3,
        "in" => 0.0254,
        "ft" => 0.3048,
        "yd" => 0.9144,
        "mi" => 1609.344,
        _ => return None,
    })
}

/// One placed model file. Several assets may share a `path` (one file placed often) or an `id` (several files, one model).
#[derive(Debug, Clone, PartialEq)]
pub struct ModelAsset {
    /// The model's id in the site file; bindings name it.
    pub id: String,
    /// File, relative to the site file, with `/` between folders.
    pub path: String,
    /// From the file's coordinates to the site's: metres, Y up. In 64 bits: sites may lie thousands of kilometres away.
    pub transform: DMat4,
    /// Globs of node paths that belong to no twin on purpose.
    pub background: Vec<String>,
    /// Where it is written.
    pub at: Location,
}

/// Translation, rotation and scale as a site file or a scene writes them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) translate: [f64; 3],
    /// Radians about X, Y, Z, applied as `Rx * Ry * Rz` (three.js order `XYZ`).
    pub(crate) rotate: [f64; 3],
    pub(crate) scale: [f64; 3],
}

impl Placement {
    pub(crate) fn matrix(self) -> DMat4 {
        let [x, y, z] = self.rotate;
        DMat4::from_scale_rotation_translation(
            DVec3::from_array(self.scale),
            DQuat::from_euler(EulerRot::XYZ, x, y, z),
            DVec3::from_array(self.translate),
        )
    }
}

/// Reads `[[models]]`; `twin` of a model becomes a binding.
pub(crate) fn read(root: &Section<'_>, bindings: &mut Vec<RawBinding>, out: &mut Diagnostics) -> Vec<ModelAsset> {
    let mut assets: Vec<ModelAsset> = Vec::new();
    let mut ids = HashSet::new();
    for section in root.tables("models") {
        let Some(id) = section.word("id") else { continue };
        if !ids.insert(id.text.clone()) {
            let message = format!("model '{}' is defined twice", id.as_str());
            out.error(codes::ID_DUPLICATE, &id.at, id.as_str(), message, "rename or delete one".to_owned());
            continue;
        }
        if let Some(twin) = section.word("twin") {
            bindings.push(RawBinding { at: twin.at.clone(), twin, model: Some(id.clone()), keys: vec![BindKey::Whole] });
        }
        assets.extend(one(&section, &id));
    }
    assets
}

fn one(s: &Section<'_>, id: &Word) -> Vec<ModelAsset> {
    let degrees = s.vec3("rotate_deg").unwrap_or_default();
    let placement = Placement {
        translate: s.vec3("translate").unwrap_or_default(),
        rotate: degrees.map(f64::to_radians),
        scale: s.scale("scale").unwrap_or([1.0; 3]),
    };
    let unit = metres_per(s.choice("unit").unwrap_or("m")).unwrap_or(1.0);
    let upright =
        if s.choice("up") == Some("z") { DMat4::from_rotation_x(-std::f64::consts::FRAC_PI_2) } else { DMat4::IDENTITY };
    let transform = placement.matrix() * upright * DMat4::from_scale(DVec3::splat(unit));
    let background: Vec<String> = s.words("background").iter().map(|word| word.text.to_string()).collect();
    let asset = |path: &Word| ModelAsset {
        id: id.text.to_string(),
        path: path.text.replace('\\', "/"),
        transform,
        background: background.clone(),
        at: path.at.clone(),
    };
    s.words("path").iter().map(asset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn rotations_follow_the_three_js_order() {
        // Rx * Ry * Rz: a vector is turned about Z first.
        let quarter = std::f64::consts::FRAC_PI_2;
        let placement = Placement { translate: [0.0; 3], rotate: [quarter, 0.0, quarter], scale: [1.0; 3] };
        let turned = placement.matrix().transform_vector3(DVec3::X);
        assert!((turned - DVec3::Z).length() < 1e-12, "{turned}");
    }
}
