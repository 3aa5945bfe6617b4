//! Which node of which model shows which twin.
//!
//! Holds patterns and the resolution of bindings over plain node lists. Refuses to know model formats and pixels. Start at
//! [`resolve`].
//!
//! Keys of one binding vote: the nodes that most of its keys find are taken. `node`, `name` and `global_id` may find one
//! node only; where several remain, none is bound and the finding says so. Between bindings the more exact key wins (node
//! path, GlobalId, name, extras, glob, whole model, in that order); two twins with equal right to a node are a conflict, and
//! the node stays unbound. A node without a binding of its own belongs to the twin of its nearest bound ancestor.

mod alike;
mod glob;
mod index;
mod resolve;

pub use glob::Glob;
pub use resolve::{AssetBinding, AssetNodes, BindReport, Input, NodeId, NodeRef, resolve};

#[cfg(test)]
mod tests;
