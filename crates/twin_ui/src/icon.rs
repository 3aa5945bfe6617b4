//! Names of the icons in `assets/fonts/Phosphor.ttf`. Written by `assets/fonts/subset.py`; edit the list there.

/// Phosphor `arrow-clockwise`.
pub(crate) const ARROW_CLOCKWISE: char = '\u{e036}';
/// Phosphor `arrow-right`.
pub(crate) const ARROW_RIGHT: char = '\u{e06c}';
/// Phosphor `arrow-up-right`.
pub(crate) const ARROW_UP_RIGHT: char = '\u{e092}';
/// Phosphor `arrows-out-line-horizontal`.
pub(crate) const ARROWS_OUT_LINE_HORIZONTAL: char = '\u{e534}';
/// Phosphor `bell`.
pub(crate) const BELL: char = '\u{e0ce}';
/// Phosphor `bell-ringing`.
pub(crate) const BELL_RINGING: char = '\u{e5e8}';
/// Phosphor `broadcast`.
pub(crate) const BROADCAST: char = '\u{e0f2}';
/// Phosphor `caret-double-right`.
pub(crate) const CARET_DOUBLE_RIGHT: char = '\u{e12a}';
/// Phosphor `caret-down`.
pub(crate) const CARET_DOWN: char = '\u{e136}';
/// Phosphor `caret-left`.
pub(crate) const CARET_LEFT: char = '\u{e138}';
/// Phosphor `caret-right`.
pub(crate) const CARET_RIGHT: char = '\u{e13a}';
/// Phosphor `caret-up`.
pub(crate) const CARET_UP: char = '\u{e13c}';
/// Phosphor `caret-up-down`.
pub(crate) const CARET_UP_DOWN: char = '\u{e140}';
/// Phosphor `chart-line`.
pub(crate) const CHART_LINE: char = '\u{e154}';
/// Phosphor `check`.
pub(crate) const CHECK: char = '\u{e182}';
/// Phosphor `check-circle`.
pub(crate) const CHECK_CIRCLE: char = '\u{e184}';
/// Phosphor `circle-notch`.
pub(crate) const CIRCLE_NOTCH: char = '\u{eb44}';
/// Phosphor `clock`.
pub(crate) const CLOCK: char = '\u{e19a}';
/// Phosphor `clock-counter-clockwise`.
pub(crate) const CLOCK_COUNTER_CLOCKWISE: char = '\u{e1a0}';
/// Phosphor `cloud-slash`.
pub(crate) const CLOUD_SLASH: char = '\u{e1b6}';
/// Phosphor `copy`.
pub(crate) const COPY: char = '\u{e1ca}';
/// Phosphor `corners-out`.
pub(crate) const CORNERS_OUT: char = '\u{e1d0}';
/// Phosphor `crosshair-simple`.
pub(crate) const CROSSHAIR_SIMPLE: char = '\u{e1d8}';
/// Phosphor `cube`.
pub(crate) const CUBE: char = '\u{e1da}';
/// Phosphor `database`.
pub(crate) const DATABASE: char = '\u{e1de}';
/// Phosphor `desktop`.
pub(crate) const DESKTOP: char = '\u{e560}';
/// Phosphor `eye`.
pub(crate) const EYE: char = '\u{e220}';
/// Phosphor `file-x`.
pub(crate) const FILE_X: char = '\u{e23c}';
/// Phosphor `flask`.
pub(crate) const FLASK: char = '\u{e79e}';
/// Phosphor `funnel-simple`.
pub(crate) const FUNNEL_SIMPLE: char = '\u{e268}';
/// Phosphor `gauge`.
pub(crate) const GAUGE: char = '\u{e628}';
/// Phosphor `hourglass`.
pub(crate) const HOURGLASS: char = '\u{e2b2}';
/// Phosphor `info`.
pub(crate) const INFO: char = '\u{e2ce}';
/// Phosphor `link`.
pub(crate) const LINK: char = '\u{e2e2}';
/// Phosphor `magnifying-glass`.
pub(crate) const MAGNIFYING_GLASS: char = '\u{e30c}';
/// Phosphor `magnifying-glass-minus`.
pub(crate) const MAGNIFYING_GLASS_MINUS: char = '\u{e30e}';
/// Phosphor `magnifying-glass-plus`.
pub(crate) const MAGNIFYING_GLASS_PLUS: char = '\u{e310}';
/// Phosphor `moon`.
pub(crate) const MOON: char = '\u{e330}';
/// Phosphor `pause`.
pub(crate) const PAUSE: char = '\u{e39e}';
/// Phosphor `play`.
pub(crate) const PLAY: char = '\u{e3d0}';
/// Phosphor `plugs-connected`.
pub(crate) const PLUGS_CONNECTED: char = '\u{eb5a}';
/// Phosphor `push-pin`.
pub(crate) const PUSH_PIN: char = '\u{e3e2}';
/// Phosphor `question`.
pub(crate) const QUESTION: char = '\u{e3e8}';
/// Phosphor `repeat`.
pub(crate) const REPEAT: char = '\u{e3f6}';
/// Phosphor `selection-all`.
pub(crate) const SELECTION_ALL: char = '\u{e746}';
/// Phosphor `sidebar-simple`.
pub(crate) const SIDEBAR_SIMPLE: char = '\u{ec24}';
/// Phosphor `skip-back`.
pub(crate) const SKIP_BACK: char = '\u{e5a4}';
/// Phosphor `skip-forward`.
pub(crate) const SKIP_FORWARD: char = '\u{e5a6}';
/// Phosphor `sun`.
pub(crate) const SUN: char = '\u{e472}';
/// Phosphor `trash`.
pub(crate) const TRASH: char = '\u{e4a6}';
/// Phosphor `tree-structure`.
pub(crate) const TREE_STRUCTURE: char = '\u{e67c}';
/// Phosphor `warning`.
pub(crate) const WARNING: char = '\u{e4e0}';
/// Phosphor `warning-circle`.
pub(crate) const WARNING_CIRCLE: char = '\u{e4e2}';
/// Phosphor `wifi-slash`.
pub(crate) const WIFI_SLASH: char = '\u{e4f2}';
/// Phosphor `x`.
pub(crate) const X: char = '\u{e4f6}';
/// Phosphor `x-circle`.
pub(crate) const X_CIRCLE: char = '\u{e4f8}';
