//! Orrery's viewer: the thin Bevy shell around `twin_engine` and `twin_ui`.
