//! Lists, sets, dicts, and the comprehensions that make them.

use super::{ARITHMETIC, Parse, Parser};
use crate::lexer::syntax_error;
use crate::limits::{self, MAX_TREE_DEPTH};
use crate::syntax::{Clause, ComprehensionKind, Expr, ExprKind, Target, deepest};
use crate::{Error, Span};

impl Parser<'_> {
    pub(super) fn list(&mut self) -> Parse {
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
    pub(super) fn braces(&mut self) -> Parse {
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
    pub(super) fn comprehension(
        &mut self,
        kind: ComprehensionKind,
        key: Option<Expr>,
        element: Expr,
        start: Span,
    ) -> Parse {
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
            if clauses.len() > MAX_TREE_DEPTH as usize {
                let what = format!("more than {MAX_TREE_DEPTH} loops within each other");
                return Err(limits::exceeded(what).at(self.span()));
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
