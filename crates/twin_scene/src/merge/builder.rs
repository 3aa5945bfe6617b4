//! Appends parts to chunks: transforms vertices, bakes materials into them, opens a new chunk when one is full.

use glam::{DMat3, DMat4, DVec3, Mat3, Vec3};

use super::{Chunk, Class, EDGE_CLASSES, LineChunk, LinePiece, MAX_LINE_VERTICES, Part, PartIndex, Piece, UNLIT};
use crate::geometry::{Aabb, AlphaMode, Material, Primitive};
use crate::srgb;

/// One primitive of one part, to be appended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) class: Class,
    pub(crate) part: PartIndex,
    pub(crate) primitive: &'a Primitive,
    pub(crate) material: &'a Material,
    /// Number of the primitive's first triangle in the part's order.
    pub(crate) first: u32,
}

/// Which class a primitive belongs to.
pub(super) fn class(asset: u32, primitive: &Primitive, material: &Material) -> Class {
    if let (Some(_), Some(index), false) = (material.base_color_image, primitive.material, primitive.uvs.is_empty()) {
        return Class::Textured { asset, material: u32::try_from(index).unwrap_or(u32::MAX) };
    }
    plain_class(primitive, material)
}

/// Which class a primitive belongs to when its image is not looked at.
pub(crate) fn plain_class(primitive: &Primitive, material: &Material) -> Class {
    let double_sided = material.double_sided;
    // Many exporters say BLEND for everything: what is fully opaque need not be sorted and blended.
    let see_through = material.base_color[3] < 0.999 || primitive.colors.iter().any(|color| color[3] < 0.999);
    if material.alpha == AlphaMode::Blend && see_through { Class::Blend { double_sided } } else { Class::Opaque { double_sided } }
}

/// Grows the list of chunks.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) chunks: Vec<Chunk>,
    pub(super) lines: Vec<LineChunk>,
    /// The open line chunk of each length class, as a position in `lines`.
    open_lines: [Option<usize>; EDGE_CLASSES.len()],
    max_vertices: usize,
    /// Where a primitive's vertex went in the open chunk; entries of other primitives are recognised by their stamp.
    placed: Vec<(u32, u32)>,
    stamp: u32,
}

impl Builder {
    pub(super) fn new(max_vertices: usize) -> Self {
        Self {
            chunks: Vec::new(),
            lines: Vec::new(),
            open_lines: [None; EDGE_CLASSES.len()],
            max_vertices: max_vertices.max(3),
            placed: Vec::new(),
            stamp: 0,
        }
    }

    /// Appends a primitive to the open chunk of its class, or to new ones, and returns its bounds. Items must come sorted
    /// by class.
    pub(super) fn add(&mut self, item: Item<'_>, part: &mut Part) -> Aabb {
        let count = item.primitive.positions.len();
        let fits = |chunk: &Chunk| chunk.class == item.class && chunk.positions.len() + count <= self.max_vertices;
        if !self.chunks.last().is_some_and(fits) {
            self.open(item.class);
        }
        self.placed.resize(self.placed.len().max(count), (0, 0));
        self.next_stamp();
        let vertex = Baker::new(&part.world, item);
        let mut start = self.triangles_in_open_chunk();
        let mut bounds = Aabb::EMPTY;
        let mut first = item.first;
        for corners in item.primitive.indices.chunks_exact(3) {
            let full = self.chunks.last().is_none_or(|chunk| chunk.positions.len() + 3 > self.max_vertices);
            if full && count > self.max_vertices {
                first += self.close_piece(item, part, start, first);
                self.open(item.class);
                self.next_stamp();
                start = 0;
            }
            self.triangle(corners, &vertex, &mut bounds);
        }
        self.close_piece(item, part, start, first);
        bounds
    }

