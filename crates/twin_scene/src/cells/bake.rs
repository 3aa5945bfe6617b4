//! Gathers the triangles of a cell: vertices where they stand, materials in them, near triangles next to each other.

use std::collections::BTreeMap;

use glam::{DVec3, Vec3};

use super::block::MOST_VERTICES;
use super::bytes::number;
use super::class::CellClass;
use super::fragments::{Fragment, Pieces, code, firsts, mesh_of};
use super::looks::Looks;
use super::shape::{RawGroup, Shape, Vertex};
use crate::geometry::{Aabb, Material, Mesh, Primitive};
use crate::merge::{Baker, Class, Item, Part, PartIndex, Placed, plain_class};

/// Fewer triangles of one part are near enough to each other as they come.
const FEW: usize = 16;

/// A cell's geometry at full detail.
pub(super) struct Baked {
    pub(super) shape: Shape,
    /// Ascending; vertices name them by position.
    pub(super) parts: Vec<PartIndex>,
    /// Numbers of textured materials in the scene; groups name them by position.
    pub(super) materials: Vec<u32>,
    /// Around the vertices of each part, in the site's space.
    pub(super) boxes: Vec<[DVec3; 2]>,
}

impl Baked {
    /// Diagonal of a fragment's part, or less.
    pub(super) fn size_of(&self, fragment: &Fragment) -> f64 {
        let own = self.parts.binary_search(&PartIndex(fragment.part)).ok().and_then(|at| self.boxes.get(at));
        match own {
            Some([min, max]) if fragment.is_whole() => (*max - *min).max(DVec3::ZERO).length(),
            // The box of a turned part may be larger than the part by the square root of three.
            _ => f64::from(fragment.size) / 3f64.sqrt(),
        }
    }
}

/// Makes cells of one scene, one after the other.
pub(super) struct Kitchen<'a> {
    pub(super) placed: &'a [Placed],
    pub(super) parts: &'a [Part],
    pub(super) pieces: &'a BTreeMap<u32, Pieces>,
    pub(super) looks: Looks<'a>,
    /// Where a primitive's vertex went in the open group; entries of other primitives are recognised by their stamp.
    places: Vec<(u32, u16)>,
    stamp: u32,
}

/// One primitive of one fragment.
struct Portion<'a> {
    class: CellClass,
    plain: Class,
    fragment: &'a Fragment,
    primitive: usize,
    /// Near ones next to each other.
    triangles: Vec<u32>,
}

impl<'a> Kitchen<'a> {
    pub(super) fn new(placed: &'a [Placed], parts: &'a [Part], pieces: &'a BTreeMap<u32, Pieces>) -> Self {
        Self { placed, parts, pieces, looks: Looks::default(), places: Vec::new(), stamp: 0 }
    }

    /// The fragments of a cell, near ones next to each other, whatever order they come in.
    pub(super) fn in_order(cell: &[Fragment]) -> Vec<&Fragment> {
        let bounds = cell.iter().fold(Aabb::EMPTY, |all, fragment| all.union(&fragment.bounds));
        let mut ordered: Vec<&Fragment> = cell.iter().collect();
        let start = |fragment: &Fragment| fragment.range.as_ref().map_or(0, |range| range.start);
        ordered.sort_by_cached_key(|fragment| (code(&bounds, fragment.bounds.center()), fragment.part, start(fragment)));
        ordered
    }

    /// Gathers the triangles of a cell.
    pub(super) fn bake(&mut self, ordered: &[&Fragment]) -> Baked {
        let mut parts: Vec<PartIndex> = ordered.iter().map(|fragment| PartIndex(fragment.part)).collect();
        parts.sort_unstable();
        parts.dedup();
        let mut materials = Vec::new();
        let mut portions = Vec::new();
        for &fragment in ordered {
            self.portions(fragment, &mut materials, &mut portions);
        }
        // Stable: within a class the fragments stay in order.
        portions.sort_by_key(|portion| portion.class);
        let mut baked = Baked {
            shape: Shape { parts: parts.len(), ..Shape::default() },
            boxes: vec![[DVec3::INFINITY, DVec3::NEG_INFINITY]; parts.len()],
            parts,
            materials,
        };
        for portion in &portions {
            self.append(portion, &mut baked);
        }
        baked
    }

