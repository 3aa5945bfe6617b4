// Lines on the floor plane that fade with distance. Real lines: a ray per pixel of the background costs as much as a plant.

#import bevy_pbr::mesh_view_bindings::view

struct Grid {
    // rgb: line colour; a: strength.
    color: vec4<f32>,
    // x: height of the floor plane; y: distance at which the grid is gone.
    plane: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> grid: Grid;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) cover: f32,
};

@vertex
fn vertex(@location(0) position: vec3<f32>) -> Varyings {
    var out: Varyings;
    let world = vec3<f32>(position.x, grid.plane.x, position.z);
    out.position = view.clip_from_world * vec4<f32>(world, 1.0);
    let fade = clamp(1.0 - length(world - view.world_position) / grid.plane.y, 0.0, 1.0);
    out.cover = fade * fade * grid.color.a;
    return out;
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    return vec4<f32>(grid.color.rgb, in.cover);
}
