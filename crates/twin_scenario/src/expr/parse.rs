//! Pratt parser (V. Pratt, "Top down operator precedence", 1973) that emits operations in evaluation order.

use super::lex::{Token, lex};
use super::{ExprError, MAX_DEPTH, MAX_LENGTH, MAX_STACK, Op, Program, inputs_of};

const FUNCTIONS: &str = "the functions are min, max, abs, exp, ln, sqrt, pow, clamp and if";

const COMPARE: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const SIGN: u8 = 4;
const POWER: u8 = 5;

/// Compiles an expression. `resolve` gives the column of a signal id, or a hint for people where there is none.
///
/// # Errors
/// The first fault, with its column in characters from 1. Longer than [`MAX_LENGTH`] bytes, deeper than [`MAX_DEPTH`] or
/// in need of more than [`MAX_STACK`] intermediate values is a fault too.
pub fn parse(text: &str, resolve: &mut dyn FnMut(&str) -> Result<u32, String>) -> Result<Program, ExprError> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression is {} bytes long, the limit is {MAX_LENGTH}", text.len());
        return Err(ExprError::new(1, message, "split it over helper signals"));
    }
    let mut parser = Parser { tokens: lex(text)?, at: 0, ops: Vec::new(), height: 0, depth: 0, resolve };
    if *parser.peek() == Token::End {
        return Err(ExprError::new(1, "the expression is empty", "write for example 2 * pump-01.speed"));
    }
    parser.expression(0)?;
    match parser.next() {
        (Token::End, _) => {}
        (Token::Close, column) => return Err(ExprError::new(column, "')' without '('", "remove it or open a bracket before")),
        (token, column) => {
            let hint = "write an operator such as '*' or '+' before it; functions need brackets";
            return Err(ExprError::new(column, format!("{} cannot follow here", token.name()), hint));
        }
    }
    let inputs = inputs_of(&parser.ops);
    Ok(Program { ops: parser.ops.into(), inputs })
}

struct Parser<'a> {
    tokens: Vec<(Token, u32)>,
    at: usize,
    ops: Vec<Op>,
    /// Intermediate values that are on the stack after the operations so far.
    height: usize,
    depth: usize,
    resolve: &'a mut dyn FnMut(&str) -> Result<u32, String>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn column(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, column)| *column)
    }

    fn next(&mut self) -> (Token, u32) {
        let found = (self.peek().clone(), self.column());
        self.at += 1;
        found
    }

    fn emit(&mut self, op: Op, column: u32) -> Result<(), ExprError> {
        self.height = self.height.saturating_sub(op.takes()) + 1;
        if self.height > MAX_STACK {
            let message = format!("more than {MAX_STACK} intermediate values wait here");
            return Err(ExprError::new(column, message, "split it over helper signals"));
        }
        self.ops.push(op);
        Ok(())
    }

    /// An operand and every operator after it that binds at least as tightly as `binding`.
    fn expression(&mut self, binding: u8) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(ExprError::new(self.column(), message, "split it over helper signals"));
        }
        self.operand()?;
        let mut compared = false;
        while let Some((op, strength)) = infix(self.peek()) {
            if strength < binding {
                break;
            }
            let (token, column) = self.next();
            if strength == COMPARE && std::mem::replace(&mut compared, true) {
                let hint = "compare twice and multiply, for example (a < b) * (b < c)";
                return Err(ExprError::new(column, format!("a second comparison, {},", token.name()), hint));
            }
            // Right to left for powers, and their exponent may carry a sign; left to right for the rest.
            self.expression(if strength == POWER { SIGN } else { strength + 1 })?;
            self.emit(op, column)?;
        }
        self.depth -= 1;
        Ok(())
    }

    fn operand(&mut self) -> Result<(), ExprError> {
        let (token, column) = self.next();
        match token {
            Token::Number(value) => self.emit(Op::Number(value), column),
            Token::Quoted(id) => self.signal(&id, column),
            Token::Word(word) if *self.peek() == Token::Open => self.call(&word, column),
            Token::Word(id) => self.signal(&id, column),
            Token::Plus => self.expression(SIGN),
            Token::Minus => {
                self.expression(SIGN)?;
                self.emit(Op::Neg, column)
            }
            Token::Open => {
                self.expression(0)?;
                self.close(column)
            }
            other => {
                let message = format!("a value is missing before {}", other.name());
                Err(ExprError::new(column, message, "write a number, a signal id, a function or a bracket there"))
            }
        }
    }

    fn close(&mut self, opened: u32) -> Result<(), ExprError> {
        match self.next() {
            (Token::Close, _) => Ok(()),
            (Token::End, column) => {
                Err(ExprError::new(column, format!("the bracket opened at column {opened} is never closed"), "add a ')'"))
            }
            (token, column) => {
                let message = format!("{} where ')' is due", token.name());
                Err(ExprError::new(column, message, format!("close the bracket opened at column {opened}")))
            }
        }
    }

    fn signal(&mut self, id: &str, column: u32) -> Result<(), ExprError> {
        match (self.resolve)(id) {
            Ok(found) => self.emit(Op::Load(found), column),
            Err(hint) => {
                let minus = if id.contains('-') { "; a minus that subtracts needs spaces around it" } else { "" };
                Err(ExprError::new(column, format!("there is no signal '{id}'"), format!("{hint}{minus}")))
            }
        }
    }

    fn call(&mut self, name: &str, column: u32) -> Result<(), ExprError> {
        let Some(function) = Function::find(name) else {
            return Err(ExprError::new(column, format!("there is no function '{name}'"), FUNCTIONS));
        };
        let (_, opened) = self.next();
        let mut count = 0;
        while *self.peek() != Token::Close || count > 0 {
            self.expression(0)?;
            count += 1;
            if function.folds && count >= 2 {
                self.emit(function.op, column)?;
            }
            if *self.peek() != Token::Comma {
                break;
            }
            self.next();
        }
        self.close(opened)?;
        let wanted = function.op.takes();
        if count < wanted || (count > wanted && !function.folds) {
            let message =
                format!("'{name}' has {count} values, it takes {wanted}{}", if function.folds { " or more" } else { "" });
            return Err(ExprError::new(column, message, format!("write {}", function.usage)));
        }
        if function.folds { Ok(()) } else { self.emit(function.op, column) }
    }
}

