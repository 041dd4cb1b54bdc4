//! Random numbers: `np.random.default_rng(seed)`, whose numbers are numpy's to the last bit, and the functions of
//! `np.random`, which begin somewhere else in every process.
//!
//! A generator changes with every number it gives, and a value never changes: the value is a ticket (a row with one
//! field, which holds its number), and the generator itself waits in the thread that evaluates. The thread keeps the
//! last few only, so a ticket that was kept in an entry is refused later instead of giving the same numbers again.
//! Deliberately absent: distributions other than uniform and normal, and the generators of the time before PCG64.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::OnceLock;

use super::array::{count_of, type_error, value_error};
use super::call::{Call, shape_of};
use super::kind::index_of;
use super::{Arguments, Function};
use crate::error::ErrorKind;
use crate::{Array, Error, RecordArray, Scalar, Value, limits};

/// The function called `np.<name>`.
pub(super) fn function(name: &str) -> Option<Function> {
    Some(match name.strip_prefix("random.")? {
        "default_rng" => default_rng,
        "rand" => |arguments| {
            let dims = dims_of(arguments)?;
            drawn(&mut unseeded(), dims.as_deref(), Generator::double)
        },
        "randn" => |arguments| {
            let dims = dims_of(arguments)?;
            drawn(&mut unseeded(), dims.as_deref(), Generator::normal)
        },
        "random" | "random_sample" => |arguments| {
            let call = Call::bind("random", arguments, "size")?;
            drawn(&mut unseeded(), size(&call)?.as_deref(), Generator::double)
        },
        "standard_normal" => |arguments| {
            let call = Call::bind("standard_normal", arguments, "size")?;
            drawn(&mut unseeded(), size(&call)?.as_deref(), Generator::normal)
        },
        "uniform" => |arguments| uniform(&mut unseeded(), &Call::bind("uniform", arguments, UNIFORM)?),
        "normal" => |arguments| normal(&mut unseeded(), &Call::bind("normal", arguments, NORMAL)?),
        "randint" => |arguments| {
            let call = Call::bind("randint", arguments, "low! high size dtype * endpoint")?;
            let drawn = integers(&mut unseeded(), &call)?;
            Ok(match drawn {
                Value::Scalar(Scalar::Int(number)) => Value::Int(number),
                array => array,
            })
        },
        _ => return None,
    })
}

const UNIFORM: &str = "low high size";
const NORMAL: &str = "loc scale size";
/// The one field of a ticket.
const TICKET: &str = "np.random.Generator";
/// How many generators a thread keeps.
const KEPT: usize = 64;

/// The method of a generator; of other rows it is an error to call it.
pub(super) fn method(name: &str) -> Option<Function> {
    Some(match name {
        "random" => |arguments| {
            with_generator(arguments, "random", |generator, arguments| {
                let call = Call::bind("random", arguments, "size dtype out")?;
                call.refuse(&["dtype"])?;
                drawn(generator, size(&call)?.as_deref(), Generator::double)
            })
        },
        "standard_normal" => |arguments| {
            with_generator(arguments, "standard_normal", |generator, arguments| {
                let call = Call::bind("standard_normal", arguments, "size dtype out")?;
                call.refuse(&["dtype"])?;
                drawn(generator, size(&call)?.as_deref(), Generator::normal)
            })
        },
        "uniform" => |arguments| {
            with_generator(arguments, "uniform", |generator, arguments| {
                uniform(generator, &Call::bind("uniform", arguments, UNIFORM)?)
            })
        },
        "normal" => |arguments| {
            with_generator(arguments, "normal", |generator, arguments| {
                normal(generator, &Call::bind("normal", arguments, NORMAL)?)
            })
        },
        "integers" => |arguments| {
            with_generator(arguments, "integers", |generator, arguments| {
                integers(
                    generator,
                    &Call::bind("integers", arguments, "low! high size dtype endpoint")?,
                )
            })
        },
        _ => return None,
    })
}

thread_local! {
    static GENERATORS: RefCell<BTreeMap<i64, Generator>> = const { RefCell::new(BTreeMap::new()) };
}

fn default_rng(arguments: Arguments) -> Result<Value, Error> {
    let call = Call::bind("default_rng", arguments, "seed")?;
    let generator = match call.given("seed") {
        None => unseeded(),
        Some(Value::BigInt(number)) if number.sign() != num_bigint::Sign::Minus => {
            Generator::of_seed(&number.to_u32_digits().1)
        }
        Some(value) => {
            let seed =
                index_of(value).map_err(|_| type_error("SeedSequence expects int or sequence of ints for entropy"))?;
            let seed = u64::try_from(seed).map_err(|_| value_error("expected non-negative integer"))?;
            Generator::of_seed(&words(seed))
        }
    };
    let number = GENERATORS.with_borrow_mut(|kept| {
        let number = kept.last_key_value().map_or(0, |(last, _)| last + 1);
        kept.insert(number, generator);
        while kept.len() > KEPT {
            kept.pop_first();
        }
        number
    });
    let fields = vec![(Arc::from(TICKET), Array::of_ints(&[], vec![number]))];
    Ok(Value::Record(Arc::new(RecordArray { fields })))
}

