//! What can be drawn with one material.

/// What a group is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellClass {
    /// No image and not transparent.
    Opaque {
        /// Whether back faces are drawn.
        double_sided: bool,
    },
    /// A material with an image.
    Textured {
        /// Position in [`CellInfo::materials`](super::CellInfo::materials).
        material: u16,
    },
    /// No image, blended with what is behind.
    Blend {
        /// Whether back faces are drawn.
        double_sided: bool,
    },
}
