//! The fields that the tasks for any instrument share: the parameter, and where in the instrument it is.
//!
//! A place is a dict of names and expressions, `{'channel': '2', 'unit': "'GHz'"}`, whose names are those of the driver.

use expr::Value;

use super::{Field, Fields, Text};
use crate::{
    check::{Check, Expect, Prepare},
    program::{At, Compiled, Exit},
};

pub(crate) const PARAMETER: Field = Field {
    name: "parameter",
    default: "",
    doc: "its name in the driver, as `measurand drivers MODEL` shows it",
};

pub(crate) const PLACE: Field = Field {
    name: "at",
    default: "{}",
    doc: "where in the instrument: names and expressions, such as {'channel': '2'}",
};

/// The place as the file has it.
#[derive(Debug)]
pub(crate) struct Place(Vec<(String, Text)>);

impl Place {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self(fields.pairs("at"))
    }

    pub(crate) fn check(&self, check: &mut Check<'_>) {
        for (_, text) in &self.0 {
            check.evaluate("at", text, Expect::Anything);
        }
    }

    pub(crate) fn prepare(&self, prepare: &Prepare<'_>) -> CompiledPlace {
        let part = |(name, text): &(String, Text)| (name.clone(), prepare.formula("at", text));
        CompiledPlace(self.0.iter().map(part).collect())
    }
}

/// The same with its expressions compiled.
pub(crate) struct CompiledPlace(Vec<(String, Compiled)>);

impl CompiledPlace {
    /// The place with the entries as they are now; nothing is allocated where there is none.
    pub(crate) fn values(&self, at: &At<'_>) -> Result<Vec<(&str, Value)>, Exit> {
        let parts = self.0.iter();
        parts
            .map(|(name, formula)| Ok((name.as_str(), at.evaluate(formula)?)))
            .collect()
    }
}

/// The name of a parameter or a method; an empty one is a problem.
pub(crate) fn check_named(check: &mut Check<'_>, field: &str, name: &Text) {
    if name.text.trim().is_empty() {
        check.error(&format!("-{field}"), format!("`{field}` is empty"));
    } else {
        check.instrument(&[name.text.trim()]);
    }
}
