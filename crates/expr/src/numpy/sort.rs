//! Order: sorting, searching, extremes' places, medians and percentiles, sets, histograms.
//!
//! NaNs sort last, complex numbers by real then imaginary part, text by code points.

use std::cmp::Ordering;
use std::sync::Arc;

use super::array::{type_error, value_error};
use super::call::Call;
use super::join::{concatenated, flat};
use super::kind::Kind;
use super::reduce::Reduction;
use super::{Arguments, Function, grid};
use crate::{Array, Error, Scalar, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "sort" => |arguments| {
            let call = Call::bind("sort", arguments, "a! axis kind order * stable")?;
            along(&call, |array, order, _| array.gather(array.dims(), order))
        },
        "argsort" => |arguments| {
            let call = Call::bind("argsort", arguments, "a! axis kind order * stable")?;
            along(&call, |array, order, row| {
                Array::of_ints(array.dims(), order.iter().map(|i| (i % row.max(1)) as i64).collect())
            })
        },
        "argmax" => |arguments| extreme_place("argmax", arguments, Ordering::Greater, false),
        "argmin" => |arguments| extreme_place("argmin", arguments, Ordering::Less, false),
        "nanargmax" => |arguments| extreme_place("nanargmax", arguments, Ordering::Greater, true),
        "nanargmin" => |arguments| extreme_place("nanargmin", arguments, Ordering::Less, true),
        "median" => |arguments| median("median", arguments, false),
        "nanmedian" => |arguments| median("nanmedian", arguments, true),
        "percentile" => |arguments| quantile("percentile", arguments, 100.0, false),
        "quantile" => |arguments| quantile("quantile", arguments, 1.0, false),
        "nanpercentile" => |arguments| quantile("nanpercentile", arguments, 100.0, true),
        "nanquantile" => |arguments| quantile("nanquantile", arguments, 1.0, true),
        "searchsorted" => |arguments| {
            let call = Call::bind("searchsorted", arguments, "a! v! side sorter")?;
            call.refuse(&["sorter"])?;
            let right = match call.text("side")? {
                None | Some("left") => false,
                Some("right") => true,
                Some(other) => {
                    return Err(value_error(format!(
                        "search side must be one of 'left' or 'right' (got '{other}')"
                    )));
                }
            };
            let (array, values) = (call.array("a")?, call.array("v")?);
            if array.dims().len() != 1 {
                return Err(value_error("object too deep for desired array"));
            }
            Ok(places(&array, &values, right).into_value())
        },
        "digitize" => |arguments| {
            let call = Call::bind("digitize", arguments, "x! bins! right")?;
            let (x, bins) = (call.array("x")?, call.array("bins")?);
            let right = call.flag("right")?;
            let edges = bins.elements();
            let rising = edges
                .windows(2)
                .all(|pair| order(&pair[0], &pair[1]) != Ordering::Greater);
            let falling = edges.windows(2).all(|pair| order(&pair[0], &pair[1]) != Ordering::Less);
            if !rising && !falling {
                return Err(value_error("bins must be monotonically increasing or decreasing"));
            }
            if rising {
                return Ok(places(&bins, &x, !right).into_value());
            }
            let turned = grid::select_axis(&bins, 0, (0..bins.count()).rev().collect())?;
            let found = places(&turned, &x, !right);
            let count = bins.count() as i64;
            Ok(Array::of_ints(found.dims(), found.ints().iter().map(|i| count - i).collect()).into_value())
        },
        "unique" => unique,
        "isin" => |arguments| {
            let call = Call::bind("isin", arguments, "element! test_elements! assume_unique invert * kind")?;
            let (array, test) = (call.array("element")?, call.array("test_elements")?);
            let invert = call.flag("invert")?;
            let known = sorted(&flat(&test));
            let has = |x: &Scalar| known.binary_search_by(|y| order(y, x)).is_ok() && !is_nan(x);
            Ok(Array::of_bools(
                array.dims(),
                array.elements().iter().map(|x| has(x) != invert).collect(),
            )
            .into_array_value())
        },
        "union1d" => |arguments| {
            let call = Call::bind("union1d", arguments, "ar1! ar2!")?;
            let both = concatenated(&[&flat(&*call.array("ar1")?), &flat(&*call.array("ar2")?)], 0)?;
            Ok(distinct(&both).0.into_array_value())
        },
        "intersect1d" => |arguments| {
            let call = Call::bind("intersect1d", arguments, "ar1! ar2!")?;
            common(&call, |in_other| in_other)
        },
        "setdiff1d" => |arguments| {
            let call = Call::bind("setdiff1d", arguments, "ar1! ar2!")?;
            common(&call, |in_other| !in_other)
        },
        "histogram" => histogram,
        "bincount" => bincount,
        _ => return None,
    })
}

