//! [`Expr`] → [`Node`]: names become slots, constants or functions; what cannot work is found with its place.
//!
//! Scopes end here. A name is a variable of a loop or a lambda around it, else a name of Exopy's module (`sin`, `Pi`,
//! `cm`, `np`), else a builtin, else a `NameError`. `np.a.b` and `cm.a` are looked up now: nothing at run time knows modules.

use std::sync::Arc;

use crate::eval::{Binary, Call, Compare, FloatCall, Item, LambdaCode, MethodCall, Node, Passed};
use crate::loops::{Comprehension, Loop, Slots};
use crate::syntax::{Argument, Clause, Expr, ExprKind, Parameter, Target};
use crate::{Error, ErrorKind, Span, Value};
use crate::{attributes, builtins, operators};

/// What is left of a text when it is compiled.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) node: Node,
    /// Variables of loops and lambdas.
    pub(crate) locals: usize,
    pub(crate) problems: Vec<Error>,
}

pub(crate) fn compile(expression: &Expr) -> Compiled {
    let mut compiler = Compiler {
        scope: Vec::new(),
        locals: 0,
        nodes: 0,
        problems: Vec::new(),
    };
    let node = compiler.node(expression);
    Compiled {
        node,
        locals: compiler.locals,
        problems: compiler.problems,
    }
}

struct Compiler {
    /// Variables that can be seen, innermost last.
    scope: Vec<(Arc<str>, usize)>,
    locals: usize,
    /// Nodes so far: the difference across a part is what running it costs.
    nodes: usize,
    problems: Vec<Error>,
}

