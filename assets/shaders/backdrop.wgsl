// The ground behind everything: a vertical gradient, and a grid on the floor plane that fades with distance.

#import bevy_pbr::mesh_view_bindings::view

struct Backdrop {
    top: vec4<f32>,
    bottom: vec4<f32>,
    // rgb: line colour; a: strength, 0 for no grid.
    grid: vec4<f32>,
    // x: height of the floor plane; y: distance at which the grid is gone.
    plane: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> backdrop: Backdrop;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) ndc: vec2<f32>,
};

@vertex
fn vertex(@location(0) position: vec3<f32>) -> Varyings {
    var out: Varyings;
    // Reversed depth: zero is the far plane; a hair before it passes the depth test of a cleared buffer.
    out.position = vec4<f32>(position.xy, 0.0000001, 1.0);
    out.ndc = position.xy;
    return out;
}

fn grid_line(p: vec2<f32>, spacing: f32, width: vec2<f32>) -> f32 {
    let q = p / spacing;
    let d = abs(fract(q - 0.5) - 0.5);
    let w = max(width / spacing, vec2<f32>(0.00001));
    let line = clamp(1.0 - d / w, vec2<f32>(0.0), vec2<f32>(1.0));
    return max(line.x, line.y);
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    var rgb = mix(backdrop.bottom.rgb, backdrop.top.rgb, clamp(in.ndc.y * 0.5 + 0.5, 0.0, 1.0));
    // The ray of this pixel, from two points on it, so that perspective and orthographic views both work.
    let near = view.world_from_clip * vec4<f32>(in.ndc, 1.0, 1.0);
    let far = view.world_from_clip * vec4<f32>(in.ndc, 0.001, 1.0);
    let a = near.xyz / near.w;
    let b = far.xyz / far.w;
    let dir = normalize(b - a);
    let t = (backdrop.plane.x - a.y) / select(dir.y, -0.000001, abs(dir.y) < 0.000001);
    let p = a + dir * t;
    // Width of a pixel on the plane; derivatives are taken before any branch, as WebGL2 asks.
    let width = fwidth(p.xz);
    if backdrop.grid.a > 0.0 && t > 0.0 {
        let fade = clamp(1.0 - t / backdrop.plane.y, 0.0, 1.0);
        let fine = grid_line(p.xz, 1.0, width) * 0.35 * clamp(1.0 - max(width.x, width.y) * 6.0, 0.0, 1.0);
        let coarse = grid_line(p.xz, 10.0, width) * clamp(1.0 - max(width.x, width.y) * 0.6, 0.0, 1.0);
        rgb = mix(rgb, backdrop.grid.rgb, max(fine, coarse) * fade * fade * backdrop.grid.a);
    }
    return vec4<f32>(rgb, 1.0);
}