/// numpy's order of two scalars of one kind.
pub(super) fn order(l: &Scalar, r: &Scalar) -> Ordering {
    let float = |l: f64, r: f64| l.partial_cmp(&r).unwrap_or_else(|| l.is_nan().cmp(&r.is_nan()));
    match (l, r) {
        (Scalar::Int(l), Scalar::Int(r)) => l.cmp(r),
        (Scalar::Bool(l), Scalar::Bool(r)) => l.cmp(r),
        (Scalar::Str(l), Scalar::Str(r)) => l.cmp(r),
        (Scalar::Str(_), _) => Ordering::Greater,
        (_, Scalar::Str(_)) => Ordering::Less,
        (Scalar::Complex(_), _) | (_, Scalar::Complex(_)) => {
            let (l, r) = (super::operand::as_complex(l), super::operand::as_complex(r));
            let nan = |z: num_complex::Complex64| z.re.is_nan() || z.im.is_nan();
            nan(l).cmp(&nan(r)).then(float(l.re, r.re)).then(float(l.im, r.im))
        }
        _ => float(super::operand::as_float(l), super::operand::as_float(r)),
    }
}

fn is_nan(x: &Scalar) -> bool {
    match x {
        Scalar::Float(x) => x.is_nan(),
        Scalar::Complex(z) => z.re.is_nan() || z.im.is_nan(),
        Scalar::Bool(_) | Scalar::Int(_) | Scalar::Str(_) => false,
    }
}

fn sorted(array: &Array) -> Vec<Scalar> {
    let mut elements = array.elements();
    elements.sort_by(order);
    elements
}

/// The order of each row of the last axis, as flat indices.
fn row_order(array: &Array, row: usize) -> Result<Vec<usize>, Error> {
    limits::work(array.count().saturating_mul(4))?;
    let mut indices: Vec<usize> = (0..array.count()).collect();
    match array {
        Array::Float(_) => {
            let data = array.floats();
            for chunk in indices.chunks_mut(row.max(1)) {
                chunk.sort_by(|l, r| {
                    data[*l]
                        .partial_cmp(&data[*r])
                        .unwrap_or_else(|| data[*l].is_nan().cmp(&data[*r].is_nan()))
                });
            }
        }
        _ => {
            let data = array.elements();
            for chunk in indices.chunks_mut(row.max(1)) {
                chunk.sort_by(|l, r| order(&data[*l], &data[*r]));
            }
        }
    }
    Ok(indices)
}

fn along(call: &Call, finish: fn(&Array, &[usize], usize) -> Array) -> Result<Value, Error> {
    call.refuse(&["order"])?;
    let array = call.array("a")?;
    let whole = matches!(call.stated("axis"), Some(Value::None));
    let array = if whole { flat(&array) } else { array.into_owned() };
    let count = array.dims().len();
    if count == 0 {
        return Err(value_error("axis -1 is out of bounds for array of dimension 0"));
    }
    let axis = call.axis("axis", count)?.unwrap_or(count - 1);
    let moved = grid::axis_last(&array, axis);
    let row = moved.dims()[count - 1];
    let order = row_order(&moved, row)?;
    Ok(grid::axis_back(&finish(&moved, &order, row), axis).into_array_value())
}

fn extreme_place(name: &'static str, arguments: Arguments, wanted: Ordering, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis out * keepdims")?;
    let array = call.array("a")?;
    let axis = call.axis("axis", array.dims().len())?;
    let axes = axis.map(|axis| vec![axis]);
    let reduction = Reduction::of(&array, axes.as_deref(), call.flag("keepdims")?);
    let count: usize = reduction.dims.iter().product();
    if reduction.group == 0 && count > 0 {
        return Err(value_error(format!(
            "attempt to get {} of an empty sequence",
            name.trim_start_matches("nan")
        )));
    }
    let elements = reduction.array.elements();
    let find = |group: &[Scalar]| {
        let mut best: Option<usize> = None;
        for (i, x) in group.iter().enumerate() {
            match best {
                _ if is_nan(x) && skip_nans => {}
                _ if is_nan(x) => return Ok(i as i64),
                None => best = Some(i),
                Some(at) if order(x, &group[at]) == wanted => best = Some(i),
                Some(_) => {}
            }
        }
        best.map(|at| at as i64)
            .ok_or_else(|| value_error("All-NaN slice encountered"))
    };
    let data = reduction
        .groups(&elements)
        .into_iter()
        .map(find)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Array::of_ints(&reduction.dims, data).into_value())
}

