//! Tokens → [`Expr`]: Python's expression grammar by binding powers, one function per bracketed form.
//!
//! Every way to nest goes through [`Parser::expression`] or [`Parser::operand`], which count the depth: text that is
//! nested 100,000 times is refused like any other mistake. Absent on purpose: `:=`, `await`, `yield`.

mod calls;
mod displays;

use std::sync::Arc;

use crate::lexer::{Braces, Lexer, Token, TokenKind, syntax_error};
use crate::limits::{self, MAX_TEXT_DEPTH};
use crate::numpy::{BinaryOp, CompareOp, UnaryOp};
use crate::syntax::{Argument, BoolOp, Comparison, ComprehensionKind, Expr, ExprKind, deepest};
use crate::{Error, Reference, Span, Value};

/// A parsed text with the entries that it names, in order of first appearance.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) expression: Expr,
    pub(crate) references: Vec<Reference>,
}

pub(crate) fn parse(text: &str, braces: Braces) -> Result<Parsed, Error> {
    let lexer = Lexer::new(text, braces);
    let mut parser = Parser {
        lexer,
        tokens: Vec::new(),
        position: 0,
        depth: 0,
        references: Vec::new(),
    };
    parser.read();
    if matches!(parser.peek(), TokenKind::End) {
        return Err(syntax_error("invalid syntax: there is no expression", 0, text.len()));
    }
    if parser.at("*") {
        return Err(parser.unexpected());
    }
    let expression = parser.tuple_or_expression(&[])?;
    if !matches!(parser.peek(), TokenKind::End) {
        return Err(parser.unexpected());
    }
    Ok(Parsed {
        expression,
        references: parser.references,
    })
}

/// Words that are no names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// How tightly operators bind, loosest first; unary signs and `**` are above all of them.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const ARITHMETIC: u8 = 5;

/// The arithmetic operators with their powers.
fn binary_operator(operator: &str) -> Option<(BinaryOp, u8)> {
    Some(match operator {
        "|" => (BinaryOp::BitOr, ARITHMETIC),
        "^" => (BinaryOp::BitXor, ARITHMETIC + 1),
        "&" => (BinaryOp::BitAnd, ARITHMETIC + 2),
        "<<" => (BinaryOp::LeftShift, ARITHMETIC + 3),
        ">>" => (BinaryOp::RightShift, ARITHMETIC + 3),
        "+" => (BinaryOp::Add, ARITHMETIC + 4),
        "-" => (BinaryOp::Sub, ARITHMETIC + 4),
        "*" => (BinaryOp::Mul, ARITHMETIC + 5),
        "/" => (BinaryOp::Div, ARITHMETIC + 5),
        "//" => (BinaryOp::FloorDiv, ARITHMETIC + 5),
        "%" => (BinaryOp::Mod, ARITHMETIC + 5),
        "@" => (BinaryOp::MatMul, ARITHMETIC + 5),
        _ => return None,
    })
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// What was read so far: all that was taken, and one token beyond the next.
    tokens: Vec<Token>,
    position: usize,
    depth: u32,
    references: Vec<Reference>,
}

