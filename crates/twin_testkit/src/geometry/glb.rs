//! Writes a scene as binary glTF 2.0 (core only, no extensions): own small JSON writer, fixed order, no clock, no hash maps.
//!
//! Format: Khronos glTF 2.0 specification, sections 3 (JSON) and 4.4 (GLB container).

use std::fmt::Write as _;

use super::material::{Mat, linear};
use super::math::{Quat, V3};
use super::scene::{BakedPrim, Node, Scene, normal, position};

const MAGIC: u32 = 0x4654_6C67;
const CHUNK_JSON: u32 = 0x4E4F_534A;
const CHUNK_BIN: u32 = 0x004E_4942;
const FLOAT: u32 = 5126;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_INT: u32 = 5125;
const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;

/// The three regions of the binary chunk.
#[derive(Default)]
struct Regions {
    positions: Vec<u8>,
    normals: Vec<u8>,
    indices: Vec<u8>,
}

/// The whole file.
pub(crate) fn write(scene: &Scene) -> Vec<u8> {
    let mut bin = Regions::default();
    let mut accessors = Vec::new();
    let meshes: Vec<String> = scene.meshes.iter().map(|m| mesh_json(m, &mut accessors, &mut bin)).collect();
    let nodes: Vec<String> = scene.nodes.iter().map(node_json).collect();
    let used = used_materials(scene);
    let materials: Vec<String> = Mat::ALL.iter().take(used).map(|m| material_json(*m)).collect();
    let roots: Vec<String> = scene.roots.iter().map(usize::to_string).collect();
    pad(&mut bin.indices, 0);
    let views = views_json(&bin);
    let total = bin.positions.len() + bin.normals.len() + bin.indices.len();
    let json = format!(
        "{{\"asset\":{{\"version\":\"2.0\",\"generator\":\"twin_testkit geometry\"}},\"scene\":0,\"scenes\":[{{\"nodes\":[{}]}}],\
         \"nodes\":[{}],\"meshes\":[{}],\"materials\":[{}],\"accessors\":[{}],\"bufferViews\":[{}],\"buffers\":[{{\"byteLength\":{}}}]}}",
        roots.join(","),
        nodes.join(","),
        meshes.join(","),
        materials.join(","),
        accessors.join(","),
        views,
        total
    );
    container(json.into_bytes(), &bin)
}

/// Materials up to the last one in use (indices are positions in the palette).
fn used_materials(scene: &Scene) -> usize {
    scene.meshes.iter().flatten().map(|p| p.mat + 1).max().unwrap_or(0)
}

fn container(mut json: Vec<u8>, bin: &Regions) -> Vec<u8> {
    pad(&mut json, b' ');
    let body = bin.positions.len() + bin.normals.len() + bin.indices.len();
    let total = 12 + 8 + json.len() + 8 + body;
    let mut out = Vec::with_capacity(total);
    for word in [MAGIC, 2, total as u32, json.len() as u32, CHUNK_JSON] {
        out.extend(word.to_le_bytes());
    }
    out.extend(&json);
    out.extend((body as u32).to_le_bytes());
    out.extend(CHUNK_BIN.to_le_bytes());
    out.extend(&bin.positions);
    out.extend(&bin.normals);
    out.extend(&bin.indices);
    out
}

fn pad(bytes: &mut Vec<u8>, with: u8) {
    while !bytes.len().is_multiple_of(4) {
        bytes.push(with);
    }
}

fn views_json(bin: &Regions) -> String {
    let (p, n, i) = (bin.positions.len(), bin.normals.len(), bin.indices.len());
    format!(
        "{{\"buffer\":0,\"byteOffset\":0,\"byteLength\":{p},\"byteStride\":12,\"target\":{ARRAY_BUFFER}}},\
         {{\"buffer\":0,\"byteOffset\":{p},\"byteLength\":{n},\"byteStride\":12,\"target\":{ARRAY_BUFFER}}},\
         {{\"buffer\":0,\"byteOffset\":{},\"byteLength\":{i},\"target\":{ELEMENT_ARRAY_BUFFER}}}",
        p + n
    )
}

fn mesh_json(prims: &[BakedPrim], accessors: &mut Vec<String>, bin: &mut Regions) -> String {
    let prims: Vec<String> = prims.iter().map(|p| prim_json(p, accessors, bin)).collect();
    format!("{{\"primitives\":[{}]}}", prims.join(","))
}

