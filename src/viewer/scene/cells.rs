//! Cells of the scene in the world: meshes of every level that is here, entities of the finest one of each cell.

use std::collections::BTreeMap;

use bevy::asset::RenderAssetUsages;
use bevy::camera::primitives::Aabb;
use bevy::camera::visibility::NoFrustumCulling;
use bevy::image::ImageSampler;
use bevy::mesh::MeshTag;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use twin_scene::cells::{CellClass, CellInfo, CellView, Group, Index};

use super::high::HighMaterial;
use super::material::{Look, PartKind, PartMaterial};
use super::{Grid, Quality, SceneAssets, Surroundings, build, detail, high, look, shadow};
use crate::viewer::stage::{Fresh, Stage};

/// Where the floor's shadow covers, at full strength.
const FLOOR_SHADE: f32 = 0.55;
/// The floor's shadow is baked again as more of the scene comes, up to so many triangles; beyond, what the first picture had is kept.
const BAKED_TRIANGLES: u64 = 1_000_000;

/// What of the scene's cells is in the world.
#[derive(Default)]
pub(super) struct World {
    /// Meshes by cell and level.
    levels: BTreeMap<(u32, u32), Level>,
    /// By cell: the level that is drawn, and its entities.
    drawn: BTreeMap<u32, (u32, Vec<Entity>)>,
    /// Materials of what is drawn alike.
    slim: BTreeMap<Drawing, Handle<PartMaterial>>,
    /// The same of the high tier.
    high: BTreeMap<Drawing, Handle<HighMaterial>>,
    /// Images that are here, by their position in the index.
    images: BTreeMap<u32, Handle<Image>>,
    /// Triangles from which the floor's shadow was baked.
    baked: Option<u64>,
}

/// One level of one cell as meshes.
#[derive(Default)]
struct Level {
    faces: Vec<Faces>,
    /// Edges by length class, with the longest of each.
    edges: Vec<(Handle<Mesh>, f32)>,
}

struct Faces {
    class: CellClass,
    slim: Handle<Mesh>,
    /// For the high tier, where it is asked for.
    full: Option<Handle<Mesh>>,
}

/// How a group is drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Drawing {
    kind: PartKind,
    double_sided: bool,
    /// Position in [`Index::images`].
    image: Option<u32>,
}

impl Drawing {
    fn of(index: &Index, info: &CellInfo, class: CellClass) -> Self {
        match class {
            CellClass::Opaque { double_sided } => Self { kind: PartKind::Faces, double_sided, image: None },
            CellClass::Blend { double_sided } => Self { kind: PartKind::Blended, double_sided, image: None },
            CellClass::Textured { material } => {
                let material = info.materials.get(usize::from(material)).and_then(|at| index.materials.get(*at as usize));
                let double_sided = material.is_some_and(|it| it.double_sided);
                Self { kind: PartKind::Textured, double_sided, image: material.map(|it| it.image) }
            }
        }
    }
}

/// Everything that bringing a scene into the world needs.
pub struct Spawner<'a, 'w, 's> {
    /// Entities.
    pub commands: &'a mut Commands<'w, 's>,
    /// Meshes.
    pub meshes: &'a mut Assets<Mesh>,
    /// Images.
    pub images: &'a mut Assets<Image>,
    /// Materials.
    pub materials: &'a mut Assets<PartMaterial>,
    /// Materials of the high tier.
    pub high: &'a mut Assets<HighMaterial>,
    /// Handles.
    pub assets: &'a mut SceneAssets,
    /// How much goes into the picture.
    pub quality: Quality,
    /// Colours around it.
    pub around: Surroundings,
}