    fn next_stamp(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.placed.fill((0, 0));
            self.stamp = 1;
        }
    }

    fn open(&mut self, class: Class) {
        self.chunks.push(Chunk {
            class,
            positions: Vec::new(),
            normals: Vec::new(),
            colors: Vec::new(),
            surfaces: Vec::new(),
            parts: Vec::new(),
            uvs: Vec::new(),
            indices: Vec::new(),
            bounds: Aabb::EMPTY,
            runs: Vec::new(),
        });
    }

    fn triangles_in_open_chunk(&self) -> u32 {
        self.chunks.last().map_or(0, |chunk| u32::try_from(chunk.triangle_count()).unwrap_or(u32::MAX))
    }

    fn triangle(&mut self, corners: &[u32], vertex: &Baker<'_>, bounds: &mut Aabb) {
        let Some(chunk) = self.chunks.last_mut() else { return };
        let &[a, b, c] = corners else { return };
        let corners = if vertex.mirrored { [a, c, b] } else { [a, b, c] };
        for corner in corners {
            let Some(place) = self.placed.get_mut(corner as usize) else { return };
            if place.0 != self.stamp {
                *place = (self.stamp, u32::try_from(chunk.positions.len()).unwrap_or(u32::MAX));
                bounds.add(vertex.push(chunk, corner as usize));
            }
            chunk.indices.push(place.1);
        }
    }

    /// Records the triangles from `start` on as a piece of the part; returns how many they are.
    fn close_piece(&mut self, item: Item<'_>, part: &mut Part, start: u32, first: u32) -> u32 {
        let end = self.triangles_in_open_chunk();
        let number = u32::try_from(self.chunks.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let Some(chunk) = self.chunks.last_mut().filter(|_| end > start) else { return 0 };
        if chunk.runs.last().is_none_or(|(_, last)| *last != item.part) {
            chunk.runs.push((start, item.part));
        }
        match part.pieces.last_mut() {
            Some(piece) if piece.chunk == number && piece.triangles.end == start && joins(piece, first) => {
                piece.triangles.end = end;
            }
            _ => part.pieces.push(Piece { chunk: number, triangles: start..end, first }),
        }
        end - start
    }

    /// Appends a part's edges, already in the plan's space, to the open line chunks of their lengths, or to new ones.
    pub(super) fn add_lines(&mut self, index: PartIndex, part: &mut Part, edges: &[[Vec3; 2]]) {
        let most = MAX_LINE_VERTICES.min(self.max_vertices) / 2 * 2;
        for (class, longest) in EDGE_CLASSES.into_iter().enumerate() {
            for edge in edges.iter().filter(|edge| edge_class(edge) == class) {
                let number = self.line_chunk(class, longest, most);
                let Some(chunk) = self.lines.get_mut(number) else { return };
                let at = u32::try_from(chunk.positions.len()).unwrap_or(u32::MAX);
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                for &position in edge {
                    chunk.bounds.add(position);
                    chunk.positions.push(position.to_array());
                    chunk.parts.push(index.0);
                }
                match part.lines.last_mut() {
                    Some(piece) if piece.chunk == number && piece.vertices.end == at => piece.vertices.end = at + 2,
                    _ => part.lines.push(LinePiece { chunk: number, vertices: at..at + 2 }),
                }
            }
        }
    }

    /// Position of the open line chunk of a class that takes one more edge.
    fn line_chunk(&mut self, class: usize, longest: f32, most: usize) -> usize {
        let open = self.open_lines.get(class).copied().flatten();
        let room = |at: usize| self.lines.get(at).is_some_and(|chunk| chunk.positions.len() + 2 <= most);
        if let Some(at) = open.filter(|at| room(*at)) {
            return at;
        }
        let at = self.lines.len();
        self.lines.push(LineChunk { longest, ..LineChunk::default() });
        if let Some(open) = self.open_lines.get_mut(class) {
            *open = Some(at);
        }
        at
    }
}

/// Position in [`EDGE_CLASSES`] of the first bound that is not below the edge's length.
fn edge_class([a, b]: &[Vec3; 2]) -> usize {
    class_of_length(a.distance(*b))
}

/// Position in [`EDGE_CLASSES`] of edges of that length.
pub(crate) fn class_of_length(length: f32) -> usize {
    EDGE_CLASSES.iter().position(|longest| length <= *longest).unwrap_or(EDGE_CLASSES.len() - 1)
}