impl Compiler {
    fn node(&mut self, expression: &Expr) -> Node {
        self.nodes += 1;
        let span = expression.span;
        match &expression.kind {
            ExprKind::Constant(value) => Node::Constant(value.clone()),
            ExprKind::Entry(slot) => Node::Entry(*slot),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Unary(operator, operand) => {
                let operand = self.node(operand);
                fold(Node::Unary(*operator, Box::new(operand), span))
            }
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.node(left), self.node(right));
                fold(Node::Binary(Box::new(Binary {
                    operator: *operator,
                    left,
                    right,
                    span,
                })))
            }
            ExprKind::Compare(first, rest) => {
                let first = self.node(first);
                let rest = rest
                    .iter()
                    .map(|(comparison, operand)| (*comparison, self.node(operand)))
                    .collect();
                Node::Compare(Box::new(Compare { first, rest, span }))
            }
            ExprKind::Bool(operator, operands) => {
                Node::Bool(*operator, operands.iter().map(|operand| self.node(operand)).collect())
            }
            ExprKind::Not(operand) => Node::Not(Box::new(self.node(operand))),
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => Node::Conditional(Box::new([self.node(condition), self.node(then), self.node(otherwise)])),
            ExprKind::Lambda { parameters, body } => self.lambda(parameters, body),
            ExprKind::Call { function, arguments } => self.call(function, arguments, span),
            ExprKind::Attribute(object, name) => self.attribute(expression, object, name, span),
            ExprKind::Subscript(object, index) => {
                Node::Subscript(Box::new([self.node(object), self.node(index)]), span)
            }
            ExprKind::Slice(parts) => {
                let [start, stop, step] = parts.each_ref().map(|part| match part {
                    Some(part) => self.node(part),
                    None => Node::Constant(Value::None),
                });
                fold(Node::Slice(Box::new([start, stop, step])))
            }
            ExprKind::Tuple(items) => Node::Tuple(self.items(items)),
            ExprKind::List(items) => Node::List(self.items(items)),
            ExprKind::Set(items) => Node::Set(self.items(items), span),
            ExprKind::Dict(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| {
                    let key = key.as_ref().map(|key| self.node(key));
                    (key, self.node(value))
                });
                Node::Dict(pairs.collect(), span)
            }
            ExprKind::Comprehension {
                kind,
                key,
                element,
                clauses,
            } => {
                let seen = self.scope.len();
                let clauses = self.clauses(clauses, key.as_deref(), element);
                let (clauses, key, element) = clauses;
                self.scope.truncate(seen);
                Node::Comprehension(Box::new(Comprehension {
                    kind: *kind,
                    key,
                    element,
                    clauses,
                    span,
                }))
            }
            // The parser lets a star stand only in displays, calls and subscripts, which look for it themselves.
            ExprKind::Starred(_) => self.fail(
                Error::new(ErrorKind::SyntaxError, "can't use starred expression here"),
                span,
            ),
        }
    }

    fn fail(&mut self, error: Error, span: Span) -> Node {
        let error = error.at(span);
        self.problems.push(error.clone());
        Node::Fail(Box::new(error))
    }

    fn name(&mut self, name: &str, span: Span) -> Node {
        if let Some((_, slot)) = self.scope.iter().rev().find(|(seen, _)| **seen == *name) {
            return Node::Local(*slot);
        }
        match builtins::name(name) {
            Some(Ok(value)) => Node::Constant(value),
            Some(Err(error)) => self.fail(error, span),
            None => {
                let error = Error::new(ErrorKind::NameError, format!("name '{name}' is not defined"));
                self.fail(error, span)
            }
        }
    }

    /// `np.linalg.norm` as text, when it is one and `np` is not a variable.
    fn path(&self, expression: &Expr) -> Option<String> {
        match &expression.kind {
            ExprKind::Name(name) if !self.scope.iter().any(|(seen, _)| seen == name) => Some(name.to_string()),
            ExprKind::Attribute(object, name) => Some(format!("{}.{name}", self.path(object)?)),
            _ => None,
        }
    }

    fn attribute(&mut self, whole: &Expr, object: &Expr, name: &Arc<str>, span: Span) -> Node {
        if let Some(path) = self.path(whole)
            && let Some(found) = builtins::module_name(&path)
        {
            return match found {
                Ok(value) => Node::Constant(value),
                // `np.pi.real` is an attribute of a constant.
                Err(error) => match &object.kind {
                    ExprKind::Attribute(..) if self.resolves(object) => self.plain_attribute(object, name, span),
                    _ => self.fail(error, span),
                },
            };
        }
        self.plain_attribute(object, name, span)
    }

    fn resolves(&self, expression: &Expr) -> bool {
        self.path(expression)
            .and_then(|path| builtins::module_name(&path))
            .is_some_and(|found| found.is_ok())
    }

    fn plain_attribute(&mut self, object: &Expr, name: &Arc<str>, span: Span) -> Node {
        if let Some(error) = attributes::refused(name) {
            return self.fail(error, span);
        }
        Node::Attribute(Box::new(self.node(object)), name.clone(), span)
    }

    fn call(&mut self, function: &Expr, arguments: &[Argument], span: Span) -> Node {
        let function = self.node(function);
        let mut passed: Vec<Passed> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Positional(value) => Passed::Positional(self.node(value)),
                Argument::Starred(value) => Passed::Starred(self.node(value)),
                Argument::Keyword(name, value) => Passed::Keyword(name.clone(), self.node(value)),
                Argument::DoubleStarred(value) => Passed::DoubleStarred(self.node(value)),
            })
            .collect();
        if let Node::Constant(Value::Function(general)) = &function
            && let [Passed::Positional(_)] = &*passed
            && let Some((compute, result)) = builtins::float_function(general.name())
            && let Some(Passed::Positional(argument)) = passed.pop()
        {
            return Node::FloatCall(Box::new(FloatCall {
                compute,
                result,
                argument,
                general: general.clone(),
                span,
            }));
        }
        let arguments = passed.into();
        match function {
            Node::Attribute(object, name, span_of_name) => {
                let span = Span {
                    start: span_of_name.start.min(span.start),
                    end: span.end,
                };
                Node::MethodCall(Box::new(MethodCall {
                    object: *object,
                    name,
                    arguments,
                    span,
                }))
            }
            function => Node::Call(Box::new(Call {
                function,
                arguments,
                span,
            })),
        }
    }

    fn items(&mut self, items: &[Expr]) -> Box<[Item]> {
        items
            .iter()
            .map(|item| match &item.kind {
                ExprKind::Starred(inner) => Item::Starred(self.node(inner)),
                _ => Item::One(self.node(item)),
            })
            .collect()
    }

    fn local(&mut self, name: &Arc<str>) -> usize {
        let slot = self.locals;
        self.locals += 1;
        self.scope.push((name.clone(), slot));
        slot
    }

    fn lambda(&mut self, parameters: &[Parameter], body: &Expr) -> Node {
        let defaults = parameters
            .iter()
            .map(|parameter| parameter.default.as_ref().map(|value| self.node(value)));
        let defaults: Box<[Option<Node>]> = defaults.collect();
        let (seen, nodes) = (self.scope.len(), self.nodes);
        let parameters = parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.kind, self.local(&parameter.name)))
            .collect();
        let code = self.node(body);
        self.scope.truncate(seen);
        Node::Lambda(
            Arc::new(LambdaCode {
                parameters,
                body: code,
                cost: self.nodes - nodes,
                depth: body.depth,
            }),
            defaults,
        )
    }

    /// The loops and what they run, in the order in which names come into sight.
    fn clauses(&mut self, clauses: &[Clause], key: Option<&Expr>, element: &Expr) -> (Vec<Loop>, Option<Node>, Node) {
        let mut loops: Vec<Loop> = Vec::new();
        for clause in clauses {
            let before = self.nodes;
            let iterable = self.node(&clause.iterable);
            // The iterable of an inner loop runs for each element of the outer one.
            if let Some(outer) = loops.last_mut() {
                outer.cost += self.nodes - before;
            }
            let before = self.nodes;
            let target = self.target(&clause.target);
            let conditions = clause.conditions.iter().map(|condition| self.node(condition)).collect();
            let cost = 1 + self.nodes - before;
            loops.push(Loop {
                target,
                iterable,
                conditions,
                cost,
                span: clause.iterable.span,
            });
        }
        let before = self.nodes;
        let key = key.map(|key| self.node(key));
        let element = self.node(element);
        if let Some(innermost) = loops.last_mut() {
            innermost.cost += self.nodes - before;
        }
        (loops, key, element)
    }

    fn target(&mut self, target: &Target) -> Slots {
        match target {
            Target::Name(name) => Slots::One(self.local(name)),
            Target::Tuple { before, starred, after } => Slots::Many {
                before: before.iter().map(|target| self.target(target)).collect(),
                starred: starred.as_ref().map(|target| Box::new(self.target(target))),
                after: after.iter().map(|target| self.target(target)).collect(),
            },
        }
    }
}