impl Spawner<'_, '_, '_> {
    /// Takes everything out of the world that was there, and puts in what every scene has.
    pub fn clear(&mut self, index: &Index) {
        let cells = std::mem::take(&mut self.assets.cells);
        let drawn = cells.drawn.into_values().flat_map(|(_, entities)| entities);
        for entity in self.assets.spawned.drain(..).chain(self.assets.outlined.drain(..)).chain(drawn) {
            self.commands.entity(entity).despawn();
        }
        self.assets.parts.clear();
        self.assets.high.clear();
        self.assets.floor = Vec4::ZERO;
        self.assets.palette = self.images.add(build::palette_image(index.slot_count()));
        if self.quality == Quality::High {
            let look = self.look();
            self.put(high::sun(&look, (index.bounds.max - index.bounds.min).length().clamp(1.0, 5_000.0)));
        }
        let (grid, centre) = Grid::of(&index.bounds);
        let mesh = self.meshes.add(build::grid_mesh(centre, grid.spacing, grid.reach));
        self.put((Mesh3d(mesh), MeshMaterial3d(self.assets.grid.clone()), NoFrustumCulling));
        self.assets.grid_place = grid;
    }

    /// Brings the world up to the stage: levels that came and went, images. True where anything of the picture is another.
    pub fn follow(&mut self, stage: &mut Stage) -> bool {
        let mut cells: Vec<u32> = Vec::new();
        for (cell, level) in std::mem::take(&mut stage.dropped) {
            self.assets.cells.levels.remove(&(cell, level));
            cells.push(cell);
        }
        for fresh in std::mem::take(&mut stage.fresh) {
            self.prepare(stage.index(), &fresh);
            cells.push(fresh.cell);
        }
        cells.sort_unstable();
        cells.dedup();
        for cell in &cells {
            self.draw(stage, *cell);
        }
        let images = std::mem::take(&mut stage.images);
        for (image, bytes) in &images {
            self.picture(stage.index(), *image, bytes);
        }
        let drawn = self.assets.cells.drawn.values();
        stage.draws = drawn.map(|(_, entities)| entities.len()).sum();
        !cells.is_empty() || !images.is_empty()
    }

    /// Makes the meshes of a level that came.
    fn prepare(&mut self, index: &Index, fresh: &Fresh) {
        let Some(info) = index.cell(fresh.cell) else { return };
        // It was read when it came onto the stage; what can't be read never gets here.
        let Ok(view) = CellView::read(index, fresh.cell, fresh.level, fresh.bytes()) else { return };
        let (wide, first) = (info.grid.wide, index.first_slot(fresh.cell));
        let high = self.quality == Quality::High;
        let faces = |group: &Group| Faces {
            class: group.class,
            slim: self.meshes.add(build::face_mesh(&view, group, wide)),
            full: high.then(|| self.meshes.add(high::face_mesh(&view, group, wide, first))),
        };
        let faces = view.groups().iter().map(faces).collect();
        let classes = view.edge_classes().filter(|(_, of)| !of.is_empty());
        let edges = classes.map(|(longest, of)| (self.meshes.add(build::line_mesh(&view, of, wide)), longest)).collect();
        self.assets.cells.levels.insert((fresh.cell, fresh.level), Level { faces, edges });
    }

    /// Puts the finest level of a cell that is here into the world, in place of whatever was drawn of it.
    fn draw(&mut self, stage: &Stage, cell: u32) {
        let finest = stage.scene.finest(cell);
        if self.assets.cells.drawn.get(&cell).map(|(level, _)| *level) == finest {
            return;
        }
        if let Some((_, entities)) = self.assets.cells.drawn.remove(&cell) {
            entities.into_iter().for_each(|entity| self.commands.entity(entity).despawn());
        }
        let index = stage.index();
        let (Some(level), Some(info)) = (finest, index.cell(cell)) else { return };
        let Some(made) = self.assets.cells.levels.remove(&(cell, level)) else { return };
        let place = Placing::of(index, info, index.first_slot(cell));
        let mut entities = Vec::new();
        for faces in &made.faces {
            let drawing = Drawing::of(index, info, faces.class);
            match &faces.full {
                Some(full) => {
                    let material = self.high_material(drawing);
                    entities.push(self.commands.spawn((Mesh3d(full.clone()), MeshMaterial3d(material), place.bundle())).id());
                }
                None => {
                    let material = self.material(drawing);
                    let mesh = Mesh3d(faces.slim.clone());
                    entities.push(self.commands.spawn((mesh, MeshMaterial3d(material), place.bundle())).id());
                }
            }
            let ghosts = self.material(Drawing { kind: PartKind::Ghosts, image: None, ..drawing });
            let ghosts = (Mesh3d(faces.slim.clone()), MeshMaterial3d(ghosts), place.bundle(), detail::Ghosts, Visibility::Hidden);
            entities.push(self.commands.spawn(ghosts).id());
        }
        for (mesh, longest) in &made.edges {
            let edges = self.material(Drawing { kind: PartKind::Edges, double_sided: true, image: None });
            let seen = detail::Edges { longest: *longest, bounds: info.bounds };
            entities.push(self.commands.spawn((Mesh3d(mesh.clone()), MeshMaterial3d(edges), place.bundle(), seen)).id());
        }
        self.assets.cells.levels.insert((cell, level), made);
        self.assets.cells.drawn.insert(cell, (level, entities));
    }

    fn put(&mut self, what: impl Bundle) {
        let entity = self.commands.spawn(what).id();
        self.assets.spawned.push(entity);
    }

    fn look(&self) -> Look {
        detail::with_beat(look(self.around, self.assets.floor), self.assets.beat)
    }

    /// The image of a drawing. Until it is here, and where it can't be read, the plain colour shows.
    fn image(&self, drawing: Drawing) -> Handle<Image> {
        let here = drawing.image.and_then(|image| self.assets.cells.images.get(&image));
        here.unwrap_or(&self.assets.white).clone()
    }

    /// The one material of a drawing.
    fn material(&mut self, drawing: Drawing) -> Handle<PartMaterial> {
        if let Some(handle) = self.assets.cells.slim.get(&drawing) {
            return handle.clone();
        }
        let handle = self.materials.add(PartMaterial {
            look: self.look(),
            palette: self.assets.palette.clone(),
            shadow: self.assets.shadow.clone(),
            image: self.image(drawing),
            kind: drawing.kind,
            double_sided: drawing.double_sided,
        });
        self.assets.parts.push(handle.clone());
        self.assets.cells.slim.insert(drawing, handle.clone());
        handle
    }

    /// The same of the high tier.
    fn high_material(&mut self, drawing: Drawing) -> Handle<HighMaterial> {
        if let Some(handle) = self.assets.cells.high.get(&drawing) {
            return handle.clone();
        }
        let (blended, image) = (drawing.kind == PartKind::Blended, drawing.image.map(|_| self.image(drawing)));
        let made = high::material(blended, drawing.double_sided, image, self.look(), self.assets.palette.clone());
        let handle = self.high.add(made);
        self.assets.high.push(handle.clone());
        self.assets.cells.high.insert(drawing, handle.clone());
        handle
    }

    /// Takes in an image, and shows it in the materials that wait for it.
    fn picture(&mut self, index: &Index, image: u32, bytes: &[u8]) {
        let mime = index.images.get(image as usize).map_or("", |info| info.mime);
        let Some(picture) = build::picture(bytes, mime) else {
            tracing::warn!("image {image} of the scene can't be read");
            return;
        };
        let handle = self.images.add(picture);
        let cells = &mut self.assets.cells;
        for (_, slim) in cells.slim.iter().filter(|(drawing, _)| drawing.image == Some(image)) {
            if let Some(mut made) = self.materials.get_mut(slim) {
                made.image = handle.clone();
            }
        }
        for (_, high) in cells.high.iter().filter(|(drawing, _)| drawing.image == Some(image)) {
            if let Some(mut made) = self.high.get_mut(high) {
                made.base.base_color_texture = Some(handle.clone());
            }
        }
        cells.images.insert(image, handle);
    }

    /// Bakes the floor's shadow from what is here, once everything that was asked for is. True where it is another than before.
    pub fn bake_floor(&mut self, stage: &Stage) -> bool {
        let triangles = stage.scene.triangle_count();
        let baked = self.assets.cells.baked;
        if !stage.asked_for_nothing() || baked.is_some_and(|before| before == triangles || triangles > BAKED_TRIANGLES) {
            return false;
        }
        self.assets.cells.baked = Some(triangles);
        let baked = shadow::bake(&stage.scene);
        let side = shadow::SIZE as u32;
        let mut image = Image::new(
            Extent3d { width: side, height: side, depth_or_array_layers: 1 },
            TextureDimension::D2,
            baked.texels,
            TextureFormat::R8Unorm,
            RenderAssetUsages::RENDER_WORLD,
        );
        image.sampler = ImageSampler::linear();
        self.assets.shadow = self.images.add(image);
        self.assets.floor = Vec4::new(baked.centre[0], baked.centre[1], baked.extent, FLOOR_SHADE);
        let look = self.look();
        for handle in &self.assets.parts {
            if let Some(mut material) = self.materials.get_mut(handle) {
                material.look = look;
                material.shadow = self.assets.shadow.clone();
            }
        }
        true
    }
}

/// Where a cell stands: from its lattice to the scene's space.
struct Placing {
    transform: Transform,
    bounds: Aabb,
    tag: MeshTag,
}

impl Placing {
    fn of(index: &Index, info: &CellInfo, first_slot: u32) -> Self {
        let step = info.grid.step() as f32;
        let origin = (info.grid.origin - index.origin).as_vec3();
        let local = |place: Vec3| (place - origin) / step;
        Self {
            transform: Transform::from_translation(origin).with_scale(Vec3::splat(step)),
            bounds: Aabb::from_min_max(local(info.bounds.min), local(info.bounds.max)),
            tag: MeshTag(first_slot),
        }
    }

    fn bundle(&self) -> impl Bundle + use<> {
        (self.transform, self.bounds, self.tag.clone())
    }
}
