//! Cuts expression text into tokens with columns. Knows nothing of precedence or signals.

use crate::error::{ExprError, shown};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    /// A bare word: a signal id, or a function's name where `(` follows.
    Word(String),
    /// A signal id in backticks.
    Quoted(String),
    /// A text in quotation marks, without them.
    Text(String),
    True,
    False,
    And,
    Or,
    Not,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// The token as it is named in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Number(v) => format!("number {v}"),
            Self::Word(w) => format!("'{}'", shown(w)),
            Self::Quoted(w) => format!("`{}`", shown(w)),
            Self::Text(t) => format!("the text \"{}\"", shown(t)),
            Self::True => "'true'".into(),
            Self::False => "'false'".into(),
            Self::And => "'and'".into(),
            Self::Or => "'or'".into(),
            Self::Not => "'not'".into(),
            Self::Plus => "'+'".into(),
            Self::Minus => "'-'".into(),
            Self::Star => "'*'".into(),
            Self::Slash => "'/'".into(),
            Self::Caret => "'^'".into(),
            Self::Less => "'<'".into(),
            Self::LessEqual => "'<='".into(),
            Self::Greater => "'>'".into(),
            Self::GreaterEqual => "'>='".into(),
            Self::Equal => "'=='".into(),
            Self::NotEqual => "'!='".into(),
            Self::Open => "'('".into(),
            Self::Close => "')'".into(),
            Self::Comma => "','".into(),
            Self::End => "the end".into(),
        }
    }
}

/// All tokens with their columns (characters, from 1), closed by [`Token::End`].
pub(crate) fn lex(text: &str) -> Result<Vec<(Token, u32)>, ExprError> {
    let mut lexer = Lexer { rest: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        let column = lexer.column();
        let token = lexer.token(column)?;
        let end = token == Token::End;
        tokens.push((token, column));
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn column(&self) -> u32 {
        u32::try_from(self.at + 1).unwrap_or(u32::MAX)
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn taken_from(&self, start: usize) -> String {
        self.rest.get(start..self.at).map(|chars| chars.iter().collect()).unwrap_or_default()
    }

    fn token(&mut self, column: u32) -> Result<Token, ExprError> {
        let Some(c) = self.peek(0) else { return Ok(Token::End) };
        if c.is_ascii_digit() || (c == '.' && self.peek(1).is_some_and(|d| d.is_ascii_digit())) {
            return self.number(column);
        }
        if is_word_start(c) {
            return Ok(self.word());
        }
        if c == '`' {
            return self.quoted(column);
        }
        if c == '"' || c == '\'' {
            return self.text(c, column);
        }
        self.operator(c, column)
    }

    fn operator(&mut self, c: char, column: u32) -> Result<Token, ExprError> {
        let equals_follows = self.peek(1) == Some('=');
        let (token, length) = match c {
            '+' => (Token::Plus, 1),
            '-' => (Token::Minus, 1),
            '*' => (Token::Star, 1),
            '/' => (Token::Slash, 1),
            '^' => (Token::Caret, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '<' if equals_follows => (Token::LessEqual, 2),
            '>' if equals_follows => (Token::GreaterEqual, 2),
            '=' if equals_follows => (Token::Equal, 2),
            '!' if equals_follows => (Token::NotEqual, 2),
            '<' => (Token::Less, 1),
            '>' => (Token::Greater, 1),
            '=' => return Err(ExprError::new(column, "a single '='", "write '==' to compare")),
            '&' => return Err(ExprError::new(column, "'&' is no operator", "write 'and'")),
            '|' => return Err(ExprError::new(column, "'|' is no operator", "write 'or'")),
            '!' => return Err(ExprError::new(column, "'!' is no operator", "write 'not', or '!=' to compare")),
            '“' | '”' | '„' | '‘' | '’' => {
                return Err(ExprError::new(column, format!("'{c}' is not a plain quotation mark"), "type the plain '\"'"));
            }
            '−' | '–' => return Err(ExprError::new(column, format!("'{c}' is not a minus sign"), "type the plain '-'")),
            _ => {
                let hint = "signal ids with such characters go in backticks, for example `odd name`";
                return Err(ExprError::new(column, format!("unexpected character '{c}'"), hint));
            }
        };
        self.at += length;
        Ok(token)
    }

    fn number(&mut self, column: u32) -> Result<Token, ExprError> {
        let start = self.at;
        let digit = |c: char| c.is_ascii_digit();
        self.skip(digit);
        if self.peek(0) == Some('.') {
            self.at += 1;
            self.skip(digit);
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if self.peek(1 + sign).is_some_and(digit) {
                self.at += 1 + sign;
                self.skip(digit);
            }
        }
        let number = self.taken_from(start);
        if let Some(c) = self.peek(0).filter(|c| is_word_part(*c) || *c == '.') {
            let hint = "write '*' to multiply; ids that begin with a digit go in backticks";
            return Err(ExprError::new(column, format!("'{c}' right after the number {number}"), hint));
        }
        match number.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Number(value)),
            _ => Err(ExprError::new(column, format!("'{number}' is not a number in range"), "write it like 1.5 or 2e-3")),
        }
    }

    /// A word goes on over `-` and `.` only where a letter, digit or `_` follows, so that `a- b` and `a -b` subtract.
    fn word(&mut self) -> Token {
        let start = self.at;
        while let Some(c) = self.peek(0) {
            let joins = (c == '-' || c == '.') && self.peek(1).is_some_and(is_word_part);
            if !is_word_part(c) && !joins {
                break;
            }
            self.at += 1;
        }
        let word = self.taken_from(start);
        match word.as_str() {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Not,
            "true" => Token::True,
            "false" => Token::False,
            _ => Token::Word(word),
        }
    }

    fn quoted(&mut self, column: u32) -> Result<Token, ExprError> {
        self.at += 1;
        let start = self.at;
        self.skip(|c| c != '`');
        let id = self.taken_from(start);
        if self.peek(0).is_none() {
            return Err(ExprError::new(column, "this backtick is never closed", "close it after the signal id"));
        }
        self.at += 1;
        if id.is_empty() {
            return Err(ExprError::new(column, "nothing between the backticks", "write a signal id there"));
        }
        Ok(Token::Quoted(id))
    }

    /// A text up to the mark that opened it; a backslash stands before a mark or a backslash that belongs to the text.
    fn text(&mut self, mark: char, column: u32) -> Result<Token, ExprError> {
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| *c != mark) {
            self.at += 1;
            text.push(match (c, self.peek(0)) {
                ('\\', Some(escaped @ ('\\' | '"' | '\''))) => {
                    self.at += 1;
                    escaped
                }
                ('\\', _) => {
                    let hint = "write two for one backslash, or one before a quotation mark";
                    return Err(ExprError::new(self.column() - 1, "a single '\\' in a text", hint));
                }
                _ => c,
            });
        }
        if self.peek(0).is_none() {
            return Err(ExprError::new(column, "this quotation mark is never closed", "close it after the text"));
        }
        self.at += 1;
        Ok(Token::Text(text))
    }
}

/// Whether an id reads as one bare word that is a signal: what does not goes in backticks.
pub(crate) fn is_bare(id: &str) -> bool {
    lex(id).is_ok_and(|tokens| matches!(tokens.as_slice(), [(Token::Word(word), _), _] if word == id))
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
