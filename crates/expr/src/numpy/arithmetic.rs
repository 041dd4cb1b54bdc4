//! The binary operations of numpy, each with what it does to two elements of every kind that it knows.
//!
//! Where C and Python disagree (the sign of a remainder, an int divided by zero, a complex quotient) numpy's own rule is
//! written out here.

use num_complex::Complex64;

use super::loops::{Ufunc, slot};

const fn ufunc(name: &'static str) -> Ufunc {
    Ufunc {
        name,
        bool: None,
        int: None,
        float: None,
        complex: None,
        narrow: None,
    }
}

pub(super) static ADD: Ufunc = Ufunc {
    bool: slot!(|a, b| a | b),
    int: slot!(i64::wrapping_add),
    float: slot!(|a, b| a + b),
    complex: slot!(|a, b| a + b),
    ..ufunc("add")
};
pub(super) static SUBTRACT: Ufunc = Ufunc {
    int: slot!(i64::wrapping_sub),
    float: slot!(|a, b| a - b),
    complex: slot!(|a, b| a - b),
    narrow: Some("bool by `-`"),
    ..ufunc("subtract")
};
pub(super) static MULTIPLY: Ufunc = Ufunc {
    bool: slot!(|a, b| a & b),
    int: slot!(i64::wrapping_mul),
    float: slot!(|a, b| a * b),
    complex: slot!(|a, b| a * b),
    ..ufunc("multiply")
};
pub(super) static DIVIDE: Ufunc = Ufunc {
    float: slot!(|a, b| a / b),
    complex: slot!(complex_quotient),
    ..ufunc("divide")
};
pub(super) static FLOOR_DIVIDE: Ufunc = Ufunc {
    int: slot!(int_floor_divide),
    float: slot!(float_floor_divide),
    narrow: Some("int8"),
    ..ufunc("floor_divide")
};
pub(super) static REMAINDER: Ufunc = Ufunc {
    int: slot!(int_remainder),
    float: slot!(float_remainder),
    narrow: Some("int8"),
    ..ufunc("remainder")
};
pub(super) static FMOD: Ufunc = Ufunc {
    int: slot!(|a, b| if b == 0 { 0 } else { i64::wrapping_rem(a, b) }),
    float: slot!(|a, b| a % b),
    narrow: Some("int8"),
    ..ufunc("fmod")
};
pub(super) static POWER: Ufunc = Ufunc {
    int: slot!(int_power),
    float: slot!(float_power),
    complex: slot!(complex_power),
    narrow: Some("int8"),
    ..ufunc("power")
};
pub(super) static FLOAT_POWER: Ufunc = Ufunc {
    float: slot!(float_power),
    complex: slot!(complex_power),
    ..ufunc("float_power")
};
pub(super) static BITWISE_AND: Ufunc = Ufunc {
    bool: slot!(|a, b| a & b),
    int: slot!(|a, b| a & b),
    ..ufunc("bitwise_and")
};
pub(super) static BITWISE_OR: Ufunc = Ufunc {
    bool: slot!(|a, b| a | b),
    int: slot!(|a, b| a | b),
    ..ufunc("bitwise_or")
};
pub(super) static BITWISE_XOR: Ufunc = Ufunc {
    bool: slot!(|a, b| a ^ b),
    int: slot!(|a, b| a ^ b),
    ..ufunc("bitwise_xor")
};
pub(super) static LEFT_SHIFT: Ufunc = Ufunc {
    int: slot!(|a, b| u32::try_from(b).ok().and_then(|b| i64::checked_shl(a, b)).unwrap_or(0)),
    narrow: Some("int8"),
    ..ufunc("left_shift")
};
pub(super) static RIGHT_SHIFT: Ufunc = Ufunc {
    int: slot!(|a, b| u32::try_from(b)
        .ok()
        .and_then(|b| i64::checked_shr(a, b))
        .unwrap_or(if a < 0 { -1 } else { 0 })),
    narrow: Some("int8"),
    ..ufunc("right_shift")
};
pub(super) static MAXIMUM: Ufunc = Ufunc {
    bool: slot!(|a, b| a | b),
    int: slot!(i64::max),
    float: slot!(|a, b| if a >= b || f64::is_nan(a) { a } else { b }),
    complex: slot!(|a, b| if complex_at_least(a, b) || is_nan(a) { a } else { b }),
    ..ufunc("maximum")
};
pub(super) static MINIMUM: Ufunc = Ufunc {
    bool: slot!(|a, b| a & b),
    int: slot!(i64::min),
    float: slot!(|a, b| if a <= b || f64::is_nan(a) { a } else { b }),
    complex: slot!(|a, b| if complex_at_least(b, a) || is_nan(a) { a } else { b }),
    ..ufunc("minimum")
};
pub(super) static FMAX: Ufunc = Ufunc {
    bool: slot!(|a, b| a | b),
    int: slot!(i64::max),
    float: slot!(|a, b| if a >= b || f64::is_nan(b) { a } else { b }),
    complex: slot!(|a, b| if complex_at_least(a, b) || is_nan(b) { a } else { b }),
    ..ufunc("fmax")
};
pub(super) static FMIN: Ufunc = Ufunc {
    bool: slot!(|a, b| a & b),
    int: slot!(i64::min),
    float: slot!(|a, b| if a <= b || f64::is_nan(b) { a } else { b }),
    complex: slot!(|a, b| if complex_at_least(b, a) || is_nan(b) { a } else { b }),
    ..ufunc("fmin")
};
pub(super) static ARCTAN2: Ufunc = Ufunc {
    float: slot!(f64::atan2),
    narrow: Some("float16"),
    ..ufunc("arctan2")
};
pub(super) static HYPOT: Ufunc = Ufunc {
    float: slot!(f64::hypot),
    narrow: Some("float16"),
    ..ufunc("hypot")
};
pub(super) static COPYSIGN: Ufunc = Ufunc {
    float: slot!(f64::copysign),
    narrow: Some("float16"),
    ..ufunc("copysign")
};
pub(super) static NEXTAFTER: Ufunc = Ufunc {
    float: slot!(next_after),
    narrow: Some("float16"),
    ..ufunc("nextafter")
};
pub(super) static HEAVISIDE: Ufunc = Ufunc {
    float: slot!(|a, b| if f64::is_nan(a) {
        a
    } else if a == 0.0 {
        b
    } else if a < 0.0 {
        0.0
    } else {
        1.0
    }),
    narrow: Some("float16"),
    ..ufunc("heaviside")
};
pub(super) static LOGADDEXP: Ufunc = Ufunc {
    float: slot!(log_add_exp),
    narrow: Some("float16"),
    ..ufunc("logaddexp")
};
pub(super) static GCD: Ufunc = Ufunc {
    int: slot!(gcd),
    narrow: Some("int8"),
    ..ufunc("gcd")
};
pub(super) static LCM: Ufunc = Ufunc {
    int: slot!(|a, b| {
        let divisor = gcd(a, b);
        if divisor == 0 {
            0
        } else {
            i64::wrapping_abs(a / divisor).wrapping_mul(i64::wrapping_abs(b))
        }
    }),
    narrow: Some("int8"),
    ..ufunc("lcm")
};

