//! The one token file: every colour, size and type style of the panels. Nothing else in the crate names one.
//!
//! The values are those of the design brief; status fills come from `twin_health::palette`, as they do in 3D. [`apply`] turns them into an egui
//! style so that stock widgets (text fields, menus, tooltips, scroll bars) look like ours.

use std::sync::Arc;

use egui::style::{HandleShape, ScrollStyle, WidgetVisuals, Widgets};
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, FontTweak, Margin, Shadow, Stroke, TextStyle, Vec2,
    vec2,
};
use twin_health::palette;
use twin_model::{Freshness, Status};

use crate::view::Theme;

const fn hex(rgb: u32) -> Color32 {
    Color32::from_rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

const fn hexa(rgb: u32, alpha: u8) -> Color32 {
    Color32::from_rgba_unmultiplied_const((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8, alpha)
}

/// The colours of one theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Whether it is the dark one.
    pub dark: bool,
    /// Top of the 3D background's gradient.
    pub ground_top: Color32,
    /// Bottom of the 3D background's gradient.
    pub ground_bottom: Color32,
    /// Panels.
    pub surface0: Color32,
    /// Cards and fields.
    pub surface1: Color32,
    /// Raised: hovered rows, buttons, chips.
    pub surface2: Color32,
    /// Pressed.
    pub surface3: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Secondary text and units.
    pub secondary: Color32,
    /// Faint text: ages, hints, axis labels.
    pub faint: Color32,
    /// Focus, active, slider.
    pub accent: Color32,
    /// Accent as a background behind text.
    pub accent_weak: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// What is not real.
    pub what_if: Color32,
    /// The same as a background behind text.
    pub what_if_weak: Color32,
    /// Text on the what-if colour.
    pub on_what_if: Color32,
    /// Floating cards over the 3D view, slightly see-through.
    pub glass: Color32,
    /// Behind a sheet or dialog.
    pub scrim: Color32,
    /// Shadow under what floats.
    pub shadow: Color32,
    /// Hatching over stretches without data. Opaque: what is see-through looks different in every way of blending.
    pub hatch: Color32,
    /// How much data there is, on the time bar.
    pub density: Color32,
    /// Lines of the chart, in order of choice; none of them is a status colour.
    pub series: [Color32; 5],
    /// Edge around status fills, so that yellow stands off white.
    pub status_edge: Color32,
}

static DARK: Tokens = Tokens {
    dark: true,
    ground_top: hex(0x0E_1116),
    ground_bottom: hex(0x1B_2027),
    surface0: hex(0x14_171C),
    surface1: hex(0x1A_1E24),
    surface2: hex(0x22_2730),
    surface3: hex(0x2A_303A),
    line: hex(0x2E_343D),
    text: hex(0xE7_EAEE),
    secondary: hex(0xA9_B1BC),
    faint: hex(0x6F_7884),
    accent: hex(0x9D_8CFF),
    accent_weak: hex(0x27_2640),
    on_accent: hex(0x14_171C),
    what_if: hex(0xCC_79A7),
    what_if_weak: hex(0x33_222D),
    on_what_if: hex(0x14_171C),
    glass: hexa(0x14_171C, 0xEB),
    scrim: hexa(0x08_0A0D, 0xB0),
    shadow: hexa(0x00_0000, 0x70),
    hatch: hex(0x57_5C64),
    density: hex(0x33_3A44),
    series: [hex(0x9D_8CFF), hex(0x6F_D3C3), hex(0xD5_DAE1), hex(0x8C_B4D9), hex(0xB9_A58C)],
    status_edge: hexa(0x00_0000, 0x00),
};

static LIGHT: Tokens = Tokens {
    dark: false,
    ground_top: hex(0xE9_ECF0),
    ground_bottom: hex(0xFB_FCFD),
    surface0: hex(0xF4_F5F7),
    surface1: hex(0xFF_FFFF),
    surface2: hex(0xEE_F0F3),
    surface3: hex(0xE2_E6EB),
    line: hex(0xD9_DDE3),
    text: hex(0x1B_2027),
    secondary: hex(0x4C_5560),
    faint: hex(0x8A_929C),
    accent: hex(0x5B_4BC4),
    accent_weak: hex(0xE4_E1F7),
    on_accent: hex(0xFF_FFFF),
    what_if: hex(0xA2_437C),
    what_if_weak: hex(0xF5_E4EE),
    on_what_if: hex(0xFF_FFFF),
    glass: hexa(0xFF_FFFF, 0xF2),
    scrim: hexa(0x1B_2027, 0x66),
    shadow: hexa(0x1B_2027, 0x2C),
    hatch: hex(0xA8_ADB3),
    density: hex(0xC9_CED6),
    series: [hex(0x5B_4BC4), hex(0x0F_7F75), hex(0x3A_424D), hex(0x2F_6C9E), hex(0x86_6A45)],
    status_edge: hexa(0x1B_2027, 0x60),
};

/// The tokens of a theme.
pub fn tokens_of(theme: Theme) -> &'static Tokens {
    match theme {
        Theme::Dark => &DARK,
        Theme::Light => &LIGHT,
    }
}

