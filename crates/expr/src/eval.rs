//! A compiled expression and how it runs: a tree whose names are slots, walked once for each evaluation.
//!
//! Numbers take the short way: operands that are entries or constants are borrowed, and nothing is allocated for
//! arithmetic on them. Errors get their place here, so that what computes knows of no text.

use std::sync::Arc;

use crate::builtins::FloatFunction;
use crate::function::{Function, call_value};
use crate::limits;
use crate::loops::Comprehension;
use crate::numpy::{Arguments, BinaryOp, UnaryOp};
use crate::syntax::{BoolOp, Comparison, ParameterKind};
use crate::{Dict, Error, ErrorKind, Set, Slice, Span, Value};
use crate::{attributes, compare, distinct, operators, subscript};

#[derive(Debug)]
pub(crate) enum Node {
    Constant(Value),
    Entry(usize),
    Local(usize),
    /// What cannot work, known before evaluating; Python finds out only when it gets there, and so do we.
    Fail(Box<Error>),
    Unary(UnaryOp, Box<Node>, Span),
    Binary(Box<Binary>),
    Compare(Box<Compare>),
    Bool(BoolOp, Box<[Node]>),
    Not(Box<Node>),
    Conditional(Box<[Node; 3]>),
    Lambda(Arc<LambdaCode>, Box<[Option<Node>]>),
    Call(Box<Call>),
    /// `sin(x)` and `np.sin(x)` of one argument: floats skip the general call.
    FloatCall(Box<FloatCall>),
    MethodCall(Box<MethodCall>),
    Attribute(Box<Node>, Arc<str>, Span),
    Subscript(Box<[Node; 2]>, Span),
    Slice(Box<[Node; 3]>),
    Tuple(Box<[Item]>),
    List(Box<[Item]>),
    Set(Box<[Item]>, Span),
    Dict(Box<[(Option<Node>, Node)]>, Span),
    Comprehension(Box<Comprehension>),
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) operator: BinaryOp,
    pub(crate) left: Node,
    pub(crate) right: Node,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Compare {
    pub(crate) first: Node,
    pub(crate) rest: Vec<(Comparison, Node)>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Node,
    pub(crate) arguments: Box<[Passed]>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct FloatCall {
    pub(crate) compute: FloatFunction,
    pub(crate) result: FloatResult,
    pub(crate) argument: Node,
    /// Computes what is no float, and raises what Python raises.
    pub(crate) general: Function,
    pub(crate) span: Span,
}

/// What a [`FloatCall`] makes of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FloatResult {
    /// A Python float; what is not finite goes the general way, where it may be an error.
    Python,
    Numpy,
}

#[derive(Debug)]
pub(crate) struct MethodCall {
    pub(crate) object: Node,
    pub(crate) name: Arc<str>,
    pub(crate) arguments: Box<[Passed]>,
    pub(crate) span: Span,
}

/// An argument as it is written in a call.
#[derive(Debug)]
pub(crate) enum Passed {
    Positional(Node),
    Starred(Node),
    Keyword(Arc<str>, Node),
    DoubleStarred(Node),
}

/// An element of a display.
#[derive(Debug)]
pub(crate) enum Item {
    One(Node),
    Starred(Node),
}

/// What a lambda is before it is created: `parameters` with their slots, and the body.
#[derive(Debug)]
pub(crate) struct LambdaCode {
    pub(crate) parameters: Vec<(Arc<str>, ParameterKind, usize)>,
    pub(crate) body: Node,
    /// Nodes of the body.
    pub(crate) cost: usize,
    /// Depth of the body.
    pub(crate) depth: u32,
}

/// A lambda with the values that it saw when it was created.
#[derive(Debug)]
pub(crate) struct Lambda {
    code: Arc<LambdaCode>,
    defaults: Vec<Option<Value>>,
    entries: Arc<[Value]>,
    locals: Vec<Value>,
}

/// What one evaluation sees.
pub(crate) struct Frame<'e> {
    pub(crate) entries: &'e [Value],
    /// Variables of loops and lambdas.
    pub(crate) locals: Vec<Value>,
}

type Evaluated = Result<Value, Error>;

