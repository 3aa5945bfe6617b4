//! A tree over boxes: binned surface-area heuristic, flat nodes, built without recursion and in steps.

use glam::Vec3;

use super::ray::Ray;
use crate::geometry::Aabb;

/// Bins per axis; more gain next to nothing (Wald, "On fast Construction of SAH-based Bounding Volume Hierarchies", 2007).
const BINS: usize = 16;
/// Every box is grown by this part of the largest coordinate: rays that run exactly along a face would otherwise be judged
/// by rounding, and walls are flat boxes.
pub(super) const MARGIN: f32 = 1e-6;
/// Fewer entries are not split.
const LEAF: usize = 4;

/// A finished tree. A leaf names a range of [`Tree::order`], which names entries by their position when building began.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: Vec<FlatNode>,
    order: Vec<u32>,
}

/// An inner node has its children at `first` and `first + 1`, and a count of zero.
#[derive(Debug, Clone, Copy)]
struct FlatNode {
    bounds: Aabb,
    first: u32,
    count: u32,
}

/// A tree being built.
#[derive(Debug)]
pub struct TreeBuilder {
    entries: Vec<Entry>,
    nodes: Vec<FlatNode>,
    /// Nodes to split, with their range of entries.
    open: Vec<(usize, usize, usize)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    bounds: Aabb,
    index: u32,
}

#[derive(Debug, Clone, Copy)]
struct Bin {
    bounds: Aabb,
    count: usize,
}

impl TreeBuilder {
    /// Prepares to build over the boxes; empty boxes are left out. The nodes' boxes are a millionth of the scene larger.
    pub fn new(boxes: impl IntoIterator<Item = Aabb>) -> Self {
        let numbered = (0u32..).zip(boxes).filter(|(_, bounds)| !bounds.is_empty());
        let mut entries: Vec<Entry> = numbered.map(|(index, bounds)| Entry { bounds, index }).collect();
        let reach = entries.iter().map(|entry| entry.bounds.reach()).fold(f32::MIN_POSITIVE, f32::max);
        entries.iter_mut().for_each(|entry| entry.bounds = entry.bounds.grown(reach * MARGIN));
        let mut builder = Self { nodes: Vec::new(), open: Vec::new(), entries };
        if !builder.entries.is_empty() {
            builder.nodes.reserve(builder.entries.len());
            let end = builder.entries.len();
            builder.node(0, end);
        }
        builder
    }

    /// Splits nodes until about `budget` entries have been sorted (at least one node); true when the tree is finished.
    pub fn step(&mut self, budget: usize) -> bool {
        let mut spent = 0usize;
        while let Some((node, start, end)) = self.open.pop() {
            self.split(node, start, end);
            spent = spent.saturating_add(end - start);
            if spent >= budget {
                break;
            }
        }
        self.open.is_empty()
    }

    /// The tree; finishes what is left.
    pub fn finish(mut self) -> Tree {
        while !self.step(usize::MAX) {}
        let order = self.entries.into_iter().map(|entry| entry.index).collect();
        Tree { nodes: self.nodes, order }
    }

    /// Appends a leaf over the entries and opens it for splitting if it is large.
    fn node(&mut self, start: usize, end: usize) {
        let entries = self.entries.get(start..end).unwrap_or_default();
        let bounds = entries.iter().fold(Aabb::EMPTY, |all, entry| all.union(&entry.bounds));
        if entries.len() > LEAF {
            self.open.push((self.nodes.len(), start, end));
        }
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        self.nodes.push(FlatNode { bounds, first: number(start), count: number(end - start) });
    }

    fn split(&mut self, node: usize, start: usize, end: usize) {
        let Some(entries) = self.entries.get_mut(start..end) else { return };
        let middle = start + partition(entries);
        let children = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        if let Some(node) = self.nodes.get_mut(node) {
            (node.first, node.count) = (children, 0);
        }
        self.node(start, middle);
        self.node(middle, end);
    }
}

/// Reorders the entries into two groups, neither empty, and returns the size of the first.
fn partition(entries: &mut [Entry]) -> usize {
    let centers = entries.iter().fold(Aabb::EMPTY, |mut all, entry| {
        all.add(center(&entry.bounds));
        all
    });
    let size = centers.size();
    let axis = if size.x >= size.y && size.x >= size.z { 0 } else { usize::from(size.y < size.z) + 1 };
    let (low, extent) = (centers.min[axis], size[axis]);
    let half = entries.len() / 2;
    if !(extent > 0.0 && extent.is_finite()) {
        return half;
    }
    let scale = BINS as f32 * 0.999_9 / extent;
    let bin = |entry: &Entry| (((center(&entry.bounds)[axis] - low) * scale) as usize).min(BINS - 1);
    let Some(border) = best_border(entries, bin) else {
        return half;
    };
    let mut left = 0;
    for at in 0..entries.len() {
        if entries.get(at).is_some_and(|entry| bin(entry) <= border) {
            entries.swap(left, at);
            left += 1;
        }
    }
    if left == 0 || left == entries.len() { half } else { left }
}

