//! The panels driven as people and assistive technology drive them: found by label, clicked, dragged, typed at.

mod copies;
mod fake;
mod fits;
mod pointer;
mod rig;
mod words;
