//! Tokens → [`Expr`]: Python's expression grammar by binding powers, one function per bracketed form.
//!
//! Every way to nest goes through [`Parser::expression`] or [`Parser::operand`], which count the depth: text that is
//! nested 100,000 times is refused like any other mistake. Absent on purpose: `:=`, `await`, `yield`.

use std::sync::Arc;

use crate::lexer::{self, Braces, Token, TokenKind, syntax_error};
use crate::limits::{self, MAX_TEXT_DEPTH};
use crate::numpy::{BinaryOp, CompareOp, UnaryOp};
use crate::syntax::{
    Argument, BoolOp, Clause, Comparison, ComprehensionKind, Expr, ExprKind, Parameter, ParameterKind, Target, deepest,
};
use crate::{Error, Reference, Span, Value};

/// A parsed text with the entries that it names, in order of first appearance.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) expression: Expr,
    pub(crate) references: Vec<Reference>,
}

pub(crate) fn parse(text: &str, braces: Braces) -> Result<Parsed, Error> {
    let tokens = lexer::tokens(text, braces)?;
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
        references: Vec::new(),
    };
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
const OR: u8 = 0;
const AND: u8 = 1;
const NOT: u8 = 2;
const COMPARISON: u8 = 3;
const ARITHMETIC: u8 = 4;

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

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    depth: u32,
    references: Vec<Reference>,
}

type Parse = Result<Expr, Error>;

impl Parser {
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

