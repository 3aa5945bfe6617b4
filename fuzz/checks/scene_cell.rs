//! What must hold of any bytes as a level of a cell of a scene. Used by the fuzzer, and by the tests over the kept corpus.

use twin_scene::cells::{CellClass, CellShape, CellView};

/// Words; or a cell whose every number points at something. The first three bytes say what an index would: how wide positions are,
/// how many parts there are, how many materials.
pub(crate) fn check(bytes: &[u8]) {
    let [wide, parts, materials, bytes @ ..] = bytes else { return };
    let shape = CellShape { wide: wide & 1 == 1, parts: (*parts).into(), materials: (*materials).into() };
    match CellView::read_shape(shape, bytes) {
        Ok(view) => look(shape, &view),
        Err(error) => assert!(error.to_string().len() > 20, "words: {error}"),
    }
}

fn look(shape: CellShape, view: &CellView<'_>) {
    let stride = if shape.wide { 16 } else { 8 };
    let vertices = view.positions().len() / stride;
    let lengths = [view.normals().len() / 4, view.colors().len() / 4, view.surfaces().len() / 4];
    assert_eq!(lengths, [vertices; 3], "as many of each");
    let (mut triangles, mut vertex) = (0, 0);
    for group in view.groups() {
        assert_eq!(group.vertices.start, vertex, "groups follow one another");
        vertex = group.vertices.end;
        let count = group.vertices.len();
        assert!(count <= 65_535 && group.indices.start % 2 == 0 && group.indices.len() % 3 == 0);
        let range = group.indices.start as usize * 2..group.indices.end as usize * 2;
        let indices = view.indices().get(range).expect("inside").chunks_exact(2);
        assert!(indices.map(|index| u16::from_le_bytes([index[0], index[1]])).all(|index| usize::from(index) < count));
        let mut next = 0;
        for (range, part) in view.runs(group) {
            assert!(range.start == next && range.end > next && u32::from(part) < shape.parts, "runs tile a group");
            next = range.end;
        }
        assert_eq!(next as usize * 3, group.indices.len(), "and all of it");
        triangles += next;
        match group.class {
            CellClass::Textured { material } => {
                assert!(u32::from(material) < shape.materials && group.uvs.len() == count);
            }
            CellClass::Opaque { .. } | CellClass::Blend { .. } => assert!(group.uvs.is_empty()),
        }
    }
    assert_eq!((triangles, vertex as usize), (view.triangle_count(), vertices));
    assert!((0..vertex).all(|at| view.normal(at).is_some_and(|normal| (normal.length() - 1.0).abs() < 1e-3)));
    let edges = view.edges().len() / stride / 2;
    assert_eq!(view.edge_classes().last().map(|(_, range)| range.end as usize), Some(edges * 2));
    for at in 0..u32::try_from(edges).expect("few") {
        assert!(view.edge(at).is_some_and(|(_, part)| u32::from(part) < shape.parts));
    }
}