type Parse = Result<Expr, Error>;

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.position].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.position].span
    }

    /// The place from `start` to the last token that was taken.
    fn since(&self, start: Span) -> Span {
        let end = self.tokens[self.position.saturating_sub(1)].span.end;
        Span {
            start: start.start,
            end: end.max(start.end),
        }
    }

    /// Tokens are read when they are needed: text that is refused early is not read to its end.
    fn read(&mut self) {
        while self.tokens.len() < self.position + 2 {
            self.tokens.push(self.lexer.next());
        }
    }

    fn advance(&mut self) {
        self.position += 1;
        self.read();
    }

    fn at(&self, operator: &str) -> bool {
        matches!(self.peek(), TokenKind::Operator(found) if *found == operator)
    }

    fn at_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(found) if &**found == word)
    }

    fn take(&mut self, operator: &str) -> bool {
        let found = self.at(operator);
        if found {
            self.advance();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, operator: &'static str, opened: Span) -> Result<(), Error> {
        if self.take(operator) {
            return Ok(());
        }
        if matches!(self.peek(), TokenKind::End) {
            let bracket = match operator {
                ")" => "(",
                "]" => "[",
                "}" => "{",
                other => {
                    return Err(syntax_error(
                        format!("expected `{other}`"),
                        self.span().start,
                        self.span().end,
                    ));
                }
            };
            return Err(syntax_error(
                format!("`{bracket}` was never closed"),
                opened.start,
                opened.end,
            ));
        }
        Err(self.unexpected())
    }

    fn unexpected(&self) -> Error {
        let span = self.span();
        let message = match self.peek() {
            TokenKind::Invalid(error) => return error.clone(),
            TokenKind::End => "invalid syntax: the expression ends too early".to_owned(),
            TokenKind::Operator(operator @ (")" | "]" | "}")) => format!("unmatched `{operator}`"),
            TokenKind::Operator("=") => "invalid syntax: `=` (did you mean `==`?)".to_owned(),
            TokenKind::Operator(operator) => format!("invalid syntax: `{operator}` is not expected here"),
            TokenKind::Name(name) => format!("invalid syntax: `{name}` is not expected here (is an operator missing?)"),
            TokenKind::Entry(name) => {
                format!("invalid syntax: `{{{name}}}` is not expected here (is an operator missing?)")
            }
            TokenKind::Number(_) | TokenKind::Str(_) | TokenKind::Bytes(_) => {
                "invalid syntax: this value is not expected here (is an operator or a comma missing?)".to_owned()
            }
        };
        syntax_error(message, span.start, span.end)
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_TEXT_DEPTH {
            return Err(limits::exceeded(format!("nested more than {MAX_TEXT_DEPTH} deep")).at(self.span()));
        }
        Ok(())
    }

    /// `a, *b` up to one of the `closers` or the end: a tuple if there is a comma.
    fn tuple_or_expression(&mut self, closers: &[&str]) -> Parse {
        let start = self.span();
        let first = self.starred_or_expression()?;
        if !self.at(",") {
            if matches!(first.kind, ExprKind::Starred(_)) {
                return Err(syntax_error(
                    "can't use starred expression here",
                    first.span.start,
                    first.span.end,
                ));
            }
            return Ok(first);
        }
        let mut items = vec![first];
        while self.take(",") {
            if matches!(self.peek(), TokenKind::End) || closers.iter().any(|closer| self.at(closer)) {
                break;
            }
            items.push(self.starred_or_expression()?);
        }
        let depth = deepest(&items);
        Expr::over(ExprKind::Tuple(items), self.since(start), depth)
    }

    fn starred_or_expression(&mut self) -> Parse {
        let start = self.span();
        if self.take("*") {
            self.deeper()?;
            let inner = self.operators(ARITHMETIC)?;
            self.depth -= 1;
            let depth = inner.depth;
            return Expr::over(ExprKind::Starred(Box::new(inner)), self.since(start), depth);
        }
        self.expression()
    }

    /// A conditional, a lambda, or anything tighter.
    fn expression(&mut self) -> Parse {
        self.deeper()?;
        let start = self.span();
        let result = if self.at_word("lambda") {
            self.lambda()
        } else {
            self.conditional(start)
        };
        self.depth -= 1;
        if self.at(":=") {
            return Err(syntax_error(
                "assignment with `:=` is not available",
                self.span().start,
                self.span().end,
            ));
        }
        result
    }

    fn conditional(&mut self, start: Span) -> Parse {
        let then = self.disjunction()?;
        if !self.take_word("if") {
            return Ok(then);
        }
        let condition = self.disjunction()?;
        if !self.take_word("else") {
            let span = self.since(start);
            return Err(syntax_error(
                "expected `else` after the `if` of an expression",
                span.start,
                span.end,
            ));
        }
        let otherwise = self.expression()?;
        let depth = deepest([&then, &condition, &otherwise]);
        let kind = ExprKind::Conditional {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        };
        Expr::over(kind, self.since(start), depth)
    }

    fn identifier(&mut self) -> Result<Arc<str>, Error> {
        match self.peek() {
            TokenKind::Name(name) if !KEYWORDS.contains(&&**name) => {
                let name = name.clone();
                self.advance();
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// All but conditionals and lambdas: what an `if` or an `in` ends.
    fn disjunction(&mut self) -> Parse {
        self.operators(OR)
    }

    /// Operators that bind at least as tightly as `power`: one function for all, since each call is a piece of the stack.
    fn operators(&mut self, power: u8) -> Parse {
        let start = self.span();
        let mut left = if power <= NOT && self.at_word("not") {
            self.negation(start)?
        } else {
            self.operand()?
        };
        loop {
            if let TokenKind::Operator(operator) = self.peek()
                && let Some((operator, found)) = binary_operator(operator)
            {
                if found < power {
                    return Ok(left);
                }
                self.advance();
                let right = self.operators(found + 1)?;
                let depth = left.depth.max(right.depth);
                left = Expr::over(
                    ExprKind::Binary(operator, Box::new(left), Box::new(right)),
                    self.since(start),
                    depth,
                )?;
            } else if power <= COMPARISON && self.at_comparison() {
                left = self.comparisons(left, start)?;
            } else if power <= AND && self.at_word("and") {
                left = self.chain("and", BoolOp::And, left, start)?;
            } else if power <= OR && self.at_word("or") {
                left = self.chain("or", BoolOp::Or, left, start)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn negation(&mut self, start: Span) -> Parse {
        self.advance();
        self.deeper()?;
        let inner = self.operators(NOT)?;
        self.depth -= 1;
        let depth = inner.depth;
        Expr::over(ExprKind::Not(Box::new(inner)), self.since(start), depth)
    }

    fn chain(&mut self, word: &str, operator: BoolOp, first: Expr, start: Span) -> Parse {
        let tighter = if operator == BoolOp::Or { AND } else { NOT };
        let mut items = vec![first];
        while self.take_word(word) {
            items.push(self.operators(tighter)?);
        }
        let depth = deepest(&items);
        Expr::over(ExprKind::Bool(operator, items), self.since(start), depth)
    }

    fn at_comparison(&self) -> bool {
        match self.peek() {
            TokenKind::Operator(operator) => matches!(*operator, "==" | "!=" | "<" | "<=" | ">" | ">="),
            TokenKind::Name(name) => matches!(&**name, "in" | "is" | "not"),
            _ => false,
        }
    }

    fn comparisons(&mut self, first: Expr, start: Span) -> Parse {
        let mut rest = Vec::new();
        while let Some(comparison) = self.comparison_operator()? {
            rest.push((comparison, self.operators(ARITHMETIC)?));
        }
        let depth = deepest(rest.iter().map(|(_, operand)| operand).chain([&first]));
        Expr::over(ExprKind::Compare(Box::new(first), rest), self.since(start), depth)
    }

    fn comparison_operator(&mut self) -> Result<Option<Comparison>, Error> {
        let found = match self.peek() {
            TokenKind::Operator(operator) => Comparison::Values(match *operator {
                "==" => CompareOp::Eq,
                "!=" => CompareOp::NotEq,
                "<" => CompareOp::Less,
                "<=" => CompareOp::LessEq,
                ">" => CompareOp::Greater,
                ">=" => CompareOp::GreaterEq,
                _ => return Ok(None),
            }),
            TokenKind::Name(name) => match &**name {
                "in" => Comparison::In,
                "is" => {
                    self.advance();
                    return Ok(Some(if self.take_word("not") {
                        Comparison::IsNot
                    } else {
                        Comparison::Is
                    }));
                }
                "not" => {
                    self.advance();
                    if !self.take_word("in") {
                        return Err(self.unexpected());
                    }
                    return Ok(Some(Comparison::NotIn));
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(found))
    }

    /// A sign, or a primary with its power. Whatever is in brackets is below one of these.
    fn operand(&mut self) -> Parse {
        self.deeper()?;
        let operand = self.signed();
        self.depth -= 1;
        operand
    }

    fn signed(&mut self) -> Parse {
        let start = self.span();
        let sign = match self.peek() {
            TokenKind::Operator("-") => Some(UnaryOp::Neg),
            TokenKind::Operator("+") => Some(UnaryOp::Pos),
            TokenKind::Operator("~") => Some(UnaryOp::Invert),
            _ => None,
        };
        if let Some(sign) = sign {
            self.advance();
            let inner = self.operand()?;
            let depth = inner.depth;
            return Expr::over(ExprKind::Unary(sign, Box::new(inner)), self.since(start), depth);
        }
        let base = self.primary()?;
        if !self.take("**") {
            return Ok(base);
        }
        let exponent = self.operand()?;
        let depth = base.depth.max(exponent.depth);
        let kind = ExprKind::Binary(BinaryOp::Pow, Box::new(base), Box::new(exponent));
        Expr::over(kind, self.since(start), depth)
    }

    /// An atom with its calls, subscripts and attributes.
    fn primary(&mut self) -> Parse {
        let start = self.span();
        let mut left = self.atom()?;
        loop {
            let depth = left.depth;
            let opened = self.span();
            left = if self.take("(") {
                let arguments = self.arguments(opened)?;
                let inner = deepest(arguments.iter().map(|argument| match argument {
                    Argument::Positional(value)
                    | Argument::Starred(value)
                    | Argument::Keyword(_, value)
                    | Argument::DoubleStarred(value) => value,
                }));
                let kind = ExprKind::Call {
                    function: Box::new(left),
                    arguments,
                };
                Expr::over(kind, self.since(start), depth.max(inner))?
            } else if self.take("[") {
                let index = self.subscript(opened)?;
                let depth = depth.max(index.depth);
                Expr::over(
                    ExprKind::Subscript(Box::new(left), Box::new(index)),
                    self.since(start),
                    depth,
                )?
            } else if self.take(".") {
                let name = self.identifier()?;
                Expr::over(ExprKind::Attribute(Box::new(left), name), self.since(start), depth)?
            } else {
                return Ok(left);
            };
        }
    }

    fn atom(&mut self) -> Parse {
        let span = self.span();
        let kind = match self.peek().clone() {
            TokenKind::Number(value) => ExprKind::Constant(value),
            TokenKind::Str(_) | TokenKind::Bytes(_) => return self.strings(),
            TokenKind::Entry(name) => ExprKind::Entry(self.reference(name, span)),
            TokenKind::Name(name) => match &*name {
                "True" => ExprKind::Constant(Value::Bool(true)),
                "False" => ExprKind::Constant(Value::Bool(false)),
                "None" => ExprKind::Constant(Value::None),
                other if KEYWORDS.contains(&other) => return Err(self.unexpected()),
                _ => ExprKind::Name(name),
            },
            TokenKind::Operator("...") => ExprKind::Constant(Value::Ellipsis),
            TokenKind::Operator("(") => return self.parentheses(),
            TokenKind::Operator("[") => return self.list(),
            TokenKind::Operator("{") => return self.braces(),
            TokenKind::Operator(_) | TokenKind::Invalid(_) | TokenKind::End => return Err(self.unexpected()),
        };
        self.advance();
        Ok(Expr::leaf(kind, span))
    }

    fn reference(&mut self, name: String, span: Span) -> usize {
        if let Some(slot) = self.references.iter().position(|reference| reference.name == name) {
            return slot;
        }
        self.references.push(Reference { name, span });
        self.references.len() - 1
    }

    /// Literals side by side are one.
    fn strings(&mut self) -> Parse {
        let start = self.span();
        let mut text = String::new();
        let mut octets = Vec::new();
        let is_bytes = matches!(self.peek(), TokenKind::Bytes(_));
        loop {
            match self.peek() {
                TokenKind::Str(part) if !is_bytes => text.push_str(part),
                TokenKind::Bytes(part) if is_bytes => octets.extend_from_slice(part),
                TokenKind::Str(_) | TokenKind::Bytes(_) => {
                    let message = "cannot mix bytes and nonbytes literals";
                    return Err(syntax_error(message, start.start, self.span().end));
                }
                _ => break,
            }
            self.advance();
        }
        let value = if is_bytes {
            Value::Bytes(octets.into())
        } else {
            Value::str(text)
        };
        Ok(Expr::leaf(ExprKind::Constant(value), self.since(start)))
    }

    fn parentheses(&mut self) -> Parse {
        let opened = self.span();
        self.advance();
        if self.take(")") {
            return Ok(Expr::leaf(ExprKind::Tuple(Vec::new()), self.since(opened)));
        }
        let mut inner = if self.at("*") {
            self.tuple_or_expression(&[")"])?
        } else {
            let first = self.tuple_or_expression(&[")"])?;
            if self.at_word("for") {
                self.comprehension(ComprehensionKind::Generator, None, first, opened)?
            } else {
                first
            }
        };
        self.expect(")", opened)?;
        inner.span = self.since(opened);
        Ok(inner)
    }
}