fn median(name: &'static str, arguments: Arguments, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(name, arguments, "a! axis out overwrite_input keepdims")?;
    let array = call.array("a")?;
    if array.kind() > Kind::Float {
        return Err(type_error("the median of complex numbers or text"));
    }
    let array = array.cast(Kind::Float)?;
    let axes = call.axes("axis", array.dims().len())?;
    let reduction = Reduction::of(&array, axes.as_deref(), call.flag("keepdims")?);
    let data = reduction.array.floats().into_owned();
    let middle = |group: &[f64]| {
        let mut line: Vec<f64> = group.iter().copied().filter(|x| !(skip_nans && x.is_nan())).collect();
        if line.is_empty() || line.iter().any(|x| x.is_nan()) {
            return f64::NAN;
        }
        line.sort_by(f64::total_cmp);
        let half = line.len() / 2;
        if line.len() % 2 == 1 {
            line[half]
        } else {
            (line[half - 1] + line[half]) / 2.0
        }
    };
    let medians = reduction.groups(&data).into_iter().map(middle).collect();
    Ok(Array::of_floats(&reduction.dims, medians).into_value())
}

fn quantile(name: &'static str, arguments: Arguments, whole: f64, skip_nans: bool) -> Result<Value, Error> {
    let call = Call::bind(
        name,
        arguments,
        "a! q! axis out overwrite_input method keepdims * weights",
    )?;
    call.refuse(&["weights"])?;
    let method = call.text("method")?.unwrap_or("linear").to_owned();
    if !matches!(method.as_str(), "linear" | "lower" | "higher" | "nearest" | "midpoint") {
        return Err(call.unsupported("method"));
    }
    let (array, q) = (call.array("a")?, call.array("q")?);
    if array.kind() > Kind::Float {
        return Err(type_error("a must be an array of real numbers"));
    }
    let keeps_ints = array.kind() == Kind::Int && matches!(method.as_str(), "lower" | "higher" | "nearest");
    let array = array.cast(Kind::Float)?;
    let fractions: Vec<f64> = q.floats().iter().map(|q| q / whole).collect();
    if fractions.iter().any(|q| !(0.0..=1.0).contains(q)) {
        let range = if whole == 1.0 {
            "Quantiles must be in the range [0, 1]"
        } else {
            "Percentiles must be in the range [0, 100]"
        };
        return Err(value_error(range));
    }
    let axes = call.axes("axis", array.dims().len())?;
    let reduction = Reduction::of(&array, axes.as_deref(), call.flag("keepdims")?);
    let data = reduction.array.floats().into_owned();
    let groups: Vec<Vec<f64>> = reduction
        .groups(&data)
        .into_iter()
        .map(|group| {
            let mut line: Vec<f64> = group.iter().copied().filter(|x| !(skip_nans && x.is_nan())).collect();
            line.sort_by(f64::total_cmp);
            line
        })
        .collect();
    let dims = [q.dims(), &reduction.dims[..]].concat();
    if groups.iter().any(Vec::is_empty) && !skip_nans {
        return Err(Error::new(
            crate::ErrorKind::IndexError,
            "index -1 is out of bounds for axis 0 with size 0",
        ));
    }
    let values: Vec<f64> = fractions
        .iter()
        .flat_map(|q| groups.iter().map(|line| at_fraction(line, *q, &method)))
        .collect();
    let result = Array::of_floats(&dims, values);
    Ok(if keeps_ints { result.cast(Kind::Int)? } else { result }.into_value())
}

