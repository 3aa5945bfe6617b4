//! Builds the node tree: transforms, parents, scene membership, paths. Walks without recursion.

use std::borrow::Cow;

use glam::{DMat4, DQuat, DVec3, DVec4};
use serde_json::Value;

use super::error::{GlbError, Warnings, quote};
use super::json::{self, EXPORT, Raw};
use super::limits::{Account, Limits};
use twin_scene::geometry::Node;

/// Turns one record into a node without parent, path and world transform.
pub(super) fn node(
    at: &str,
    mut record: json::Node<'_>,
    account: &mut Account,
    warnings: &mut Warnings,
) -> Result<Node, GlbError> {
    let visibility = record.extensions.take().and_then(|extensions| extensions.visibility);
    if record.children.as_ref().is_some_and(Vec::is_empty) {
        warnings.add(format!("{at}/children"), "the array is empty", "");
    }
    Ok(Node {
        local: local(at, &record, warnings)?,
        name: named(record.name),
        path: String::new(),
        mesh_name: None,
        alias: None,
        parent: None,
        children: record.children.unwrap_or_default().into_iter().map(json::Uint::at).collect(),
        mesh: record.mesh.map(json::Uint::at),
        world: DMat4::IDENTITY,
        extras: extras(at, record.extras, account)?,
        in_scene: false,
        hidden: visibility.is_some_and(|visibility| visibility.visible == Some(false)),
    })
}

/// An empty name is no name: nothing can be bound by it.
pub(super) fn named(name: Option<String>) -> Option<String> {
    name.filter(|text| !text.is_empty())
}

/// Free JSON. Built values take up to about sixteen times their text (`[[],[],...]`), which is charged first.
pub(super) fn extras(at: &str, raw: Option<Raw<'_>>, account: &mut Account) -> Result<Value, GlbError> {
    let Some(raw) = raw else {
        return Ok(Value::Null);
    };
    account.decoded(at, (raw.get().len() as u64).saturating_mul(16))?;
    let kept = with_all_digits(raw.get());
    serde_json::from_str(&kept).map_err(|error| GlbError::malformed(format!("{at}/extras"), error.to_string(), EXPORT))
}

/// Digits of any whole number that fits into 64 bits with a sign, as those of a site file do.
const DIGITS: usize = 18;

/// The same JSON, whole numbers beyond 64 bits with a sign as texts of their digits: as numbers, ids that differ in their last digits
/// would be one, and no site file could name them.
fn with_all_digits(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut taken, mut at, mut quoted) = (String::new(), 0, 0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'-' | b'0'..=b'9' if !quoted => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length =
                    rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
                let number = json.get(at..at + length).unwrap_or_default();
                let whole = number.len() > DIGITS && !number.contains(['.', 'e', 'E']);
                if whole && number.parse::<i64>().is_err() {
                    out.extend([json.get(taken..at).unwrap_or_default(), "\"", number, "\""]);
                    taken = at + length;
                }
                at += length.saturating_sub(1);
            }
            _ => {}
        }
        at += 1;
    }
    if taken == 0 { Cow::Borrowed(json) } else { Cow::Owned(out + json.get(taken..).unwrap_or_default()) }
}

fn local(at: &str, record: &json::Node<'_>, warnings: &mut Warnings) -> Result<DMat4, GlbError> {
    let trs = record.translation.is_some() || record.rotation.is_some() || record.scale.is_some();
    let matrix = match &record.matrix {
        Some(columns) => {
            if trs {
                warnings.add(at, "both a matrix and translation, rotation or scale; the matrix is used", "keep one of them");
            }
            affine(at, DMat4::from_cols_array(columns), warnings)?
        }
        None => DMat4::from_scale_rotation_translation(
            DVec3::from(record.scale.unwrap_or([1.0; 3])),
            rotation(at, record.rotation, warnings),
            DVec3::from(record.translation.unwrap_or_default()),
        ),
    };
    if matrix.is_finite() {
        return Ok(matrix);
    }
    let what = format!("the transform of node '{}' is not finite", quote(record.name.as_deref().unwrap_or_default()));
    Err(GlbError::malformed(at, what, "correct the node's matrix, translation, rotation or scale"))
}

