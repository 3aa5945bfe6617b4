//! Panels of the viewer over the engine's view: egui only, no Bevy.
