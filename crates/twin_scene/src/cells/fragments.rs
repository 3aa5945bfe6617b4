//! What is put into cells: whole parts, and pieces of parts that are too large for one.

use std::collections::BTreeMap;
use std::ops::Range;

use glam::{DMat4, Vec3};

use super::CellSettings;
use super::bytes::number;
use crate::geometry::{Aabb, Mesh};
use crate::merge::{Part, Placed};

/// A part, or some of its triangles.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fragment {
    /// Position in the list of parts.
    pub(super) part: u32,
    /// Which of [`Pieces::order`]; `None` for a whole part.
    pub(super) range: Option<Range<u32>>,
    pub(super) triangles: u32,
    /// At most.
    pub(super) vertices: u32,
    /// In the plan's space; may be larger than the fragment.
    pub(super) bounds: Aabb,
    /// Diagonal of the part.
    pub(super) size: f32,
}

impl Fragment {
    pub(super) fn is_whole(&self) -> bool {
        self.range.is_none()
    }
}

/// How a large part was cut.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Triangles of the part, near ones next to each other.
    pub(super) order: Vec<u32>,
    bounds: Aabb,
    /// Place code of the first triangle of each fragment, and its position in `order`.
    starts: Vec<(u64, u32)>,
}

impl Pieces {
    /// Whether a place belongs to the fragment: edges go where the triangles around them are.
    pub(super) fn owns(&self, fragment: &Fragment, place: Vec3) -> bool {
        let Some(range) = &fragment.range else { return true };
        let code = code(&self.bounds, place);
        let after = self.starts.partition_point(|(start, _)| *start <= code);
        self.starts.get(after.saturating_sub(1)).is_some_and(|(_, start)| *start == range.start)
    }
}

/// What there is to put into cells.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    pub(super) all: Vec<Fragment>,
    pub(super) pieces: BTreeMap<u32, Pieces>,
    /// Parts for which there was no room.
    pub(super) left_out: usize,
}

impl Fragments {
    pub(super) fn of(placed: &[Placed], parts: &[Part], settings: &CellSettings) -> Self {
        let mut fragments = Self::default();
        let mut triangles = 0u64;
        for (at, part) in (0u32..).zip(parts) {
            let Some(mesh) = mesh_of(placed, part) else { continue };
            triangles += u64::from(part.triangles);
            if triangles > settings.max_triangles {
                triangles -= u64::from(part.triangles);
                fragments.left_out += 1;
                continue;
            }
            let vertices = mesh.primitives.iter().map(|own| own.positions.len().min(own.indices.len())).sum();
            let whole = Fragment {
                part: at,
                range: None,
                triangles: part.triangles,
                vertices: number(vertices),
                bounds: part.bounds,
                size: part.bounds.radius() * 2.0,
            };
            if part.triangles > settings.cell_triangles() / 2 || whole.vertices > settings.cell_vertices() / 2 {
                fragments.cut(&whole, mesh, &part.world, settings.cell_triangles() / 4);
            } else {
                fragments.all.push(whole);
            }
        }
        fragments
    }

    fn cut(&mut self, whole: &Fragment, mesh: &Mesh, world: &DMat4, length: u32) {
        let place = |corner: [f32; 3]| world.transform_point3(Vec3::from(corner).as_dvec3()).as_vec3();
        let middle = |corners: [[f32; 3]; 3]| corners.into_iter().map(place).sum::<Vec3>() / 3.0;
        let numbered = (0u32..).zip(corners(mesh));
        let mut codes: Vec<(u64, u32)> = numbered.map(|(at, corners)| (code(&whole.bounds, middle(corners)), at)).collect();
        codes.sort_unstable();
        let ranges = octants(&codes, length.max(1) as usize);
        let starts = ranges.iter().filter_map(|range| Some((codes.get(range.start)?.0, number(range.start)))).collect();
        let order: Vec<u32> = codes.into_iter().map(|(_, at)| at).collect();
        let firsts = firsts(mesh);
        for range in ranges {
            let own = order.get(range.clone()).unwrap_or_default();
            let corners = own.iter().flat_map(|at| triangle(mesh, &firsts, *at)).map(place);
            self.all.push(Fragment {
                range: Some(number(range.start)..number(range.end)),
                triangles: number(range.len()),
                vertices: whole.vertices.min(number(range.len()).saturating_mul(3)),
                bounds: Aabb::of_points(corners),
                ..whole.clone()
            });
        }
        self.pieces.insert(whole.part, Pieces { order, bounds: whole.bounds, starts });
    }
}

