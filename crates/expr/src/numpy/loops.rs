//! Loops over elements: one operation of two operands for each kind of element, broadcast, and the promotion that chooses.
//!
//! An operation is a [`Ufunc`]: what it does to two elements of each kind it knows. Operands are brought to the smallest
//! kind that holds both and that the operation knows. Python's own numbers are weak in numpy (NEP 50), but as each kind
//! has one width here, that is the same promotion.

use num_complex::Complex64;

use super::array::{count_of, type_error};
use super::grid;
use super::kind::{Kind, dtype_text, unsupported_dtype};
use crate::error::ErrorKind;
use crate::{Array, Error, Scalar};

/// One kind's element operation: on a pair of elements, and on whole slices with the operation inlined.
pub(super) struct Slot<T> {
    pub(super) one: fn(T, T) -> T,
    pub(super) many: fn(&Pairs<'_, T>) -> Vec<T>,
}

/// A slot whose loop has the operation inlined.
macro_rules! slot {
    ($one:expr) => {
        Some($crate::numpy::loops::Slot {
            one: $one,
            many: |pairs| pairs.map($one),
        })
    };
}
pub(super) use slot;

/// A binary operation of numpy.
pub(super) struct Ufunc {
    pub(super) name: &'static str,
    pub(super) bool: Option<Slot<bool>>,
    pub(super) int: Option<Slot<i64>>,
    pub(super) float: Option<Slot<f64>>,
    pub(super) complex: Option<Slot<Complex64>>,
    /// Where numpy makes of two bools something that there is not here: int8 or float16.
    pub(super) narrow: Option<&'static str>,
}

/// Two operands of one kind, broadcast.
pub(super) struct Pairs<'a, T> {
    left: &'a [T],
    right: &'a [T],
    walk: Walk,
}

enum Walk {
    Together,
    LeftStays,
    RightStays,
    Places(Vec<usize>, Vec<usize>),
}

impl<T: Clone> Pairs<'_, T> {
    pub(super) fn map<U>(&self, f: impl Fn(T, T) -> U) -> Vec<U> {
        match &self.walk {
            Walk::Together => self
                .left
                .iter()
                .zip(self.right)
                .map(|(l, r)| f(l.clone(), r.clone()))
                .collect(),
            Walk::LeftStays => {
                let left = &self.left[0];
                self.right.iter().map(|r| f(left.clone(), r.clone())).collect()
            }
            Walk::RightStays => {
                let right = &self.right[0];
                self.left.iter().map(|l| f(l.clone(), right.clone())).collect()
            }
            Walk::Places(left, right) => {
                let pairs = left.iter().zip(right);
                pairs
                    .map(|(l, r)| f(self.left[*l].clone(), self.right[*r].clone()))
                    .collect()
            }
        }
    }
}

/// The shape of two operands together, and how to walk them.
pub(super) struct Shared {
    pub(super) dims: Vec<usize>,
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Shared {
    pub(super) fn of(left: &Array, right: &Array) -> Result<Shared, Error> {
        let (l, r) = (left.dims(), right.dims());
        let dims = if l == r { l.to_vec() } else { grid::broadcast(&[l, r])? };
        crate::limits::work(count_of(&dims)?)?;
        Ok(Shared {
            dims,
            left: l.to_vec(),
            right: r.to_vec(),
        })
    }

    pub(super) fn pairs<'a, T>(&self, left: &'a [T], right: &'a [T]) -> Pairs<'a, T> {
        let count: usize = self.dims.iter().product();
        let walk = if self.left == self.right {
            Walk::Together
        } else if left.len() == 1 && right.len() == count {
            Walk::LeftStays
        } else if right.len() == 1 && left.len() == count {
            Walk::RightStays
        } else {
            Walk::Places(
                grid::stretched_indices(&self.left, &self.dims),
                grid::stretched_indices(&self.right, &self.dims),
            )
        };
        Pairs { left, right, walk }
    }
}

impl Ufunc {
    /// The operation, element by element.
    pub(super) fn apply(&self, left: &Array, right: &Array) -> Result<Array, Error> {
        let kind = left.kind().max(right.kind());
        let shared = Shared::of(left, right);
        if kind == Kind::Str {
            return Err(no_loop(self.name, left, right));
        }
        let kind = self.kind(kind)?;
        let shared = shared?;
        let dims = &shared.dims;
        match (kind, &self.bool, &self.int, &self.float, &self.complex) {
            (Kind::Bool, Some(slot), ..) => Ok(Array::of_bools(
                dims,
                (slot.many)(&shared.pairs(&left.bools(), &right.bools())),
            )),
            (Kind::Int, _, Some(slot), ..) => Ok(Array::of_ints(
                dims,
                (slot.many)(&shared.pairs(&left.ints(), &right.ints())),
            )),
            (Kind::Float, _, _, Some(slot), _) => Ok(Array::of_floats(
                dims,
                (slot.many)(&shared.pairs(&left.floats(), &right.floats())),
            )),
            (Kind::Complex, .., Some(slot)) => Ok(Array::of_complexes(
                dims,
                (slot.many)(&shared.pairs(&left.complexes(), &right.complexes())),
            )),
            _ => Err(unsupported_input(self.name)),
        }
    }

