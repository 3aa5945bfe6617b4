//! Of what the manifest in a folder was made, so that a program that is started again need not compile: a small file beside it,
//! of hashes only. Whatever does not fit, or cannot be read, is compiled again.

use std::collections::BTreeSet;
use std::path::Path;

use twin_publication::PieceHash;

use super::inputs::Inputs;
use crate::GatewayError;
use crate::files::read_file;
use crate::revisions::Publication;
use crate::revisions::folder::{self, INPUTS, put};

/// First line.
const FORM: &str = "orrery.inputs 1";
/// Errors that are remembered. Of a site with more, more is told than was new.
const ERRORS: usize = 10_000;
/// A line, for each error and three more.
const BYTES: u64 = 65 * (ERRORS as u64 + 3);

/// Notes of what the manifest in a folder was made, and the hashes of its errors.
///
/// # Errors
/// Where the folder can't be written.
pub(crate) fn remember(folder: &Path, inputs: &Inputs, errors: &BTreeSet<PieceHash>) -> Result<(), GatewayError> {
    let Some((_, manifest)) = folder::manifest_of(folder)?.filter(|_| Inputs::comparable()) else { return Ok(()) };
    let mut text = format!("{FORM}\n{}\n{}\n", inputs.key, PieceHash::of(&manifest));
    for error in errors.iter().take(ERRORS) {
        text.push_str(&format!("{error}\n"));
    }
    put(folder, INPUTS, text.as_bytes())
}

/// What a folder has in force, where that was made of these inputs and all of it is there, and the hashes of its errors.
pub(crate) fn kept(folder: &Path, inputs: &Inputs) -> Option<(Publication, BTreeSet<PieceHash>)> {
    let (_, manifest) = folder::manifest_of(folder).ok()?.filter(|_| Inputs::comparable())?;
    let text = String::from_utf8(read_file(&folder.join(INPUTS), BYTES).ok()?).ok()?;
    let mut lines = text.lines();
    let same = lines.next()? == FORM
        && lines.next()?.parse::<PieceHash>().ok()? == inputs.key
        && lines.next()?.parse::<PieceHash>().ok()? == PieceHash::of(&manifest);
    let errors = lines.map(str::parse).collect::<Result<_, _>>().ok()?;
    if same { Some((folder::read(folder).ok()?, errors)) } else { None }
}