impl Node {
    pub(crate) fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        match self {
            Node::Constant(value) => Ok(value.clone()),
            Node::Entry(slot) => entry(frame.entries, *slot).cloned(),
            Node::Local(slot) => Ok(frame.locals[*slot].clone()),
            Node::Fail(error) => Err((**error).clone()),
            Node::Unary(operator, operand, span) => {
                let value = operand.eval(frame)?;
                operators::unary(*operator, &value).map_err(|error| error.at(*span))
            }
            Node::Binary(binary) => binary.eval(frame),
            Node::Compare(compare) => compare.eval(frame),
            Node::Bool(operator, operands) => bool_chain(*operator, operands, frame),
            Node::Not(operand) => Ok(Value::Bool(!operand.eval(frame)?.truthy()?)),
            Node::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                if condition.eval(frame)?.truthy()? {
                    then.eval(frame)
                } else {
                    otherwise.eval(frame)
                }
            }
            Node::FloatCall(call) => call.eval(frame),
            Node::Call(call) => call.eval(frame),
            Node::MethodCall(call) => call.eval(frame),
            Node::Attribute(object, name, span) => {
                let object = object.eval(frame)?;
                attributes::attribute(&object, name).map_err(|error| error.at(*span))
            }
            Node::Subscript(parts, span) => subscript_node(parts, *span, frame),
            Node::Slice(parts) => slice(parts, frame),
            Node::Tuple(items) => Ok(Value::tuple(display(items, frame)?)),
            Node::List(items) => Ok(Value::list(display(items, frame)?)),
            Node::Set(items, span) => set(items, *span, frame),
            Node::Dict(items, span) => dict(items, *span, frame),
            Node::Lambda(code, defaults) => lambda(code, defaults, frame),
            Node::Comprehension(comprehension) => comprehension.eval(frame),
        }
    }

    /// The value if it is at hand: no clone, no evaluation.
    fn direct<'a>(&'a self, entries: &'a [Value]) -> Option<&'a Value> {
        match self {
            Node::Constant(value) => Some(value),
            Node::Entry(slot) => entries.get(*slot),
            _ => None,
        }
    }
}

fn entry(entries: &[Value], slot: usize) -> Result<&Value, Error> {
    entries
        .get(slot)
        .ok_or_else(|| Error::new(ErrorKind::NameError, format!("no value was given for reference {slot}")))
}

impl Binary {
    fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        let entries = frame.entries;
        let (left_value, right_value);
        let left = match self.left.direct(entries) {
            Some(value) => value,
            None => {
                left_value = self.left.eval(frame)?;
                &left_value
            }
        };
        let right = match self.right.direct(entries) {
            Some(value) => value,
            None => {
                right_value = self.right.eval(frame)?;
                &right_value
            }
        };
        match operators::binary(self.operator, left, right) {
            Ok(value) => Ok(value),
            Err(error) => Err(error.at(self.span)),
        }
    }
}

impl Compare {
    fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        if let [(comparison, right)] = &*self.rest {
            let entries = frame.entries;
            let (left_value, right_value);
            let left = match self.first.direct(entries) {
                Some(value) => value,
                None => {
                    left_value = self.first.eval(frame)?;
                    &left_value
                }
            };
            let right = match right.direct(entries) {
                Some(value) => value,
                None => {
                    right_value = right.eval(frame)?;
                    &right_value
                }
            };
            return compare::compare(*comparison, left, right).map_err(|error| error.at(self.span));
        }
        self.chain(frame)
    }

    #[inline(never)]
    fn chain(&self, frame: &mut Frame<'_>) -> Evaluated {
        let mut left = self.first.eval(frame)?;
        let mut result = Value::Bool(true);
        for (index, (comparison, right)) in self.rest.iter().enumerate() {
            let right = right.eval(frame)?;
            result = compare::compare(*comparison, &left, &right).map_err(|error| error.at(self.span))?;
            if index + 1 < self.rest.len() && !result.truthy().map_err(|error| error.at(self.span))? {
                break;
            }
            left = right;
        }
        Ok(result)
    }
}

#[inline(never)]
fn bool_chain(operator: BoolOp, operands: &[Node], frame: &mut Frame<'_>) -> Evaluated {
    let mut result = Value::None;
    for (index, operand) in operands.iter().enumerate() {
        result = operand.eval(frame)?;
        if index + 1 < operands.len() && result.truthy()? == (operator == BoolOp::Or) {
            break;
        }
    }
    Ok(result)
}

#[inline(never)]
fn subscript_node(parts: &[Node; 2], span: Span, frame: &mut Frame<'_>) -> Evaluated {
    let entries = frame.entries;
    let object_value;
    let object = match parts[0].direct(entries) {
        Some(value) => value,
        None => {
            object_value = parts[0].eval(frame)?;
            &object_value
        }
    };
    let index = parts[1].eval(frame)?;
    subscript::subscript(object, &index).map_err(|error| error.at(span))
}

