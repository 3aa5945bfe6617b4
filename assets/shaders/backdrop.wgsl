// The ground behind everything: a vertical gradient, computed per vertex.

struct Backdrop {
    top: vec4<f32>,
    bottom: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> backdrop: Backdrop;

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec3<f32>,
};

@vertex
fn vertex(@location(0) position: vec3<f32>) -> Varyings {
    var out: Varyings;
    // Reversed depth: zero is the far plane; a hair before it passes the depth test of a cleared buffer.
    out.position = vec4<f32>(position.xy, 0.0000001, 1.0);
    out.color = mix(backdrop.bottom.rgb, backdrop.top.rgb, position.y * 0.5 + 0.5);
    return out;
}

@fragment
fn fragment(in: Varyings) -> @location(0) vec4<f32> {
    return vec4<f32>(in.color, 1.0);
}