/// The tokens in force where a `Ui` stands.
pub fn tokens(ui: &egui::Ui) -> &'static Tokens {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

impl Tokens {
    /// NE 107 fill, the same in both themes and in 3D.
    pub const fn status(&self, status: Status) -> Color32 {
        let palette::Rgb(red, green, blue) = palette::fill(status);
        Color32::from_rgb(red, green, blue)
    }

    /// A status fill as the age of its data washes it out.
    pub fn status_aged(&self, status: Status, freshness: Freshness) -> Color32 {
        let fill = self.status(status);
        let grey = (0.2126 * f32::from(fill.r()) + 0.7152 * f32::from(fill.g()) + 0.0722 * f32::from(fill.b())) as u8;
        Color32::from_gray(grey).lerp_to_gamma(fill, palette::saturation(freshness))
    }

    /// Letters on a status fill.
    pub const fn on_status(&self, status: Status) -> Color32 {
        match status {
            Status::Maintenance | Status::Failure | Status::Unknown => hex(0xFF_FFFF),
            Status::Normal | Status::OutOfSpecification | Status::FunctionCheck => hex(0x14_171C),
        }
    }

    /// Colour of the chart's nth line.
    pub fn series_color(&self, nth: usize) -> Color32 {
        self.series[nth % self.series.len()]
    }

    /// A hairline.
    pub fn hairline(&self) -> Stroke {
        Stroke::new(HAIR, self.line)
    }

    /// The shadow under what floats over the 3D view.
    pub fn float_shadow(&self) -> Shadow {
        Shadow { offset: [0, 4], blur: 20, spread: 0, color: self.shadow }
    }
}

/// Takes clicks and drags, so that they do not fall through to the 3D view, but no keyboard focus.
pub(crate) const SWALLOW: egui::Sense = egui::Sense::CLICK.union(egui::Sense::DRAG);

/// Width of a hairline.
pub const HAIR: f32 = 1.0;
/// Width of a chart line.
pub const LINE: f32 = 1.5;
/// Width of focus rings, playhead and the bar beside a selected row.
pub const BOLD: f32 = 2.0;
/// Width of the frame around what is not real.
pub const FRAME: f32 = 3.0;

/// Spacing steps.
pub const S4: f32 = 4.0;
/// See [`S4`].
pub const S8: f32 = 8.0;
/// See [`S4`].
pub const S12: f32 = 12.0;
/// See [`S4`].
pub const S16: f32 = 16.0;
/// See [`S4`].
pub const S24: f32 = 24.0;

/// Radius of controls.
pub const R_CONTROL: f32 = 4.0;
/// Radius of cards.
pub const R_CARD: f32 = 8.0;

