//! The loader as an object that works in small steps, so that a single-threaded page can draw between them.

use std::borrow::Cow;

use super::access::{Buffers, Fault};
use super::deform::Job;
use super::document::{self, Document};
use super::error::{GlbError, Warnings};
use super::limits::{Account, Limits};
use super::primitive::{self, Context};
use super::resources::Resources;
use super::{container, image, instancing};
use twin_scene::geometry::{Image, Material, Mesh, SceneModel};

/// What the loader does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading the container and the JSON.
    Structure,
    /// Waiting for the files named by [`Loader::missing`].
    Files,
    /// Decoding primitives.
    Geometry,
    /// Reading images.
    Images,
    /// Finished: take the model with [`Loader::finish`].
    Done,
}

/// How far the loader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What comes next.
    pub stage: Stage,
    /// Primitives and images done.
    pub done: usize,
    /// Primitives and images in all; 0 until the JSON has been read.
    pub total: usize,
}

impl Progress {
    /// Part done, `0..=1`; 0 until the JSON has been read.
    pub fn fraction(&self) -> f32 {
        match (self.stage, self.total) {
            (Stage::Done, _) => 1.0,
            (_, 0) => 0.0,
            (_, total) => self.done as f32 / total as f32,
        }
    }
}

/// A model file being loaded.
///
/// Call [`Loader::step`] until it says [`Stage::Done`]; when it says [`Stage::Files`], hand over the files that
/// [`Loader::missing`] names with [`Loader::provide`] first. After an error the loader is of no further use.
#[derive(Debug)]
pub struct Loader<'a> {
    bytes: Cow<'a, [u8]>,
    account: Account,
    warnings: Warnings,
    stage: Stage,
    document: Document,
    resources: Resources,
    used_images: Vec<bool>,
    /// Place of each of the file's images in the model.
    image_places: Vec<Option<usize>>,
    /// Next primitive: mesh and place in it.
    cursor: (usize, usize),
    next_image: usize,
    done: usize,
    total: usize,
    model: SceneModel,
}

impl<'a> Loader<'a> {
    /// Prepares to load a `.glb` or `.gltf` file; reads nothing yet.
    ///
    /// # Errors
    /// [`GlbError::Limit`] for a file that is too large.
    pub fn new(bytes: impl Into<Cow<'a, [u8]>>, limits: Limits) -> Result<Self, GlbError> {
        let bytes = bytes.into();
        let mut account = Account::new(limits);
        account.read("file", bytes.len() as u64)?;
        Ok(Self {
            bytes,
            account,
            warnings: Warnings::default(),
            stage: Stage::Structure,
            document: Document::default(),
            resources: Resources::default(),
            used_images: Vec::new(),
            image_places: Vec::new(),
            cursor: (0, 0),
            next_image: 0,
            done: 0,
            total: 0,
            model: SceneModel::default(),
        })
    }

    /// How far the loader is.
    pub fn progress(&self) -> Progress {
        Progress { stage: self.stage, done: self.done, total: self.total }
    }

    /// Decoded relative paths of the files that are awaited, sorted; empty before the JSON has been read.
    pub fn missing(&self) -> Vec<String> {
        self.resources.missing().map(str::to_owned).collect()
    }

    /// Hands over a file that [`Loader::missing`] named, or why it cannot be read: a missing image costs its texture, a
    /// missing buffer fails the next step.
    pub fn provide(&mut self, path: &str, bytes: Result<Vec<u8>, String>) {
        self.resources.provide(path, bytes);
    }

    /// Does one stage's work, at most `budget` primitives or images of it (at least one). Returns without doing anything
    /// while files are awaited. One primitive of a million triangles takes some tens of milliseconds.
    ///
    /// # Errors
    /// Any [`GlbError`].
    pub fn step(&mut self, budget: usize) -> Result<Progress, GlbError> {
        match self.stage {
            Stage::Structure => self.read_structure()?,
            Stage::Files => self.check_files()?,
            Stage::Geometry => self.decode_primitives(budget.max(1))?,
            Stage::Images => self.read_images(budget.max(1))?,
            Stage::Done => {}
        }
        Ok(self.progress())
    }

    /// Runs to the end and returns the model.
    ///
    /// # Errors
    /// Any [`GlbError`]; [`GlbError::File`] for a buffer that is still awaited.
    pub fn finish(mut self) -> Result<SceneModel, GlbError> {
        while self.stage != Stage::Done {
            for path in self.missing() {
                self.provide(&path, Err("it was not handed over".to_owned()));
            }
            self.step(usize::MAX)?;
        }
        self.model.warnings = self.warnings.into_list();
        Ok(self.model)
    }

    fn read_structure(&mut self) -> Result<(), GlbError> {
        let container = container::open(&self.bytes, &mut self.warnings)?;
        let text = self.bytes.get(container.json.clone()).unwrap_or_default();
        let mut document = document::read(text, &mut self.account, &mut self.warnings)?;
        self.used_images = vec![false; document.images.len()];
        for texture in document.paints.iter().filter_map(|paint| paint.texture) {
            if let Some(used) = self.used_images.get_mut(texture.image) {
                *used = true;
            }
        }
        self.resources = Resources::new(&mut document, &container, &self.used_images, &mut self.warnings)?;
        let (files, most) = (self.resources.missing().count() as u64, self.account.limits.max_files);
        Limits::check("file", "files beside the model", files, most, "export the model as one GLB file")?;
        let count = |job: &Job| document.meshes.get(job.mesh).map_or(0, |mesh| mesh.primitives.len());
        let primitives: usize = document.jobs.iter().map(count).sum();
        self.total = primitives + document.images.len();
        self.document = document;
        self.stage = Stage::Files;
        Ok(())
    }

