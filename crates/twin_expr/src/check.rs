//! Types: whether an expression makes sense for the signals that it names. Knows no values.

use twin_model::{Model, SignalIndex, Unit, ValueKind};

use crate::error::{ExprError, Finding, shown};
use crate::function::Function;
use crate::names::nearest;
use crate::print;
use crate::program::unknown;
use crate::steps::{self, Step, Then};
use crate::syntax::{Binary, Node, Place, Syntax};
use crate::types::Type;
use crate::units;

/// What an expression has to know of a signal that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// The signal.
    pub signal: SignalIndex,
    /// Which values it takes.
    pub kind: ValueKind,
    /// Their unit; empty where none is known.
    pub unit: Unit,
}

/// The signal of that id in a model, for [`Expression::compile`].
///
/// # Errors
/// What the writer may have meant, for people.
pub fn operand_of(model: &Model, id: &str) -> Result<Operand, String> {
    let Some(found) = model.find_signal(id) else {
        let near = nearest(id, model.signals().iter().map(|signal| signal.id.as_str()));
        let near = near.or_else(|| model.signals().iter().find(|signal| signal.name == id).map(|signal| signal.id.as_str()));
        return Err(near
            .map_or_else(|| "signals are written <twin id>.<signal name>".to_owned(), |near| format!("did you mean '{near}'?")));
    };
    let signal = model.signal(found);
    Ok(Operand { signal: found, kind: signal.value_kind, unit: signal.unit.clone() })
}

/// A checked expression over signals. Evaluating it cannot fail; what has no value is a result that says why.
#[derive(Debug, Clone)]
pub struct Expression {
    pub(crate) syntax: Syntax,
    pub(crate) inputs: Vec<Operand>,
    pub(crate) steps: Box<[Step]>,
    ty: Type,
    unit: Option<Unit>,
    findings: Vec<Finding>,
}

impl Expression {
    /// Reads and checks an expression. `resolve` says what a signal id stands for ([`operand_of`]), or gives a hint for people
    /// where it stands for nothing; it is asked once for each id, in order of appearance.
    ///
    /// # Errors
    /// The first fault of grammar, else the first unknown signal, else the first place where types do not fit.
    pub fn compile(text: &str, resolve: &mut dyn FnMut(&str) -> Result<Operand, String>) -> Result<Self, ExprError> {
        Self::of(crate::parse(text)?, resolve)
    }

    /// The same of what is parsed already.
    pub(crate) fn of(syntax: Syntax, resolve: &mut dyn FnMut(&str) -> Result<Operand, String>) -> Result<Self, ExprError> {
        let mut inputs = Vec::with_capacity(syntax.names.len());
        for (id, column) in &syntax.names {
            inputs.push(resolve(id).map_err(|hint| unknown(id, *column, &hint))?);
        }
        let types = Checker { syntax: &syntax, inputs: &inputs }.types()?;
        let steps = steps::compile(&syntax, &types);
        let (unit, findings) = units::check(&syntax, &inputs.iter().map(|input| input.unit.clone()).collect::<Vec<_>>());
        let ty = types.last().copied().unwrap_or(Type::Number);
        Ok(Self { syntax, inputs, steps, ty, unit, findings })
    }

    /// What kind of value it gives.
    pub fn gives(&self) -> Type {
        self.ty
    }

    /// The unit of the result, where it follows from those of the inputs: `a + b` has the unit that both share, `a * b` none
    /// that is known.
    pub fn unit(&self) -> Option<&Unit> {
        self.unit.as_ref()
    }

    /// The signals that it names, each once, in order of appearance.
    pub fn inputs(&self) -> &[Operand] {
        &self.inputs
    }

    /// Whether it depends on values which inputs are needed: an `if`, `and` or `or` stands in it.
    pub fn chooses(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.then, Then::Branch { .. } | Then::IfTrue(_) | Then::IfFalse(_)))
    }

    /// What looks wrong though it can be evaluated: sums of different units.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What it says, as a tree; prints as text.
    pub fn syntax(&self) -> &Syntax {
        &self.syntax
    }
}

/// A subtree whose type is known.
#[derive(Clone, Copy)]
struct Typed<'a> {
    ty: Type,
    node: &'a Node,
    place: Place,
}

struct Checker<'a> {
    syntax: &'a Syntax,
    inputs: &'a [Operand],
}

