//! Functions that make fewer elements of many: sums, products, extremes, truth, along axes or over all; and running ones.
//!
//! Sums are added in numpy's order (pairwise along the last axis, row by row along the others), so that they agree to the
//! last digit.

use num_complex::Complex64;

use super::array::{type_error, value_error};
use super::call::Call;
use super::grid;
use super::kind::{Dtype, Kind};
use super::loops::unsupported_input;
use super::{Arguments, Function};
use crate::{Array, Error, Value};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "sum" => |arguments| total("sum", arguments, Fold::Sum, false),
        "prod" => |arguments| total("prod", arguments, Fold::Product, false),
        "nansum" => |arguments| total("nansum", arguments, Fold::Sum, true),
        "nanprod" => |arguments| total("nanprod", arguments, Fold::Product, true),
        "max" | "amax" => |arguments| extreme("max", arguments, Fold::Max, false),
        "min" | "amin" => |arguments| extreme("min", arguments, Fold::Min, false),
        "nanmax" => |arguments| extreme("nanmax", arguments, Fold::Max, true),
        "nanmin" => |arguments| extreme("nanmin", arguments, Fold::Min, true),
        "ptp" => |arguments| {
            let call = Call::bind("ptp", arguments, "a! axis out keepdims")?;
            let array = call.array("a")?;
            let high = reduce(&call, &array, Fold::Max)?;
            let low = reduce(&call, &array, Fold::Min)?;
            super::operators::arithmetic(&super::arithmetic::SUBTRACT, &high, &low).map(Array::into_value)
        },
        "any" => |arguments| truth("any", arguments, |flags| flags.contains(&true)),
        "all" => |arguments| truth("all", arguments, |flags| !flags.contains(&false)),
        "count_nonzero" => |arguments| {
            let call = Call::bind("count_nonzero", arguments, "a! axis * keepdims")?;
            let array = call.array("a")?;
            let flags = Array::of_bools(array.dims(), array.bools().into_owned());
            reduce(&call, &flags, Fold::Sum).map(Array::into_value)
        },
        "cumsum" => |arguments| accumulate("cumsum", arguments, Fold::Sum, false),
        "cumprod" => |arguments| accumulate("cumprod", arguments, Fold::Product, false),
        "nancumsum" => |arguments| accumulate("nancumsum", arguments, Fold::Sum, true),
        "nancumprod" => |arguments| accumulate("nancumprod", arguments, Fold::Product, true),
        "maximum.accumulate" => |arguments| accumulate("accumulate", arguments, Fold::Max, false),
        "minimum.accumulate" => |arguments| accumulate("accumulate", arguments, Fold::Min, false),
        "add.accumulate" => |arguments| accumulate("accumulate", arguments, Fold::Sum, false),
        "multiply.accumulate" => |arguments| accumulate("accumulate", arguments, Fold::Product, false),
        "add.reduce" => |arguments| ufunc_reduce(arguments, Fold::Sum),
        "multiply.reduce" => |arguments| ufunc_reduce(arguments, Fold::Product),
        "maximum.reduce" => |arguments| ufunc_reduce(arguments, Fold::Max),
        "minimum.reduce" => |arguments| ufunc_reduce(arguments, Fold::Min),
        _ => return None,
    })
}

/// What is done to the elements along the reduced axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Product,
    Max,
    Min,
}

/// An array seen as rows of the elements that are reduced together.
///
/// Reduced axes that are last and lie together are one row each, as they lie in memory; otherwise numpy adds the slices
/// one after another, which the order of addition below repeats.
pub(super) struct Reduction {
    /// The elements moved so that each group lies together.
    pub(super) array: Array,
    pub(super) group: usize,
    /// Within a group, how many lie together in memory: these are summed pairwise.
    pub(super) run: usize,
    /// The shape of the result.
    pub(super) dims: Vec<usize>,
}

impl Reduction {
    pub(super) fn of(array: &Array, axes: Option<&[usize]>, keep: bool) -> Reduction {
        let dims = array.dims();
        let reduced = |axis: usize| axes.is_none_or(|axes| axes.contains(&axis));
        let kept: Vec<usize> = (0..dims.len()).filter(|axis| !reduced(*axis)).collect();
        let gone: Vec<usize> = (0..dims.len()).filter(|axis| reduced(*axis)).collect();
        let group = gone.iter().map(|axis| dims[*axis]).product();
        let run = (0..dims.len())
            .rev()
            .filter(|axis| dims[*axis] != 1)
            .take_while(|axis| reduced(*axis))
            .map(|axis| dims[axis])
            .product();
        let order: Vec<usize> = kept.iter().chain(&gone).copied().collect();
        let moved = if order.is_sorted() {
            array.clone()
        } else {
            grid::transposed(array, &order)
        };
        let result = match keep {
            true => (0..dims.len())
                .map(|axis| if reduced(axis) { 1 } else { dims[axis] })
                .collect(),
            false => kept.iter().map(|axis| dims[*axis]).collect(),
        };
        Reduction {
            array: moved,
            group,
            run,
            dims: result,
        }
    }

