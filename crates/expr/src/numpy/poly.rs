//! Polynomials as lists of coefficients, highest power first: `polyfit`, `polyval`, `roots` and their arithmetic.

use super::arithmetic::{ADD, DIVIDE, MULTIPLY, SUBTRACT};
use super::array::{count_of, type_error, value_error};
use super::call::Call;
use super::join::{concatenated, flat};
use super::kind::Kind;
use super::operators::arithmetic;
use super::{Arguments, Function, decompose, eigen, function as named, grid};
use crate::error::ErrorKind;
use crate::{Array, Error, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name {
        "polyval" => |arguments| {
            let call = Call::bind("polyval", arguments, "p! x!")?;
            let (p, x) = (call.array("p")?, call.array("x")?);
            let y = polyval(&p, &x)?;
            // Without coefficients numpy hands out the zeros that it began with.
            Ok(if p.count() == 0 {
                y.into_array_value()
            } else {
                y.into_value()
            })
        },
        "polyfit" => polyfit,
        "roots" => roots,
        "poly" => poly,
        "polyder" => |arguments| {
            let call = Call::bind("polyder", arguments, "p! m")?;
            let mut p = coefficients(&call, "p")?;
            for _ in 0..order(&call)? {
                let degree = p.count().saturating_sub(1);
                let powers = Array::of_ints(&[degree], (1..=degree as i64).rev().collect());
                p = arithmetic(&MULTIPLY, &grid::select_axis(&p, 0, (0..degree).collect())?, &powers)?;
            }
            Ok(p.into_array_value())
        },
        "polyint" => |arguments| {
            let call = Call::bind("polyint", arguments, "p! m k")?;
            call.refuse(&["k"])?;
            let mut p = coefficients(&call, "p")?;
            for _ in 0..order(&call)? {
                let count = p.count();
                let powers = Array::of_ints(&[count], (1..=count as i64).rev().collect());
                let higher = arithmetic(&DIVIDE, &p, &powers)?;
                p = concatenated(&[&higher, &Array::of_floats(&[1], vec![0.0])], 0)?;
            }
            Ok(p.into_array_value())
        },
        "polyadd" => |arguments| padded(&Call::bind("polyadd", arguments, "a1! a2!")?, &ADD),
        "polysub" => |arguments| padded(&Call::bind("polysub", arguments, "a1! a2!")?, &SUBTRACT),
        "polymul" => |arguments| {
            Call::bind(
                "polymul",
                Arguments {
                    positional: arguments.positional.clone(),
                    keywords: Vec::new(),
                },
                "a1! a2!",
            )?;
            named("convolve").map_or_else(|| Err(type_error("convolve")), |convolve| convolve(arguments))
        },
        "vander" => |arguments| {
            let call = Call::bind("vander", arguments, "x! N increasing")?;
            let x = coefficients(&call, "x")?;
            let columns = usize::try_from(call.int("N")?.unwrap_or(x.count() as i64)).unwrap_or(0);
            vander(&x, columns, call.flag("increasing")?).map(Array::into_array_value)
        },
        _ => return None,
    })
}

fn order(call: &Call) -> Result<i64, Error> {
    match call.int("m")?.unwrap_or(1) {
        order @ 0..=1000 => Ok(order),
        _ => Err(value_error("Order of integral must be positive (see polyder)")),
    }
}

fn coefficients(call: &Call, name: &str) -> Result<Array, Error> {
    let array = call.array(name)?;
    if array.dims().len() > 1 {
        return Err(value_error("Array must be 0d or 1d"));
    }
    Ok(flat(&array))
}

/// Horner's scheme.
pub(super) fn polyval(p: &Array, x: &Array) -> Result<Array, Error> {
    limits::work(p.count().saturating_mul(x.count()))?;
    let mut y = Array::full(x.dims(), &Array::zero(x.kind().max(Kind::Int).min(Kind::Complex)))?;
    if x.kind() == Kind::Bool {
        y = Array::full(x.dims(), &Array::zero(Kind::Bool))?;
    }
    for i in 0..p.count() {
        let next = Array::of_scalar(&p.element(i));
        y = arithmetic(&ADD, &arithmetic(&MULTIPLY, &y, x)?, &next)?;
    }
    Ok(y)
}

fn vander(x: &Array, columns: usize, increasing: bool) -> Result<Array, Error> {
    let rows = x.count();
    limits::elements(count_of(&[rows, columns])?)?;
    let mut powers = vec![Array::full(&[rows, 1], &crate::Scalar::Int(1))?.cast(x.kind().max(Kind::Int))?];
    let column = x.with_dims(&[rows, 1]);
    for i in 1..columns {
        powers.push(arithmetic(&MULTIPLY, &powers[i - 1], &column)?);
    }
    powers.truncate(columns);
    if columns == 0 {
        return Array::full(&[rows, 0], &Array::zero(x.kind().max(Kind::Int)));
    }
    if !increasing {
        powers.reverse();
    }
    concatenated(&powers.iter().collect::<Vec<_>>(), 1)
}

