//! A scene in pieces against the merge plan of the same models, triangle by triangle and edge by edge.

use std::collections::BTreeMap;

use glam::{DVec3, Vec3};
use twin_scene::cells::{CellClass, CellSettings, CellView, Compiled, Index, compile};
use twin_scene::geometry::Aabb;
use twin_scene::merge::{Class, MergePlan, PartIndex, Placed, Settings, plan};

/// Small cells, so that small scenes have many.
pub(crate) fn small() -> CellSettings {
    CellSettings {
        cell_triangles: 600,
        cell_vertices: 900,
        coarse_piece: 20_000,
        dense: 0,
        min_edge: 0.0,
        ..CellSettings::default()
    }
}

/// The bytes of a level.
pub(crate) fn level_bytes<'a>(compiled: &'a Compiled, index: &Index, cell: u32, level: u32) -> &'a [u8] {
    let info = index.level(cell, level).expect("listed");
    &compiled.cells[info.piece as usize][info.offset as usize..(info.offset + info.length) as usize]
}

/// How far a vertex may be from where it should be: the promise, and what 32 bits lose in the plan.
fn room(bounds: &Aabb) -> f64 {
    f64::from(bounds.size().length() * 1e-5).max(1e-3) + f64::from(bounds.reach()) * 2e-7
}

/// A triangle with all that is drawn of it.
#[derive(Debug, Clone)]
struct Shown {
    corners: [DVec3; 3],
    normals: [Vec3; 3],
    colors: [[u8; 4]; 3],
    surfaces: [[u8; 4]; 3],
    uvs: [[f32; 2]; 3],
    look: String,
}

fn of_plan(plan: &MergePlan, placed: &[Placed]) -> BTreeMap<u32, Vec<Shown>> {
    let mut all: BTreeMap<u32, Vec<Shown>> = BTreeMap::new();
    for chunk in &plan.chunks {
        let look = match chunk.class {
            Class::Textured { asset, material } => {
                let model = &placed[asset as usize].model;
                let material = &model.materials[material as usize];
                let image = &model.images[material.base_color_image.expect("an image")];
                format!("{:?} {:?} {} {:?}", material.alpha, material.double_sided, image.mime, image.bytes.first())
            }
            other => format!("{other:?}"),
        };
        for (at, corners) in (0u32..).zip(chunk.indices.chunks_exact(3)) {
            let at3 = [0, 1, 2].map(|corner| corners[corner] as usize);
            let part = chunk.part_of(at).expect("a part");
            all.entry(part.0).or_default().push(Shown {
                corners: at3.map(|at| Vec3::from(chunk.positions[at]).as_dvec3() + plan.origin),
                normals: at3.map(|at| chunk.normals[at].into()),
                colors: at3.map(|at| chunk.colors[at]),
                surfaces: at3.map(|at| chunk.surfaces[at]),
                uvs: at3.map(|at| chunk.uvs.get(at).copied().unwrap_or_default()),
                look: look.clone(),
            });
        }
    }
    all
}

fn of_cells(compiled: &Compiled, index: &Index) -> BTreeMap<u32, Vec<Shown>> {
    let mut all: BTreeMap<u32, Vec<Shown>> = BTreeMap::new();
    for cell in 0..index.cells.len() as u32 {
        let view = CellView::read(index, cell, 0, level_bytes(compiled, index, cell, 0)).expect("reads");
        for group in view.groups() {
            let look = match group.class {
                CellClass::Textured { material } => {
                    let material = index.materials[index.cells[cell as usize].materials[usize::from(material)] as usize];
                    let image = &compiled.images[material.image as usize];
                    assert_eq!(index.images[material.image as usize].mime, image.mime);
                    format!("{:?} {:?} {} {:?}", material.alpha, material.double_sided, image.mime, image.bytes.first())
                }
                other => format!("{other:?}"),
            };
            let four = |bytes: &[u8], at: u32| <[u8; 4]>::try_from(&bytes[at as usize * 4..at as usize * 4 + 4]).expect("four");
            for (range, local) in view.runs(group) {
                for triangle in range {
                    let at = (group.indices.start + triangle * 3) as usize * 2;
                    let corner =
                        |nth: usize| u16::from_le_bytes([view.indices()[at + nth * 2], view.indices()[at + nth * 2 + 1]]);
                    let at3 = [0, 1, 2].map(|nth| group.vertices.start + u32::from(corner(nth)));
                    let uv = |vertex: u32| {
                        let at = (group.uvs.start + vertex - group.vertices.start) as usize * 8;
                        let part = |at: usize| f32::from_le_bytes(view.uvs()[at..at + 4].try_into().expect("four"));
                        if group.uvs.is_empty() { [0.0; 2] } else { [part(at), part(at + 4)] }
                    };
                    all.entry(index.parts_in(cell)[usize::from(local)].0).or_default().push(Shown {
                        corners: view.triangle(index, cell, group, triangle).expect("corners"),
                        normals: at3.map(|at| view.normal(at).expect("a normal")),
                        colors: at3.map(|at| four(view.colors(), at)),
                        surfaces: at3.map(|at| four(view.surfaces(), at)),
                        uvs: at3.map(uv),
                        look: look.clone(),
                    });
                }
            }
        }
    }
    all
}