struct Function {
    name: &'static str,
    op: Op,
    /// Takes any number of values from two on, pair by pair from the left.
    folds: bool,
    usage: &'static str,
}

impl Function {
    const ALL: [Self; 9] = [
        Self { name: "min", op: Op::Min, folds: true, usage: "min(a, b)" },
        Self { name: "max", op: Op::Max, folds: true, usage: "max(a, b)" },
        Self { name: "abs", op: Op::Abs, folds: false, usage: "abs(x)" },
        Self { name: "exp", op: Op::Exp, folds: false, usage: "exp(x)" },
        Self { name: "ln", op: Op::Ln, folds: false, usage: "ln(x)" },
        Self { name: "sqrt", op: Op::Sqrt, folds: false, usage: "sqrt(x)" },
        Self { name: "pow", op: Op::Pow, folds: false, usage: "pow(x, y)" },
        Self { name: "clamp", op: Op::Clamp, folds: false, usage: "clamp(x, low, high)" },
        Self { name: "if", op: Op::If, folds: false, usage: "if(condition, a, b)" },
    ];

    fn find(name: &str) -> Option<&'static Self> {
        const ALL: &[Function; 9] = &Function::ALL;
        ALL.iter().find(|function| function.name == name)
    }
}

fn infix(token: &Token) -> Option<(Op, u8)> {
    Some(match token {
        Token::Less => (Op::Less, COMPARE),
        Token::LessEqual => (Op::LessEqual, COMPARE),
        Token::Greater => (Op::Greater, COMPARE),
        Token::GreaterEqual => (Op::GreaterEqual, COMPARE),
        Token::Equal => (Op::Equal, COMPARE),
        Token::NotEqual => (Op::NotEqual, COMPARE),
        Token::Plus => (Op::Add, SUM),
        Token::Minus => (Op::Sub, SUM),
        Token::Star => (Op::Mul, PRODUCT),
        Token::Slash => (Op::Div, PRODUCT),
        Token::Caret => (Op::Pow, POWER),
        _ => return None,
    })
}
