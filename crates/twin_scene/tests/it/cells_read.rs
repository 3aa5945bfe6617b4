//! Bytes of scene pieces: golden ones, damaged ones, hostile ones.

use std::fmt::Write as _;

use glam::{DVec3, Mat4, Vec3};
use twin_model::TwinIndex;
use twin_scene::bvh::Ray;
use twin_scene::cells::{CellError, CellScene, CellSettings, CellShape, CellView, Compiled, Index, compile};
use twin_scene::geometry::{Material, Mesh, Primitive};
use twin_scene::merge::{PartIndex, Placed};

use crate::cells_oracle::{level_bytes, small};
use crate::corpus::{scene_cell, scene_index};
use crate::merge::{cube, model, node, placed};
use crate::scenes::scene;

/// One red triangle that is bound to twin 4, and one grey box.
fn tiny() -> Vec<Placed> {
    let triangle = Primitive {
        positions: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
        normals: vec![[0.0, 1.0, 0.0]; 3],
        indices: vec![0, 1, 2],
        material: Some(0),
        ..Primitive::default()
    };
    let paint = |color: [f32; 4]| Material { base_color: color, ..Material::default() };
    let meshes = [triangle, Primitive { material: Some(1), ..cube(Vec3::new(1.0, 2.0, 0.5)) }];
    let meshes = meshes.into_iter().map(|own| Mesh { primitives: vec![own], ..Mesh::default() }).collect();
    let nodes = vec![node(Some(0), Mat4::IDENTITY), node(Some(1), Mat4::from_translation(Vec3::X * 2.0))];
    let mut made = model(meshes, vec![paint([1.0, 0.0, 0.0, 1.0]), paint([0.5, 0.5, 0.5, 1.0])], nodes);
    made.nodes[0].path = "hall/flag".into();
    made.nodes[1].path = "hall/box".into();
    vec![Placed { twins: vec![Some(TwinIndex(4))], ..placed(made) }]
}

fn lines(name: &str, bytes: &[u8], out: &mut String) {
    for (at, line) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{name} {:4} {}", at * 16, hex.join(" ")).expect("memory");
    }
}

#[test]
fn a_tiny_scene_has_these_bytes() {
    let compiled = compile(&tiny(), &CellSettings::default());
    let mut found = String::new();
    lines("index", &compiled.index, &mut found);
    for (at, piece) in compiled.cells.iter().enumerate() {
        lines(&format!("piece{at}"), piece, &mut found);
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/scene.txt");
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == golden, "golden bytes of {} differ; found\n{found}", path.display());
}

/// Everything of a scene that is read, without an error or with one.
fn use_all(compiled: &Compiled, index: &Index) -> Result<(), CellError> {
    let mut scene = CellScene::new(index.clone());
    for cell in 0..index.cells.len() as u32 {
        for level in (0..index.cells[cell as usize].levels.len() as u32).rev() {
            scene.insert(cell, level, level_bytes(compiled, index, cell, level))?;
        }
    }
    for direction in [Vec3::NEG_Y, Vec3::new(0.3, -1.0, 0.2)] {
        for part in &index.parts {
            scene.raycast(&Ray::new(part.center() - direction * 9.0, direction), &|_| true);
        }
    }
    (0..index.parts.len() as u32).for_each(|part| scene.triangles_of(PartIndex(part), &mut |_| ()));
    Ok(())
}

#[test]
fn a_damaged_piece_gets_words_or_a_scene_and_never_a_panic() {
    for (name, placed) in
        [("tiny", tiny()), ("medley", scene(61, 3, 2.0, DVec3::ZERO)), ("wide", scene(62, 2, 90_000.0, DVec3::ZERO))]
    {
        let compiled = compile(&placed, &CellSettings { cell_triangles: 400, ..small() });
        let index = Index::read(&compiled.index).expect("an index");
        use_all(&compiled, &index).expect("whole");
        let every = if name == "tiny" { 1 } else { 19 };
        damage(&compiled.index, every, &mut |bytes| {
            scene_index::check(bytes);
            if let Ok(other) = Index::read(bytes)
                && fits(&compiled, &other)
            {
                // Whether it still fits the pieces or not.
                let words =
                    use_all(&compiled, &other).map_or_else(|error| error.to_string(), |()| "all is well, or so it seems".into());
                assert!(words.len() > 20);
            }
        });
        for cell in 0..index.cells.len() as u32 {
            let shape = CellShape::of(&index, cell).expect("listed");
            let said = [u8::from(shape.wide), shape.parts as u8, shape.materials as u8];
            for level in 0..index.cells[cell as usize].levels.len() as u32 {
                damage(level_bytes(&compiled, &index, cell, level), if every == 1 { 1 } else { 95 }, &mut |bytes| {
                    scene_cell::check(&[&said, bytes].concat());
                    let mut scene = CellScene::new(index.clone());
                    if scene.insert(cell, level, bytes).is_ok() {
                        scene.raycast(&Ray::new(index.bounds.center() + Vec3::splat(0.3), Vec3::NEG_Y), &|_| true);
                    } else {
                        assert_eq!(scene.finest(cell), None, "nothing changes");
                    }
                });
            }
        }
    }
}