impl<'a> Checker<'a> {
    /// The type of each node, in their order.
    fn types(&self) -> Result<Vec<Type>, ExprError> {
        let mut types = Vec::with_capacity(self.syntax.nodes.len());
        let mut stack: Vec<Typed<'a>> = Vec::new();
        for (node, place) in self.syntax.walk() {
            let operands = stack.split_off(stack.len().saturating_sub(node.takes()));
            let ty = self.type_of(node, place, &operands)?;
            types.push(ty);
            stack.push(Typed { ty, node, place });
        }
        Ok(types)
    }

    fn type_of(&self, node: &Node, place: Place, operands: &[Typed<'a>]) -> Result<Type, ExprError> {
        match (node, operands) {
            (Node::Number(_), _) => Ok(Type::Number),
            (Node::Truth(_), _) => Ok(Type::Boolean),
            (Node::Text(_), _) => Ok(Type::Text),
            (Node::Signal(at), _) => Ok(self.inputs.get(*at).map_or(Type::Number, |input| input.kind.into())),
            (Node::Binary(Binary::Equal | Binary::NotEqual), [left, right]) => self.equality(*left, *right),
            (Node::Binary(op), [left, right])
                if op.binding() == Binary::Less.binding() && left.ty == Type::Text && right.ty == Type::Text =>
            {
                let message = format!("texts have no order, '{}' compares numbers", op.as_str());
                Err(ExprError::new(place.column, message, "compare texts with == or !="))
            }
            (Node::Call(Function::If, _), [condition, first, second]) => self.choice(*condition, *first, *second),
            _ => {
                operands.iter().try_for_each(|operand| self.no_text(*operand))?;
                let truth = match node {
                    Node::Not => true,
                    Node::Binary(op) => op.binding() <= Binary::Less.binding(),
                    _ => false,
                };
                Ok(if truth { Type::Boolean } else { Type::Number })
            }
        }
    }

    fn equality(&self, left: Typed<'a>, right: Typed<'a>) -> Result<Type, ExprError> {
        let (text, other) = match (left.ty, right.ty) {
            (Type::Text, Type::Text) => return Ok(Type::Boolean),
            (Type::Text, _) => (left, right),
            (_, Type::Text) => (right, left),
            _ => return Ok(Type::Boolean),
        };
        // A text that stands in the expression is what the signal beside it should not be compared with.
        match (text.node, other.node) {
            (Node::Text(_), Node::Signal(_)) if other.ty == Type::Boolean => {
                let name = self.name(other);
                let hint = format!("write {name}, or not {name}");
                Err(ExprError::new(other.place.start, format!("'{name}' is true or false"), hint))
            }
            (Node::Text(_), Node::Signal(_)) => {
                let name = self.name(other);
                let hint = format!("compare it with a number: {name} == 1");
                Err(ExprError::new(other.place.start, format!("'{name}' is a number"), hint))
            }
            _ => self.no_text(text).map(|()| Type::Boolean),
        }
    }

    fn choice(&self, condition: Typed<'a>, first: Typed<'a>, second: Typed<'a>) -> Result<Type, ExprError> {
        self.no_text(condition)?;
        if first.ty == second.ty {
            return Ok(first.ty);
        }
        if first.ty != Type::Text && second.ty != Type::Text {
            return Ok(Type::Number);
        }
        let message = "one branch of 'if' is a text and the other is none";
        Err(ExprError::new(second.place.start, message, "let both be texts, or both numbers"))
    }

    fn no_text(&self, operand: Typed<'a>) -> Result<(), ExprError> {
        if operand.ty != Type::Text {
            return Ok(());
        }
        let (what, like) = match operand.node {
            Node::Signal(_) => {
                let name = self.name(operand);
                (format!("'{name}'"), format!("{name} == \"run\""))
            }
            Node::Text(text) => {
                let text = print::quoted(&shown(text));
                (text.clone(), format!("m.mode == {text}"))
            }
            _ => ("this".to_owned(), "(…) == \"run\"".to_owned()),
        };
        let hint = match operand.node {
            Node::Text(_) => format!("compare a signal with it: {like}"),
            _ => format!("compare it with a text: {like}"),
        };
        Err(ExprError::new(operand.place.start, format!("{what} is a text"), hint))
    }

    fn name(&self, typed: Typed<'a>) -> String {
        let Node::Signal(at) = typed.node else { return String::new() };
        self.syntax.names.get(*at).map(|(name, _)| shown(name)).unwrap_or_default()
    }
}
