//! Scenes for the tests of cells: made here, the same at every run.

use std::sync::Arc;

use glam::{DMat4, DVec3, EulerRot, Mat4, Quat, Vec3};
use twin_model::TwinIndex;
use twin_scene::geometry::{AlphaMode, Image, Material, Mesh, Primitive, SceneModel};
use twin_scene::merge::Placed;

use crate::merge::{cube, model, node};

/// A row of numbers that look like chance.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Of `0..below`.
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// Between the two.
    pub(crate) fn real(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.roll(1 << 20) as f32 / (1 << 20) as f32
    }

    pub(crate) fn place(&mut self, reach: f32) -> Vec3 {
        Vec3::new(self.real(-reach, reach), self.real(-reach, reach), self.real(-reach, reach))
    }
}

/// A tube of `around` sides about the y axis, smooth outside, open at its ends.
pub(crate) fn tube(radius: f32, length: f32, around: u32) -> Primitive {
    let mut tube = Primitive::default();
    for at in 0..=around {
        let turn = at as f32 / around as f32 * std::f32::consts::TAU;
        for y in [0.0, length] {
            tube.positions.push([turn.cos() * radius, y, turn.sin() * radius]);
            tube.normals.push([turn.cos(), 0.0, turn.sin()]);
        }
        if at > 0 {
            let b = at * 2;
            tube.indices.extend([b - 2, b - 1, b, b, b - 1, b + 1]);
        }
    }
    tube
}

/// A square in the xz plane of `side * side * 2` triangles with hills, a vertex shared by all triangles about it.
pub(crate) fn hills(side: u32, size: f32, height: f32) -> Primitive {
    let mut hills = Primitive::default();
    for z in 0..=side {
        for x in 0..=side {
            let (u, v) = (x as f32 / side as f32, z as f32 / side as f32);
            hills.positions.push([u * size, ((u * 9.0).sin() + (v * 7.0).cos()) * height, v * size]);
            hills.normals.push([0.0, 1.0, 0.0]);
            hills.uvs.push([u, v]);
            if x > 0 && z > 0 {
                let at = z * (side + 1) + x;
                hills.indices.extend([at, at - side - 1, at - 1, at - 1, at - side - 1, at - side - 2]);
            }
        }
    }
    hills
}

fn mesh(primitives: Vec<Primitive>) -> Mesh {
    Mesh { primitives, ..Mesh::default() }
}

/// Materials: grey, red, glass, a picture, a picture with holes.
fn materials() -> Vec<Material> {
    let paint = |color: [f32; 4]| Material { base_color: color, ..Material::default() };
    vec![
        paint([0.4, 0.4, 0.4, 1.0]),
        Material { double_sided: true, unlit: true, ..paint([0.8, 0.1, 0.0, 1.0]) },
        Material { alpha: AlphaMode::Blend, ..paint([0.2, 0.6, 0.9, 0.3]) },
        Material { base_color_image: Some(0), ..Material::default() },
        Material { base_color_image: Some(1), alpha: AlphaMode::Mask { cutoff: 0.5 }, double_sided: true, ..Material::default() },
    ]
}

/// A file with a bit of everything; nodes stand within `reach` of its origin.
pub(crate) fn medley(dice: &mut Dice, nodes: usize, reach: f32) -> SceneModel {
    let of = |primitive: Primitive, material: usize| Primitive { material: Some(material), ..primitive };
    let mut tinted = cube(Vec3::new(0.5, 2.0, 0.5));
    tinted.colors = (0..24).map(|at| [at as f32 / 24.0, 0.5, 0.2, 1.0]).collect();
    let meshes = vec![
        mesh(vec![of(cube(Vec3::ONE), 0), of(tube(0.3, 4.0, 24), 1)]),
        mesh(vec![of(tube(0.02, 9.0, 12), 0)]),
        mesh(vec![of(cube(Vec3::new(3.0, 0.01, 2.0)), 2)]),
        mesh(vec![of(hills(6, 2.0, 0.1), 3), tinted]),
        mesh(vec![of(hills(3, 0.4, 0.0), 4)]),
        mesh(vec![of(hills(22, 12.0, 0.7), 0)]),
    ];
    let count = meshes.len() as u64;
    let each = (0..nodes).map(|_| {
        let turn = Quat::from_euler(EulerRot::XYZ, dice.real(-3.0, 3.0), dice.real(-3.0, 3.0), dice.real(-3.0, 3.0));
        let turn = if dice.roll(2) == 0 { Quat::IDENTITY } else { turn };
        let mut scale = Vec3::splat(dice.real(0.05, 2.0));
        match dice.roll(12) {
            0 => scale.x = -scale.x,
            1 => scale.y = 0.0,
            _ => {}
        }
        let place = Mat4::from_scale_rotation_translation(scale, turn, dice.place(reach));
        node(Some(dice.roll(count) as usize), place)
    });
    let mut made = model(meshes, materials(), each.collect());
    for (at, node) in made.nodes.iter_mut().enumerate() {
        node.path = format!("hall/line {}/part {at}", at / 10);
    }
    let picture = |byte: u8, mime: &'static str| Image { name: None, mime, size: [2, 3], bytes: vec![byte; 40] };
    made.images = vec![picture(7, "image/png"), picture(9, "image/jpeg")];
    made
}

/// Several files of a medley, one placed twice and turned over, about a place of the site.
pub(crate) fn scene(seed: u64, nodes: usize, reach: f32, about: DVec3) -> Vec<Placed> {
    let mut dice = Dice(seed);
    let first = Arc::new(medley(&mut dice, nodes, reach));
    let second = Arc::new(medley(&mut dice, nodes / 2 + 1, reach));
    let at = |x: f64| DMat4::from_translation(about + DVec3::X * x);
    let turned = at(3.0) * DMat4::from_scale(DVec3::new(1.0, -1.0, 1.0));
    let twins = |model: &SceneModel| (0..model.nodes.len() as u32).map(|at| (at % 3 > 0).then_some(TwinIndex(at / 4))).collect();
    vec![
        Placed { twins: twins(&first), model: Arc::clone(&first), transform: at(0.0) },
        Placed { twins: twins(&second), model: second, transform: at(-1.5) },
        Placed { twins: Vec::new(), model: first, transform: turned },
    ]
}