/// Cuts sorted codes between octants, in halves of them and so on, until none has more than `most`.
fn octants(codes: &[(u64, u32)], most: usize) -> Vec<Range<usize>> {
    let mut done = Vec::new();
    let mut open = vec![(0, codes.len())];
    while let Some((start, end)) = open.pop() {
        let range = start..end;
        let own = codes.get(range.clone()).unwrap_or_default();
        let (Some((first, _)), Some((last, _))) = (own.first(), own.last()) else { continue };
        if own.len() <= most {
            done.push(range);
            continue;
        }
        // The highest bit in which they differ parts them; where all are in one place, their number does.
        let middle = match (first ^ last).checked_ilog2() {
            Some(bit) => own.partition_point(|(code, _)| code >> bit & 1 == 0),
            None => most,
        };
        open.extend([(start + middle, end), (start, start + middle)]);
    }
    done
}

/// The mesh of a part.
pub(super) fn mesh_of<'a>(placed: &'a [Placed], part: &Part) -> Option<&'a Mesh> {
    let placed = placed.get(part.asset as usize)?;
    placed.model.meshes.get(placed.model.nodes.get(part.node as usize)?.mesh?)
}

/// Number of the first triangle of each primitive.
pub(super) fn firsts(mesh: &Mesh) -> Vec<u32> {
    let mut next = 0;
    let numbers = mesh.primitives.iter().map(|primitive| {
        let first = next;
        next += number(primitive.triangle_count());
        first
    });
    numbers.collect()
}

fn triangle(mesh: &Mesh, firsts: &[u32], at: u32) -> [[f32; 3]; 3] {
    let primitive = firsts.partition_point(|first| *first <= at).saturating_sub(1);
    let first = firsts.get(primitive).copied().unwrap_or_default();
    mesh.primitives.get(primitive).and_then(|own| own.triangle((at - first) as usize)).unwrap_or_default()
}

fn corners(mesh: &Mesh) -> impl Iterator<Item = [[f32; 3]; 3]> {
    let each = mesh.primitives.iter().flat_map(|primitive| (0..primitive.triangle_count()).map(|at| primitive.triangle(at)));
    each.map(Option::unwrap_or_default)
}

/// Morton code of a place in a box, 21 bits an axis: near places have near codes.
pub(super) fn code(bounds: &Aabb, place: Vec3) -> u64 {
    const MOST: f32 = 2_097_151.0;
    let size = bounds.size().max(Vec3::splat(f32::MIN_POSITIVE));
    let at = ((place - bounds.min) / size).clamp(Vec3::ZERO, Vec3::ONE) * MOST;
    spread(at.x as u64) | spread(at.y as u64) << 1 | spread(at.z as u64) << 2
}

/// 21 bits, two zeros between each.
fn spread(value: u64) -> u64 {
    let steps = [(32, 0x1f_0000_0000_ffff), (16, 0x1f_0000_ff00_00ff), (8, 0x100f_00f0_0f00_f00f), (4, 0x10c3_0c30_c30c_30c3)];
    let spread = steps.into_iter().fold(value & 0x1f_ffff, |value, (shift, mask)| (value | value << shift) & mask);
    (spread | spread << 2) & 0x1249_2492_4924_9249
}
