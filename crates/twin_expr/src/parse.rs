//! Pratt parser (V. Pratt, "Top down operator precedence", 1973) that writes nodes in evaluation order. Knows no types.

use crate::error::{ExprError, shown};
use crate::function::{FUNCTIONS, Function};
use crate::lex::{Token, lex};
use crate::syntax::{Binary, Node, Place, Syntax, binding};
use crate::{MAX_DEPTH, MAX_LENGTH, MAX_STACK, names};

/// Reads an expression. Ids are taken as they stand; whether there are such signals is asked later.
///
/// # Errors
/// The first fault, with its column in characters from 1. Longer than [`MAX_LENGTH`] bytes, deeper than [`MAX_DEPTH`] or
/// in need of more than [`MAX_STACK`] intermediate values is a fault too.
pub fn parse(text: &str) -> Result<Syntax, ExprError> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression is {} bytes long, the limit is {MAX_LENGTH}", text.len());
        return Err(ExprError::new(1, message, "split it over helper signals"));
    }
    let syntax = Syntax { nodes: Vec::new(), places: Vec::new(), names: Vec::new() };
    let mut parser = Parser { tokens: lex(text)?, at: 0, syntax, starts: Vec::new(), height: 0, depth: 0 };
    if *parser.peek() == Token::End {
        return Err(ExprError::new(1, "the expression is empty", "write for example 2 * pump-01.speed"));
    }
    parser.expression(0)?;
    match parser.next() {
        (Token::End, _) => Ok(parser.syntax),
        (Token::Close, column) => Err(ExprError::new(column, "')' without '('", "remove it or open a bracket before")),
        (Token::Word(word), column) if matches!(word.to_ascii_lowercase().as_str(), "and" | "or" | "not") => {
            let hint = format!("write '{}'", word.to_ascii_lowercase());
            Err(ExprError::new(column, format!("'{word}' is no operator"), hint))
        }
        (token, column) => {
            let hint = "write an operator such as '*' or '+' before it; functions need brackets";
            Err(ExprError::new(column, format!("{} cannot follow here", token.name()), hint))
        }
    }
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
    syntax: Syntax,
    /// Where each complete subtree begins, for the places of what is made of them.
    starts: Vec<u32>,
    /// Intermediate values that wait after the nodes so far.
    height: usize,
    depth: usize,
}

impl Parser {
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

    /// Adds a value.
    fn leaf(&mut self, node: Node, column: u32) -> Result<(), ExprError> {
        self.height += 1;
        if self.height > MAX_STACK {
            let message = format!("more than {MAX_STACK} intermediate values wait here");
            return Err(ExprError::new(column, message, "split it over helper signals"));
        }
        self.push(node, column);
        Ok(())
    }

    /// Adds what is made of the last subtrees.
    fn push(&mut self, node: Node, column: u32) {
        let operands = self.starts.len().saturating_sub(node.takes());
        let start = self.starts.get(operands).map_or(column, |first| column.min(*first));
        self.starts.truncate(operands);
        self.starts.push(start);
        self.syntax.nodes.push(node);
        self.syntax.places.push(Place { start, column });
    }

    /// An operand and every operator after it that binds at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<(), ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return Err(ExprError::new(self.column(), message, "split it over helper signals"));
        }
        self.operand(least)?;
        let mut compared = false;
        while let Some(op) = infix(self.peek()) {
            let strength = op.binding();
            if strength < least {
                break;
            }
            let (token, column) = self.next();
            if strength == binding::COMPARE && std::mem::replace(&mut compared, true) {
                let hint = "compare twice, for example (a < b) and (b < c)";
                return Err(ExprError::new(column, format!("a second comparison, {},", token.name()), hint));
            }
            // Right to left for powers, and their exponent may carry a sign; left to right for the rest.
            self.expression(if strength == binding::POWER { binding::SIGN } else { strength + 1 })?;
            self.height = self.height.saturating_sub(1);
            self.push(Node::Binary(op), column);
        }
        self.depth -= 1;
        Ok(())
    }

    fn operand(&mut self, least: u8) -> Result<(), ExprError> {
        let (token, column) = self.next();
        match token {
            Token::Number(value) => self.leaf(Node::Number(value), column),
            Token::True => self.leaf(Node::Truth(true), column),
            Token::False => self.leaf(Node::Truth(false), column),
            Token::Text(text) => self.leaf(Node::Text(text.into()), column),
            Token::Quoted(id) => self.signal(id, column),
            Token::Word(word) if *self.peek() == Token::Open => self.call(&word, column),
            Token::Word(id) => self.signal(id, column),
            Token::Plus => self.expression(binding::SIGN),
            Token::Minus => {
                self.expression(binding::SIGN)?;
                self.push(Node::Neg, column);
                Ok(())
            }
            Token::Not if least > binding::NOT => {
                Err(ExprError::new(column, "'not' cannot stand after this operator", "put it in brackets: a == (not b)"))
            }
            Token::Not => {
                self.expression(binding::NOT)?;
                self.push(Node::Not, column);
                Ok(())
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

    fn signal(&mut self, id: String, column: u32) -> Result<(), ExprError> {
        let names = &mut self.syntax.names;
        let at = names.iter().position(|(known, _)| *known == id).unwrap_or(names.len());
        if at == names.len() {
            names.push((id, column));
        }
        self.leaf(Node::Signal(at), column)
    }

    fn call(&mut self, name: &str, column: u32) -> Result<(), ExprError> {
        let Some(function) = Function::find(name) else {
            let lower = name.to_lowercase();
            // Short names are all alike: "sin" is no misspelt "min".
            let alike = |known: &&str| known.chars().next() == lower.chars().next();
            let near = names::nearest(&lower, Function::ALL.into_iter().map(Function::as_str).filter(alike));
            let hint = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
            return Err(ExprError::new(column, format!("there is no function '{}'", shown(name)), hint + FUNCTIONS));
        };
        let (_, opened) = self.next();
        let mut count = 0;
        while *self.peek() != Token::Close || count > 0 {
            self.expression(0)?;
            count += 1;
            if function.folds() && count >= 2 {
                self.height = self.height.saturating_sub(1);
            }
            if *self.peek() != Token::Comma {
                break;
            }
            self.next();
        }
        self.close(opened)?;
        let wanted = function.takes();
        if count < wanted || (count > wanted && !function.folds()) {
            let more = if function.folds() { " or more" } else { "" };
            let message = format!("'{name}' has {count} values, it takes {wanted}{more}");
            return Err(ExprError::new(column, message, format!("write {}", function.usage())));
        }
        if !function.folds() {
            self.height = (self.height + 1).saturating_sub(count);
        }
        self.push(Node::Call(function, count), column);
        Ok(())
    }
}

fn infix(token: &Token) -> Option<Binary> {
    Some(match token {
        Token::Or => Binary::Or,
        Token::And => Binary::And,
        Token::Less => Binary::Less,
        Token::LessEqual => Binary::LessEqual,
        Token::Greater => Binary::Greater,
        Token::GreaterEqual => Binary::GreaterEqual,
        Token::Equal => Binary::Equal,
        Token::NotEqual => Binary::NotEqual,
        Token::Plus => Binary::Add,
        Token::Minus => Binary::Sub,
        Token::Star => Binary::Mul,
        Token::Slash => Binary::Div,
        Token::Caret => Binary::Pow,
        _ => return None,
    })
}
