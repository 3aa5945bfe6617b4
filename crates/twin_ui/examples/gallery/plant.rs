//! A stand-in for the 3D view: boxes in a hall, so that marks and cards are seen over something.

use egui::{Color32, Mesh, Pos2, Shape, Stroke, Ui, pos2};

/// Paints background and boxes over the whole screen.
pub(crate) fn paint(ui: &Ui, dark: bool) {
    let rect = ui.ctx().content_rect();
    let tokens = twin_ui::theme::tokens_of(if dark { twin_ui::view::Theme::Dark } else { twin_ui::view::Theme::Light });
    let mut mesh = Mesh::default();
    for (at, color) in [
        (rect.left_top(), tokens.ground_top),
        (rect.right_top(), tokens.ground_top),
        (rect.left_bottom(), tokens.ground_bottom),
        (rect.right_bottom(), tokens.ground_bottom),
    ] {
        mesh.colored_vertex(at, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(1, 3, 2);
    ui.painter().add(Shape::mesh(mesh));
    let unit = rect.width().min(rect.height() * 1.4) / 46.0;
    let origin = rect.center() + egui::vec2(-unit, unit * 1.5);
    let project = |x: f32, y: f32, z: f32| pos2(origin.x + (x - z) * 0.84 * unit, origin.y + (x + z) * 0.42 * unit - y * unit);
    floor(ui, project, tokens.line);
    let mut boxes = vec![
        (-14.0, -6.0, 2.5, 5.0, 0),
        (-10.0, -6.0, 2.5, 5.0, 0),
        (-6.0, -6.0, 2.5, 4.0, 0),
        (-2.0, -6.0, 2.0, 2.0, 1),
        (3.0, -6.0, 3.0, 2.5, 0),
        (9.0, -6.0, 2.0, 3.0, 0),
        (-13.0, 1.0, 2.0, 2.0, 0),
        (-9.0, 1.0, 3.0, 2.4, 0),
        (-3.0, 1.0, 3.0, 3.4, 2),
        (3.0, 1.0, 2.0, 2.4, 3),
        (7.0, 1.0, 2.0, 2.0, 0),
        (11.0, 1.0, 3.0, 4.0, 4),
        (-8.0, 7.0, 4.0, 1.2, 0),
        (0.0, 7.0, 5.0, 1.2, 0),
        (8.0, 7.0, 2.5, 3.0, 0),
    ];
    boxes.sort_by(|a: &(f32, f32, f32, f32, i32), b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
    for (x, z, size, height, tint) in boxes {
        let base = match tint {
            1 => Color32::from_rgb(0x42, 0x86, 0xEA),
            2 => Color32::from_rgb(0xFA, 0xF1, 0x36),
            3 => Color32::from_rgb(0xDF, 0x87, 0x16),
            4 => Color32::from_rgb(0xC7, 0x1A, 0x48),
            _ => Color32::from_rgb(0x8A, 0x90, 0x98),
        };
        one_box(ui, project, (x, z, size, height), base);
    }
}

fn floor(ui: &Ui, project: impl Fn(f32, f32, f32) -> Pos2, line: Color32) {
    for nth in -5i32..=5 {
        let at = nth as f32 * 4.0;
        let stroke = Stroke::new(1.0, line.gamma_multiply(0.6));
        ui.painter().line_segment([project(at, 0.0, -12.0), project(at, 0.0, 12.0)], stroke);
        if nth.abs() <= 3 {
            ui.painter().line_segment([project(-20.0, 0.0, at), project(20.0, 0.0, at)], stroke);
        }
    }
}

fn one_box(ui: &Ui, project: impl Fn(f32, f32, f32) -> Pos2, (x, z, s, h): (f32, f32, f32, f32), color: Color32) {
    let face = |points: [(f32, f32, f32); 4], light: f32| {
        let corners = points.map(|(x, y, z)| project(x, y, z)).to_vec();
        let shade = color.lerp_to_gamma(Color32::BLACK, 1.0 - light);
        ui.painter().add(Shape::convex_polygon(corners, shade, Stroke::new(1.0, color.lerp_to_gamma(Color32::BLACK, 0.55))));
    };
    face([(x, h, z), (x + s, h, z), (x + s, h, z + s), (x, h, z + s)], 1.0);
    face([(x, 0.0, z + s), (x + s, 0.0, z + s), (x + s, h, z + s), (x, h, z + s)], 0.75);
    face([(x + s, 0.0, z), (x + s, 0.0, z + s), (x + s, h, z + s), (x + s, h, z)], 0.58);
}
