//! How much room there is, and what follows for sizes.

use egui::{Context, Rect};

use crate::theme::{DENSE, Sizes, TOUCH, WIDTH_RAILS, WIDTH_ROOMY, WIDTH_SHEET};

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// A telephone: sheets.
    Sheet,
    /// Rails at the sides, panels over the 3D view.
    Rails,
    /// Panels at the sides.
    Full,
}

/// Everything that a pass needs to know about the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) rect: Rect,
    pub(crate) width: Width,
    pub(crate) sizes: Sizes,
}

impl Screen {
    pub(crate) fn of(ctx: &Context) -> Self {
        let rect = ctx.content_rect();
        let width = match rect.width() {
            w if w < WIDTH_SHEET => Width::Sheet,
            w if w < WIDTH_RAILS => Width::Rails,
            _ => Width::Full,
        };
        let mut sizes = if width == Width::Sheet { TOUCH } else { DENSE };
        if rect.width() >= WIDTH_ROOMY {
            sizes.left += 40.0;
            sizes.right += 60.0;
            sizes.drawer += 60.0;
        }
        Self { rect, width, sizes }
    }
}