/// Sizes of the layout, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Height of a row in a list.
    pub row: f32,
    /// Height of a row with two lines of text.
    pub row_two: f32,
    /// Height and least width of a control.
    pub control: f32,
    /// Height of the top bar.
    pub top: f32,
    /// Height of the time bar without branch lanes.
    pub bottom: f32,
    /// Width of the tree, also of the controls left of the time bar.
    pub left: f32,
    /// Width of the inspector.
    pub right: f32,
    /// Width of a collapsed side panel.
    pub rail: f32,
    /// Height of the chart drawer.
    pub drawer: f32,
    /// Width of the read-out right of the time bar.
    pub readout: f32,
    /// Height of the tab bar at the bottom of a narrow screen; 0 elsewhere.
    pub tabs: f32,
}

/// Sizes for pointer (dense) and for touch.
pub const DENSE: Sizes = Sizes {
    row: 24.0,
    row_two: 42.0,
    control: 28.0,
    top: 40.0,
    bottom: 72.0,
    left: 240.0,
    right: 300.0,
    rail: 40.0,
    drawer: 200.0,
    readout: 148.0,
    tabs: 0.0,
};
/// See [`DENSE`].
pub const TOUCH: Sizes = Sizes {
    row: 32.0,
    row_two: 48.0,
    control: 32.0,
    top: 44.0,
    bottom: 116.0,
    left: 320.0,
    right: 320.0,
    rail: 40.0,
    drawer: 180.0,
    readout: 0.0,
    tabs: 52.0,
};

/// Below this width side panels are rails.
pub const WIDTH_RAILS: f32 = 1000.0;
/// Below this width panels are sheets, and rows are for fingers.
pub const WIDTH_SHEET: f32 = 600.0;
/// From this width side panels are wider.
pub const WIDTH_ROOMY: f32 = 1600.0;

/// Height of the thin lanes for branches on the time bar.
pub const BRANCH_LANE: f32 = 12.0;
/// Size of an icon.
pub const ICON: f32 = 16.0;
/// Size of the icon in an empty panel.
pub const ICON_BIG: f32 = 28.0;
/// Distance of hatch lines.
pub const HATCH_STEP: f32 = 6.0;
/// Indent of one level of the tree.
pub const INDENT: f32 = 14.0;

/// Type sizes: 12 for annotations, 13 for text, 15 for titles, 20 for the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// 12, regular.
    Small,
    /// 12, semibold.
    SmallBold,
    /// 13, regular.
    Body,
    /// 13, semibold.
    BodyBold,
    /// 15, semibold.
    Title,
    /// 20, semibold.
    Large,
}

fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

impl Type {
    /// The egui font.
    pub fn font(self) -> FontId {
        match self {
            Self::Small => FontId::new(12.0, FontFamily::Proportional),
            Self::SmallBold => FontId::new(12.0, semibold()),
            Self::Body => FontId::new(13.0, FontFamily::Proportional),
            Self::BodyBold => FontId::new(13.0, semibold()),
            Self::Title => FontId::new(15.0, semibold()),
            Self::Large => FontId::new(20.0, semibold()),
        }
    }
}

/// The font of an icon of a size.
pub fn icon_font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icons".into()))
}

/// The font of the letter in a status mark of a size.
pub fn mark_font(size: f32) -> FontId {
    FontId::new(size * 0.68, semibold())
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let mut add = |name: &str, bytes: &'static [u8]| {
        // A thin space is a fifth of an em in print; egui's default is half of that and glues units to their numbers.
        let tweak = FontTweak { thin_space_width: 0.8, ..Default::default() };
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes).tweak(tweak)));
    };
    add("inter-400", include_bytes!("../../../assets/fonts/Inter-400.otf"));
    add("inter-600", include_bytes!("../../../assets/fonts/Inter-600.otf"));
    add("phosphor", include_bytes!("../../../assets/fonts/Phosphor.ttf"));
    let family = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    fonts.families.insert(FontFamily::Proportional, family(&["inter-400", "phosphor"]));
    fonts.families.insert(FontFamily::Monospace, family(&["inter-400", "phosphor"]));
    fonts.families.insert(semibold(), family(&["inter-600", "phosphor"]));
    fonts.families.insert(FontFamily::Name("icons".into()), family(&["phosphor", "inter-400"]));
    fonts
}

/// Loads fonts and both styles into a context. Call it once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    apply(ctx, Theme::Dark);
}