/// Each triangle of one list is one of the other, with the same looks, the same way round, and near enough.
fn same_triangles(name: &str, part: u32, mut expected: Vec<Shown>, mut found: Vec<Shown>, room: f64) {
    assert_eq!(found.len(), expected.len(), "{name}: part {part}");
    let middle = |shown: &Shown| shown.corners.iter().map(|corner| corner.x).sum::<f64>() / 3.0;
    expected.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
    found.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
    let mut used = vec![false; found.len()];
    for shown in &expected {
        let start = found.partition_point(|other| middle(other) < middle(shown) - room);
        let near = |other: &Shown| shown.corners.iter().zip(&other.corners).all(|(a, b)| a.distance(*b) <= room);
        let same = |other: &Shown| {
            let looks = other.look == shown.look && other.colors == shown.colors && other.surfaces == shown.surfaces;
            let normals = shown.normals.iter().zip(&other.normals).all(|(a, b)| a.dot(*b) > 0.999_9);
            looks && normals && (shown.uvs == other.uvs)
        };
        let candidates = (start..found.len()).take_while(|at| middle(&found[*at]) <= middle(shown) + room);
        let at = candidates.into_iter().find(|at| !used[*at] && near(&found[*at]) && same(&found[*at]));
        let at = at.unwrap_or_else(|| panic!("{name}: part {part} has lost {shown:?}"));
        used[at] = true;
    }
}

fn same_edges(name: &str, plan: &MergePlan, compiled: &Compiled, index: &Index) {
    let mut expected: Vec<(u32, [DVec3; 2])> = Vec::new();
    for lines in &plan.lines {
        for (ends, parts) in lines.positions.chunks_exact(2).zip(lines.parts.chunks_exact(2)) {
            expected.push((parts[0], [0, 1].map(|at: usize| Vec3::from(ends[at]).as_dvec3() + plan.origin)));
        }
    }
    let mut found: Vec<(u32, [DVec3; 2])> = Vec::new();
    for cell in 0..index.cells.len() as u32 {
        let view = CellView::read(index, cell, 0, level_bytes(compiled, index, cell, 0)).expect("reads");
        let grid = index.cells[cell as usize].grid;
        for (longest, range) in view.edge_classes() {
            for edge in range.step_by(2).map(|at| at / 2) {
                let (ends, part) = view.edge(edge).expect("an edge");
                let ends = ends.map(|end| grid.place(end));
                assert!(ends[0].distance(ends[1]) <= f64::from(longest) + 4e-3, "{name}: {ends:?} in the class up to {longest}");
                found.push((index.parts_in(cell)[usize::from(part)].0, ends));
            }
        }
    }
    assert_eq!(found.len(), expected.len(), "{name}: edges");
    found.sort_by_key(|edge| edge.0);
    let mut used = vec![false; found.len()];
    for (part, ends) in &expected {
        let room = room(&plan.parts[*part as usize].bounds);
        let own = found.partition_point(|edge| edge.0 < *part)..found.partition_point(|edge| edge.0 <= *part);
        let away = |at: usize| (0..2).map(|end| found[at].1[end].distance(ends[end])).fold(0.0, f64::max);
        let nearest = own.filter(|at| !used[*at]).min_by(|a, b| away(*a).total_cmp(&away(*b)));
        let at = nearest.filter(|at| away(*at) <= room);
        used[at.unwrap_or_else(|| panic!("{name}: part {part} has lost the edge {ends:?}; {nearest:?}"))] = true;
    }
}

/// Everything that holds of a scene in pieces at full detail.
pub(crate) fn check(name: &str, placed: &[Placed], settings: CellSettings) -> (Compiled, Index) {
    let compiled = compile(placed, &settings);
    let index = Index::read(&compiled.index).expect("an index");
    let merge = Settings {
        edge_angle: settings.edge_cosine.map(f32::acos),
        min_edge: settings.min_edge,
        max_edge_triangles: settings.max_edge_triangles,
        max_triangles: settings.max_triangles,
        ..Settings::default()
    };
    let plan = plan(placed, &merge);
    assert_eq!(index.origin, plan.origin, "{name}");
    assert_eq!(compiled.summary.too_far.len(), plan.too_far, "{name}");
    assert_eq!((index.left_out as usize, index.too_far as usize), (plan.left_out, plan.too_far), "{name}");
    assert_eq!(index.without_edges as usize, plan.without_edges, "{name}");
    assert_eq!(compiled.cells.iter().map(|piece| piece.len() as u32).collect::<Vec<_>>(), index.pieces, "{name}");
    assert_eq!(index.parts.len(), plan.parts.len(), "{name}");
    for (at, (own, part)) in (0u32..).map(PartIndex).zip(index.parts.iter().zip(&plan.parts)) {
        assert_eq!((own.model, own.node, own.twin, own.triangles), (part.asset, part.node, part.twin, part.triangles), "{name}");
        assert_eq!(index.path(at).as_ref(), Some(&placed[part.asset as usize].model.nodes[part.node as usize].path), "{name}");
        let room = room(&part.bounds) as f32 + part.bounds.reach() * 1e-6;
        let apart = (own.bounds.min - part.bounds.min).abs().max((own.bounds.max - part.bounds.max).abs()).max_element();
        assert!(apart <= room, "{name}: part {at:?} is at {:?} instead of {:?}", own.bounds, part.bounds);
        assert_eq!(index.part_of_node(part.asset, part.node), Some(at));
        if let Some(twin) = part.twin {
            assert!(index.parts_of(twin).eq(plan.parts_of(twin)), "{name}: {twin:?}");
        }
    }
    let (mut expected, mut found) = (of_plan(&plan, placed), of_cells(&compiled, &index));
    assert!(expected.keys().eq(found.keys()), "{name}: parts with triangles");
    while let (Some((part, expected)), Some((_, found))) = (expected.pop_first(), found.pop_first()) {
        same_triangles(name, part, expected, found, room(&plan.parts[part as usize].bounds));
    }
    same_edges(name, &plan, &compiled, &index);
    (compiled, index)
}