fn prim_json(prim: &BakedPrim, accessors: &mut Vec<String>, bin: &mut Regions) -> String {
    let count = prim.vertices.len();
    let mut low = [i32::MAX; 3];
    let mut high = [i32::MIN; 3];
    let offset = bin.positions.len();
    for g in &prim.vertices {
        for axis in 0..3 {
            low[axis] = low[axis].min(g[axis]);
            high[axis] = high[axis].max(g[axis]);
        }
        position(g).iter().for_each(|x| bin.positions.extend(x.to_le_bytes()));
        normal(g).iter().for_each(|x| bin.normals.extend(x.to_le_bytes()));
    }
    // Bounds must equal the stored numbers exactly (specification 3.6.2.5), so they are not rounded for the text.
    let corner = |c: [i32; 3]| position(&[c[0], c[1], c[2], 0, 0, 0]).map(|x| format!("{x}")).join(",");
    let first = accessors.len();
    accessors.push(format!(
        "{{\"bufferView\":0,\"byteOffset\":{offset},\"componentType\":{FLOAT},\"count\":{count},\"type\":\"VEC3\",\"min\":[{}],\"max\":[{}]}}",
        corner(low),
        corner(high)
    ));
    accessors.push(format!(
        "{{\"bufferView\":1,\"byteOffset\":{offset},\"componentType\":{FLOAT},\"count\":{count},\"type\":\"VEC3\"}}"
    ));
    accessors.push(index_json(prim, bin));
    format!(
        "{{\"attributes\":{{\"POSITION\":{first},\"NORMAL\":{}}},\"indices\":{},\"material\":{}}}",
        first + 1,
        first + 2,
        prim.mat
    )
}

fn index_json(prim: &BakedPrim, bin: &mut Regions) -> String {
    // 65535 itself is the primitive-restart value and must not be used as an index.
    let wide = prim.vertices.len() > 65_535;
    if wide {
        pad(&mut bin.indices, 0);
    }
    let offset = bin.indices.len();
    for i in &prim.indices {
        if wide {
            bin.indices.extend(i.to_le_bytes());
        } else {
            bin.indices.extend((*i as u16).to_le_bytes());
        }
    }
    let kind = if wide { UNSIGNED_INT } else { UNSIGNED_SHORT };
    format!(
        "{{\"bufferView\":2,\"byteOffset\":{offset},\"componentType\":{kind},\"count\":{},\"type\":\"SCALAR\"}}",
        prim.indices.len()
    )
}

fn node_json(node: &Node) -> String {
    let mut out = format!("{{\"name\":\"{}\"", node.name);
    let t = node.xf.t;
    if t != V3::ZERO {
        // Writing to a String cannot fail.
        write!(out, ",\"translation\":[{}]", floats(&[t.x, t.y, t.z])).ok();
    }
    let q = node.xf.q;
    if q != Quat::ID {
        write!(out, ",\"rotation\":[{}]", floats_fine(&[q.x, q.y, q.z, q.w])).ok();
    }
    if let Some(mesh) = node.mesh {
        write!(out, ",\"mesh\":{mesh}").ok();
    }
    if !node.children.is_empty() {
        let list: Vec<String> = node.children.iter().map(usize::to_string).collect();
        write!(out, ",\"children\":[{}]", list.join(",")).ok();
    }
    out.push('}');
    out
}

fn material_json(mat: Mat) -> String {
    let look = mat.look();
    let rgb = [linear(look.srgb >> 16), linear(look.srgb >> 8), linear(look.srgb)];
    let emissive = if look.emissive > 0.0 {
        format!(",\"emissiveFactor\":[{}]", floats(&rgb.map(|c| c * look.emissive)))
    } else {
        String::new()
    };
    format!(
        "{{\"name\":\"{}\",\"pbrMetallicRoughness\":{{\"baseColorFactor\":[{},1],\"metallicFactor\":{},\"roughnessFactor\":{}}}{emissive}}}",
        look.name,
        floats(&rgb),
        look.metallic,
        look.roughness
    )
}

/// Numbers for the file, at most five decimals.
fn floats(values: &[f32]) -> String {
    join(values, 1e5)
}

/// Quaternions need more decimals to stay of unit length.
fn floats_fine(values: &[f32]) -> String {
    join(values, 1e7)
}

fn join(values: &[f32], grid: f64) -> String {
    let text: Vec<String> = values
        .iter()
        .map(|x| {
            let r = libm::round(f64::from(*x) * grid) / grid;
            if r == 0.0 { "0".to_owned() } else { format!("{r}") }
        })
        .collect();
    text.join(",")
}
