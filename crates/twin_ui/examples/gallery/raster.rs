//! A small software rasteriser for egui's meshes: textured triangles, premultiplied alpha, gamma-space blending.

use std::collections::HashMap;
use std::path::Path;

use egui::epaint::{ImageData, Primitive, Vertex};
use egui::{ClippedPrimitive, TextureId, TexturesDelta};

struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Texture {
    fn at(&self, x: isize, y: isize) -> [f32; 4] {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// Bilinear.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.width as f32 - 0.5, v * self.height as f32 - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as isize, y0 as isize);
        let (a, b, c, d) = (self.at(x0, y0), self.at(x0 + 1, y0), self.at(x0, y0 + 1), self.at(x0 + 1, y0 + 1));
        std::array::from_fn(|i| (a[i] * (1.0 - fx) + b[i] * fx) * (1.0 - fy) + (c[i] * (1.0 - fx) + d[i] * fx) * fy)
    }
}

/// A picture that is being painted.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
    textures: HashMap<TextureId, Texture>,
}

impl Canvas {
    /// A black picture.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 3]; width * height], textures: HashMap::new() }
    }

    /// Black again.
    pub(crate) fn clear(&mut self) {
        self.pixels.fill([0.0; 3]);
    }

    /// Takes over what changed in the textures.
    pub(crate) fn textures(&mut self, mut delta: TexturesDelta) {
        let changes = std::mem::take(&mut delta.set)
            .into_iter()
            .flat_map(|(id, changes)| changes.into_iter().map(move |change| (id, change)));
        for (id, change) in changes {
            let ImageData::Color(image) = &change.image;
            let pixels: Vec<[f32; 4]> = image.pixels.iter().map(|c| c.to_array().map(|v| f32::from(v) / 255.0)).collect();
            let [width, height] = image.size;
            match (change.pos, self.textures.get_mut(&id)) {
                (Some([left, top]), Some(texture)) => {
                    for (row, line) in pixels.chunks(width.max(1)).enumerate() {
                        let from = (top + row) * texture.width + left;
                        texture.pixels[from..from + width].copy_from_slice(line);
                    }
                }
                _ => drop(self.textures.insert(id, Texture { width, height, pixels })),
            }
        }
        delta.free.clear();
    }

    /// Paints one mesh.
    pub(crate) fn draw(&mut self, primitive: &ClippedPrimitive, scale: f32) {
        let Primitive::Mesh(mesh) = &primitive.primitive else { return };
        let Some(texture) = self.textures.get(&mesh.texture_id) else { return };
        let clip = primitive.clip_rect * scale;
        let edge = |v: f32, most: usize| (v.round().max(0.0) as usize).min(most);
        let bounds = [
            edge(clip.left(), self.width),
            edge(clip.top(), self.height),
            edge(clip.right(), self.width),
            edge(clip.bottom(), self.height),
        ];
        for triangle in mesh.indices.chunks_exact(3) {
            let corners = [0, 1, 2].map(|nth| mesh.vertices[triangle[nth] as usize]);
            fill(&mut self.pixels, self.width, bounds, corners, texture, scale);
        }
    }

    /// Writes a PNG.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let bytes: Vec<u8> = self.pixels.iter().flatten().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let mut writer = encoder.write_header().map_err(std::io::Error::other)?;
        writer.write_image_data(&bytes).map_err(std::io::Error::other)
    }
}

fn fill(pixels: &mut [[f32; 3]], width: usize, bounds: [usize; 4], corners: [Vertex; 3], texture: &Texture, scale: f32) {
    let [a, b, c] = corners.map(|v| v.pos * scale);
    let area = (b - a).x * (c - a).y - (b - a).y * (c - a).x;
    if area.abs() < 1e-9 {
        return;
    }
    let colors = corners.map(|v| v.color.to_array().map(|part| f32::from(part) / 255.0));
    let low = |p: f32, q: f32, r: f32| p.min(q).min(r).floor().max(0.0) as usize;
    let high = |p: f32, q: f32, r: f32| p.max(q).max(r).ceil().max(0.0) as usize;
    let (x0, x1) = (low(a.x, b.x, c.x).max(bounds[0]), high(a.x, b.x, c.x).min(bounds[2]));
    let (y0, y1) = (low(a.y, b.y, c.y).max(bounds[1]), high(a.y, b.y, c.y).min(bounds[3]));
    // Shared edges belong to one triangle only: the usual top-left rule, for either winding.
    let sign = area.signum();
    let owns = |from: egui::Pos2, to: egui::Pos2| {
        let d = (to - from) * sign;
        d.y < 0.0 || d.y == 0.0 && d.x > 0.0
    };
    let edges = [owns(b, c), owns(c, a), owns(a, b)];
    for y in y0..y1 {
        for x in x0..x1 {
            let p = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
            let side = |from: egui::Pos2, to: egui::Pos2| ((to - from).x * (p - from).y - (to - from).y * (p - from).x) / area;
            let weights = [side(b, c), side(c, a), side(a, b)];
            if weights.iter().zip(edges).any(|(w, owned)| *w < 0.0 || *w == 0.0 && !owned) {
                continue;
            }
            let mix = |parts: [f32; 3]| parts[0] * weights[0] + parts[1] * weights[1] + parts[2] * weights[2];
            let texel = texture.sample(mix(corners.map(|v| v.uv.x)), mix(corners.map(|v| v.uv.y)));
            let source: [f32; 4] = std::array::from_fn(|i| mix([colors[0][i], colors[1][i], colors[2][i]]) * texel[i]);
            let target = &mut pixels[y * width + x];
            for (nth, value) in target.iter_mut().enumerate() {
                *value = source[nth] + *value * (1.0 - source[3]);
            }
        }
    }
}