/// Whether all levels lie in pieces that are there.
fn fits(compiled: &Compiled, index: &Index) -> bool {
    let lies = |level: &twin_scene::cells::LevelInfo| {
        compiled.cells.get(level.piece as usize).is_some_and(|piece| (level.offset + level.length) as usize <= piece.len())
    };
    index.cells.iter().flat_map(|cell| &cell.levels).all(lies)
}

/// Every so many bytes flipped in four ways, cut off, and numbers made huge.
fn damage(bytes: &[u8], every: usize, check: &mut dyn FnMut(&[u8])) {
    for at in 0..bytes.len() {
        // The front is where lengths are.
        if at >= 160 && at % every != 0 {
            continue;
        }
        for flip in [0x01, 0x80, 0xff, 0x10] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= flip;
            check(&damaged);
        }
        check(&bytes[..at]);
        if at % 4 == 0 && at + 4 <= bytes.len() {
            for value in [u32::MAX, u32::MAX - 3, 0x7fff_ffff, 0x7fc0_0000] {
                let mut damaged = bytes.to_vec();
                damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
                check(&damaged);
            }
        }
    }
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let compiled = compile(&tiny(), &CellSettings::default());
    let index = Index::read(&compiled.index).expect("an index");
    let block = level_bytes(&compiled, &index, 0, 0);
    let other = |at: usize, value: u8| {
        let mut bytes = block.to_vec();
        bytes[at] = value;
        CellView::read(&index, 0, 0, &bytes).map(|_| ()).expect_err("damaged")
    };
    assert_eq!(other(0, b'X'), CellError::Another { piece: "scene cell" });
    assert_eq!(other(4, 9), CellError::Version { piece: "scene cell", found: 9, known: 1 });
    assert_eq!(other(12, 3), CellError::Disagrees { piece: "scene cell", field: "parts", found: 3, expected: 2 });
    assert_eq!(
        other(8, 1),
        CellError::Disagrees {
            piece: "scene cell",
            field: "length",
            found: (block.len() - block.len() % 256 + 1) as u64,
            expected: block.len() as u64
        }
    );
    assert_eq!(CellView::read(&index, 0, 7, block).map(|_| ()), Err(CellError::Unlisted { cell: 0, level: 7 }));
    assert_eq!(CellView::read(&index, 1, 0, block).map(|_| ()), Err(CellError::Unlisted { cell: 1, level: 0 }));
    let short = Index::read(&compiled.index[..compiled.index.len() - 1]).expect_err("cut");
    assert_eq!(
        short.to_string(),
        format!(
            "the scene index ends at byte {}, within its padding; fetch it again: it was cut short",
            compiled.index.len() - 1
        )
    );
    let newer = CellError::Version { piece: "scene index", found: 2, known: 1 };
    assert!(newer.to_string().ends_with("reload the page, or update the viewer"));
}

#[test]
fn an_index_that_says_more_than_this_version_knows_is_read() {
    let compiled = compile(&tiny(), &CellSettings::default());
    let mut longer = compiled.index.clone();
    longer.extend(b"what a later version says");
    assert_eq!(Index::read(&longer), Index::read(&compiled.index));
}

#[test]
fn a_hundred_thousand_parts_take_few_bytes_each() {
    let nodes = (0..10_000).map(|at| {
        let mut node = node(Some(0), Mat4::from_translation(Vec3::new((at % 100) as f32, 0.0, (at / 100) as f32) * 2.0));
        node.path = format!("plant/area {}/line {}/pump {at}", at / 1_000, at / 100);
        node
    });
    let meshes = vec![Mesh { primitives: vec![cube(Vec3::ONE)], ..Mesh::default() }];
    let mut one = placed(model(meshes, Vec::new(), nodes.collect()));
    one.twins = (0..10_000).map(|at| Some(TwinIndex(at))).collect();
    let ten: Vec<Placed> = (0..10)
        .map(|at| Placed { transform: glam::DMat4::from_translation(DVec3::Y * f64::from(at) * 3.0), ..one.clone() })
        .collect();
    let compiled = compile(&ten, &CellSettings { edge_cosine: None, ..CellSettings::default() });
    assert!(compiled.index.len() < 45 * 100_000, "{} bytes", compiled.index.len());
    let index = Index::read(&compiled.index).expect("an index");
    assert_eq!(index.path(PartIndex(54_321)).as_deref(), Some("plant/area 4/line 43/pump 4321"));
    assert_eq!(index.parts_of(TwinIndex(7)).count(), 10);
    assert_eq!(index.slot_count(), 100_000, "no part was cut");
    let mut several = 0;
    for (cell, level) in
        index.cells.iter().zip(0u32..).flat_map(|(info, cell)| (0..info.levels.len() as u32).map(move |level| (cell, level)))
    {
        let view = CellView::read(&index, cell, level, level_bytes(&compiled, &index, cell, level)).expect("reads");
        several += usize::from(view.groups().len() > 1);
    }
    assert!(several > 0, "one class with more vertices than 16-bit indices count is several groups");
}