/// A matrix that is not affine would stand in no place that could be named; what writers round off in its last row is not
/// that.
fn affine(at: &str, mut matrix: DMat4, warnings: &mut Warnings) -> Result<DMat4, GlbError> {
    let last = matrix.row(3);
    if last.abs_diff_eq(DVec4::W, 1e-4) && matrix.is_finite() {
        let [x, y, z] = [matrix.x_axis, matrix.y_axis, matrix.z_axis].map(|axis| axis.truncate().normalize_or_zero());
        if x.dot(y).abs().max(y.dot(z).abs()).max(z.dot(x).abs()) > 1e-3 {
            warnings.add(at, "the matrix shears; glTF allows only translation, rotation and scale", "");
        }
        matrix.x_axis.w = 0.0;
        matrix.y_axis.w = 0.0;
        matrix.z_axis.w = 0.0;
        matrix.w_axis.w = 1.0;
        return Ok(matrix);
    }
    let what = format!("the last row of the matrix is {last} instead of 0 0 0 1, so that it has no place in space");
    Err(GlbError::malformed(format!("{at}/matrix"), what, "correct the node's matrix; glTF writes it column by column"))
}

fn rotation(at: &str, rotation: Option<[f64; 4]>, warnings: &mut Warnings) -> DQuat {
    let quat = DQuat::from_array(rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]));
    let length = quat.length();
    if (length - 1.0).abs() <= 1e-3 {
        return quat.normalize();
    }
    if !length.is_finite() {
        // Left as it is: the caller refuses transforms that are not finite.
        return quat;
    }
    if length <= 1e-6 {
        warnings.add(at, "the rotation is zero, which turns nothing; it is taken for none", "");
        return DQuat::IDENTITY;
    }
    warnings.add(at, "the rotation is not a unit quaternion; it is normalized", "");
    quat.normalize()
}

/// Gives every node its parent and checks that the graph is a forest.
///
/// # Errors
/// [`GlbError::Malformed`] for a child out of range, a second parent or a cycle.
pub(super) fn link(nodes: &mut [Node]) -> Result<(), GlbError> {
    let mut parents: Vec<Option<usize>> = vec![None; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for (position, &child) in node.children.iter().enumerate() {
            let at = || format!("/nodes/{index}/children/{position}");
            match parents.get_mut(child) {
                None => {
                    let what = format!("child {child} does not exist; the file has {} nodes", nodes.len());
                    return Err(GlbError::malformed(at(), what, EXPORT));
                }
                Some(Some(first)) => {
                    let what = format!("node {child} has two parents, {first} and {index}");
                    return Err(GlbError::malformed(at(), what, "give every node one parent; duplicate the node instead"));
                }
                Some(slot) => *slot = Some(index),
            }
        }
    }
    refuse_cycles(&parents)?;
    for (node, parent) in nodes.iter_mut().zip(parents) {
        node.parent = parent;
    }
    Ok(())
}

/// With at most one parent each, a node whose chain of parents never ends lies on or below a cycle.
fn refuse_cycles(parents: &[Option<usize>]) -> Result<(), GlbError> {
    // 0 unknown, 1 on the present chain, 2 known to end.
    let mut state = vec![0u8; parents.len()];
    for start in 0..parents.len() {
        let mut chain = Vec::new();
        let mut next = Some(start);
        while let Some(at) = next {
            match state.get(at) {
                Some(0) => {}
                Some(1) => {
                    let what = format!("node {at} is its own ancestor");
                    return Err(GlbError::malformed(format!("/nodes/{at}"), what, "remove the cycle from the children lists"));
                }
                _ => break,
            }
            if let Some(mark) = state.get_mut(at) {
                *mark = 1;
            }
            chain.push(at);
            next = parents.get(at).copied().flatten();
        }
        for at in chain {
            if let Some(mark) = state.get_mut(at) {
                *mark = 2;
            }
        }
    }
    Ok(())
}

