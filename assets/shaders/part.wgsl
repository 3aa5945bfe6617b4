// The slim material: hemisphere plus one key light, status tint and patterns from one palette texel per part.
//
// Everything that depends on the part is fetched once per vertex and handed on flat; the fragment stage does a dozen
// arithmetic operations. StandardMaterial costs about ten times as much per pixel in software WebGL2.

#import bevy_pbr::mesh_functions
#import bevy_pbr::mesh_view_bindings::view
#import bevy_pbr::view_transformations::position_world_to_clip

struct Look {
    // Linear RGB by status code: unknown, normal, maintenance, out of specification, function check, failure.
    fill: array<vec4<f32>, 6>,
    // xyz: direction to the key light; w: its strength.
    key: vec4<f32>,
    // rgb: light from above; w: 1 when normal parts show their status grey instead of their own colour.
    sky: vec4<f32>,
    // rgb: light from below; w: ambient darkening of edges.
    ground: vec4<f32>,
    // x: pixels per pattern period; y: 1 where edges are drawn; z: saturation of normal parts; w: pulse 0..1 of unacknowledged alarms.
    style: vec4<f32>,
    // rgb: edge colour; a: how strongly it covers.
    edge: vec4<f32>,
    // xz centre, extent and strength of the floor's contact shadow.
    floor: vec4<f32>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<uniform> look: Look;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var palette: texture_2d<u32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var shadow_map: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(3) var shadow_sampler: sampler;
@group(#{MATERIAL_BIND_GROUP}) @binding(4) var base_image: texture_2d<f32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(5) var base_sampler: sampler;

const PALETTE_WIDTH: u32 = 256u;
const UNBOUND: u32 = 255u;

const FLAG_HIDDEN: u32 = 1u;
const FLAG_GHOST: u32 = 2u;
const FLAG_SELECTED: u32 = 4u;
const FLAG_HOVERED: u32 = 8u;

struct Vertex {
    @builtin(instance_index) instance_index: u32,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec4<f32>,
    @location(2) color: vec4<f32>,
    @location(3) part: u32,
#ifdef TEXTURED
    @location(4) uv: vec2<f32>,
#endif
};

struct Varyings {
    @builtin(position) position: vec4<f32>,
    @location(0) world: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) color: vec4<f32>,
    // x: status, y: freshness, z: alarm bits, w: view flags
    @location(3) @interpolate(flat) code: vec4<u32>,
#ifdef TEXTURED
    @location(4) uv: vec2<f32>,
#endif
};

@vertex
fn vertex(in: Vertex) -> Varyings {
    var out: Varyings;
    let texel = in.part + mesh_functions::get_tag(in.instance_index);
    let code = textureLoad(palette, vec2<i32>(i32(texel % PALETTE_WIDTH), i32(texel / PALETTE_WIDTH)), 0);
    let world_from_local = mesh_functions::get_world_from_local(in.instance_index);
    let world = mesh_functions::mesh_position_local_to_world(world_from_local, vec4<f32>(in.position, 1.0));
    out.world = world.xyz;
    out.normal = mesh_functions::mesh_normal_local_to_world(in.normal.xyz, in.instance_index);
    // Stored as sRGB so that dark colours keep their steps; a plain power is near enough to the curve at 8 bits.
    out.color = vec4<f32>(pow(in.color.rgb, vec3<f32>(2.2)), in.color.a);
#ifdef TEXTURED
    out.uv = in.uv;
#endif
    out.code = code;
    out.position = position_world_to_clip(world.xyz);
#ifdef EDGES
    // Reversed depth: a nudge towards the viewer keeps lines in front of the faces that they bound.
    out.position.z *= 1.0008;
#endif
    if (code.w & FLAG_HIDDEN) != 0u {
        // Behind the far plane: every vertex of the part, so nothing of it is left.
        out.position = vec4<f32>(0.0, 0.0, -2.0, 1.0);
    }
    return out;
}

fn luma(c: vec3<f32>) -> f32 {
    return dot(c, vec3<f32>(0.2126, 0.7152, 0.0722));
}

fn saturate_by(c: vec3<f32>, amount: f32) -> vec3<f32> {
    return mix(vec3<f32>(luma(c)), c, amount);
}

// Two surface coordinates in metres along the face, chosen by the dominant axis of its normal.
fn surface(world: vec3<f32>, n: vec3<f32>) -> vec2<f32> {
    let a = abs(n);
    if a.y > max(a.x, a.z) {
        return world.xz;
    }
    if a.x > a.z {
        return world.zy;
    }
    return world.xy;
}

// Metres per pattern period at this distance, a power of two so that the pattern stays put while the camera moves.
fn pattern_period(world: vec3<f32>) -> f32 {
    let distance = length(view.world_position - world);
    let metres_per_pixel = 2.0 * distance / (view.clip_from_view[1][1] * view.viewport.w);
    return exp2(round(log2(max(look.style.x * metres_per_pixel, 0.0001))));
}

// How much of the pattern's ink covers this point: 0 or 1, by status and freshness.
fn ink(code: vec4<u32>, world: vec3<f32>, n: vec3<f32>) -> vec2<f32> {
    let p = surface(world, n) / pattern_period(world);
    var status_ink = 0.0;
    if code.x == 3u {
        let d = fract(p * 1.5) - vec2<f32>(0.5);
        status_ink = select(0.0, 1.0, dot(d, d) < 0.05);
    } else if code.x == 4u {
        status_ink = select(0.0, 1.0, fract(p.y) < 0.28);
    } else if code.x == 0u {
        let c = vec2<i32>(floor(p));
        status_ink = select(0.0, 1.0, ((c.x + c.y) & 1) == 0);
    }
    var hatch = 0.0;
    if code.y == 2u || code.y == 3u {
        hatch = select(0.0, 1.0, fract((p.x + p.y) * 0.8) < 0.32);
    }
    return vec2<f32>(status_ink, hatch);
}

fn freshness_saturation(freshness: u32) -> f32 {
    if freshness == 1u {
        return 0.7;
    }
    if freshness == 2u {
        return 0.35;
    }
    if freshness == 3u {
        return 0.0;
    }
    return 1.0;
}

// A 4x4 ordered dither threshold: transparency without sorting, the same on every machine.
fn dither(position: vec2<f32>) -> f32 {
    let x = u32(position.x) & 3u;
    let y = u32(position.y) & 3u;
    var m = array<f32, 16>(0.03, 0.53, 0.16, 0.66, 0.78, 0.28, 0.91, 0.41, 0.22, 0.72, 0.09, 0.59, 0.97, 0.47, 0.84, 0.34);
    return m[y * 4u + x];
}

@fragment
fn fragment(in: Varyings, @builtin(front_facing) front: bool) -> @location(0) vec4<f32> {
    // Sampled before any branch: derivatives need every pixel of the quad.
#ifdef TEXTURED
    let image = textureSample(base_image, base_sampler, in.uv).rgb;
#else
    let image = vec3<f32>(1.0);
#endif
    let flags = in.code.w;
    let ghost = (flags & FLAG_GHOST) != 0u;
    if ghost && dither(in.position.xy) > 0.12 {
        discard;
    }
    let bound = in.code.x != UNBOUND;
    let status = min(in.code.x, 5u);
    let coloured = bound && status != 1u;
    let fresh = select(0u, in.code.y, bound);

#ifdef EDGES
    if ghost {
        discard;
    }
    var line = look.edge.rgb;
    if coloured {
        line = mix(look.fill[status].rgb * 0.35, look.edge.rgb, 0.15);
    }
    if status == 5u && bound {
        line = mix(look.fill[5].rgb, vec3<f32>(1.0), 0.55);
    }
    return vec4<f32>(line, select(look.edge.a, 0.9, coloured));
#else
    // Never seen: an outline only; the faces leave just enough to be found.
    if bound && fresh == 4u && dither(in.position.xy) > 0.10 && !ghost {
        discard;
    }
    var n = normalize(in.normal);
    if !front {
        n = -n;
    }
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
        rgb = look.fill[status].rgb * shade;
        if status == 5u {
            rgb = look.fill[status].rgb * max(shade, 0.9);
        }
    } else {
        var own = in.color.rgb;
        own *= image;
        if bound && look.sky.w > 0.5 {
            own = look.fill[1].rgb;
        } else {
            own = saturate_by(own, look.style.z);
        }
        rgb = own * light;
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
        rgb += vec3<f32>(s8 * s8 * 0.22 * gloss);
    }
    rgb = saturate_by(rgb, freshness_saturation(fresh));
    if bound && (coloured || fresh >= 2u) {
        let marks = ink(in.code, in.world, n);
        rgb = mix(rgb, rgb * 0.42, marks.x * 0.8);
        rgb = mix(rgb, rgb * 0.35 + vec3<f32>(0.01), marks.y * 0.85);
    }
    if (flags & FLAG_HOVERED) != 0u {
        rgb = mix(rgb, vec3<f32>(1.0), 0.14);
    }
    if (flags & FLAG_SELECTED) != 0u {
        rgb = mix(rgb, vec3<f32>(1.0), 0.06);
    }
    if (in.code.z & 8u) != 0u {
        rgb += look.fill[5].rgb * 0.35 * look.style.w;
    }
#ifdef BLENDED
    return vec4<f32>(rgb, select(in.color.a, max(in.color.a, 0.85), coloured));
#else
    return vec4<f32>(rgb, 1.0);
#endif
#endif
}
