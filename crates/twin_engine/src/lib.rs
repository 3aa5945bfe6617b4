//! The facade: model, history, playback, health, alarms and what-if behind one clock.
