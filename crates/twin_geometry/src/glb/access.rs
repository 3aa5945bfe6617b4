//! Reads accessors: the only place that touches binary data. Every bound is checked before a byte is read or a vector
//! is allocated, in 64-bit arithmetic that cannot wrap.

use std::cell::Cell;

use super::document::Document;
use super::error::GlbError;
use super::extensions;
use super::json::{Accessor, Shape, Sparse, Uint};

/// The bytes of every buffer of a file, by buffer index.
#[derive(Debug, Default)]
pub(super) struct Buffers<'a> {
    list: Vec<&'a [u8]>,
    /// Sparse indices looked at so far.
    looked: Cell<u64>,
}

/// Sparse indices that one step of loading looks at, an accessor counted each time that something uses it: bounds the time that
/// a file can ask for before anything of it is paid for by the account.
const SPARSE_INDICES: u64 = 1 << 28;

/// Why an accessor cannot be read: only its primitive is lost, or the whole file.
#[derive(Debug)]
pub(super) enum Fault {
    /// The primitive is left out, with this reason.
    Skip(String),
    /// The file is refused.
    Fatal(GlbError),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Skip(reason)
    }
}

impl Fault {
    fn about(self, accessor: Uint) -> Self {
        match self {
            Self::Skip(reason) => Self::Skip(format!("accessor {}: {reason}", accessor.0)),
            Self::Fatal(error) => Self::Fatal(error),
        }
    }
}

impl From<GlbError> for Fault {
    fn from(error: GlbError) -> Self {
        Self::Fatal(error)
    }
}

