//! What stands in the brackets of calls and subscripts, and lambdas, whose parameters mirror the arguments of a call.

use super::{Parse, Parser};
use crate::lexer::{TokenKind, syntax_error};
use crate::syntax::{Argument, ComprehensionKind, Expr, ExprKind, Parameter, ParameterKind, deepest};
use crate::{Error, Span};

impl Parser<'_> {
    pub(super) fn arguments(&mut self, opened: Span) -> Result<Vec<Argument>, Error> {
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

    pub(super) fn subscript(&mut self, opened: Span) -> Parse {
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

    pub(super) fn lambda(&mut self) -> Parse {
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
}