fn joins(piece: &Piece, first: u32) -> bool {
    piece.first + (piece.triangles.end - piece.triangles.start) == first
}

/// Makes the vertices of one primitive of one part.
pub(crate) struct Baker<'a> {
    item: Item<'a>,
    world: DMat4,
    normal: Mat3,
    /// Whether corners must change places, so that triangles still face outwards.
    pub(crate) mirrored: bool,
    plain: [u8; 4],
    surface: [u8; 4],
}

/// A vertex where it stands, with its material in it.
pub(crate) struct Baked {
    pub(crate) position: DVec3,
    pub(crate) normal: Vec3,
    pub(crate) color: [u8; 4],
    pub(crate) surface: [u8; 4],
    pub(crate) uv: [f32; 2],
}

impl<'a> Baker<'a> {
    pub(crate) fn new(world: &DMat4, item: Item<'a>) -> Self {
        let linear = DMat3::from_mat4(*world).as_mat3();
        let mirrored = linear.determinant() < 0.0;
        let material = item.material;
        let glow = material.emissive.into_iter().fold(0.0, f32::max);
        let flags = if material.unlit { UNLIT } else { 0 };
        let surface = [byte(material.roughness), byte(material.metallic), byte(glow), flags];
        Self { item, world: *world, normal: cofactors(linear, mirrored), mirrored, plain: color(item, [1.0; 4]), surface }
    }

    /// One vertex of the primitive.
    pub(crate) fn vertex(&self, at: usize) -> Baked {
        let primitive = self.item.primitive;
        let local = primitive.positions.get(at).copied().map_or(Vec3::ZERO, Vec3::from);
        let normal = self.normal * primitive.normals.get(at).copied().map_or(Vec3::Y, Vec3::from);
        Baked {
            position: self.world.transform_point3(local.as_dvec3()),
            normal: unit(normal),
            color: primitive.colors.get(at).map_or(self.plain, |tint| color(self.item, *tint)),
            surface: self.surface,
            uv: primitive.uvs.get(at).copied().unwrap_or_default(),
        }
    }

    /// Appends a vertex and returns its position.
    fn push(&self, chunk: &mut Chunk, at: usize) -> Vec3 {
        let vertex = self.vertex(at);
        let position = vertex.position.as_vec3();
        chunk.bounds.add(position);
        chunk.positions.push(position.to_array());
        chunk.normals.push(vertex.normal.to_array());
        chunk.colors.push(vertex.color);
        chunk.surfaces.push(vertex.surface);
        chunk.parts.push(self.item.part.0);
        if matches!(self.item.class, Class::Textured { .. }) {
            chunk.uvs.push(vertex.uv);
        }
        position
    }
}

/// Normals transform by the cofactors of the matrix; unlike the inverse transpose they exist for flattening matrices too.
fn cofactors(linear: Mat3, mirrored: bool) -> Mat3 {
    let Mat3 { x_axis: x, y_axis: y, z_axis: z } = linear;
    let all = Mat3::from_cols(y.cross(z), z.cross(x), x.cross(y));
    if mirrored { -all } else { all }
}

/// Unit length; scaled first, because cofactors of millimetre models are of the order 1e-6 and their squares vanish.
fn unit(normal: Vec3) -> Vec3 {
    let scale = normal.abs().max_element();
    if scale > 0.0 && scale.is_finite() { (normal / scale).normalize() } else { Vec3::Y }
}

fn color(item: Item<'_>, tint: [f32; 4]) -> [u8; 4] {
    let [r, g, b, a] = item.material.base_color;
    let [er, eg, eb] = item.material.emissive;
    // What glows shows the colour of its light: a lamp's base colour is often black.
    let encode = |base: f32, tint: f32, glow: f32| byte(srgb::encode((base * tint).max(glow)));
    let alpha = if matches!(item.class, Class::Opaque { .. }) { 255 } else { byte(a * tint[3]) };
    [encode(r, tint[0], er), encode(g, tint[1], eg), encode(b, tint[2], eb), alpha]
}

/// `0..=1` in 255ths; saturates.
fn byte(value: f32) -> u8 {
    (value * 255.0 + 0.5) as u8
}