/// An accessor whose bytes have been found and measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a> {
    /// Number of elements.
    pub(super) count: usize,
    /// Components per element: 1 to 4, or 16 for matrices.
    pub(super) width: usize,
    /// Whether some data stands behind it; without, all elements are zero.
    pub(super) has_data: bool,
    kind: Component,
    normalized: bool,
    data: &'a [u8],
    stride: usize,
    sparse: Option<SparseColumn<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct SparseColumn<'a> {
    count: usize,
    index_kind: Component,
    indices: &'a [u8],
    values: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    fn of(code: Uint) -> Option<Self> {
        Some(match code.0 {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return None,
        })
    }

    const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// As a float; normalized integers map to `0..=1` or `-1..=1` (glTF 2.0 section 3.11).
    fn float(self, bytes: &[u8], normalized: bool) -> f32 {
        let (value, top) = match (self, bytes) {
            (Self::F32, &[a, b, c, d]) => return f32::from_le_bytes([a, b, c, d]),
            (Self::U32, &[a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as f32, u32::MAX as f32),
            (Self::I8, &[a]) => (f32::from(i8::from_le_bytes([a])), 127.0),
            (Self::U8, &[a]) => (f32::from(a), 255.0),
            (Self::I16, &[a, b]) => (f32::from(i16::from_le_bytes([a, b])), 32_767.0),
            (Self::U16, &[a, b]) => (f32::from(u16::from_le_bytes([a, b])), 65_535.0),
            _ => (0.0, 1.0),
        };
        if normalized { (value / top).max(-1.0) } else { value }
    }

    fn unsigned(self, bytes: &[u8]) -> u32 {
        match (self, bytes) {
            (Self::U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            (Self::U16, &[a, b]) => u32::from(u16::from_le_bytes([a, b])),
            (Self::U8, &[a]) => u32::from(a),
            _ => u32::MAX,
        }
    }
}

impl<'a> Buffers<'a> {
    /// Over the bytes of every buffer.
    pub(super) fn new(list: Vec<&'a [u8]>) -> Self {
        Self { list, looked: Cell::new(0) }
    }

    /// Finds and measures an accessor.
    ///
    /// # Errors
    /// [`Fault::Skip`] with a sentence that says what is out of bounds, [`Fault::Fatal`] where the data is compressed.
    pub(super) fn column(&self, document: &Document, index: Uint) -> Result<Column<'a>, Fault> {
        let accessor = document
            .accessors
            .get(index.at())
            .ok_or_else(|| format!("accessor {} does not exist; the file has {}", index.0, document.accessors.len()))?;
        let width = match accessor.shape {
            Shape::Scalar => 1,
            Shape::Vec2 => 2,
            Shape::Vec3 => 3,
            Shape::Vec4 => 4,
            Shape::Mat2 | Shape::Mat3 | Shape::Mat4 => {
                return Err(format!("accessor {}: matrices are not vertex data", index.0).into());
            }
        };
        self.measure(document, accessor, width).map_err(|fault| fault.about(index))
    }

    /// Finds and measures an accessor of 4 by 4 matrices of floats: those of a skin.
    ///
    /// # Errors
    /// As [`Buffers::column`].
    pub(super) fn matrices(&self, document: &Document, index: Uint) -> Result<Column<'a>, Fault> {
        let found = document.accessors.get(index.at()).filter(|accessor| accessor.shape == Shape::Mat4);
        let accessor = found.ok_or_else(|| format!("accessor {} does not exist or holds no matrices", index.0))?;
        let column = self.measure(document, accessor, 16).map_err(|fault| fault.about(index))?;
        if column.kind == Component::F32 { Ok(column) } else { Err(format!("accessor {} holds no floats", index.0).into()) }
    }

    fn measure(&self, document: &Document, accessor: &Accessor, width: usize) -> Result<Column<'a>, Fault> {
        let kind = component(accessor.component_type)?;
        let count = accessor.count.at();
        if count == 0 {
            return Err("it has no elements".to_owned().into());
        }
        let element = width * kind.size();
        let (data, stride) = match accessor.buffer_view {
            Some(view) => {
                let stride = stride(document, view, element)?;
                let length = strided(count, stride, element);
                (self.slice(document, view, accessor.byte_offset, length)?, stride)
            }
            None => (&[][..], element),
        };
        let sparse = accessor.sparse.map(|sparse| self.sparse(document, sparse, count, element)).transpose()?;
        let has_data = accessor.buffer_view.is_some() || sparse.is_some();
        let normalized = accessor.normalized.unwrap_or(false);
        Ok(Column { count, width, has_data, kind, normalized, data, stride, sparse })
    }

    fn sparse(&self, document: &Document, sparse: Sparse, count: usize, element: usize) -> Result<SparseColumn<'a>, Fault> {
        let index_kind = component(sparse.indices.component_type)?;
        if !matches!(index_kind, Component::U8 | Component::U16 | Component::U32) {
            return Err("sparse indices are not unsigned integers".to_owned().into());
        }
        let changed = sparse.count.at();
        if changed > count {
            return Err(format!("sparse count {changed} exceeds the {count} elements").into());
        }
        let index_bytes = strided(changed, index_kind.size(), index_kind.size());
        let value_bytes = strided(changed, element, element);
        let column = SparseColumn {
            count: changed,
            index_kind,
            indices: self.slice(document, sparse.indices.buffer_view, sparse.indices.byte_offset, index_bytes)?,
            values: self.slice(document, sparse.values.buffer_view, sparse.values.byte_offset, value_bytes)?,
        };
        let looked = self.looked.get().saturating_add(changed as u64);
        if looked > SPARSE_INDICES {
            return Err(format!("there are more than {SPARSE_INDICES} sparse indices").into());
        }
        self.looked.set(looked);
        // A patch that is dropped leaves a vertex elsewhere than the file says.
        match column.indices().find(|index| *index as usize >= count) {
            Some(beyond) => Err(format!("sparse index {beyond} is beyond the {count} elements").into()),
            None => Ok(column),
        }
    }

    /// `length` bytes of a view from `offset` on, inside both the view and its buffer.
    fn slice(&self, document: &Document, view: Uint, offset: Option<Uint>, length: u64) -> Result<&'a [u8], Fault> {
        let bytes = self.view(document, view)?;
        let start = offset.map_or(0, |offset| offset.0);
        let found = usize::try_from(start).ok().zip(start.checked_add(length).and_then(|end| usize::try_from(end).ok()));
        found.and_then(|(start, end)| bytes.get(start..end)).ok_or_else(|| {
            let have = bytes.len();
            Fault::Skip(format!("{length} bytes from {start} are beyond the {have} bytes of bufferView {}", view.0))
        })
    }

    /// All bytes of a buffer view.
    pub(super) fn view(&self, document: &Document, index: Uint) -> Result<&'a [u8], Fault> {
        let view = document.views.get(index.at()).ok_or_else(|| format!("bufferView {} does not exist", index.0))?;
        let buffer = self.list.get(view.buffer.at()).ok_or_else(|| format!("buffer {} does not exist", view.buffer.0))?;
        let start = view.byte_offset.map_or(0, |offset| offset.0);
        let end = start.checked_add(view.byte_length.0).and_then(|end| usize::try_from(end).ok());
        if let Some(bytes) = usize::try_from(start).ok().zip(end).and_then(|(start, end)| buffer.get(start..end)) {
            return Ok(bytes);
        }
        let at = format!("/bufferViews/{}", index.0);
        if let Some(name) = view.extensions.and_then(|e| match (e.meshopt, e.khr_meshopt) {
            (Some(_), _) => Some("EXT_meshopt_compression"),
            (None, Some(_)) => Some("KHR_meshopt_compression"),
            (None, None) => None,
        }) {
            return Err(extensions::needed(&at, name).into());
        }
        let (length, have) = (view.byte_length.0, buffer.len());
        let which = view.buffer.0;
        Err(format!("bufferView {}: {length} bytes from {start} are beyond the {have} bytes of buffer {which}", index.0).into())
    }
}

