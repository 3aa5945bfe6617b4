//! Bytes beside the JSON: buffers and images from the binary chunk, from data URIs, and from files that the caller reads.

use std::collections::BTreeMap;
use std::ops::Range;

use super::container::Container;
use super::document::Document;
use super::error::{GlbError, Warnings};
use super::limits::Account;
use super::uri::{self, Source};

/// Where the bytes of a buffer or of an image come from.
#[derive(Debug)]
enum Place {
    /// Part of the model file.
    Inside(Range<usize>),
    /// Decoded from a data URI.
    Owned(Vec<u8>),
    /// A file beside the model, by its decoded path.
    File(String),
    /// Nothing: a buffer without URI that is not the binary chunk, or an image that is not used.
    Nowhere,
}

/// All bytes beside the JSON, and which of them are still awaited.
#[derive(Debug, Default)]
pub(super) struct Resources {
    buffers: Vec<Place>,
    images: Vec<Place>,
    files: BTreeMap<String, Option<Result<Vec<u8>, String>>>,
}

impl Resources {
    /// Reads the URIs of all buffers and of the images in `used`.
    ///
    /// # Errors
    /// [`GlbError::Malformed`] for a buffer whose bytes cannot be there.
    pub(super) fn new(
        document: &mut Document,
        container: &Container,
        used: &[bool],
        warnings: &mut Warnings,
    ) -> Result<Self, GlbError> {
        let mut all = Self::default();
        for index in 0..document.buffers.len() {
            let place = buffer_place(document, index, container, warnings)?;
            all.want(&place);
            all.buffers.push(place);
        }
        for (index, image) in document.images.iter_mut().enumerate() {
            let source = image.uri.take().map(|uri| uri::parse(&uri)).transpose();
            let place = match source {
                Err(reason) => {
                    warnings.add(format!("/images/{index}/uri"), format!("{reason}; the image is left out"), "");
                    Place::Nowhere
                }
                Ok(Some(Source::Data { bytes, .. })) => {
                    if super::image::inspect(&bytes).is_none() {
                        warnings.add(format!("/images/{index}/uri"), "the data is neither PNG nor JPEG", "");
                    }
                    Place::Owned(bytes)
                }
                Ok(Some(Source::File(path))) => Place::File(path),
                Ok(None) => Place::Nowhere,
            };
            let place = if used.get(index) == Some(&true) { place } else { Place::Nowhere };
            all.want(&place);
            all.images.push(place);
        }
        Ok(all)
    }

    fn want(&mut self, place: &Place) {
        if let Place::File(path) = place {
            self.files.entry(path.clone()).or_insert(None);
        }
    }

    /// Paths of the files that have been asked for and not been given, sorted.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|(_, bytes)| bytes.is_none()).map(|(path, _)| path.as_str())
    }

    /// Takes the bytes of a file, or why it cannot be read; a path that was not asked for is ignored.
    pub(super) fn provide(&mut self, path: &str, bytes: Result<Vec<u8>, String>) {
        if let Some(slot) = self.files.get_mut(path) {
            *slot = Some(bytes);
        }
    }

    /// Checks that every buffer is there and as long as promised, and charges what was read.
    ///
    /// # Errors
    /// [`GlbError::File`], [`GlbError::Malformed`], [`GlbError::Limit`].
    pub(super) fn check(&self, document: &Document, bytes: &[u8], account: &mut Account) -> Result<(), GlbError> {
        for (path, file) in &self.files {
            if let Some(Ok(file)) = file {
                account.read(path, file.len() as u64)?;
            }
        }
        for (index, (place, buffer)) in self.buffers.iter().zip(&document.buffers).enumerate() {
            let at = format!("/buffers/{index}");
            if let (Place::File(path), Err(reason)) = (place, self.get(place, bytes)) {
                let help = "put the file beside the model, or export the model as one GLB file".to_owned();
                return Err(GlbError::File { at, uri: path.clone(), reason, help });
            }
            let have = self.get(place, bytes).map_or(0, <[u8]>::len) as u64;
            if !matches!(place, Place::Nowhere) && have < buffer.byte_length.0 {
                let what = format!("{} bytes are promised, {have} are there", buffer.byte_length.0);
                return Err(GlbError::malformed(at, what, "export or download the model and its buffers again"));
            }
        }
        Ok(())
    }

    fn get<'a>(&'a self, place: &'a Place, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        match place {
            Place::Inside(range) => Ok(bytes.get(range.clone()).unwrap_or_default()),
            Place::Owned(bytes) => Ok(bytes),
            Place::Nowhere => Ok(&[]),
            Place::File(path) => match self.files.get(path) {
                Some(Some(Ok(bytes))) => Ok(bytes),
                Some(Some(Err(reason))) => Err(reason.clone()),
                Some(None) | None => Err("it has not been read".to_owned()),
            },
        }
    }

    /// The bytes of every buffer, cut to its promised length; empty where there are none.
    pub(super) fn buffers<'a>(&'a self, document: &Document, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let lengths = document.buffers.iter().map(|buffer| buffer.byte_length.at());
        let each = self.buffers.iter().zip(lengths);
        each.map(|(place, length)| {
            let all = self.get(place, bytes).unwrap_or_default();
            all.get(..length).unwrap_or(all)
        })
        .collect()
    }

    /// The bytes of an image that is not in a buffer view.
    ///
    /// # Errors
    /// Why its file cannot be read.
    pub(super) fn image<'a>(&'a self, index: usize, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        self.images.get(index).map_or(Ok(&[]), |place| self.get(place, bytes))
    }
}

fn buffer_place(
    document: &mut Document,
    index: usize,
    container: &Container,
    warnings: &mut Warnings,
) -> Result<Place, GlbError> {
    let at = format!("/buffers/{index}");
    let Some(buffer) = document.buffers.get_mut(index) else {
        return Ok(Place::Nowhere);
    };
    if buffer.byte_length.0 == 0 {
        warnings.add(format!("{at}/byteLength"), "the buffer is empty", "");
    }
    let Some(uri) = buffer.uri.take() else {
        return match &container.bin {
            Some(range) if index == 0 => Ok(Place::Inside(range.clone())),
            None if index == 0 && container.binary => {
                Err(GlbError::malformed(at, "the file has no binary chunk for this buffer", "export or download the file again"))
            }
            _ => Ok(Place::Nowhere),
        };
    };
    match uri::parse(&uri) {
        Ok(Source::File(path)) => Ok(Place::File(path)),
        Ok(Source::Data { mime, bytes }) => {
            if !matches!(mime.as_str(), "application/octet-stream" | "application/gltf-buffer") {
                warnings.add(format!("{at}/uri"), "the data URI claims a media type that is not a buffer's", "");
            }
            Ok(Place::Owned(bytes))
        }
        Err(reason) => {
            let help = "put the buffer beside the model and name it by a relative path, or export as one GLB file";
            Err(GlbError::malformed(format!("{at}/uri"), reason, help))
        }
    }
}