/// The value below which a fraction of a sorted line lies.
fn at_fraction(line: &[f64], q: f64, method: &str) -> f64 {
    if line.is_empty() || line.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let last = line.len() - 1;
    let place = q * last as f64;
    let (below, above) = (place.floor() as usize, (place.floor() as usize + 1).min(last));
    let gamma = place - place.floor();
    match method {
        "lower" => line[below.min(last)],
        "higher" => line[(place.ceil() as usize).min(last)],
        "nearest" => line[(place.round_ties_even() as usize).min(last)],
        _ => {
            let gamma = if method == "midpoint" && gamma > 0.0 {
                0.5
            } else {
                gamma
            };
            let (a, b) = (line[below.min(last)], line[above]);
            let difference = b - a;
            // From the nearer end, as numpy does, so that the ends are hit exactly.
            if gamma >= 0.5 {
                b - difference * (1.0 - gamma)
            } else {
                a + difference * gamma
            }
        }
    }
}

/// Where values would be put into a sorted array.
fn places(array: &Array, values: &Array, right: bool) -> Array {
    let edges = array.elements();
    let find = |x: &Scalar| {
        edges.partition_point(|edge| match order(edge, x) {
            Ordering::Less => true,
            Ordering::Equal => right,
            Ordering::Greater => false,
        }) as i64
    };
    Array::of_ints(values.dims(), values.elements().iter().map(find).collect())
}

/// Distinct elements in order; where each first stands; which of them each element is; how many of each.
fn distinct(array: &Array) -> (Array, Vec<i64>, Vec<i64>, Vec<i64>) {
    let elements = array.elements();
    let mut indices: Vec<usize> = (0..elements.len()).collect();
    indices.sort_by(|l, r| order(&elements[*l], &elements[*r]));
    let mut firsts: Vec<usize> = Vec::new();
    let mut inverse = vec![0; elements.len()];
    let mut counts: Vec<i64> = Vec::new();
    for i in indices {
        match firsts.last() {
            Some(last) if order(&elements[*last], &elements[i]) == Ordering::Equal => {}
            _ => {
                firsts.push(i);
                counts.push(0);
            }
        }
        if let Some(count) = counts.last_mut() {
            *count += 1;
        }
        inverse[i] = firsts.len() as i64 - 1;
    }
    let values = flat(array).gather(&[firsts.len()], &firsts);
    (values, firsts.into_iter().map(|i| i as i64).collect(), inverse, counts)
}

fn unique(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind(
        "unique",
        arguments,
        "ar! return_index return_inverse return_counts axis * equal_nan sorted",
    )?;
    call.refuse(&["axis"])?;
    let array = call.array("ar")?;
    limits::work(array.count().saturating_mul(4))?;
    let (values, first, inverse, counts) = distinct(&array);
    let line = |data: Vec<i64>| Array::of_ints(&[data.len()], data).into_array_value();
    let mut parts = vec![values.into_array_value()];
    if call.flag("return_index")? {
        parts.push(line(first));
    }
    if call.flag("return_inverse")? {
        parts.push(Array::of_ints(array.dims(), inverse).into_array_value());
    }
    if call.flag("return_counts")? {
        parts.push(line(counts));
    }
    Ok(if parts.len() == 1 {
        parts.remove(0)
    } else {
        Value::Tuple(Arc::new(parts))
    })
}

fn common(call: &Call, kept: fn(bool) -> bool) -> Result<Value, Error> {
    let (one, other) = (flat(&*call.array("ar1")?), flat(&*call.array("ar2")?));
    let kind = one.kind().max(other.kind());
    let known = sorted(&other);
    let values = distinct(&one).0;
    let has = |x: &Scalar| kept(known.binary_search_by(|y| order(y, x)).is_ok());
    let places: Vec<usize> = values
        .elements()
        .iter()
        .enumerate()
        .filter(|(_, x)| has(x))
        .map(|(i, _)| i)
        .collect();
    let result = values.gather(&[places.len()], &places);
    Ok(if kept(true) { result.cast(kind)? } else { result }.into_array_value())
}

