//! Names of the icons in `assets/fonts/Phosphor.ttf`. Written by `assets/fonts/subset.py`; edit the list there.

/// Phosphor `arrow-clockwise`.
pub(crate) const ARROW_CLOCKWISE: char = '\u{e036}';
/// Phosphor `arrow-counter-clockwise`.
pub(crate) const ARROW_COUNTER_CLOCKWISE: char = '\u{e038}';
/// Phosphor `arrow-down-right`.
pub(crate) const ARROW_DOWN_RIGHT: char = '\u{e042}';
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
/// Phosphor `bell-slash`.
pub(crate) const BELL_SLASH: char = '\u{e0d4}';
/// Phosphor `brackets-square`.
pub(crate) const BRACKETS_SQUARE: char = '\u{e85e}';
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
/// Phosphor `chart-line-up`.
pub(crate) const CHART_LINE_UP: char = '\u{e156}';
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
/// Phosphor `cpu`.
pub(crate) const CPU: char = '\u{e610}';
/// Phosphor `crosshair-simple`.
pub(crate) const CROSSHAIR_SIMPLE: char = '\u{e1d8}';
/// Phosphor `cube`.
pub(crate) const CUBE: char = '\u{e1da}';
/// Phosphor `cube-focus`.
pub(crate) const CUBE_FOCUS: char = '\u{ed0a}';
/// Phosphor `database`.
pub(crate) const DATABASE: char = '\u{e1de}';
/// Phosphor `desktop`.
pub(crate) const DESKTOP: char = '\u{e560}';
/// Phosphor `dots-three`.
pub(crate) const DOTS_THREE: char = '\u{e1fe}';
/// Phosphor `eye`.
pub(crate) const EYE: char = '\u{e220}';
/// Phosphor `eye-slash`.
pub(crate) const EYE_SLASH: char = '\u{e224}';
/// Phosphor `factory`.
pub(crate) const FACTORY: char = '\u{e760}';
/// Phosphor `faders`.
pub(crate) const FADERS: char = '\u{e228}';
/// Phosphor `fast-forward`.
pub(crate) const FAST_FORWARD: char = '\u{e6a6}';
/// Phosphor `file-x`.
pub(crate) const FILE_X: char = '\u{e23c}';
/// Phosphor `flask`.
pub(crate) const FLASK: char = '\u{e79e}';
/// Phosphor `floppy-disk`.
pub(crate) const FLOPPY_DISK: char = '\u{e248}';
/// Phosphor `frame-corners`.
pub(crate) const FRAME_CORNERS: char = '\u{e626}';
/// Phosphor `funnel-simple`.
pub(crate) const FUNNEL_SIMPLE: char = '\u{e268}';
/// Phosphor `gauge`.
pub(crate) const GAUGE: char = '\u{e628}';
/// Phosphor `git-branch`.
pub(crate) const GIT_BRANCH: char = '\u{e278}';
/// Phosphor `hourglass`.
pub(crate) const HOURGLASS: char = '\u{e2b2}';
/// Phosphor `house`.
pub(crate) const HOUSE: char = '\u{e2c2}';
/// Phosphor `info`.
pub(crate) const INFO: char = '\u{e2ce}';
/// Phosphor `keyboard`.
pub(crate) const KEYBOARD: char = '\u{e2d8}';
/// Phosphor `lightning-slash`.
pub(crate) const LIGHTNING_SLASH: char = '\u{e2e0}';
/// Phosphor `line-segments`.
pub(crate) const LINE_SEGMENTS: char = '\u{e6d4}';
/// Phosphor `link`.
pub(crate) const LINK: char = '\u{e2e2}';
/// Phosphor `list`.
pub(crate) const LIST: char = '\u{e2f0}';
/// Phosphor `magnifying-glass`.
pub(crate) const MAGNIFYING_GLASS: char = '\u{e30c}';
/// Phosphor `magnifying-glass-minus`.
pub(crate) const MAGNIFYING_GLASS_MINUS: char = '\u{e30e}';
/// Phosphor `magnifying-glass-plus`.
pub(crate) const MAGNIFYING_GLASS_PLUS: char = '\u{e310}';
/// Phosphor `minus`.
pub(crate) const MINUS: char = '\u{e32a}';
/// Phosphor `moon`.
pub(crate) const MOON: char = '\u{e330}';
/// Phosphor `pause`.
pub(crate) const PAUSE: char = '\u{e39e}';
/// Phosphor `play`.
pub(crate) const PLAY: char = '\u{e3d0}';
/// Phosphor `plugs`.
pub(crate) const PLUGS: char = '\u{eb56}';
/// Phosphor `plugs-connected`.
pub(crate) const PLUGS_CONNECTED: char = '\u{eb5a}';
/// Phosphor `plus`.
pub(crate) const PLUS: char = '\u{e3d4}';
/// Phosphor `push-pin`.
pub(crate) const PUSH_PIN: char = '\u{e3e2}';
/// Phosphor `question`.
pub(crate) const QUESTION: char = '\u{e3e8}';
/// Phosphor `record`.
pub(crate) const RECORD: char = '\u{e3ee}';
/// Phosphor `repeat`.
pub(crate) const REPEAT: char = '\u{e3f6}';
/// Phosphor `rewind`.
pub(crate) const REWIND: char = '\u{e6a8}';
/// Phosphor `selection-all`.
pub(crate) const SELECTION_ALL: char = '\u{e746}';
/// Phosphor `share-network`.
pub(crate) const SHARE_NETWORK: char = '\u{e408}';
/// Phosphor `sidebar-simple`.
pub(crate) const SIDEBAR_SIMPLE: char = '\u{ec24}';
/// Phosphor `skip-back`.
pub(crate) const SKIP_BACK: char = '\u{e5a4}';
/// Phosphor `skip-forward`.
pub(crate) const SKIP_FORWARD: char = '\u{e5a6}';
/// Phosphor `sliders-horizontal`.
pub(crate) const SLIDERS_HORIZONTAL: char = '\u{e434}';
/// Phosphor `stack`.
pub(crate) const STACK: char = '\u{e466}';
/// Phosphor `stop`.
pub(crate) const STOP: char = '\u{e46c}';
/// Phosphor `sun`.
pub(crate) const SUN: char = '\u{e472}';
/// Phosphor `target`.
pub(crate) const TARGET: char = '\u{e47c}';
/// Phosphor `trash`.
pub(crate) const TRASH: char = '\u{e4a6}';
/// Phosphor `tree-structure`.
pub(crate) const TREE_STRUCTURE: char = '\u{e67c}';
/// Phosphor `tree-view`.
pub(crate) const TREE_VIEW: char = '\u{ee48}';
/// Phosphor `warning`.
pub(crate) const WARNING: char = '\u{e4e0}';
/// Phosphor `warning-circle`.
pub(crate) const WARNING_CIRCLE: char = '\u{e4e2}';
/// Phosphor `wifi-high`.
pub(crate) const WIFI_HIGH: char = '\u{e4ea}';
/// Phosphor `wifi-slash`.
pub(crate) const WIFI_SLASH: char = '\u{e4f2}';
/// Phosphor `x`.
pub(crate) const X: char = '\u{e4f6}';
/// Phosphor `x-circle`.
pub(crate) const X_CIRCLE: char = '\u{e4f8}';