/// Roots of the shown scene: the listed nodes, or every parentless node when there is no scene.
pub(super) fn roots(nodes: &[Node], scene: Option<(usize, Vec<usize>)>, warnings: &mut Warnings) -> Result<Vec<usize>, GlbError> {
    let Some((scene, listed)) = scene else {
        return Ok(nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none()).map(|(at, _)| at).collect());
    };
    let root_of = roots_of(nodes);
    let mut seen = vec![false; nodes.len()];
    let mut roots = Vec::new();
    for (position, listed) in listed.into_iter().enumerate() {
        let at = format!("/scenes/{scene}/nodes/{position}");
        if listed >= nodes.len() {
            let what = format!("node {listed} does not exist; the file has {} nodes", nodes.len());
            return Err(GlbError::malformed(at, what, EXPORT));
        }
        let root = root_of.get(listed).copied().unwrap_or(listed);
        if root != listed {
            warnings.add(at, format!("node {listed} is not a root; its root {root} is shown instead"), "");
        }
        if let Some(seen) = seen.get_mut(root).filter(|seen| !**seen) {
            *seen = true;
            roots.push(root);
        }
    }
    Ok(roots)
}

/// The topmost ancestor of every node; one walk, because climbing from each node would be quadratic in a long chain.
fn roots_of(nodes: &[Node]) -> Vec<usize> {
    let mut root_of: Vec<usize> = (0..nodes.len()).collect();
    let mut stack: Vec<usize> = (0..nodes.len()).filter(|&at| nodes.get(at).is_some_and(|node| node.parent.is_none())).collect();
    while let Some(at) = stack.pop() {
        let root = root_of.get(at).copied().unwrap_or(at);
        for &child in nodes.get(at).map(|node| node.children.as_slice()).unwrap_or_default() {
            if let Some(slot) = root_of.get_mut(child) {
                *slot = root;
            }
            stack.push(child);
        }
    }
    root_of
}

/// Computes paths and world transforms of the whole forest and marks what the roots reach and what is hidden. The centre of
/// CESIUM_RTC moves everything.
///
/// # Errors
/// [`GlbError::Limit`] for too deep a tree or too much text in paths; [`GlbError::Malformed`] where transforms multiply
/// to infinity.
pub(super) fn place(nodes: &mut [Node], roots: &[usize], center: DVec3, account: &mut Account) -> Result<(), GlbError> {
    let shown: std::collections::BTreeSet<usize> = roots.iter().copied().collect();
    let mut stack: Vec<(usize, u64)> = Vec::new();
    for root in 0..nodes.len() {
        if nodes.get(root).is_some_and(|node| node.parent.is_none()) {
            stack.push((root, 1));
        }
        while let Some((at, depth)) = stack.pop() {
            let pointer = format!("/nodes/{at}");
            let help = "flatten the node tree, for example with `npx @gltf-transform/cli flatten in.glb out.glb`";
            Limits::check(&pointer, "levels of nodes", depth, account.limits.max_depth, help)?;
            place_one(nodes, at, shown.contains(&at), center, &pointer, account)?;
            if let Some(node) = nodes.get(at) {
                stack.extend(node.children.iter().map(|&child| (child, depth + 1)));
            }
        }
    }
    Ok(())
}

fn place_one(
    nodes: &mut [Node],
    at: usize,
    shown: bool,
    center: DVec3,
    pointer: &str,
    account: &mut Account,
) -> Result<(), GlbError> {
    let above = nodes.get(at).and_then(|node| node.parent).and_then(|parent| nodes.get(parent));
    let (mut path, above_alias, world, in_scene, hidden) = match above {
        Some(parent) => (format!("{}/", parent.path), parent.alias.clone(), parent.world, parent.in_scene, parent.hidden),
        None => (String::new(), None, DMat4::from_translation(center), shown, false),
    };
    let Some(node) = nodes.get_mut(at) else {
        return Ok(());
    };
    let own = node.name.clone().unwrap_or_else(|| format!("#{at}"));
    let called = if node.name.is_none() { node.mesh_name.as_deref() } else { None };
    node.alias = match (above_alias, called) {
        (None, None) => None,
        (Some(above), called) => Some(format!("{above}/{}", called.unwrap_or(&own))),
        (None, Some(called)) => Some(format!("{path}{called}")),
    };
    path.push_str(&own);
    account.decoded(pointer, (path.len() + node.alias.as_ref().map_or(0, String::len)) as u64)?;
    node.world = world * node.local;
    node.path = path;
    node.in_scene = in_scene;
    node.hidden |= hidden;
    if node.world.is_finite() {
        return Ok(());
    }
    let what = format!("the transforms of node '{}' and those above it multiply to infinity", quote(&node.path));
    Err(GlbError::malformed(pointer, what, "correct their scales and translations"))
}