/// A seed in words of 32 bits, the low one first.
fn words(seed: u64) -> Vec<u32> {
    let (low, high) = (seed as u32, (seed >> 32) as u32);
    if high == 0 { vec![low] } else { vec![low, high] }
}

/// The standard library seeds its hash maps from the operating system: the one source of chance that needs no file.
fn unseeded() -> Generator {
    let seed = || RandomState::new().hash_one(TICKET);
    Generator::of_seed(&[words(seed()), words(seed())].concat())
}

fn with_generator(
    mut arguments: Arguments,
    name: &str,
    draw: impl FnOnce(&mut Generator, Arguments) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let ticket = match arguments.positional.first() {
        Some(Value::Record(record)) => match &record.fields[..] {
            [(field, number)] if &**field == TICKET => Some(number.ints()[0]),
            _ => None,
        },
        _ => None,
    };
    let Some(ticket) = ticket else {
        return Err(Error::new(
            ErrorKind::AttributeError,
            format!("'numpy.recarray' object has no attribute '{name}'"),
        ));
    };
    arguments.positional.remove(0);
    GENERATORS.with_borrow_mut(|kept| match kept.get_mut(&ticket) {
        Some(generator) => draw(generator, arguments),
        None => Err(Error::new(
            ErrorKind::NotSupported,
            "a random generator that was kept; make it where its numbers are drawn",
        )),
    })
}

/// `np.random.rand(2, 3)`: lengths instead of a shape.
fn dims_of(arguments: Arguments) -> Result<Option<Vec<usize>>, Error> {
    if arguments.positional.is_empty() {
        return Ok(None);
    }
    shape_of(&Value::tuple(arguments.positional)).map(Some)
}

fn size(call: &Call) -> Result<Option<Vec<usize>>, Error> {
    call.given("size").map(shape_of).transpose()
}

/// One number as Python's float, or an array of them.
fn drawn(
    generator: &mut Generator,
    dims: Option<&[usize]>,
    mut one: impl FnMut(&mut Generator) -> f64,
) -> Result<Value, Error> {
    let Some(dims) = dims else {
        return Ok(Value::Float(one(generator)));
    };
    let count = count_of(dims)?;
    limits::elements(count)?;
    limits::work(count)?;
    Ok(Array::of_floats(dims, (0..count).map(|_| one(generator)).collect()).into_array_value())
}

fn uniform(generator: &mut Generator, call: &Call) -> Result<Value, Error> {
    let low = call.float("low")?.unwrap_or(0.0);
    let span = call.float("high")?.unwrap_or(1.0) - low;
    if !span.is_finite() {
        return Err(Error::new(
            ErrorKind::OverflowError,
            "high - low range exceeds valid bounds",
        ));
    }
    drawn(generator, size(call)?.as_deref(), |generator| {
        low + span * generator.double()
    })
}

fn normal(generator: &mut Generator, call: &Call) -> Result<Value, Error> {
    let centre = call.float("loc")?.unwrap_or(0.0);
    let scale = call.float("scale")?.unwrap_or(1.0);
    if scale < 0.0 {
        return Err(value_error("scale < 0"));
    }
    drawn(generator, size(call)?.as_deref(), |generator| {
        centre + scale * generator.normal()
    })
}

fn integers(generator: &mut Generator, call: &Call) -> Result<Value, Error> {
    if let Some(dtype) = call.dtype("dtype")?
        && dtype.kind != super::Kind::Int
    {
        return Err(call.unsupported("dtype"));
    }
    let first = index_of(call.value("low"))?;
    let (low, high) = match call.int("high")? {
        Some(high) => (first, high),
        None => (0, first),
    };
    let last = if call.flag("endpoint")? {
        high
    } else {
        high.saturating_sub(1)
    };
    if last < low {
        return Err(value_error(if call.given("high").is_none() {
            "high <= 0"
        } else {
            "low >= high"
        }));
    }
    let range = last.wrapping_sub(low) as u64;
    let mut one = || low.wrapping_add(generator.below_or_at(range) as i64);
    let Some(dims) = size(call)? else {
        return Ok(Value::Scalar(Scalar::Int(one())));
    };
    let count = count_of(&dims)?;
    limits::elements(count)?;
    Ok(Array::of_ints(&dims, (0..count).map(|_| one()).collect()).into_array_value())
}

/// PCG64 (XSL-RR 128/64, M. E. O'Neill), seeded by numpy's SeedSequence.
struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of a number of which only the lower was needed.
    spare: Option<u32>,
}

impl Generator {
    const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

    fn of_seed(entropy: &[u32]) -> Generator {
        let seed = seed_words(entropy);
        let wide = |high: u64, low: u64| (u128::from(high) << 64) | u128::from(low);
        let mut generator = Generator {
            state: 0,
            increment: (wide(seed[2], seed[3]) << 1) | 1,
            spare: None,
        };
        generator.step();
        generator.state = generator.state.wrapping_add(wide(seed[0], seed[1]));
        generator.step();
        generator
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(Self::MULTIPLIER).wrapping_add(self.increment);
    }

    fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let both = self.next_u64();
        self.spare = Some((both >> 32) as u32);
        both as u32
    }

    /// From 0 up to but without 1, in steps of 2⁻⁵³.
    fn double(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number from 0 to `range`, by Lemire's multiplication.
    fn below_or_at(&mut self, range: u64) -> u64 {
        if range == 0 {
            return 0;
        }
        if range == u64::MAX {
            return self.next_u64();
        }
        if let Ok(range) = u32::try_from(range) {
            if range == u32::MAX {
                return u64::from(self.next_u32());
            }
            let count = range + 1;
            let mut product = u64::from(self.next_u32()) * u64::from(count);
            if (product as u32) < count {
                let threshold = (u32::MAX - range) % count;
                while (product as u32) < threshold {
                    product = u64::from(self.next_u32()) * u64::from(count);
                }
            }
            return product >> 32;
        }
        let count = range + 1;
        let mut product = u128::from(self.next_u64()) * u128::from(count);
        if (product as u64) < count {
            let threshold = (u64::MAX - range) % count;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(count);
            }
        }
        (product >> 64) as u64
    }

    /// A number of the standard normal distribution, by the ziggurat of Marsaglia and Tsang with 256 layers.
    fn normal(&mut self) -> f64 {
        let layers = Layers::get();
        loop {
            let bits = self.next_u64();
            let layer = (bits & 0xff) as usize;
            let size = (bits >> 9) & 0x000f_ffff_ffff_ffff;
            let x = size as f64 * layers.width[layer];
            let x = if (bits >> 8) & 1 == 1 { -x } else { x };
            if size < layers.inside[layer] {
                return x;
            }
            if layer == 0 {
                loop {
                    let beyond = -(-self.double()).ln_1p() / EDGE;
                    let height = -(-self.double()).ln_1p();
                    if height + height > beyond * beyond {
                        let x = EDGE + beyond;
                        return if (size >> 8) & 1 == 1 { -x } else { x };
                    }
                }
            }
            let (above, below) = (layers.height[layer - 1], layers.height[layer]);
            if (above - below) * self.double() + below < (-0.5 * x * x).exp() {
                return x;
            }
        }
    }
}

/// Where the tail of the ziggurat begins.
const EDGE: f64 = 3.654_152_885_361_009;
/// The area of each layer, the tail being part of the lowest.
const AREA: f64 = 0.004_928_673_233_974_655;

/// The layers of the ziggurat: all of one area under exp(-x²/2).
struct Layers {
    /// Half the width of each, by the 2⁵² steps in which numbers are drawn.
    width: [f64; 256],
    /// A number of steps below this lies under the curve whatever its height.
    inside: [u64; 256],
    height: [f64; 256],
}

impl Layers {
    fn get() -> &'static Layers {
        static LAYERS: OnceLock<Layers> = OnceLock::new();
        LAYERS.get_or_init(|| {
            const STEPS: f64 = 4_503_599_627_370_496.0;
            let curve = |x: f64| (-0.5 * x * x).exp();
            let mut layers = Layers {
                width: [0.0; 256],
                inside: [0; 256],
                height: [0.0; 256],
            };
            let base = AREA / curve(EDGE);
            layers.width[0] = base / STEPS;
            layers.inside[0] = (EDGE / base * STEPS) as u64;
            layers.height[0] = 1.0;
            let mut x = EDGE;
            layers.width[255] = x / STEPS;
            layers.height[255] = curve(x);
            for layer in (1..255).rev() {
                let next = (-2.0 * (AREA / x + curve(x)).ln()).sqrt();
                layers.inside[layer + 1] = (next / x * STEPS) as u64;
                layers.width[layer] = next / STEPS;
                layers.height[layer] = curve(next);
                x = next;
            }
            layers
        })
    }
}

/// Four words of state from any entropy: numpy's SeedSequence, after O'Neill's `seed_seq`.
fn seed_words(entropy: &[u32]) -> [u64; 4] {
    let mut constant = 0x43b0_d7e5_u32;
    let mut hashed = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        let value = value.wrapping_mul(constant);
        value ^ (value >> 16)
    };
    let mixed = |x: u32, y: u32| {
        let result = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
        result ^ (result >> 16)
    };
    let mut pool = [0; 4];
    for (i, place) in pool.iter_mut().enumerate() {
        *place = hashed(entropy.get(i).copied().unwrap_or(0));
    }
    for source in 0..4 {
        for target in 0..4 {
            if source != target {
                pool[target] = mixed(pool[target], hashed(pool[source]));
            }
        }
    }
    for more in entropy.iter().skip(4) {
        for place in &mut pool {
            *place = mixed(*place, hashed(*more));
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut word = |i: usize| {
        let value = pool[i % 4] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        let value = value.wrapping_mul(constant);
        u64::from(value ^ (value >> 16))
    };
    std::array::from_fn(|i| {
        let low = word(2 * i);
        low | (word(2 * i + 1) << 32)
    })
}