fn component(code: Uint) -> Result<Component, Fault> {
    Component::of(code).ok_or_else(|| Fault::Skip(format!("component type {} is unknown", code.0)))
}

/// Bytes from the first byte of the first element to the last byte of the last.
fn strided(count: usize, stride: usize, element: usize) -> u64 {
    (count as u64).saturating_sub(1).saturating_mul(stride as u64).saturating_add(if count == 0 { 0 } else { element as u64 })
}

fn stride(document: &Document, view: Uint, element: usize) -> Result<usize, Fault> {
    let stride = document.views.get(view.at()).and_then(|view| view.byte_stride);
    match stride.map(Uint::at) {
        None => Ok(element),
        Some(stride) if stride >= element && stride <= 252 => Ok(stride),
        Some(stride) => Err(format!("byteStride {stride} of bufferView {} does not fit its elements", view.0).into()),
    }
}

impl Column<'_> {
    /// All elements as floats; components beyond the accessor's width are `fill`. Charge the account before calling.
    pub(super) fn floats<const N: usize>(&self, fill: f32) -> Vec<[f32; N]> {
        let mut out = vec![[fill; N]; self.count];
        if self.data.is_empty() {
            out.iter_mut().flat_map(|element| element.iter_mut().take(self.width)).for_each(|value| *value = 0.0);
        }
        let element = self.width * self.kind.size();
        for (target, bytes) in out.iter_mut().zip(self.data.chunks(self.stride.max(1))) {
            self.element(target, bytes.get(..element).unwrap_or_default());
        }
        if let Some(sparse) = self.sparse {
            for (index, bytes) in sparse.indices().zip(sparse.values.chunks_exact(element.max(1))) {
                if let Some(target) = out.get_mut(index as usize) {
                    self.element(target, bytes);
                }
            }
        }
        out
    }

    fn element<const N: usize>(&self, target: &mut [f32; N], bytes: &[u8]) {
        for (value, bytes) in target.iter_mut().zip(bytes.chunks_exact(self.kind.size())) {
            *value = self.kind.float(bytes, self.normalized);
        }
    }

    /// All elements as unsigned integers: indices. `None` unless the accessor is an unsigned scalar with data.
    pub(super) fn indices(&self) -> Option<Vec<u32>> {
        let unsigned = matches!(self.kind, Component::U8 | Component::U16 | Component::U32);
        if self.width != 1 || !unsigned || self.data.is_empty() {
            return None;
        }
        let size = self.kind.size();
        let mut out: Vec<u32> = Vec::with_capacity(self.count);
        let cells = self.data.chunks(self.stride.max(1)).take(self.count);
        out.extend(cells.map(|bytes| self.kind.unsigned(bytes.get(..size).unwrap_or_default())));
        if let Some(sparse) = self.sparse {
            for (index, bytes) in sparse.indices().zip(sparse.values.chunks_exact(size)) {
                if let Some(target) = out.get_mut(index as usize) {
                    *target = self.kind.unsigned(bytes);
                }
            }
        }
        Some(out)
    }
}

impl SparseColumn<'_> {
    fn indices(&self) -> impl Iterator<Item = u32> {
        self.indices.chunks_exact(self.index_kind.size()).take(self.count).map(|bytes| self.index_kind.unsigned(bytes))
    }
}
