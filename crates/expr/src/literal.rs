//! `ast.literal_eval`: a value that is written out, without names and calls.

use std::sync::Arc;

use crate::lexer::Braces;
use crate::numpy::{BinaryOp, UnaryOp};
use crate::syntax::{Expr, ExprKind};
use crate::{Dict, Error, ErrorKind, Set, Span, Value};
use crate::{distinct, limits, operators, parser};

/// The value that `text` spells: numbers, texts, bytes, tuples, lists, dicts, sets, `True`, `False`, `None`.
pub fn parse_literal(text: &str) -> Result<Value, Error> {
    limits::begin();
    let bare = text.trim_start_matches([' ', '\t']);
    let result = parser::parse(bare, Braces::Displays).and_then(|parsed| value(&parsed.expression));
    result.map_err(|mut error| {
        let indent = text.len() - bare.len();
        error.span = error.span.map(|Span { start, end }| Span {
            start: start + indent,
            end: end + indent,
        });
        error
    })
}

fn value(expression: &Expr) -> Result<Value, Error> {
    let malformed = || Error::new(ErrorKind::ValueError, "malformed node or string: not a literal").at(expression.span);
    let all = |items: &[Expr]| items.iter().map(value).collect::<Result<Vec<Value>, Error>>();
    Ok(match &expression.kind {
        ExprKind::Constant(value) => value.clone(),
        ExprKind::Tuple(items) => Value::tuple(all(items)?),
        ExprKind::List(items) => Value::list(all(items)?),
        ExprKind::Set(items) => Value::Set(Arc::new(Set {
            items: distinct::distinct(all(items)?)?,
        })),
        ExprKind::Dict(pairs) => {
            let mut items = Vec::with_capacity(pairs.len());
            for (key, content) in pairs {
                items.push((value(key.as_ref().ok_or_else(malformed)?)?, value(content)?));
            }
            Value::Dict(Arc::new(Dict {
                items: distinct::keyed(items)?,
            }))
        }
        ExprKind::Call { function, arguments } if arguments.is_empty() => match &function.kind {
            ExprKind::Name(name) if &**name == "set" => Value::Set(Arc::default()),
            _ => return Err(malformed()),
        },
        ExprKind::Unary(UnaryOp::Neg | UnaryOp::Pos, _) => number(expression).ok_or_else(malformed)?,
        ExprKind::Binary(operator @ (BinaryOp::Add | BinaryOp::Sub), left, right) => {
            let left = number(left)
                .filter(|left| !matches!(left, Value::Complex(_)))
                .ok_or_else(malformed)?;
            match &right.kind {
                ExprKind::Constant(right @ Value::Complex(_)) => operators::binary(*operator, &left, right)?,
                _ => return Err(malformed()),
            }
        }
        _ => return Err(malformed()),
    })
}

/// A number with at most one sign.
fn number(expression: &Expr) -> Option<Value> {
    let is_number = |value: &Value| {
        matches!(
            value,
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Complex(_)
        )
    };
    match &expression.kind {
        ExprKind::Constant(value) if is_number(value) => Some(value.clone()),
        ExprKind::Unary(operator @ (UnaryOp::Neg | UnaryOp::Pos), operand) => match &operand.kind {
            ExprKind::Constant(value) if is_number(value) => operators::unary(*operator, value).ok(),
            _ => None,
        },
        _ => None,
    }
}