    /// Each group, in order; of groups without elements, as many as the result has places.
    pub(super) fn groups<'a, T>(&self, data: &'a [T]) -> Vec<&'a [T]> {
        if self.group == 0 {
            return vec![&[]; self.dims.iter().product()];
        }
        data.chunks(self.group).collect()
    }
}

/// Numbers that can be added and multiplied.
pub(super) trait Number: Copy {
    const ZERO: Self;
    const ONE: Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

impl Number for i64 {
    const ZERO: i64 = 0;
    const ONE: i64 = 1;
    fn plus(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    fn times(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
}

impl Number for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    fn plus(self, other: f64) -> f64 {
        self + other
    }
    fn times(self, other: f64) -> f64 {
        self * other
    }
}

impl Number for Complex64 {
    const ZERO: Complex64 = Complex64::new(0.0, 0.0);
    const ONE: Complex64 = Complex64::new(1.0, 0.0);
    fn plus(self, other: Complex64) -> Complex64 {
        self + other
    }
    fn times(self, other: Complex64) -> Complex64 {
        self * other
    }
}

/// Adds in numpy's order: eight sums side by side over blocks of 128, halves above that. Complex numbers take half as
/// many at a time, as they count as two.
pub(super) fn pairwise<T: Number>(data: &[T]) -> T {
    let lanes = if size_of::<T>() == 16 { 4 } else { 8 };
    let block = 16 * lanes;
    if data.len() < lanes {
        return match data {
            [] => T::ZERO,
            [first, rest @ ..] => rest.iter().fold(*first, |sum, x| sum.plus(*x)),
        };
    }
    if data.len() <= block {
        let mut sums: Vec<T> = data[..lanes].to_vec();
        let chunks = data[lanes..].chunks_exact(lanes);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum = sum.plus(*x);
            }
        }
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair[0].plus(pair[1])).collect();
        }
        return rest.iter().fold(sums[0], |sum, x| sum.plus(*x));
    }
    let half = data.len() / 2;
    let half = half - half % lanes;
    pairwise(&data[..half]).plus(pairwise(&data[half..]))
}

/// The sum of a group whose runs of `run` lie together in memory.
pub(super) fn sum_group<T: Number>(group: &[T], run: usize) -> T {
    if run <= 1 {
        return match group {
            [] => T::ZERO,
            [first, rest @ ..] => rest.iter().fold(*first, |sum, x| sum.plus(*x)),
        };
    }
    let mut runs = group.chunks(run).map(pairwise);
    let first = runs.next().unwrap_or(T::ZERO);
    runs.fold(first, T::plus)
}

fn fold_groups<T: Number>(reduction: &Reduction, data: &[T], fold: Fold) -> Vec<T> {
    let one = |group: &[T]| match fold {
        Fold::Product => match group {
            [] => T::ONE,
            [first, rest @ ..] => rest.iter().fold(*first, |product, x| product.times(*x)),
        },
        Fold::Sum | Fold::Max | Fold::Min => sum_group(group, reduction.run),
    };
    reduction.groups(data).into_iter().map(one).collect()
}

/// The sum or product; bools are counted, text is refused.
pub(super) fn folded(array: &Array, axes: Option<&[usize]>, keep: bool, fold: Fold) -> Result<Array, Error> {
    if array.kind() == Kind::Str {
        let (width, name) = (array.text_width(), if fold == Fold::Sum { "add" } else { "multiply" });
        return Err(type_error(format!(
            "the resolved dtypes are not compatible with {name}.reduce. Resolved (dtype('<U{width}'), dtype('<U{width}'), dtype('<U{}'))",
            2 * width
        )));
    }
    if matches!(fold, Fold::Max | Fold::Min) {
        return extremes(array, axes, keep, fold);
    }
    crate::limits::work(array.count())?;
    let reduction = Reduction::of(array, axes, keep);
    let dims = &reduction.dims;
    super::array::count_of(dims)?;
    let moved = &reduction.array;
    Ok(match array.kind() {
        Kind::Bool | Kind::Int => Array::of_ints(dims, fold_groups(&reduction, &moved.ints(), fold)),
        Kind::Float => Array::of_floats(dims, fold_groups(&reduction, &moved.floats(), fold)),
        Kind::Complex | Kind::Str => Array::of_complexes(dims, fold_groups(&reduction, &moved.complexes(), fold)),
    })
}