    /// The operation on two scalars, without arrays on the way; `None` where the arrays know better.
    pub(super) fn apply_scalars(&self, left: &Scalar, right: &Scalar) -> Option<Scalar> {
        use super::operand::{as_complex, as_float, as_int};
        let kind = scalar_kind(left).max(scalar_kind(right));
        let kind = if kind == Kind::Str {
            return None;
        } else {
            self.kind(kind).ok()?
        };
        Some(match (kind, left, right) {
            (Kind::Bool, Scalar::Bool(l), Scalar::Bool(r)) => Scalar::Bool((self.bool.as_ref()?.one)(*l, *r)),
            (Kind::Int, l, r) => Scalar::Int((self.int.as_ref()?.one)(as_int(l), as_int(r))),
            (Kind::Float, l, r) => Scalar::Float((self.float.as_ref()?.one)(as_float(l), as_float(r))),
            (Kind::Complex, l, r) => Scalar::Complex((self.complex.as_ref()?.one)(as_complex(l), as_complex(r))),
            _ => return None,
        })
    }

    /// The kind that operands of `kind` are computed in.
    fn kind(&self, kind: Kind) -> Result<Kind, Error> {
        let known = [
            (Kind::Bool, self.bool.is_some()),
            (Kind::Int, self.int.is_some()),
            (Kind::Float, self.float.is_some()),
            (Kind::Complex, self.complex.is_some()),
        ];
        if let (Kind::Bool, None, Some(narrow)) = (kind, &self.bool, self.narrow) {
            return Err(unsupported_dtype(narrow));
        }
        known
            .into_iter()
            .find(|(candidate, known)| *known && *candidate >= kind)
            .map(|(candidate, _)| candidate)
            .ok_or_else(|| unsupported_input(self.name))
    }
}

pub(super) fn scalar_kind(scalar: &Scalar) -> Kind {
    match scalar {
        Scalar::Bool(_) => Kind::Bool,
        Scalar::Int(_) => Kind::Int,
        Scalar::Float(_) => Kind::Float,
        Scalar::Complex(_) => Kind::Complex,
        Scalar::Str(_) => Kind::Str,
    }
}

/// numpy's words where an operation does not know a kind.
pub(super) fn unsupported_input(name: &str) -> Error {
    type_error(format!(
        "ufunc '{name}' not supported for the input types, and the inputs could not be safely coerced to any supported types according to the casting rule ''safe''"
    ))
}

/// numpy's words where an operation does not know text.
pub(super) fn no_loop(name: &str, left: &Array, right: &Array) -> Error {
    const WITH_TEXT: [&str; 10] = [
        "add",
        "subtract",
        "maximum",
        "minimum",
        "divide",
        "floor_divide",
        "remainder",
        "logical_and",
        "logical_or",
        "matmul",
    ];
    if !WITH_TEXT.contains(&name) {
        return unsupported_input(name);
    }
    Error::new(
        ErrorKind::TypeError,
        format!(
            "ufunc '{name}' did not contain a loop with signature matching types (dtype('{}'), dtype('{}')) -> None",
            dtype_text(left),
            dtype_text(right)
        ),
    )
}