#[inline(never)]
fn slice(parts: &[Node; 3], frame: &mut Frame<'_>) -> Evaluated {
    let [start, stop, step] = parts;
    let slice = Slice {
        start: start.eval(frame)?,
        stop: stop.eval(frame)?,
        step: step.eval(frame)?,
    };
    Ok(Value::Slice(Arc::new(slice)))
}

#[inline(never)]
fn display(items: &[Item], frame: &mut Frame<'_>) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Item::One(node) => {
                limits::elements(1)?;
                values.push(node.eval(frame)?);
            }
            Item::Starred(node) => values.extend(node.eval(frame)?.items()?),
        }
    }
    Ok(values)
}

#[inline(never)]
fn set(items: &[Item], span: Span, frame: &mut Frame<'_>) -> Evaluated {
    let values = display(items, frame)?;
    let items = distinct::distinct(values).map_err(|error| error.at(span))?;
    Ok(Value::Set(Arc::new(Set { items })))
}

#[inline(never)]
fn dict(items: &[(Option<Node>, Node)], span: Span, frame: &mut Frame<'_>) -> Evaluated {
    let mut pairs = Vec::with_capacity(items.len());
    for (key, value) in items {
        match key {
            Some(key) => pairs.push((key.eval(frame)?, value.eval(frame)?)),
            None => match value.eval(frame)? {
                Value::Dict(other) => pairs.extend(other.items.iter().cloned()),
                other => {
                    let message = format!("'{}' object is not a mapping", other.type_name());
                    return Err(Error::new(ErrorKind::TypeError, message).at(span));
                }
            },
        }
    }
    limits::elements(pairs.len())?;
    let items = distinct::keyed(pairs).map_err(|error| error.at(span))?;
    Ok(Value::Dict(Arc::new(Dict { items })))
}

impl FloatCall {
    fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        let entries = frame.entries;
        let argument_value;
        let argument = match self.argument.direct(entries) {
            Some(value) => value,
            None => {
                argument_value = self.argument.eval(frame)?;
                &argument_value
            }
        };
        if let Value::Float(number) | Value::Scalar(crate::Scalar::Float(number)) = argument {
            let result = (self.compute)(*number);
            match self.result {
                FloatResult::Numpy => return Ok(Value::Scalar(crate::Scalar::Float(result))),
                FloatResult::Python if result.is_finite() => return Ok(Value::Float(result)),
                FloatResult::Python => {}
            }
        }
        self.general(argument.clone())
    }

    #[inline(never)]
    fn general(&self, argument: Value) -> Evaluated {
        limits::work(weight(&argument))?;
        let arguments = Arguments {
            positional: vec![argument],
            keywords: Vec::new(),
        };
        self.general.call(arguments).map_err(|error| error.at(self.span))
    }
}

impl Call {
    #[inline(never)]
    fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        let function = self.function.eval(frame)?;
        let arguments = pass(&self.arguments, None, frame).map_err(|error| error.at(self.span))?;
        limits::work(arguments.positional.iter().map(weight).sum())?;
        call_value(&function, arguments).map_err(|error| error.at(self.span))
    }
}

impl MethodCall {
    #[inline(never)]
    fn eval(&self, frame: &mut Frame<'_>) -> Evaluated {
        let object = self.object.eval(frame)?;
        match attributes::method(&object, &self.name) {
            Some(method) => {
                let arguments = pass(&self.arguments, Some(object), frame).map_err(|error| error.at(self.span))?;
                limits::work(arguments.positional.iter().map(weight).sum())?;
                method(arguments).map_err(|error| error.at(self.span))
            }
            None => {
                let function = attributes::attribute(&object, &self.name).map_err(|error| error.at(self.span))?;
                let arguments = pass(&self.arguments, None, frame).map_err(|error| error.at(self.span))?;
                call_value(&function, arguments).map_err(|error| error.at(self.span))
            }
        }
    }
}

/// Steps that touching a value once costs: what computes on it does not count them itself.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::List(items) | Value::Tuple(items) => items.len() / 4,
        Value::Set(set) => set.items.len() / 4,
        Value::Dict(dict) => dict.items.len() / 4,
        Value::Str(text) => text.len() / 32,
        Value::Bytes(bytes) => bytes.len() / 32,
        Value::Array(array) => array.size() / 8,
        Value::Record(record) => record.len() * record.fields.len() / 8,
        Value::BigInt(big) => usize::try_from(big.bits() / 64).unwrap_or(usize::MAX),
        _ => 0,
    }
}

