//! `exopy.IterableLoopInterface`: the items of anything that has items and a length.

use std::sync::LazyLock;

use expr::{Array, ErrorKind, Formula, Value};

use super::{
    Field, Fields, InterfaceKind, Text,
    linspace::formula,
    loop_task::{Interface, LoopValues, Sequence, Values},
};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit},
};

pub(crate) static KIND: InterfaceKind = InterfaceKind {
    id: "exopy.IterableLoopInterface",
    of: "exopy.LoopTask",
    summary: "The items of a list, an array, a range, a text.",
    fields: &[Field {
        name: "iterable",
        default: "range(10)",
        doc: "expression; anything with items and a length",
    }],
};

#[derive(Debug)]
struct Iterable {
    iterable: Text,
}

pub(crate) fn build(fields: &mut Fields<'_>) -> Box<dyn Interface> {
    Box::new(Iterable {
        iterable: fields.text("iterable", "range(10)"),
    })
}

impl Interface for Iterable {
    fn check(&self, check: &mut Check<'_>) {
        let Some(iterable) = check.evaluate("iterable", &self.iterable, Expect::Iterable) else {
            return;
        };
        match values(&iterable) {
            Ok((values, array)) => {
                check.set("point_number", Value::Int(values.len() as i64));
                check.set("loop_values", array);
                match iterable.iterate().ok().and_then(|items| items.into_iter().next()) {
                    Some(first) => check.set("value", first),
                    None if check.get("value").is_some() => {
                        self.refuse(check, "there is nothing to iterate over".to_owned())
                    }
                    None => (),
                }
            }
            Err(message) => self.refuse(check, format!("the values of the loop cannot be computed: {message}")),
        }
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Values> {
        Box::new(Items(prepare.formula("iterable", &self.iterable)))
    }
}

impl Iterable {
    /// Blames the loop as a whole, as Exopy does.
    fn refuse(&self, check: &mut Check<'_>, message: String) {
        let path = check.node().error_path().to_owned();
        check.error_at("iterable", message, &self.iterable, None).path = path;
    }
}

struct Items(Compiled);

impl Values for Items {
    fn values(&self, at: &At<'_>) -> Result<LoopValues, Exit> {
        let iterable = at.evaluate(&self.0)?;
        let (values, array) = values(&iterable).map_err(|message| at.fail(message))?;
        Ok(LoopValues {
            values,
            array,
            announced: false,
        })
    }
}

static ARRAY: LazyLock<Formula> = LazyLock::new(|| formula("np.array({iterable})"));

fn values(iterable: &Value) -> Result<(Sequence, Value), String> {
    let length = iterable.len().map_err(|error| error.to_string())?;
    let array = match ARRAY.eval(std::slice::from_ref(iterable)) {
        Ok(array) => array,
        // What numpy makes an array of objects of (a dict, a list with None) stays what it is.
        Err(error) if error.kind == ErrorKind::NotSupported => iterable.clone(),
        Err(error) => return Err(error.to_string()),
    };
    let sequence = match iterable {
        Value::Range(range) => Sequence::Range(range.clone(), length),
        Value::Array(array) if matches!(&**array, Array::Float(array) if array.ndim() == 1) => {
            Sequence::Floats(array.clone())
        }
        other => Sequence::Listed(other.iterate().map_err(|error| error.to_string())?),
    };
    Ok((sequence, array))
}
