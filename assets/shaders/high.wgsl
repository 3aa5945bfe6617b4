// The optional high tier: StandardMaterial's light and shadows, with colour, roughness and metal from the vertices of a
// merged chunk and status from the palette. For real graphics chips; see part.wgsl for what everyone gets.

#import bevy_pbr::forward_io::{VertexOutput, FragmentOutput}
#import bevy_pbr::pbr_fragment::pbr_input_from_standard_material
#import bevy_pbr::pbr_functions::{apply_pbr_lighting, main_pass_post_lighting_processing}
#import bevy_pbr::pbr_types::STANDARD_MATERIAL_FLAGS_BASE_COLOR_TEXTURE_BIT
#import orrery::marks::{Look, PALETTE_WIDTH, UNBOUND, FLAG_HIDDEN, FLAG_HOVERED, is_faint, saturate_by, freshness_saturation, marked}

@group(#{MATERIAL_BIND_GROUP}) @binding(100) var<uniform> look: Look;
@group(#{MATERIAL_BIND_GROUP}) @binding(101) var palette: texture_2d<u32>;

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> FragmentOutput {
    // uv_b: the part's number and its glow. The same at all corners of a triangle, so that rounding undoes interpolation.
    let part = u32(round(in.uv_b.x));
    let code = textureLoad(palette, vec2<i32>(i32(part % PALETTE_WIDTH), i32(part / PALETTE_WIDTH)), 0);
    let bound = code.x != UNBOUND;
    if (code.w & FLAG_HIDDEN) != 0u || is_faint(code) {
        // Drawn faintly by another pipeline.
        discard;
    }
    let status = min(code.x, 5u);
    let coloured = bound && status != 1u;
    let fresh = select(0u, code.y, bound);
    var input = pbr_input_from_standard_material(in, is_front);
    if (input.material.flags & STANDARD_MATERIAL_FLAGS_BASE_COLOR_TEXTURE_BIT) == 0u {
        // No image: the first coordinates carry roughness and metal.
        input.material.perceptual_roughness = clamp(in.uv.x, 0.089, 1.0);
        input.material.metallic = in.uv.y;
    }
    let alpha = input.material.base_color.a;
    let own = saturate_by(input.material.base_color.rgb, look.style.z);
    // Of a status colour 62 % stay unlit, so that a lit pixel keeps the colour of its legend.
    let base = select(own, look.fill[status].rgb, coloured);
    input.material.base_color = vec4<f32>(base, alpha);
    if coloured {
        input.material.metallic = 0.0;
    }
    let lit = apply_pbr_lighting(input);
    var rgb = mix(lit.rgb, own, in.uv_b.y);
    if coloured {
        rgb = base * select(0.62, 0.86, status == 5u) + min(lit.rgb, base * 1.2) * select(0.38, 0.14, status == 5u);
    }
    rgb = saturate_by(rgb, freshness_saturation(fresh));
    if bound && (coloured || fresh >= 2u) {
        rgb = marked(rgb, code, in.world_position.xyz, input.world_normal, look.style.x);
    }
    if (code.w & FLAG_HOVERED) != 0u {
        rgb = mix(rgb, vec3<f32>(1.0), 0.14);
    }
    if (code.z & 8u) != 0u {
        rgb *= 1.0 - 0.45 * look.style.w;
    }
    var out: FragmentOutput;
    out.color = main_pass_post_lighting_processing(input, vec4<f32>(rgb, select(lit.a, max(lit.a, 0.85), coloured)));
    return out;
}