fn histogram(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("histogram", arguments, "a! bins range density weights")?;
    let array = flat(&*call.array("a")?);
    if array.kind() > Kind::Float {
        return Err(type_error("a histogram of complex numbers or text"));
    }
    let data = array.floats();
    let mut kept_edges = None;
    let edges: Vec<f64> = match call.given("bins") {
        Some(Value::Str(_)) => return Err(call.unsupported("bins")),
        Some(many @ (Value::List(_) | Value::Tuple(_) | Value::Array(_))) => {
            let array = super::operand::array_of(many)?;
            kept_edges = Some(flat(&array).into_array_value());
            let edges = array.floats().into_owned();
            if edges.windows(2).any(|pair| pair[0] > pair[1]) {
                return Err(value_error("`bins` must increase monotonically, when an array"));
            }
            edges
        }
        one => {
            let count = one.map_or(Ok(10), super::kind::index_of)?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            let count = count.ok_or_else(|| value_error("`bins` must be positive, when an integer"))?;
            limits::elements(super::array::count_of(&[count])?)?;
            let (low, high) = outer_edges(&call, &data)?;
            let step = (high - low) / count as f64;
            (0..=count)
                .map(|i| if i == count { high } else { i as f64 * step + low })
                .collect()
        }
    };
    let bins = edges.len().saturating_sub(1);
    let weights = call.array_given("weights")?;
    if weights.as_ref().is_some_and(|weights| weights.count() != data.len()) {
        return Err(value_error("weights should have the same shape as a."));
    }
    let mut counts = vec![0.0; bins];
    for (i, x) in data.iter().enumerate() {
        let place = edges.partition_point(|edge| edge <= x);
        let place = if edges.last() == Some(x) { bins } else { place };
        if place > 0 && place <= bins && !x.is_nan() {
            counts[place - 1] += weights.as_ref().map_or(1.0, |weights| weights.floats()[i]);
        }
    }
    let whole = weights.as_ref().is_none_or(|weights| weights.kind() <= Kind::Int);
    let result = if call.flag("density")? {
        let total: f64 = super::reduce::pairwise(&counts);
        Array::of_floats(
            &[bins],
            (0..bins)
                .map(|i| counts[i] / (edges[i + 1] - edges[i]) / total)
                .collect(),
        )
    } else if whole {
        Array::of_ints(&[bins], counts.iter().map(|count| *count as i64).collect())
    } else {
        Array::of_floats(&[bins], counts)
    };
    let edges = kept_edges.unwrap_or_else(|| Array::of_floats(&[edges.len()], edges).into_array_value());
    Ok(Value::Tuple(Arc::new(vec![result.into_array_value(), edges])))
}

fn outer_edges(call: &Call, data: &[f64]) -> Result<(f64, f64), Error> {
    let (low, high) = match call.array_given("range")? {
        Some(range) if range.count() == 2 => (range.floats()[0], range.floats()[1]),
        Some(_) => return Err(value_error("not enough values to unpack (expected 2, got 1)")),
        None if data.is_empty() => (0.0, 1.0),
        None => (
            data.iter()
                .copied()
                .fold(f64::INFINITY, |a, b| if b.is_nan() { b } else { a.min(b) }),
            data.iter()
                .copied()
                .fold(f64::NEG_INFINITY, |a, b| if b.is_nan() { b } else { a.max(b) }),
        ),
    };
    if low > high {
        return Err(value_error("max must be larger than min in range parameter."));
    }
    if !low.is_finite() || !high.is_finite() {
        return Err(value_error(format!(
            "autodetected range of [{}, {}] is not finite",
            super::print::float_text(low),
            super::print::float_text(high)
        )));
    }
    Ok(if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    })
}

fn bincount(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("bincount", arguments, "x! weights minlength")?;
    let array = call.array("x")?;
    if array.kind() > Kind::Int && array.count() > 0 && matches!(call.value("x"), Value::Array(_)) {
        return Err(type_error(
            "Cannot cast array data from dtype('float64') to dtype('int64') according to the rule 'safe'",
        ));
    }
    if array.dims().len() != 1 {
        return Err(value_error("object too deep for desired array"));
    }
    let data = array.ints();
    if data.iter().any(|x| *x < 0) {
        return Err(value_error("'list' argument must have no negative elements"));
    }
    let least = call.int("minlength")?.unwrap_or(0);
    let least = usize::try_from(least).map_err(|_| value_error("'minlength' must not be negative"))?;
    let length = data
        .iter()
        .max()
        .map_or(0, |most| (*most as usize).saturating_add(1))
        .max(least);
    limits::elements(super::array::count_of(&[length])?)?;
    if let Some(weights) = call.array_given("weights")? {
        if weights.count() != data.len() {
            return Err(value_error("The weights and list don't have the same length."));
        }
        let mut sums = vec![0.0; length];
        data.iter()
            .zip(weights.floats().iter())
            .for_each(|(x, weight)| sums[*x as usize] += weight);
        return Ok(Array::of_floats(&[length], sums).into_array_value());
    }
    let mut counts = vec![0; length];
    data.iter().for_each(|x| counts[*x as usize] += 1);
    Ok(Array::of_ints(&[length], counts).into_array_value())
}
