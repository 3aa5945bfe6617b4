// What both tiers share: the look, the codes of a texel, and what status and freshness add to a colour.
#define_import_path orrery::marks

struct Look {
    // Linear RGB by status code: unknown, normal, maintenance, out of specification, function check, failure.
    fill: array<vec4<f32>, 6>,
    // xyz: direction to the key light; w: its strength.
    key: vec4<f32>,
    // rgb: light from above; w: 1 when normal parts show their status grey instead of their own colour.
    sky: vec4<f32>,
    // rgb: light from below; w: opacity of ghosts.
    ground: vec4<f32>,
    // x: metres per pattern period; y: opacity of what was never seen; z: saturation of normal parts; w: pulse 0..1 of
    // unacknowledged alarms.
    style: vec4<f32>,
    // rgb: edge colour; a: how strongly it covers.
    edge: vec4<f32>,
    // xz centre, extent and strength of the floor's contact shadow.
    floor: vec4<f32>,
}

const PALETTE_WIDTH: u32 = 2048u;
const UNBOUND: u32 = 255u;
const NEVER_SEEN: u32 = 4u;

const FLAG_HIDDEN: u32 = 1u;
const FLAG_GHOST: u32 = 2u;
const FLAG_SELECTED: u32 = 4u;
const FLAG_HOVERED: u32 = 8u;

// Parts that are shown faintly: ghosts, and what was never seen unless it is selected, because the selection's outline is only
// hidden behind what is solid.
fn is_faint(code: vec4<u32>) -> bool {
    let never_seen = code.x != UNBOUND && code.y == NEVER_SEEN;
    return (code.w & FLAG_GHOST) != 0u || (never_seen && (code.w & FLAG_SELECTED) == 0u);
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
    let side = select(world.xy, world.zy, a.x > a.z);
    return select(side, world.xz, a.y > max(a.x, a.z));
}

// How much of the pattern's ink covers this point: 0 or 1, by status and freshness. The period, in metres, is one for the
// whole picture: chosen per pixel it would break the pattern into rings.
fn ink(code: vec4<u32>, world: vec3<f32>, n: vec3<f32>, period: f32) -> vec2<f32> {
    let p = surface(world, n) / period;
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

// Saturation left at a freshness: live, late, stale, offline, never seen.
fn freshness_saturation(freshness: u32) -> f32 {
    let fresh = select(1.0, 0.7, freshness == 1u);
    let aging = select(fresh, 0.35, freshness == 2u);
    return select(aging, 0.0, freshness >= 3u);
}

// A colour with the ink of its part's patterns, of that period in metres.
fn marked(rgb: vec3<f32>, code: vec4<u32>, world: vec3<f32>, n: vec3<f32>, period: f32) -> vec3<f32> {
    let marks = ink(code, world, n, period);
    let status = mix(rgb, rgb * 0.42, marks.x * 0.8);
    return mix(status, status * 0.35 + vec3<f32>(0.01), marks.y * 0.85);
}
