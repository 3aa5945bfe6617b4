// The slim material: hemisphere plus one key light, status tint and patterns from one palette texel per part.
//
// Vertices lie on the lattice of their cell, so that they take few bytes. Everything that depends on the part is fetched once per vertex
// and handed on flat; the fragment stage does a few dozen arithmetic operations. StandardMaterial costs about ten times as much per pixel in software WebGL2, where every branch of
// a shader is paid for by every pixel: what most parts do not need is another pipeline (KIND) rather than an `if`, and the
// opaque ones never discard, so that hidden pixels are not shaded at all.

#import bevy_pbr::mesh_functions
#import bevy_pbr::mesh_view_bindings::view
#import orrery::marks::{Look, PALETTE_WIDTH, UNBOUND, NEVER_SEEN, FLAG_HIDDEN, FLAG_GHOST, FLAG_HOVERED, is_faint, luma, saturate_by, freshness_saturation, marked}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> look: Look;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var palette: texture_2d<u32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var shadow_map: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(3) var shadow_sampler: sampler;
@group(#{MATERIAL_BIND_GROUP}) @binding(4) var base_image: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(5) var base_sampler: sampler;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    // xyz: place on the cell's lattice; w: the part's number in the cell.
    @location(0) lattice: vec4<u32>,
#ifndef EDGES
    // Unit normal as a point of the unfolded octahedron.
    @location(1) normal: vec2<f32>,
    // sRGB, and alpha.
    @location(2) color: vec4<f32>,
    // Roughness, metal, glow, flags.
    @location(3) surface: vec4<f32>,
#endif
#ifdef TEXTURED
    @location(4) uv: vec2<f32>,
#endif
};

// The surface's flag of what shines all over.
const UNLIT: u32 = 1u;

// The unit vector of a point of the square onto which the octahedron is unfolded.
fn from_octahedral(at: vec2<f32>) -> vec3<f32> {
    let z = 1.0 - abs(at.x) - abs(at.y);
    let fold = max(-z, 0.0);
    return normalize(vec3<f32>(at.x + select(fold, -fold, at.x >= 0.0), at.y + select(fold, -fold, at.y >= 0.0), z));
}

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec4<f32>,
    @location(2) color: vec4<f32>,
    // x: status, y: freshness, z: alarm bits, w: view flags
    @location(3) @interpolate(flat) code: vec4<u32>,
#ifdef TEXTURED
    @location(4) uv: vec2<f32>,
#endif
};

// Which parts a pipeline leaves to another one.
fn left_out(code: vec4<u32>) -> bool {
#ifdef GHOSTS
    return (code.w & FLAG_HIDDEN) != 0u || !is_faint(code);
#else
#ifdef EDGES
    return (code.w & (FLAG_HIDDEN | FLAG_GHOST)) != 0u;
#else
    return (code.w & FLAG_HIDDEN) != 0u || is_faint(code);
#endif
#endif
}

@vertex
fn vertex(in: Vertex) -> Varyings {
    var out: Varyings;
    let slot = mesh_functions::get_tag(in.instance_index) + in.lattice.w;
    let code = textureLoad(palette, vec2<i32>(i32(slot % PALETTE_WIDTH), i32(slot / PALETTE_WIDTH)), 0);
    // A cell is moved and scaled alike along all axes, so that normals stay what they are.
    let scene_from_cell = mesh_functions::get_world_from_local(in.instance_index);
    out.world = (scene_from_cell * vec4<f32>(vec3<f32>(in.lattice.xyz), 1.0)).xyz;
#ifdef EDGES
    out.normal = vec4<f32>(0.0, 1.0, 0.0, 0.0);
    out.color = vec4<f32>(1.0);
#else
    let glow = select(in.surface.z, 1.0, (u32(round(in.surface.w * 255.0)) & UNLIT) != 0u);
    out.normal = vec4<f32>(from_octahedral(in.normal), glow);
    // Stored as sRGB so that dark colours keep their steps; a cubic is near enough to the curve at 8 bits.
    let c = in.color.rgb;
#ifdef BLENDED
    let alpha = in.color.a;
#else
    // How strong the sheen is: what is smooth, and metal more than other things.
    let alpha = (1.0 - in.surface.x) * (0.45 + 0.55 * in.surface.y);
#endif
    out.color = vec4<f32>(c * (c * (c * 0.305306 + 0.682171) + 0.012523), alpha);
#endif
#ifdef TEXTURED
    out.uv = in.uv;
#endif
    out.code = code;
    out.position = view.clip_from_world * vec4<f32>(out.world, 1.0);
#ifdef EDGES
    // Reversed depth: a nudge towards the viewer keeps lines in front of the faces that they bound.
    out.position.z *= 1.0008;
#endif
    if left_out(code) {
        // Behind the far plane: every vertex of the part, so nothing of it is left.
        out.position = vec4<f32>(0.0, 0.0, -2.0, 1.0);
    }
    return out;
}