fn extremes(array: &Array, axes: Option<&[usize]>, keep: bool, fold: Fold) -> Result<Array, Error> {
    let name = if fold == Fold::Max { "maximum" } else { "minimum" };
    let reduction = Reduction::of(array, axes, keep);
    let dims = &reduction.dims;
    let count: usize = dims.iter().product();
    if reduction.group == 0 && count > 0 {
        return Err(value_error(format!(
            "zero-size array to reduction operation {name} which has no identity"
        )));
    }
    let ufunc = if fold == Fold::Max {
        &super::arithmetic::MAXIMUM
    } else {
        &super::arithmetic::MINIMUM
    };
    fn pick<T: Copy>(reduction: &Reduction, data: &[T], one: fn(T, T) -> T) -> Vec<T> {
        reduction
            .groups(data)
            .into_iter()
            .filter_map(|group| group.iter().copied().reduce(one))
            .collect()
    }
    let moved = &reduction.array;
    Ok(
        match (array.kind(), &ufunc.bool, &ufunc.int, &ufunc.float, &ufunc.complex) {
            (Kind::Bool, Some(slot), ..) => Array::of_bools(dims, pick(&reduction, &moved.bools(), slot.one)),
            (Kind::Int, _, Some(slot), ..) => Array::of_ints(dims, pick(&reduction, &moved.ints(), slot.one)),
            (Kind::Float, _, _, Some(slot), _) => Array::of_floats(dims, pick(&reduction, &moved.floats(), slot.one)),
            (Kind::Complex, .., Some(slot)) => {
                Array::of_complexes(dims, pick(&reduction, &moved.complexes(), slot.one))
            }
            _ => return Err(super::loops::no_loop(name, array, array)),
        },
    )
}

/// A reduction with the call's `axis` and `keepdims`.
fn reduce(call: &Call, array: &Array, fold: Fold) -> Result<Array, Error> {
    let axes = call.axes("axis", array.dims().len())?;
    folded(array, axes.as_deref(), call.flag("keepdims")?, fold)
}

/// NaNs replaced by what does not matter to the result.
pub(super) fn without_nans(array: &Array, instead: f64) -> Array {
    let clean = |x: f64| if x.is_nan() { instead } else { x };
    match array {
        Array::Float(data) => Array::of_floats(array.dims(), data.iter().map(|x| clean(*x)).collect()),
        Array::Complex(data) => {
            let instead = Complex64::new(instead, 0.0);
            let clean = |z: &Complex64| if z.re.is_nan() || z.im.is_nan() { instead } else { *z };
            Array::of_complexes(array.dims(), data.iter().map(clean).collect())
        }
        other => other.clone(),
    }
}

fn total(name: &'static str, arguments: Arguments, fold: Fold, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis dtype out keepdims initial where")?;
    call.refuse(&["initial", "where"])?;
    let array = call.array("a")?;
    let instead = if fold == Fold::Sum { 0.0 } else { 1.0 };
    let clean = if skip_nans {
        without_nans(&array, instead)
    } else {
        array.into_owned()
    };
    let cast = match call.dtype("dtype")? {
        Some(Dtype { kind, .. }) => clean.cast(kind)?,
        None => clean,
    };
    reduce(&call, &cast, fold).map(Array::into_value)
}

fn ufunc_reduce(arguments: Arguments, fold: Fold) -> Result<Value, Error> {
    let call = Call::bind("reduce", arguments, "array! axis dtype out keepdims initial where")?;
    call.refuse(&["dtype", "initial", "where"])?;
    let array = call.array("array")?;
    let axes = match call.stated("axis") {
        // Without a word numpy reduces the first axis here.
        None => Some(vec![0]),
        Some(_) => call.axes("axis", array.dims().len())?,
    };
    if array.dims().is_empty() {
        return Err(type_error("cannot reduce on a scalar"));
    }
    folded(&array, axes.as_deref(), call.flag("keepdims")?, fold).map(Array::into_value)
}

