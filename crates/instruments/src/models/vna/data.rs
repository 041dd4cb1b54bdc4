//! The data of a measure: numbers written out or in blocks, as the instrument says that it sends them.
//!
//! Format and byte order are asked once and remembered until somebody else may have changed them. The measure is selected each
//! time: another one may be, by another program or by hand.

use super::{channel, garbled};
use crate::{
    Extent,
    block::{self, ByteOrder, Number},
    driver::{Array, Elements, Failure, Value, Wire},
    models::{Bare, Fault},
};

/// `FDATA`, formatted, or `SDATA`, real and imaginary parts.
pub(super) fn read(on: &mut Bare, name: &str, what: &str) -> Result<Vec<f64>, Fault> {
    on.set("selected_measure", &Value::Text(name.to_owned()))?;
    let order = match known(on, "byte_order")?.to_ascii_uppercase() {
        order if order.starts_with("NORM") => ByteOrder::Big,
        order if order.starts_with("SWAP") => ByteOrder::Little,
        order => return Err(garbled("byte_order", "NORM or SWAP", &order)),
    };
    let format = known(on, "data_format")?;
    let number = match format.as_str() {
        format if format.contains("32") => Some(Number::F32),
        format if format.contains("64") => Some(Number::F64),
        _ => None,
    };
    let question = format!("CALCulate{}:DATA? {what}", channel(on));
    let extent = match number {
        Some(_) => Extent::Block,
        None => Extent::Message,
    };
    let answer = on.wire().query(&[], &question, extent).map_err(Failure::Wire)?;
    let numbers = match number {
        Some(number) => block::content(&answer).and_then(|content| block::decode(content, number, order)),
        None => block::parse_numbers(&answer, b','),
    };
    let begins = || String::from_utf8_lossy(&answer[..answer.len().min(SHOWN)]).into_owned();
    match numbers {
        Ok(numbers) if numbers.is_empty() => Err(garbled(&question, "numbers", "")),
        Ok(numbers) => Ok(numbers),
        Err(error) => Err(garbled(
            &question,
            &format!("numbers in the format {format} ({error})"),
            &begins(),
        )),
    }
}

/// Complex numbers, as they were measured.
pub(super) fn read_complex(on: &mut Bare, name: &str) -> Result<Vec<(f64, f64)>, Fault> {
    let numbers = read(on, name, "SDATA")?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[re, im]| (*re, *im)).collect())
    } else {
        let received = format!("{} numbers", numbers.len());
        Err(garbled("SDATA", "real and imaginary parts", &received))
    }
}

/// So much of data that are none is shown.
const SHOWN: usize = 40;

/// What a parameter was last set to or read as; asked if that is not known.
fn known(on: &mut Bare, parameter: &str) -> Result<String, Fault> {
    match on.known(parameter) {
        Some(known) => Ok(known.to_string()),
        None => on.get(parameter).map(|value| value.to_string()),
    }
}

pub(super) fn complex(data: Vec<(f64, f64)>) -> Value {
    Value::Array(Box::new(Array {
        shape: vec![data.len()],
        elements: Elements::Complex(data),
    }))
}