    fn portions<'f>(&mut self, fragment: &'f Fragment, materials: &mut Vec<u32>, out: &mut Vec<Portion<'f>>) {
        let (all, parts) = (self.placed, self.parts);
        let Some(part) = parts.get(fragment.part as usize) else { return };
        let (Some(mesh), Some(placed)) = (mesh_of(all, part), all.get(part.asset as usize)) else { return };
        for (at, triangles) in self.triangles(fragment, mesh) {
            let Some(primitive) = mesh.primitives.get(at) else { continue };
            let fallback = Material::default();
            let material = primitive.material.and_then(|at| placed.model.materials.get(at)).unwrap_or(&fallback);
            let plain = plain_class(primitive, material);
            let image = primitive.material.filter(|_| material.base_color_image.is_some() && !primitive.uvs.is_empty());
            let class = match (image.and_then(|at| self.looks.material(placed, at)), plain) {
                (Some(number), _) => CellClass::Textured { material: local(materials, number) },
                (None, Class::Blend { double_sided }) => CellClass::Blend { double_sided },
                (None, Class::Opaque { double_sided }) => CellClass::Opaque { double_sided },
                (None, Class::Textured { .. }) => CellClass::Opaque { double_sided: material.double_sided },
            };
            out.push(Portion { class, plain, fragment, primitive: at, triangles });
        }
    }

    fn append(&mut self, portion: &Portion<'_>, baked: &mut Baked) {
        let (all, parts) = (self.placed, self.parts);
        let Some(part) = parts.get(portion.fragment.part as usize) else { return };
        let (Some(mesh), Some(placed)) = (mesh_of(all, part), all.get(part.asset as usize)) else { return };
        let (Some(primitive), Some(node)) = (mesh.primitives.get(portion.primitive), placed.model.nodes.get(part.node as usize))
        else {
            return;
        };
        let index = PartIndex(portion.fragment.part);
        let Ok(own) = baked.parts.binary_search(&index) else { return };
        let fallback = Material::default();
        let material = primitive.material.and_then(|at| placed.model.materials.get(at)).unwrap_or(&fallback);
        let class = match portion.class {
            CellClass::Textured { .. } => Class::Textured { asset: part.asset, material: 0 },
            _ => portion.plain,
        };
        let item = Item { class, part: index, primitive, material, first: 0 };
        // From the site's origin, not from the plan's: the cell is the same wherever the rest of the scene lies.
        let baker = Baker::new(&(placed.transform * node.world), item);
        self.places.resize(self.places.len().max(primitive.positions.len()), (0, 0));
        let mut open = Open { class: portion.class, part: u16::try_from(own).unwrap_or(u16::MAX), baker, started: false };
        for at in &portion.triangles {
            if let Some(corners) = primitive.indices.get(*at as usize * 3..*at as usize * 3 + 3) {
                self.triangle(&mut open, corners, baked);
            }
        }
        baked.shape.groups.last_mut().into_iter().for_each(RawGroup::close_run);
    }

    /// Triangles of the fragment by primitive, near ones next to each other.
    fn triangles(&self, fragment: &Fragment, mesh: &Mesh) -> BTreeMap<usize, Vec<u32>> {
        let Some(range) = &fragment.range else {
            return mesh.primitives.iter().map(by_place).enumerate().collect();
        };
        let firsts = firsts(mesh);
        let order = self.pieces.get(&fragment.part).map(|pieces| pieces.order.as_slice()).unwrap_or_default();
        let mut own: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for at in order.get(range.start as usize..range.end as usize).unwrap_or_default() {
            let primitive = firsts.partition_point(|first| first <= at).saturating_sub(1);
            let first = firsts.get(primitive).copied().unwrap_or_default();
            own.entry(primitive).or_default().push(at - first);
        }
        own
    }

    fn triangle(&mut self, open: &mut Open<'_>, corners: &[u32], baked: &mut Baked) {
        let &[a, b, c] = corners else { return };
        let groups = &mut baked.shape.groups;
        let room = |group: &RawGroup| group.class == open.class && group.vertices.len() + 3 <= MOST_VERTICES;
        if !groups.last().is_some_and(room) {
            groups.last_mut().into_iter().for_each(RawGroup::close_run);
            groups.push(RawGroup::new(open.class));
            open.started = false;
        }
        let Some(group) = groups.last_mut() else { return };
        if !open.started {
            // Vertices of the group before, or of another primitive, are not this one's.
            open.started = true;
            self.next_stamp();
            group.open_run(open.part);
        }
        for corner in if open.baker.mirrored { [a, c, b] } else { [a, b, c] } {
            let Some(place) = self.places.get_mut(corner as usize) else { continue };
            if place.0 != self.stamp {
                *place = (self.stamp, u16::try_from(group.vertices.len()).unwrap_or(u16::MAX));
                let made = open.baker.vertex(corner as usize);
                if let Some([min, max]) = baked.boxes.get_mut(usize::from(open.part)) {
                    (*min, *max) = (min.min(made.position), max.max(made.position));
                }
                group.vertices.push(Vertex {
                    at: made.position,
                    normal: made.normal,
                    color: made.color,
                    surface: made.surface,
                    uv: made.uv.map(|value| if value.is_finite() { value } else { 0.0 }),
                    part: open.part,
                });
            }
            group.indices.push(place.1);
        }
    }

    fn next_stamp(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.places.fill((0, 0));
            self.stamp = 1;
        }
    }
}

/// The primitive that is being appended.
struct Open<'a> {
    class: CellClass,
    part: u16,
    baker: Baker<'a>,
    started: bool,
}

/// All triangles of a primitive.
fn by_place(primitive: &Primitive) -> Vec<u32> {
    let mut all: Vec<u32> = (0..number(primitive.triangle_count())).collect();
    if all.len() > FEW {
        let bounds = primitive.bounds();
        let middle = |at: u32| primitive.triangle(at as usize).unwrap_or_default().map(Vec3::from);
        all.sort_by_cached_key(|at| (code(&bounds, middle(*at).into_iter().sum::<Vec3>() / 3.0), *at));
    }
    all
}

/// The cell's own number of a material.
fn local(materials: &mut Vec<u32>, number: u32) -> u16 {
    let at = materials.iter().position(|known| *known == number).unwrap_or_else(|| {
        materials.push(number);
        materials.len() - 1
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}
