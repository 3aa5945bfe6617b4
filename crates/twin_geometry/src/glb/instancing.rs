//! EXT_mesh_gpu_instancing: one node that shows its mesh many times becomes one child node per copy.

use glam::{DMat4, DQuat, Quat, Vec3};
use serde_json::Value;

use super::access::{Column, Fault};
use super::error::GlbError;
use super::json::{InstancingAttributes, Uint};
use super::limits::Limits;
use super::primitive::Context;
use twin_scene::geometry::Node;

/// Appends the copies of `node` to `nodes` and takes its mesh away.
///
/// # Errors
/// [`GlbError::Limit`]; where the attributes cannot be read, nobody knows where the copies stand, and none is drawn.
pub(super) fn expand(
    nodes: &mut Vec<Node>,
    node: usize,
    attributes: InstancingAttributes,
    context: &mut Context<'_, '_>,
) -> Result<(), GlbError> {
    let at = format!("/nodes/{node}/extensions/EXT_mesh_gpu_instancing");
    match transforms(&at, nodes.len(), attributes, context) {
        Ok(transforms) => append(nodes, node, &transforms, &at, context),
        Err(Fault::Fatal(error)) => Err(error),
        Err(Fault::Skip(reason)) => {
            context.warnings.fault(at, format!("{reason}; its copies are left out"), "export the model again");
            if let Some(node) = nodes.get_mut(node) {
                node.mesh = None;
            }
            Ok(())
        }
    }
}

fn transforms(
    at: &str,
    present: usize,
    attributes: InstancingAttributes,
    context: &mut Context<'_, '_>,
) -> Result<Vec<DMat4>, Fault> {
    let translation = column(attributes.translation, 3, context)?;
    let rotation = column(attributes.rotation, 4, context)?;
    let scale = column(attributes.scale, 3, context)?;
    let mut counts = [translation, rotation, scale].into_iter().flatten().map(|column| column.count);
    let count = counts.next().ok_or_else(|| "it has no attributes".to_owned())?;
    if counts.any(|other| other != count) {
        return Err("its attributes differ in length".to_owned().into());
    }
    let total = (present as u64).saturating_add(count as u64);
    Limits::check(at, "nodes", total, context.account.limits.max_nodes, "export fewer instances")?;
    context.account.decoded(at, (count as u64).saturating_mul(size_of::<Node>() as u64 + 64))?;
    let floats3 = |column: Option<Column<'_>>, fill: f32| column.map_or_else(|| vec![[fill; 3]; count], |c| c.floats(fill));
    let turns = rotation.map_or_else(|| vec![[0.0, 0.0, 0.0, 1.0]; count], |column| column.floats(0.0));
    let moves = floats3(translation, 0.0);
    let scales = floats3(scale, 1.0);
    let each = moves.into_iter().zip(turns).zip(scales);
    Ok(each.map(|((translation, rotation), scale)| matrix(translation, rotation, scale)).collect())
}

fn matrix(translation: [f32; 3], rotation: [f32; 4], scale: [f32; 3]) -> DMat4 {
    let turn = Quat::from_array(rotation);
    let turn = if turn.length() > 1e-6 && turn.is_finite() { turn.normalize() } else { Quat::IDENTITY };
    let turn = DQuat::from_array(turn.to_array().map(f64::from)).normalize();
    DMat4::from_scale_rotation_translation(Vec3::from(scale).as_dvec3(), turn, Vec3::from(translation).as_dvec3())
}

fn column<'a>(index: Option<Uint>, width: usize, context: &Context<'a, '_>) -> Result<Option<Column<'a>>, Fault> {
    let Some(index) = index else {
        return Ok(None);
    };
    let column = context.buffers.column(context.document, index)?;
    if column.width == width && column.has_data {
        Ok(Some(column))
    } else {
        Err("an attribute has the wrong type".to_owned().into())
    }
}

fn append(
    nodes: &mut Vec<Node>,
    parent: usize,
    transforms: &[DMat4],
    at: &str,
    context: &mut Context<'_, '_>,
) -> Result<(), GlbError> {
    let first = nodes.len();
    let Some(node) = nodes.get_mut(parent) else {
        return Ok(());
    };
    context.account.decoded(
        at,
        ((node.path.len() + node.alias.as_ref().map_or(0, String::len)) as u64 + 16).saturating_mul(transforms.len() as u64),
    )?;
    let (mesh, world, in_scene, hidden) = (node.mesh.take(), node.world, node.in_scene, node.hidden);
    let (path, alias) = (node.path.clone(), node.alias.clone());
    node.children.extend(first..first + transforms.len());
    for (instance, &local) in transforms.iter().enumerate() {
        let world = world * local;
        let broken = !world.is_finite();
        if broken {
            context.warnings.fault(at, format!("the transform of instance {instance} is not finite; it is left out"), "");
        }
        nodes.push(Node {
            name: None,
            path: format!("{path}/@{instance}"),
            mesh_name: None,
            alias: alias.as_ref().map(|alias| format!("{alias}/@{instance}")),
            parent: Some(parent),
            children: Vec::new(),
            mesh: mesh.filter(|_| !broken),
            local: if broken { DMat4::IDENTITY } else { local },
            world: if broken { DMat4::IDENTITY } else { world },
            extras: Value::Null,
            in_scene,
            hidden,
        });
    }
    Ok(())
}
