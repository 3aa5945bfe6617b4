//! The palette of the demo plant: restrained greys (ISA-101), so that only status colours shout.

/// One material of the plant; the order is the order in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mat {
    Floor,
    FloorJoint,
    Pad,
    Walkway,
    LineWhite,
    Safety,
    Wall,
    WallTrim,
    Window,
    Sky,
    Structure,
    Steel,
    SteelDark,
    Galvanised,
    MachineLight,
    MachineGrey,
    MachineBlue,
    Teal,
    Slate,
    Rubber,
    Belt,
    Screen,
    BottleEmpty,
    BottleFull,
    Label,
    Wood,
    Crate,
    Carton,
    Insulation,
    PipeWater,
    Film,
    Lamp,
}

/// How a material looks: sRGB hex, metallic, roughness, emissive strength (of the same colour).
pub(crate) struct Look {
    pub(crate) name: &'static str,
    pub(crate) srgb: u32,
    pub(crate) metallic: f32,
    pub(crate) roughness: f32,
    pub(crate) emissive: f32,
}

const fn look(name: &'static str, srgb: u32, metallic: f32, roughness: f32) -> Look {
    Look { name, srgb, metallic, roughness, emissive: 0.0 }
}

impl Mat {
    pub(crate) const ALL: [Mat; 32] = [
        Mat::Floor,
        Mat::FloorJoint,
        Mat::Pad,
        Mat::Walkway,
        Mat::LineWhite,
        Mat::Safety,
        Mat::Wall,
        Mat::WallTrim,
        Mat::Window,
        Mat::Sky,
        Mat::Structure,
        Mat::Steel,
        Mat::SteelDark,
        Mat::Galvanised,
        Mat::MachineLight,
        Mat::MachineGrey,
        Mat::MachineBlue,
        Mat::Teal,
        Mat::Slate,
        Mat::Rubber,
        Mat::Belt,
        Mat::Screen,
        Mat::BottleEmpty,
        Mat::BottleFull,
        Mat::Label,
        Mat::Wood,
        Mat::Crate,
        Mat::Carton,
        Mat::Insulation,
        Mat::PipeWater,
        Mat::Film,
        Mat::Lamp,
    ];

    /// Metallic stays below 0.5: a renderer without an environment map turns full metals black.
    pub(crate) const fn look(self) -> Look {
        match self {
            Mat::Floor => look("floor", 0x989EA1, 0.0, 0.82),
            Mat::FloorJoint => look("floor-joint", 0x868C90, 0.0, 0.9),
            Mat::Pad => look("pad", 0xABAFB1, 0.0, 0.9),
            Mat::Walkway => look("walkway", 0x7F8B92, 0.0, 0.75),
            Mat::LineWhite => look("line-white", 0xE4E6E4, 0.0, 0.7),
            Mat::Safety => look("safety", 0xC9B672, 0.0, 0.6),
            Mat::Wall => look("wall", 0xD9DCDE, 0.0, 0.9),
            Mat::WallTrim => look("wall-trim", 0xB4BBC2, 0.0, 0.7),
            Mat::Window => look("window", 0xBCCDD8, 0.1, 0.15),
            Mat::Sky => Look { name: "sky", srgb: 0xB9CBD7, metallic: 0.0, roughness: 0.2, emissive: 0.35 },
            Mat::Structure => look("structure", 0x8493A1, 0.1, 0.55),
            Mat::Steel => look("steel", 0xCDD2D5, 0.25, 0.35),
            Mat::SteelDark => look("steel-dark", 0x8B9299, 0.35, 0.42),
            Mat::Galvanised => look("galvanised", 0xAFB5BA, 0.3, 0.5),
            Mat::MachineLight => look("machine-light", 0xE2E5E6, 0.0, 0.45),
            Mat::MachineGrey => look("machine-grey", 0xA0A8AF, 0.0, 0.5),
            Mat::MachineBlue => look("machine-blue", 0x7B8FA3, 0.0, 0.45),
            Mat::Teal => look("teal", 0x66868A, 0.0, 0.45),
            Mat::Slate => look("slate", 0x434D58, 0.05, 0.5),
            Mat::Rubber => look("rubber", 0x2E3237, 0.0, 0.85),
            Mat::Belt => look("belt", 0x5A6168, 0.0, 0.75),
            Mat::Screen => look("screen", 0x22303A, 0.0, 0.15),
            Mat::BottleEmpty => look("bottle-empty", 0xC3D8D2, 0.05, 0.12),
            Mat::BottleFull => look("bottle-full", 0x6A9488, 0.05, 0.12),
            Mat::Label => look("label", 0xEFEFE9, 0.0, 0.7),
            Mat::Wood => look("wood", 0xB8A488, 0.0, 0.85),
            Mat::Crate => look("crate", 0x6A8591, 0.0, 0.55),
            Mat::Carton => look("carton", 0xC2B49C, 0.0, 0.9),
            Mat::Insulation => look("insulation", 0xD0D2D1, 0.15, 0.55),
            Mat::PipeWater => look("pipe-water", 0x8DA5B0, 0.05, 0.45),
            Mat::Film => look("film", 0xCBD8DD, 0.05, 0.2),
            Mat::Lamp => Look { name: "lamp", srgb: 0xF6F7F4, metallic: 0.0, roughness: 0.4, emissive: 0.6 },
        }
    }
}

/// One 8-bit sRGB channel to linear light (IEC 61966-2-1).
pub(crate) fn linear(channel: u32) -> f32 {
    let c = f64::from(channel & 0xFF) / 255.0;
    let l = if c <= 0.040_45 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) };
    l as f32
}