@fragment
fn fragment(in: Varyings, @builtin(front_facing) front: bool) -> @location(0) vec4<f32> {
    // Sampled before any branch: derivatives need every pixel of the quad.
#ifdef TEXTURED
    let image = textureSample(base_image, base_sampler, in.uv).rgb;
#endif
    let bound = in.code.x != UNBOUND;
    let status = min(in.code.x, 5u);
    let coloured = bound && status != 1u;
    let fresh = select(0u, in.code.y, bound);
    // Nothing is known of it, so it is an outline and hardly a surface; a checker or a dark line would read as something said.
    let never_seen = fresh == NEVER_SEEN && is_faint(in.code);

#ifdef EDGES
    var line = look.edge.rgb;
    if never_seen {
        line = look.fill[0].rgb;
    } else if coloured {
        line = mix(look.fill[status].rgb * 0.35, look.edge.rgb, 0.15);
    }
    if status == 5u && bound {
        line = mix(look.fill[5].rgb, vec3<f32>(1.0), 0.55);
    }
    return vec4<f32>(line, select(look.edge.a, 0.9, coloured));
#else
    var n = normalize(in.normal.xyz);
#ifdef DOUBLE_SIDED
    n = select(-n, n, front);
#endif
    let up = n.y * 0.5 + 0.5;
    let key = max(dot(n, look.key.xyz), 0.0);
    var light = mix(look.ground.rgb, look.sky.rgb, up) + vec3<f32>(key * look.key.w);
    // Upward faces near the floor take the baked contact shadow.
    if look.floor.w > 0.0 && n.y > 0.7 && in.world.y < 0.35 {
        let uv = (in.world.xz - look.floor.xy) / look.floor.z + vec2<f32>(0.5);
        let shade = textureSampleLevel(shadow_map, shadow_sampler, uv, 0.0).r;
        light *= 1.0 - shade * look.floor.w;
    }
    var rgb: vec3<f32>;
    if coloured {
        // At least 60 % unlit, so that a lit pixel keeps the colour of its legend.
        let shade = 0.66 + 0.36 * clamp(luma(light), 0.0, 1.0);
        rgb = look.fill[status].rgb * select(shade, max(shade, 0.9), status == 5u);
    } else {
        var own = in.color.rgb;
#ifdef TEXTURED
        own *= image;
#endif
        own = select(saturate_by(own, look.style.z), look.fill[1].rgb, bound && look.sky.w > 0.5);
        // A soft sheen where the surface turns away: machines read as metal without an environment map.
        let v = normalize(view.world_position - in.world);
        let h = normalize(v + look.key.xyz);
#ifdef BLENDED
        let gloss = 0.6;
#else
        let gloss = in.color.a;
#endif
        let s = max(dot(n, h), 0.0);
        let s2 = s * s;
        let s8 = s2 * s2 * s2 * s2;
        // What glows keeps its colour in the shade: lamps, displays, indicator lights.
        rgb = own * mix(light, vec3<f32>(1.0), in.normal.w) + vec3<f32>(s8 * s8 * 0.22 * gloss);
    }
    rgb = saturate_by(rgb, freshness_saturation(fresh));
    if bound && (coloured || fresh >= 2u) && !never_seen {
        rgb = marked(rgb, in.code, in.world, n, look.style.x);
    }
    if (in.code.w & FLAG_HOVERED) != 0u {
        rgb = mix(rgb, vec3<f32>(1.0), 0.14);
    }
    if (in.code.z & 8u) != 0u {
        // Darker and back, in step with the symbol at the part: never another hue or a paler one, which would read as another
        // status or as old data.
        rgb *= 1.0 - 0.45 * look.style.w;
    }
#ifdef GHOSTS
    return vec4<f32>(rgb, select(look.style.y, look.ground.w, (in.code.w & FLAG_GHOST) != 0u));
#else
#ifdef BLENDED
    return vec4<f32>(rgb, select(in.color.a, max(in.color.a, 0.85), coloured));
#else
    return vec4<f32>(rgb, 1.0);
#endif
#endif
#endif
}
