//! A folder that a plain server of files can hand out: what is published, with history (`past`) and the page (`beside`).

pub(crate) mod beside;
pub(crate) mod past;
