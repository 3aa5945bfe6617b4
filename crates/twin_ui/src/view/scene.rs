//! What is drawn over the 3D view, in screen points.

use twin_model::{AlarmState, Freshness, Priority, Status, TwinIndex};

/// A mark at a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// The twin.
    pub twin: TwinIndex,
    /// Where the part's anchor is on screen, in egui points.
    pub at: egui::Pos2,
    /// Words for the twin.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Its most urgent alarm.
    pub alarm: Option<(Priority, AlarmState)>,
    /// Whether it is selected: its name is shown.
    pub selected: bool,
}

/// What the pointer is over in the 3D view.
#[derive(Debug, Clone, PartialEq)]
pub struct HoverView {
    /// Words for the twin.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Its freshness.
    pub freshness: Freshness,
    /// One line, for example `Vibration 7.4 mm/s, 2 s ago, good`.
    pub line: String,
    /// Where the pointer is, in egui points.
    pub at: egui::Pos2,
}

/// Where the camera looks, in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraView {
    /// Turn about the vertical axis; 0 looks along −Z, positive turns towards +X.
    pub yaw: f32,
    /// Down-tilt; 0 is level, π/2 looks straight down.
    pub pitch: f32,
}