/// Computes arithmetic on constants once; what fails or gets large is left for the evaluation.
fn fold(node: Node) -> Node {
    let is_number = |node: &Node| {
        matches!(
            node,
            Node::Constant(Value::Int(_) | Value::Float(_) | Value::Complex(_) | Value::Bool(_) | Value::None)
        )
    };
    let folded = match &node {
        Node::Unary(operator, operand, _) if is_number(operand) => match &**operand {
            Node::Constant(value) => operators::unary(*operator, value).ok(),
            _ => None,
        },
        Node::Binary(binary) if is_number(&binary.left) && is_number(&binary.right) => {
            match (&binary.left, &binary.right) {
                (Node::Constant(left), Node::Constant(right)) => operators::binary(binary.operator, left, right).ok(),
                _ => None,
            }
        }
        Node::Slice(parts) if parts.iter().all(is_number) => {
            let part = |index: usize| match &parts[index] {
                Node::Constant(value) => value.clone(),
                _ => Value::None,
            };
            let slice = crate::Slice {
                start: part(0),
                stop: part(1),
                step: part(2),
            };
            Some(Value::Slice(Arc::new(slice)))
        }
        _ => None,
    };
    match folded {
        Some(value @ (Value::Int(_) | Value::Float(_) | Value::Complex(_) | Value::Slice(_))) => Node::Constant(value),
        _ => node,
    }
}