fn polyfit(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("polyfit", arguments, "x! y! deg! rcond full w cov")?;
    call.refuse(&["full", "cov"])?;
    let degree = super::kind::index_of(call.value("deg"))?;
    let degree = usize::try_from(degree).map_err(|_| value_error("expected deg >= 0"))?;
    let (x, y) = (call.array("x")?.cast(Kind::Float)?, call.array("y")?.cast(Kind::Float)?);
    if x.dims().len() != 1 {
        return Err(type_error("expected 1D vector for x"));
    }
    if x.count() == 0 {
        return Err(type_error("expected non-empty vector for x"));
    }
    if y.dims().is_empty() || y.dims().len() > 2 {
        return Err(type_error("expected 1D or 2D array for y"));
    }
    if y.dims()[0] != x.count() {
        return Err(type_error("expected x and y to have same length"));
    }
    let cut = call.float("rcond")?.unwrap_or(x.count() as f64 * f64::EPSILON);
    let mut left = vander(&x, degree + 1, false)?;
    let mut right = y;
    if let Some(weights) = call.array_given("w")? {
        if weights.dims() != x.dims() {
            return Err(type_error("expected w and y to have the same length"));
        }
        left = arithmetic(&MULTIPLY, &left, &weights.with_dims(&[x.count(), 1]))?;
        let dims = if right.dims().len() == 2 {
            vec![x.count(), 1]
        } else {
            vec![x.count()]
        };
        right = arithmetic(&MULTIPLY, &right, &weights.with_dims(&dims))?;
    }
    // Columns of one length make the system as well conditioned as it can be.
    let columns = degree + 1;
    let data = left.floats().into_owned();
    let scale: Vec<f64> = (0..columns)
        .map(|j| data.iter().skip(j).step_by(columns).map(|x| x * x).sum::<f64>().sqrt())
        .collect();
    let left = Array::of_floats(
        left.dims(),
        data.iter().enumerate().map(|(i, x)| x / scale[i % columns]).collect(),
    );
    let (solution, _, _) = decompose::nearest(&left, &right, cut)?;
    let dims = if solution.dims().len() == 2 {
        vec![columns, 1]
    } else {
        vec![columns]
    };
    Ok(arithmetic(&DIVIDE, &solution, &Array::of_floats(&dims, scale))?.into_array_value())
}

fn roots(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("roots", arguments, "p!")?;
    let p = coefficients(&call, "p")?;
    if p.kind() >= Kind::Complex {
        return Err(Error::new(ErrorKind::NotSupported, "`roots` of complex coefficients"));
    }
    let p = p.floats();
    let (Some(first), Some(last)) = (p.iter().position(|x| *x != 0.0), p.iter().rposition(|x| *x != 0.0)) else {
        return Ok(Array::of_floats(&[0], Vec::new()).into_array_value());
    };
    let (trailing, p) = (p.len() - 1 - last, &p[first..=last]);
    let n = p.len() - 1;
    let found = if n > 0 {
        limits::work(n * n * n)?;
        let mut companion = vec![0.0; n * n];
        for i in 0..n {
            companion[i] = -p[i + 1] / p[0];
            if i + 1 < n {
                companion[(i + 1) * n + i] = 1.0;
            }
        }
        eigen::eigenvalues(&companion, n)?
    } else {
        Array::of_floats(&[0], Vec::new())
    };
    let zeros = Array::full(&[trailing], &Array::zero(found.kind()))?;
    concatenated(&[&found, &zeros], 0).map(Array::into_array_value)
}

/// The polynomial with the given roots, or the characteristic one of a matrix.
fn poly(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("poly", arguments, "seq_of_zeros!")?;
    let array = call.array("seq_of_zeros")?;
    let zeros = match *array.dims() {
        [rows, columns] if rows == columns && rows > 0 => eigen::eigenvalues(&array.floats(), rows)?,
        [] | [_] => flat(&array),
        _ => return Err(value_error("input must be 1d or non-empty square 2d array.")),
    };
    if zeros.count() == 0 {
        return Ok(Value::Float(1.0));
    }
    limits::work(zeros.count().saturating_mul(zeros.count()))?;
    let kind = zeros.kind().max(Kind::Float);
    let mut p = Array::of_floats(&[1], vec![1.0]).cast(kind)?;
    for i in 0..zeros.count() {
        let zero = Array::of_scalar(&zeros.element(i)).with_dims(&[1]);
        let end = Array::full(&[1], &Array::zero(kind))?;
        let lower = concatenated(&[&end, &arithmetic(&MULTIPLY, &p, &zero)?], 0)?;
        p = arithmetic(&SUBTRACT, &concatenated(&[&p, &end], 0)?, &lower)?;
    }
    // Roots in conjugate pairs make real coefficients.
    if let Array::Complex(data) = &p {
        let values = zeros.complexes();
        let mut pairs: Vec<(f64, f64)> = values.iter().map(|z| (z.re + 0.0, z.im + 0.0)).collect();
        let mut mirrored: Vec<(f64, f64)> = values.iter().map(|z| (z.re + 0.0, 0.0 - z.im)).collect();
        let by_parts = |l: &(f64, f64), r: &(f64, f64)| l.0.total_cmp(&r.0).then(l.1.total_cmp(&r.1));
        pairs.sort_by(by_parts);
        mirrored.sort_by(by_parts);
        if pairs == mirrored {
            p = Array::of_floats(p.dims(), data.iter().map(|z| z.re).collect());
        }
    }
    Ok(p.into_array_value())
}

fn padded(call: &Call, ufunc: &'static super::loops::Ufunc) -> Result<Value, Error> {
    let (a, b) = (coefficients(call, "a1")?, coefficients(call, "a2")?);
    let count = a.count().max(b.count());
    let pad = |array: &Array| {
        let zeros = Array::full(&[count - array.count()], &Array::zero(array.kind()))?;
        concatenated(&[&zeros, array], 0)
    };
    arithmetic(ufunc, &pad(&a)?, &pad(&b)?).map(Array::into_array_value)
}