fn extreme(name: &'static str, arguments: Arguments, fold: Fold, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis out keepdims initial where")?;
    call.refuse(&["where"])?;
    let array = call.array("a")?;
    if !skip_nans {
        let result = reduce(&call, &array, fold);
        let Some(initial) = call.array_given("initial")? else {
            return result.map(Array::into_value);
        };
        let ufunc = if fold == Fold::Max {
            &super::arithmetic::MAXIMUM
        } else {
            &super::arithmetic::MINIMUM
        };
        return match result {
            Ok(result) => ufunc.apply(&result, &initial).map(Array::into_value),
            Err(_) => Ok(initial.cast(array.kind())?.into_value()),
        };
    }
    let far = if fold == Fold::Max {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    };
    let result = reduce(&call, &without_nans(&array, far), fold)?;
    let Array::Float(data) = &array.clone().into_owned() else {
        return Ok(result.into_value());
    };
    let flags = Array::of_bools(array.dims(), data.iter().map(|x| !x.is_nan()).collect());
    let seen = reduce(&call, &flags, Fold::Sum)?;
    let picked = result
        .floats()
        .iter()
        .zip(seen.ints().iter())
        .map(|(x, seen)| if *seen == 0 { f64::NAN } else { *x })
        .collect();
    Ok(Array::of_floats(result.dims(), picked).into_value())
}

fn truth(name: &'static str, arguments: Arguments, fold: fn(&[bool]) -> bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis out keepdims * where")?;
    call.refuse(&["where"])?;
    let array = call.array("a")?;
    let axes = call.axes("axis", array.dims().len())?;
    let flags = Array::of_bools(array.dims(), array.bools().into_owned());
    let reduction = Reduction::of(&flags, axes.as_deref(), call.flag("keepdims")?);
    let data = reduction
        .groups(&reduction.array.bools())
        .into_iter()
        .map(fold)
        .collect();
    Ok(Array::of_bools(&reduction.dims, data).into_value())
}

fn accumulate(name: &'static str, arguments: Arguments, fold: Fold, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis dtype out")?;
    let array = call.array("a")?;
    let clean = if skip_nans {
        without_nans(&array, if fold == Fold::Sum { 0.0 } else { 1.0 })
    } else {
        array.into_owned()
    };
    let array = match call.dtype("dtype")? {
        Some(Dtype { kind, .. }) => clean.cast(kind)?,
        None => clean,
    };
    let axis = match call.axis("axis", array.dims().len())? {
        Some(axis) => axis,
        None if name == "accumulate" && array.dims().is_empty() => {
            return Err(type_error("cannot accumulate on a scalar"));
        }
        None if name == "accumulate" => 0,
        None => return along_last(&array.with_dims(&[array.count()]), fold).map(Array::into_array_value),
    };
    let moved = grid::axis_last(&array, axis);
    Ok(grid::axis_back(&along_last(&moved, fold)?, axis).into_array_value())
}

fn along_last(array: &Array, fold: Fold) -> Result<Array, Error> {
    crate::limits::work(array.count())?;
    fn running<T: Copy>(data: &[T], row: usize, step: impl Fn(T, T) -> T) -> Vec<T> {
        let mut out: Vec<T> = Vec::with_capacity(data.len());
        for (i, x) in data.iter().enumerate() {
            out.push(if i % row.max(1) == 0 { *x } else { step(out[i - 1], *x) });
        }
        out
    }
    let dims = array.dims();
    let row = dims.last().copied().unwrap_or(1);
    Ok(match (array.kind(), fold) {
        (Kind::Str, _) => return Err(unsupported_input("accumulate")),
        (Kind::Bool | Kind::Int, Fold::Sum) => Array::of_ints(dims, running(&array.ints(), row, i64::plus)),
        (Kind::Bool | Kind::Int, Fold::Product) => Array::of_ints(dims, running(&array.ints(), row, i64::times)),
        (Kind::Bool | Kind::Int, Fold::Max) => Array::of_ints(dims, running(&array.ints(), row, i64::max)),
        (Kind::Bool | Kind::Int, Fold::Min) => Array::of_ints(dims, running(&array.ints(), row, i64::min)),
        (Kind::Float, Fold::Sum) => Array::of_floats(dims, running(&array.floats(), row, f64::plus)),
        (Kind::Float, Fold::Product) => Array::of_floats(dims, running(&array.floats(), row, f64::times)),
        (Kind::Float, Fold::Max) => Array::of_floats(
            dims,
            running(&array.floats(), row, |a, b| if a >= b || a.is_nan() { a } else { b }),
        ),
        (Kind::Float, Fold::Min) => Array::of_floats(
            dims,
            running(&array.floats(), row, |a, b| if a <= b || a.is_nan() { a } else { b }),
        ),
        (Kind::Complex, Fold::Sum) => Array::of_complexes(dims, running(&array.complexes(), row, Complex64::plus)),
        (Kind::Complex, Fold::Product) => Array::of_complexes(dims, running(&array.complexes(), row, Complex64::times)),
        (Kind::Complex, Fold::Max | Fold::Min) => return Err(unsupported_input("accumulate")),
    })
}