    fn check_files(&mut self) -> Result<(), GlbError> {
        if self.resources.missing().next().is_none() {
            self.resources.check(&self.document, &self.bytes, &mut self.account)?;
            self.stage = Stage::Geometry;
        }
        Ok(())
    }

    fn decode_primitives(&mut self, budget: usize) -> Result<(), GlbError> {
        let buffers = Buffers::new(self.resources.buffers(&self.document, &self.bytes));
        let Self { document, account, warnings, model, .. } = self;
        let mut context = Context { document, buffers, account, warnings };
        let mut left = budget;
        while let Some((job, record)) =
            document.jobs.get(self.cursor.0).and_then(|job| Some((job, document.meshes.get(job.mesh)?)))
        {
            let (number, place) = self.cursor;
            if model.meshes.len() == number {
                let lines_or_points = record.primitives.iter().filter(|record| primitive::is_lines_or_points(record)).count();
                let (name, extras) = (record.name.clone(), record.extras.clone());
                context.account.decoded("/meshes", (record.bytes() as u64).saturating_mul(u64::from(number != job.mesh)))?;
                model.meshes.push(Mesh { name, extras, lines_or_points, primitives: Vec::new() });
            }
            let Some(primitive) = record.primitives.get(place) else {
                self.cursor = (number + 1, 0);
                continue;
            };
            if left == 0 {
                return Ok(());
            }
            let at = format!("/meshes/{}/primitives/{place}", job.mesh);
            let decoded = primitive::decode(&at, primitive, job, &mut context)?;
            if let Some(mesh) = model.meshes.last_mut() {
                mesh.primitives.extend(decoded);
            }
            self.cursor.1 += 1;
            self.done += 1;
            left -= 1;
        }
        model.nodes = std::mem::take(&mut self.document.nodes);
        model.roots = std::mem::take(&mut self.document.roots);
        self.expand_instances()?;
        self.stage = Stage::Images;
        Ok(())
    }

    fn expand_instances(&mut self) -> Result<(), GlbError> {
        let buffers = Buffers::new(self.resources.buffers(&self.document, &self.bytes));
        let Self { document, account, warnings, model, .. } = self;
        let mut context = Context { document, buffers, account, warnings };
        for &(node, attributes) in &document.instancing {
            instancing::expand(&mut model.nodes, node, attributes, &mut context)?;
        }
        Ok(())
    }

    fn read_images(&mut self, budget: usize) -> Result<(), GlbError> {
        let end = self.document.images.len().min(self.next_image.saturating_add(budget));
        let buffers = Buffers::new(self.resources.buffers(&self.document, &self.bytes));
        for index in self.next_image..end {
            let mut place = None;
            if self.used_images.get(index) == Some(&true) {
                let at = format!("/images/{index}");
                let found = image_bytes(&self.document, &buffers, &self.resources, index, &self.bytes);
                if let Some(image) = read_image(&at, found, &mut self.account, &mut self.warnings)? {
                    let name = self.document.images.get(index).and_then(|image| image.name.clone());
                    place = Some(self.model.images.len());
                    self.model.images.push(Image { name: name.filter(|name| !name.is_empty()), ..image });
                }
            }
            self.image_places.push(place);
            self.done += 1;
        }
        self.next_image = end;
        if end == self.document.images.len() {
            self.take_materials();
            self.stage = Stage::Done;
        }
        Ok(())
    }

    fn take_materials(&mut self) {
        let places = &self.image_places;
        let paints = std::mem::take(&mut self.document.paints).into_iter();
        self.model.materials = paints
            .map(|paint| Material {
                base_color_image: paint.texture.and_then(|texture| places.get(texture.image).copied().flatten()),
                ..paint.material
            })
            .collect();
    }
}

fn image_bytes<'a>(
    document: &Document,
    buffers: &Buffers<'a>,
    resources: &'a Resources,
    index: usize,
    bytes: &'a [u8],
) -> Result<&'a [u8], String> {
    match document.images.get(index).and_then(|image| image.buffer_view) {
        Some(view) => buffers.view(document, view).map_err(|fault| match fault {
            Fault::Skip(reason) => reason,
            Fault::Fatal(error) => error.to_string(),
        }),
        None => resources.image(index, bytes),
    }
}

/// What is wrong with an image costs only the texture; `None` with a warning.
fn read_image(
    at: &str,
    found: Result<&[u8], String>,
    account: &mut Account,
    warnings: &mut Warnings,
) -> Result<Option<Image>, GlbError> {
    let bytes = match found {
        Ok(bytes) => bytes,
        Err(reason) => {
            warnings.add(at, format!("{reason}; shown without this texture"), "put the image beside the model");
            return Ok(None);
        }
    };
    let Some((mime, size)) = image::inspect(bytes).filter(|(_, size)| size.iter().all(|&side| side > 0)) else {
        let help = "export with PNG or JPEG textures";
        warnings.add(at, "not a PNG or JPEG image; shown without this texture", help);
        return Ok(None);
    };
    account.image(at, bytes.len() as u64, u64::from(size[0]) * u64::from(size[1]))?;
    Ok(Some(Image { name: None, mime, size, bytes: bytes.to_vec() }))
}