pub(super) fn int_floor_divide(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let quotient = a.wrapping_div(b);
    if a.wrapping_rem(b) != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    }
}

pub(super) fn int_remainder(a: i64, b: i64) -> i64 {
    if b == 0 {
        return 0;
    }
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest < 0) != (b < 0) {
        rest + b
    } else {
        rest
    }
}

pub(super) fn float_floor_divide(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return a / b;
    }
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 && (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    let _ = rest;
    if quotient == 0.0 {
        return f64::copysign(0.0, a / b);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

pub(super) fn float_remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if b == 0.0 {
        rest
    } else if rest != 0.0 {
        if (b < 0.0) != (rest < 0.0) { rest + b } else { rest }
    } else {
        f64::copysign(0.0, b)
    }
}

pub(super) fn float_power(a: f64, b: f64) -> f64 {
    if b == 2.0 { a * a } else { a.powf(b) }
}

pub(super) fn int_power(base: i64, exponent: i64) -> i64 {
    let (mut base, mut exponent, mut result) = (base, exponent.max(0), 1_i64);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}

/// Smith's quotient: no overflow on the way.
pub(super) fn complex_quotient(a: Complex64, b: Complex64) -> Complex64 {
    let (re, im) = (b.re.abs(), b.im.abs());
    if re >= im {
        if re == 0.0 && im == 0.0 {
            return Complex64::new(a.re / re, a.im / re);
        }
        let ratio = b.im / b.re;
        let scale = 1.0 / (b.re + b.im * ratio);
        Complex64::new((a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale)
    } else {
        let ratio = b.re / b.im;
        let scale = 1.0 / (b.im + b.re * ratio);
        Complex64::new((a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale)
    }
}

/// Small whole exponents by multiplication, all others by logarithm.
pub(super) fn complex_power(a: Complex64, b: Complex64) -> Complex64 {
    let one = Complex64::new(1.0, 0.0);
    if b.re == 0.0 && b.im == 0.0 {
        return one;
    }
    if a.re == 0.0 && a.im == 0.0 {
        return if b.re > 0.0 {
            Complex64::new(0.0, 0.0)
        } else {
            Complex64::new(f64::NAN, f64::NAN)
        };
    }
    if b.im == 0.0 && b.re == b.re.trunc() && b.re.abs() < 100.0 {
        let exponent = b.re as i32;
        if exponent == 1 {
            return a;
        }
        if exponent == 2 {
            return a * a;
        }
        if exponent == 3 {
            return a * (a * a);
        }
        let mut mask = 1;
        let mut result = one;
        let mut square = a;
        let size = exponent.abs();
        loop {
            if size & mask != 0 {
                result *= square;
            }
            mask <<= 1;
            if size < mask {
                break;
            }
            square *= square;
        }
        return if exponent < 0 {
            complex_quotient(one, result)
        } else {
            result
        };
    }
    a.powc(b)
}

fn is_nan(z: Complex64) -> bool {
    z.re.is_nan() || z.im.is_nan()
}

/// `a >= b` in the order of real, then imaginary parts.
fn complex_at_least(a: Complex64, b: Complex64) -> bool {
    a.re > b.re || (a.re == b.re && a.im >= b.im)
}

fn log_add_exp(a: f64, b: f64) -> f64 {
    if a == b {
        return a + std::f64::consts::LN_2;
    }
    let difference = a - b;
    if difference > 0.0 {
        a + (-difference).exp().ln_1p()
    } else if difference <= 0.0 {
        b + difference.exp().ln_1p()
    } else {
        difference
    }
}

pub(super) fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a as i64
}

fn next_after(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        b
    } else if a < b {
        a.next_up()
    } else {
        a.next_down()
    }
}
