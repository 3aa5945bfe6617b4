//! How much a model file may cost, and the account that is charged before anything is allocated.

use super::error::GlbError;

/// Upper bounds for one model file. The defaults suit a browser tab, whose memory ends at 4 GiB and never shrinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file and of all files beside it.
    pub max_bytes: u64,
    /// Bytes of the JSON part.
    pub max_json_bytes: u64,
    /// Entries of each array of the JSON (accessors, materials, ...) and primitives in all.
    pub max_items: u64,
    /// Buffers, and files beside the model: each is one request.
    pub max_files: u64,
    /// Nodes, GPU instances included.
    pub max_nodes: u64,
    /// Levels of the node tree.
    pub max_depth: u64,
    /// Vertices of all meshes, each counted once however many nodes show it.
    pub max_vertices: u64,
    /// Triangles of all meshes, each counted once however many nodes show it.
    pub max_triangles: u64,
    /// Encoded bytes of all images.
    pub max_image_bytes: u64,
    /// Pixels of all images: four bytes each once decoded.
    pub max_image_pixels: u64,
    /// Bytes of everything that is built from the file: vertices, indices, images, paths, extras.
    pub max_decoded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_json_bytes: 64 << 20,
            max_items: 1_000_000,
            max_files: 1_000,
            max_nodes: 250_000,
            max_depth: 1_000,
            max_vertices: 20_000_000,
            max_triangles: 20_000_000,
            max_image_bytes: 128 << 20,
            max_image_pixels: 128 << 20,
            max_decoded_bytes: 1 << 30,
        }
    }
}

impl Limits {
    /// Refuses a count above its limit.
    pub(super) fn check(at: &str, what: &'static str, found: u64, limit: u64, help: &str) -> Result<(), GlbError> {
        if found <= limit {
            return Ok(());
        }
        Err(GlbError::Limit { at: at.to_owned(), what, found, limit, help: help.to_owned() })
    }
}

/// What has been spent of the [`Limits`] so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) limits: Limits,
    vertices: u64,
    triangles: u64,
    image_bytes: u64,
    image_pixels: u64,
    decoded: u64,
    read: u64,
}

const SIMPLIFY: &str = "simplify the model, split it into several files, or raise the limit in the site file";

impl Account {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Charges bytes about to be built.
    pub(super) fn decoded(&mut self, at: &str, bytes: u64) -> Result<(), GlbError> {
        self.decoded = self.decoded.saturating_add(bytes);
        Limits::check(at, "bytes of decoded geometry and text", self.decoded, self.limits.max_decoded_bytes, SIMPLIFY)
    }

    /// Charges bytes of the file or of a file beside it.
    pub(super) fn read(&mut self, at: &str, bytes: u64) -> Result<(), GlbError> {
        self.read = self.read.saturating_add(bytes);
        Limits::check(at, "bytes of input", self.read, self.limits.max_bytes, SIMPLIFY)
    }

    /// Charges vertices about to be decoded, at the bytes of position and normal and what else each carries.
    pub(super) fn vertices(&mut self, at: &str, count: u64, bytes_each: u64) -> Result<(), GlbError> {
        self.vertices = self.vertices.saturating_add(count);
        Limits::check(at, "vertices", self.vertices, self.limits.max_vertices, SIMPLIFY)?;
        self.decoded(at, count.saturating_mul(bytes_each))
    }

    /// Charges triangles about to be decoded.
    pub(super) fn triangles(&mut self, at: &str, count: u64) -> Result<(), GlbError> {
        self.triangles = self.triangles.saturating_add(count);
        Limits::check(at, "triangles", self.triangles, self.limits.max_triangles, SIMPLIFY)?;
        self.decoded(at, count.saturating_mul(12))
    }

    /// Charges one encoded image.
    pub(super) fn image(&mut self, at: &str, bytes: u64, pixels: u64) -> Result<(), GlbError> {
        self.image_bytes = self.image_bytes.saturating_add(bytes);
        self.image_pixels = self.image_pixels.saturating_add(pixels);
        let help = "scale the textures down, for example with `npx @gltf-transform/cli resize --width 1024 --height 1024`";
        Limits::check(at, "bytes of images", self.image_bytes, self.limits.max_image_bytes, help)?;
        Limits::check(at, "pixels of images", self.image_pixels, self.limits.max_image_pixels, help)?;
        self.decoded(at, bytes)
    }
}
