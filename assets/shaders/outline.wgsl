// Selection outline: the selected parts blown up along their smoothed normals by a number of pixels, back faces only.

#import bevy_pbr::mesh_functions
#import bevy_pbr::mesh_view_bindings::view
#import bevy_pbr::view_transformations::position_world_to_clip

struct Outline {
    color: vec4<f32>,
    // x: width in pixels
    width: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> outline: Outline;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
};

@vertex
fn vertex(in: Vertex) -> @builtin(position) vec4<f32> {
    let world_from_local = mesh_functions::get_world_from_local(in.instance_index);
    let world = mesh_functions::mesh_position_local_to_world(world_from_local, vec4<f32>(in.position, 1.0));
    let normal = mesh_functions::mesh_normal_local_to_world(in.normal, in.instance_index);
    var clip = position_world_to_clip(world.xyz);
    let ahead = position_world_to_clip(world.xyz + normal * 0.01);
    let along = (ahead.xy / ahead.w - clip.xy / clip.w) * view.viewport.zw;
    let size = length(along);
    if size > 0.00001 {
        clip = vec4<f32>(clip.xy + along / size * outline.width.x * 2.0 / view.viewport.zw * clip.w, clip.zw);
    }
    return clip;
}

@fragment
fn fragment() -> @location(0) vec4<f32> {
    return outline.color;
}