#[inline(never)]
fn pass(passed: &[Passed], object: Option<Value>, frame: &mut Frame<'_>) -> Result<Arguments, Error> {
    let mut arguments = Arguments {
        positional: Vec::with_capacity(passed.len() + 1),
        keywords: Vec::new(),
    };
    arguments.positional.extend(object);
    for argument in passed {
        match argument {
            Passed::Positional(node) => arguments.positional.push(node.eval(frame)?),
            Passed::Starred(node) => arguments.positional.extend(node.eval(frame)?.items()?),
            Passed::Keyword(name, node) => {
                let value = node.eval(frame)?;
                keyword(&mut arguments, name.clone(), value)?;
            }
            Passed::DoubleStarred(node) => {
                let Value::Dict(dict) = node.eval(frame)? else {
                    return Err(Error::new(ErrorKind::TypeError, "argument after ** must be a mapping"));
                };
                for (name, value) in &dict.items {
                    let Some(name) = name.as_str() else {
                        return Err(Error::new(ErrorKind::TypeError, "keywords must be strings"));
                    };
                    keyword(&mut arguments, name.into(), value.clone())?;
                }
            }
        }
    }
    Ok(arguments)
}

fn keyword(arguments: &mut Arguments, name: Arc<str>, value: Value) -> Result<(), Error> {
    if arguments.keywords.iter().any(|(taken, _)| *taken == name) {
        let message = format!("got multiple values for keyword argument '{name}'");
        return Err(Error::new(ErrorKind::TypeError, message));
    }
    arguments.keywords.push((name, value));
    Ok(())
}

#[inline(never)]
fn lambda(code: &Arc<LambdaCode>, defaults: &[Option<Node>], frame: &mut Frame<'_>) -> Evaluated {
    limits::work(8 + frame.entries.len() + frame.locals.len())?;
    let mut values = Vec::with_capacity(defaults.len());
    for default in defaults {
        values.push(match default {
            Some(node) => Some(node.eval(frame)?),
            None => None,
        });
    }
    Ok(Value::Function(Function::lambda(Lambda {
        code: code.clone(),
        defaults: values,
        entries: frame.entries.into(),
        locals: frame.locals.clone(),
    })))
}

impl Lambda {
    /// The values that it saw when it was created.
    pub(crate) fn held(&self) -> impl Iterator<Item = &Value> {
        self.defaults.iter().flatten().chain(&*self.entries).chain(&self.locals)
    }

    pub(crate) fn call(&self, arguments: Arguments) -> Evaluated {
        let _level = limits::Call::enter(self.code.depth)?;
        limits::work(self.code.cost + self.locals.len())?;
        let mut frame = Frame {
            entries: &self.entries,
            locals: self.locals.clone(),
        };
        self.bind(arguments, &mut frame.locals)?;
        self.code.body.eval(&mut frame)
    }

    fn bind(&self, arguments: Arguments, locals: &mut [Value]) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::new(ErrorKind::TypeError, format!("<lambda>() {message}")));
        let Arguments {
            positional,
            mut keywords,
        } = arguments;
        let mut positional = positional.into_iter();
        for ((name, kind, slot), default) in self.code.parameters.iter().zip(&self.defaults) {
            let named = keywords.iter().position(|(keyword, _)| keyword == name);
            locals[*slot] = match kind {
                ParameterKind::Plain | ParameterKind::KeywordOnly => {
                    let given = if *kind == ParameterKind::Plain {
                        positional.next()
                    } else {
                        None
                    };
                    match (given, named, default) {
                        (Some(_), Some(_), _) => return refuse(format!("got multiple values for argument '{name}'")),
                        (Some(value), None, _) => value,
                        (None, Some(index), _) => keywords.remove(index).1,
                        (None, None, Some(value)) => value.clone(),
                        (None, None, None) => return refuse(format!("missing a required argument: '{name}'")),
                    }
                }
                ParameterKind::Rest => Value::tuple(positional.by_ref().collect()),
                ParameterKind::Keywords => {
                    let items = std::mem::take(&mut keywords);
                    let items = items
                        .into_iter()
                        .map(|(name, value)| (Value::Str(name), value))
                        .collect();
                    Value::Dict(Arc::new(Dict { items }))
                }
            };
        }
        if positional.next().is_some() {
            return refuse("takes fewer positional arguments than were given".to_owned());
        }
        match keywords.first() {
            Some((name, _)) => refuse(format!("got an unexpected keyword argument '{name}'")),
            None => Ok(()),
        }
    }
}