    fn advance(&mut self) {
        // The last token is `End` and stays.
        if self.position + 1 < self.tokens.len() {
            self.position += 1;
        }
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

    fn lambda(&mut self) -> Parse {
        let start = self.span();
        self.advance();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut keyword_only = false;
        while !self.at(":") {
            let kind = if self.take("**") {
                ParameterKind::Keywords
            } else if self.take("*") {
                keyword_only = true;
                if self.take(",") {
                    continue;
                }
                ParameterKind::Rest
            } else if keyword_only {
                ParameterKind::KeywordOnly
            } else {
                ParameterKind::Plain
            };
            let name = self.identifier()?;
            if parameters.iter().any(|parameter| parameter.name == name) {
                let span = self.since(start);
                return Err(syntax_error(
                    format!("duplicate argument `{name}` in a lambda"),
                    span.start,
                    span.end,
                ));
            }
            let takes_default = matches!(kind, ParameterKind::Plain | ParameterKind::KeywordOnly);
            let default = if takes_default && self.take("=") {
                Some(self.expression()?)
            } else {
                None
            };
            if kind == ParameterKind::Plain
                && default.is_none()
                && parameters.iter().any(|parameter| parameter.default.is_some())
            {
                let span = self.since(start);
                return Err(syntax_error(
                    "non-default argument follows default argument",
                    span.start,
                    span.end,
                ));
            }
            parameters.push(Parameter { name, kind, default });
            if !self.take(",") {
                break;
            }
            if kind == ParameterKind::Keywords {
                return Err(self.unexpected());
            }
        }
        self.expect(":", start)?;
        let body = self.expression()?;
        let depth = deepest(
            parameters
                .iter()
                .filter_map(|parameter| parameter.default.as_ref())
                .chain([&body]),
        );
        Expr::over(
            ExprKind::Lambda {
                parameters,
                body: Box::new(body),
            },
            self.since(start),
            depth,
        )
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
        let mut left = if power <= NOT && self.at_word("not") { self.negation(start)? } else { self.operand()? };
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
                left = Expr::over(ExprKind::Binary(operator, Box::new(left), Box::new(right)), self.since(start), depth)?;
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

    fn arguments(&mut self, opened: Span) -> Result<Vec<Argument>, Error> {
        let mut arguments = Vec::new();
        let mut keywords = false;
        while !self.at(")") {
            let span = self.span();
            if self.take("**") {
                arguments.push(Argument::DoubleStarred(self.expression()?));
                keywords = true;
            } else if self.take("*") {
                arguments.push(Argument::Starred(self.expression()?));
            } else if self.at_keyword_argument() {
                let name = self.identifier()?;
                self.advance();
                if arguments
                    .iter()
                    .any(|other| matches!(other, Argument::Keyword(taken, _) if *taken == name))
                {
                    return Err(syntax_error(
                        format!("keyword argument repeated: `{name}`"),
                        span.start,
                        span.end,
                    ));
                }
                arguments.push(Argument::Keyword(name, self.expression()?));
                keywords = true;
            } else {
                let value = self.expression()?;
                if self.at_word("for") {
                    let generator = self.comprehension(ComprehensionKind::Generator, None, value, span)?;
                    if !arguments.is_empty() || !self.at(")") {
                        let message = "a generator expression must be in parentheses unless it is the only argument";
                        return Err(syntax_error(message, span.start, self.since(span).end));
                    }
                    arguments.push(Argument::Positional(generator));
                    break;
                }
                if keywords {
                    let message = "positional argument follows keyword argument";
                    return Err(syntax_error(message, span.start, self.since(span).end));
                }
                arguments.push(Argument::Positional(value));
            }
            if !self.take(",") {
                break;
            }
        }
        self.expect(")", opened)?;
        Ok(arguments)
    }

    fn at_keyword_argument(&self) -> bool {
        let next = self.tokens.get(self.position + 1).map(|token| &token.kind);
        matches!(self.peek(), TokenKind::Name(_)) && matches!(next, Some(TokenKind::Operator("=")))
    }

    fn subscript(&mut self, opened: Span) -> Parse {
        if self.at("]") {
            return Err(self.unexpected());
        }
        let start = self.span();
        let first = self.slice_or_expression()?;
        let index = if self.at(",") {
            let mut items = vec![first];
            while self.take(",") {
                if self.at("]") {
                    break;
                }
                items.push(self.slice_or_expression()?);
            }
            let depth = deepest(&items);
            Expr::over(ExprKind::Tuple(items), self.since(start), depth)?
        } else if matches!(first.kind, ExprKind::Starred(_)) {
            let (span, depth) = (first.span, first.depth);
            Expr::over(ExprKind::Tuple(vec![first]), span, depth)?
        } else {
            first
        };
        self.expect("]", opened)?;
        Ok(index)
    }

    fn slice_or_expression(&mut self) -> Parse {
        let start = self.span();
        let mut parts = [None, None, None];
        if !self.at(":") {
            let first = self.starred_or_expression()?;
            if !self.at(":") {
                return Ok(first);
            }
            parts[0] = Some(Box::new(first));
        }
        for part in &mut parts[1..] {
            if !self.take(":") {
                break;
            }
            if !self.at(":") && !self.at("]") && !self.at(",") {
                *part = Some(Box::new(self.expression()?));
            }
        }
        let depth = deepest(parts.iter().flatten().map(|part| &**part));
        Expr::over(ExprKind::Slice(parts), self.since(start), depth)
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
            TokenKind::Operator(_) | TokenKind::End => return Err(self.unexpected()),
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

    fn list(&mut self) -> Parse {
        let opened = self.span();
        self.advance();
        let mut items = Vec::new();
        while !self.at("]") {
            items.push(self.starred_or_expression()?);
            if items.len() == 1 && self.at_word("for") {
                let element = items.remove(0);
                let list = self.comprehension(ComprehensionKind::List, None, element, opened)?;
                self.expect("]", opened)?;
                return Ok(list);
            }
            if !self.take(",") {
                break;
            }
        }
        self.expect("]", opened)?;
        let depth = deepest(&items);
        Expr::over(ExprKind::List(items), self.since(opened), depth)
    }

    /// A dict or a set.
    fn braces(&mut self) -> Parse {
        let opened = self.span();
        self.advance();
        let mut items = Vec::new();
        let mut pairs = Vec::new();
        while !self.at("}") {
            if self.take("**") {
                pairs.push((None, self.operators(ARITHMETIC)?));
            } else {
                let first = self.starred_or_expression()?;
                if self.take(":") {
                    let value = self.expression()?;
                    if pairs.is_empty() && self.at_word("for") {
                        return self.brace_comprehension(ComprehensionKind::Dict, Some(first), value, opened);
                    }
                    pairs.push((Some(first), value));
                } else {
                    if items.is_empty() && self.at_word("for") {
                        return self.brace_comprehension(ComprehensionKind::Set, None, first, opened);
                    }
                    items.push(first);
                }
            }
            if !items.is_empty() && !pairs.is_empty() {
                return Err(self.unexpected());
            }
            if !self.take(",") {
                break;
            }
        }
        self.expect("}", opened)?;
        let span = self.since(opened);
        if items.is_empty() {
            let depth = deepest(pairs.iter().flat_map(|(key, value)| key.iter().chain([value])));
            return Expr::over(ExprKind::Dict(pairs), span, depth);
        }
        let depth = deepest(&items);
        Expr::over(ExprKind::Set(items), span, depth)
    }

    fn brace_comprehension(
        &mut self,
        kind: ComprehensionKind,
        key: Option<Expr>,
        element: Expr,
        opened: Span,
    ) -> Parse {
        let result = self.comprehension(kind, key, element, opened)?;
        self.expect("}", opened)?;
        Ok(result)
    }

    /// The clauses after an element.
    fn comprehension(&mut self, kind: ComprehensionKind, key: Option<Expr>, element: Expr, start: Span) -> Parse {
        let unfit = match &element.kind {
            ExprKind::Starred(_) => Some("iterable unpacking cannot be used in a comprehension"),
            ExprKind::Tuple(_) if self.tokens_before_close_tuple(&element) => {
                Some("did you forget parentheses around the comprehension target?")
            }
            _ => None,
        };
        if let Some(message) = unfit {
            return Err(syntax_error(message, element.span.start, element.span.end));
        }
        let mut clauses = Vec::new();
        while self.take_word("for") {
            let target = self.targets(&[])?;
            if !self.take_word("in") {
                return Err(self.unexpected());
            }
            let iterable = self.disjunction()?;
            let mut conditions = Vec::new();
            while self.take_word("if") {
                conditions.push(self.disjunction()?);
            }
            clauses.push(Clause {
                target,
                iterable,
                conditions,
            });
        }
        let depth = deepest(
            clauses
                .iter()
                .flat_map(|clause| clause.conditions.iter().chain([&clause.iterable]))
                .chain(key.iter())
                .chain([&element]),
        );
        let clause_count = u32::try_from(clauses.len()).unwrap_or(u32::MAX - 1);
        let kind = ExprKind::Comprehension {
            kind,
            key: key.map(Box::new),
            element: Box::new(element),
            clauses,
        };
        // Running takes a call for each clause.
        Expr::over(kind, self.since(start), depth.saturating_add(clause_count))
    }

    /// `x, y for …` without parentheses of its own: the element ends where its last item ends.
    fn tokens_before_close_tuple(&self, element: &Expr) -> bool {
        match &element.kind {
            ExprKind::Tuple(items) => items.last().is_some_and(|last| last.span.end == element.span.end),
            _ => false,
        }
    }

    /// `x`, `x, y`, `(x, *y)`: names that a loop sets.
    fn targets(&mut self, closers: &[&str]) -> Result<Target, Error> {
        self.deeper()?;
        let (mut before, mut starred, mut after) = (Vec::new(), None, Vec::new());
        let mut single = true;
        loop {
            if self.at_word("in") || closers.iter().any(|closer| self.at(closer)) {
                break;
            }
            let opened = self.span();
            let is_starred = self.take("*");
            let target = if self.take("(") {
                let inner = self.targets(&[")"])?;
                self.expect(")", opened)?;
                inner
            } else if self.take("[") {
                let inner = match self.targets(&["]"])? {
                    name @ Target::Name(_) => Target::Tuple {
                        before: vec![name],
                        starred: None,
                        after: Vec::new(),
                    },
                    tuple @ Target::Tuple { .. } => tuple,
                };
                self.expect("]", opened)?;
                inner
            } else {
                Target::Name(self.identifier()?)
            };
            if is_starred {
                if starred.is_some() {
                    return Err(syntax_error(
                        "multiple starred expressions in assignment",
                        opened.start,
                        opened.end,
                    ));
                }
                starred = Some(Box::new(target));
            } else if starred.is_some() {
                after.push(target);
            } else {
                before.push(target);
            }
            if !self.take(",") {
                break;
            }
            single = false;
        }
        self.depth -= 1;
        if single && starred.is_some() {
            return Err(self.unexpected());
        }
        Ok(match before.pop() {
            Some(only) if single => only,
            Some(last) => {
                before.push(last);
                Target::Tuple { before, starred, after }
            }
            None if starred.is_some() => Target::Tuple { before, starred, after },
            None => return Err(self.unexpected()),
        })
    }
}
