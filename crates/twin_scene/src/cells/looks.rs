//! Textured materials and images of a scene, each once, whatever files they come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bytes::number;
use super::index::{ImageInfo, TexturedMaterial};
use crate::geometry::{AlphaMode, Image, SceneModel};
use crate::merge::Placed;

/// An image as it goes into a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedImage {
    /// `image/png` or `image/jpeg`.
    pub mime: &'static str,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// The encoded bytes.
    pub bytes: Vec<u8>,
}

/// What decides whether two materials look the same.
type Key = (u32, u8, u32, bool);

/// Gives materials and images their numbers, in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct Looks<'a> {
    pub(super) materials: Vec<TexturedMaterial>,
    images: Vec<&'a Image>,
    /// By model and position. Addresses only find what is known; no order comes from them.
    known: BTreeMap<(*const SceneModel, usize), u32>,
    same_material: BTreeMap<Key, u32>,
    same_image: BTreeMap<(&'static str, &'a [u8]), u32>,
}

impl<'a> Looks<'a> {
    /// The number of a model's material that has an image.
    pub(super) fn material(&mut self, placed: &'a Placed, at: usize) -> Option<u32> {
        let model = &*placed.model;
        if let Some(known) = self.known.get(&(Arc::as_ptr(&placed.model), at)) {
            return Some(*known);
        }
        let material = model.materials.get(at)?;
        let image = model.images.get(material.base_color_image?)?;
        let next = number(self.images.len());
        let image_number = *self.same_image.entry((image.mime, &image.bytes)).or_insert(next);
        if image_number == next {
            self.images.push(image);
        }
        let (alpha, cutoff) = match material.alpha {
            AlphaMode::Opaque => (0, 0.0),
            AlphaMode::Mask { cutoff } => (1, cutoff),
            AlphaMode::Blend => (2, 0.0),
        };
        let next = number(self.materials.len());
        let key = (image_number, alpha, cutoff.to_bits(), material.double_sided);
        let found = *self.same_material.entry(key).or_insert(next);
        if found == next {
            self.materials.push(TexturedMaterial {
                image: image_number,
                alpha: material.alpha,
                double_sided: material.double_sided,
            });
        }
        self.known.insert((Arc::as_ptr(&placed.model), at), found);
        Some(found)
    }

    pub(super) fn infos(&self) -> Vec<ImageInfo> {
        self.images.iter().map(|image| ImageInfo { mime: image.mime, size: image.size }).collect()
    }

    pub(super) fn encoded(&self) -> Vec<EncodedImage> {
        let images = self.images.iter();
        images.map(|image| EncodedImage { mime: image.mime, size: image.size, bytes: image.bytes.clone() }).collect()
    }
}