/// Puts a theme in force.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    let (wanted, t) = match theme {
        Theme::Dark => (egui::Theme::Dark, &DARK),
        Theme::Light => (egui::Theme::Light, &LIGHT),
    };
    ctx.set_theme(wanted);
    ctx.style_mut_of(wanted, |style| fill_style(style, t));
}

fn fill_style(style: &mut egui::Style, t: &Tokens) {
    style.text_styles = [
        (TextStyle::Small, Type::Small.font()),
        (TextStyle::Body, Type::Body.font()),
        (TextStyle::Button, Type::Body.font()),
        (TextStyle::Heading, Type::Title.font()),
        (TextStyle::Monospace, Type::Body.font()),
    ]
    .into();
    style.animation_time = 0.12;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;
    style.spacing.item_spacing = vec2(S8, S4);
    style.spacing.button_padding = vec2(S8, S4);
    style.spacing.window_margin = Margin::same(S12 as i8);
    style.spacing.menu_margin = Margin::same(S8 as i8);
    style.spacing.interact_size = vec2(DENSE.control, DENSE.control);
    style.spacing.tooltip_width = 320.0;
    style.spacing.scroll = ScrollStyle {
        bar_width: 6.0,
        floating_width: 3.0,
        floating_allocated_width: 0.0,
        bar_inner_margin: 2.0,
        bar_outer_margin: 2.0,
        handle_min_length: 24.0,
        dormant_handle_opacity: 0.4,
        active_handle_opacity: 0.6,
        ..ScrollStyle::floating()
    };
    style.visuals.dark_mode = t.dark;
    fill_visuals(&mut style.visuals, t);
}

fn fill_visuals(v: &mut egui::Visuals, t: &Tokens) {
    v.widgets = Widgets {
        noninteractive: widget(t.surface0, t.line, t.secondary),
        inactive: widget(t.surface2, Color32::TRANSPARENT, t.text),
        hovered: widget(t.surface3, Color32::TRANSPARENT, t.text),
        active: widget(t.surface3, t.accent, t.text),
        open: widget(t.surface3, t.line, t.text),
    };
    v.override_text_color = None;
    v.weak_text_color = Some(t.secondary);
    v.selection.bg_fill = t.accent_weak;
    v.selection.stroke = Stroke::new(HAIR, t.accent);
    v.hyperlink_color = t.accent;
    v.faint_bg_color = t.surface1;
    v.extreme_bg_color = t.surface1;
    v.text_edit_bg_color = Some(t.surface1);
    v.code_bg_color = t.surface2;
    v.warn_fg_color = t.text;
    v.error_fg_color = t.text;
    v.window_corner_radius = CornerRadius::same(R_CARD as u8);
    v.menu_corner_radius = CornerRadius::same(R_CARD as u8);
    v.window_fill = t.surface1;
    v.window_stroke = t.hairline();
    v.window_shadow = t.float_shadow();
    v.popup_shadow = t.float_shadow();
    v.panel_fill = t.surface0;
    v.text_cursor.stroke = Stroke::new(LINE, t.accent);
    v.handle_shape = HandleShape::Circle;
    v.slider_trailing_fill = true;
    v.striped = false;
    v.indent_has_left_vline = false;
    v.interact_cursor = None;
}

fn widget(fill: Color32, edge: Color32, text: Color32) -> WidgetVisuals {
    WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: if edge == Color32::TRANSPARENT { Stroke::NONE } else { Stroke::new(HAIR, edge) },
        corner_radius: CornerRadius::same(R_CONTROL as u8),
        fg_stroke: Stroke::new(HAIR, text),
        expansion: 0.0,
    }
}

/// Corner radius of controls.
pub fn control_radius() -> CornerRadius {
    CornerRadius::same(R_CONTROL as u8)
}

/// Corner radius of cards.
pub fn card_radius() -> CornerRadius {
    CornerRadius::same(R_CARD as u8)
}

/// Size of a square control.
pub fn square(side: f32) -> Vec2 {
    Vec2::splat(side)
}