/// Twice the centre is as good as the centre for ordering, but may overflow; halves are exact.
fn center(bounds: &Aabb) -> Vec3 {
    bounds.min * 0.5 + bounds.max * 0.5
}

/// Last bin of the cheaper side: cost is the sum over both sides of area times count.
fn best_border(entries: &[Entry], bin: impl Fn(&Entry) -> usize) -> Option<usize> {
    let mut bins = [Bin { bounds: Aabb::EMPTY, count: 0 }; BINS];
    for entry in entries {
        if let Some(bin) = bins.get_mut(bin(entry)) {
            bin.bounds = bin.bounds.union(&entry.bounds);
            bin.count += 1;
        }
    }
    let mut right = [0.0f32; BINS];
    let mut sum = Bin { bounds: Aabb::EMPTY, count: 0 };
    for (bin, cost) in bins.iter().zip(&mut right).rev() {
        *cost = sum.bounds.half_area() * sum.count as f32;
        sum = Bin { bounds: sum.bounds.union(&bin.bounds), count: sum.count + bin.count };
    }
    let mut left = Bin { bounds: Aabb::EMPTY, count: 0 };
    let mut best: Option<(f32, usize)> = None;
    for (at, (bin, right)) in bins.iter().zip(right).enumerate() {
        left = Bin { bounds: left.bounds.union(&bin.bounds), count: left.count + bin.count };
        let cost = left.bounds.half_area() * left.count as f32 + right;
        let usable = left.count > 0 && left.count < entries.len();
        if usable && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, at));
        }
    }
    best.map(|(_, at)| at)
}

impl Tree {
    /// Builds in one go; empty boxes are left out.
    pub fn build(boxes: impl IntoIterator<Item = Aabb>) -> Self {
        TreeBuilder::new(boxes).finish()
    }

    /// Bounds of everything, a millionth larger than it is; empty for an empty tree.
    pub fn bounds(&self) -> Aabb {
        self.nodes.first().map_or(Aabb::EMPTY, |root| root.bounds)
    }

    /// Entries in leaf order.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<FlatNode>() + self.order.len() * 4
    }

    /// Visits the leaves that the ray enters, nearest box first. `visit` gets a leaf's range of [`Tree::order`] and returns
    /// how far the ray still has to look; boxes beyond are skipped.
    pub fn along(&self, ray: &Ray, visit: &mut dyn FnMut(std::ops::Range<usize>) -> f32) {
        let mut ray = *ray;
        let mut stack: Vec<(f32, u32)> = Vec::with_capacity(64);
        if let Some(t) = self.enter(&ray, 0) {
            stack.push((t, 0));
        }
        while let Some((t, at)) = stack.pop() {
            let Some(node) = self.nodes.get(at as usize).filter(|_| t <= ray.max_t) else { continue };
            if node.count > 0 {
                ray.max_t = ray.max_t.min(visit(node.range()));
                continue;
            }
            let (left, right) = (node.first, node.first + 1);
            match (self.enter(&ray, left), self.enter(&ray, right)) {
                (Some(a), Some(b)) if a <= b => stack.extend([(b, right), (a, left)]),
                (Some(a), Some(b)) => stack.extend([(a, left), (b, right)]),
                (Some(a), None) => stack.push((a, left)),
                (None, Some(b)) => stack.push((b, right)),
                (None, None) => {}
            }
        }
    }

    fn enter(&self, ray: &Ray, node: u32) -> Option<f32> {
        ray.enters(&self.nodes.get(node as usize)?.bounds)
    }

    /// Visits the entries of all leaves whose boxes, and whose ancestors' boxes, pass the test. Entries in a visited leaf
    /// have not been tested one by one.
    pub fn where_box(&self, test: &dyn Fn(&Aabb) -> bool, visit: &mut dyn FnMut(u32)) {
        let mut stack = vec![0u32];
        while let Some(at) = stack.pop() {
            let Some(node) = self.nodes.get(at as usize).filter(|node| test(&node.bounds)) else { continue };
            if node.count > 0 {
                self.order.get(node.range()).unwrap_or_default().iter().for_each(|&entry| visit(entry));
            } else {
                stack.extend([node.first + 1, node.first]);
            }
        }
    }
}

impl FlatNode {
    fn range(&self) -> std::ops::Range<usize> {
        self.first as usize..self.first as usize + self.count as usize
    }
}
