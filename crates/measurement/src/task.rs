//! The kinds of tasks: one file a kind, with its fields, its check and its work.
//!
//! A kind is a table row ([`Kind`]) and a type that implements [`Task`]: what it read from the file. Preparing it makes
//! the [`Work`](crate::program::Work) that is performed. To add a kind, copy `sleep.rs` and name it in [`TASKS`].

mod break_continue;
mod complex;
mod conditional;
mod definition;
mod fields;
mod formula;
mod geomspace;
mod iterable;
mod linspace;
mod log;
mod loop_task;
mod sleep;
mod while_task;

mod csv;
mod load_array;
mod npy;
mod parts;
mod save;
mod save_array;
mod save_file;
mod save_hdf5;
mod saved_values;
mod savetxt;
mod smart_save;
mod target;

mod array_extrema;
mod array_find_value;

mod mag_field;
mod pna;
mod pna_record;
mod pna_sweep;
mod pna_traces;
mod psa;
mod run_awg;

mod get_dc;
mod instrument;
mod labeq;
mod labeq_ramp;
mod lock_in;
mod meas;
mod python_task;
mod ramp;
mod rf;
mod rf_channel;
mod set_dc;
mod switch;

mod call_method;
mod instrument_command;
mod place;
mod read_parameters;
mod set_parameter;
mod sweep_parameter;
mod wait_until_stable;

use std::fmt;

use expr::Value;

pub(crate) use self::{
    fields::{Fields, Interfaced, Text},
    smart_save::LoopAround,
};
use crate::{
    check::{Check, Prepare},
    program::Work,
};

/// Every kind of task that can be performed, in the order in which `measurand tasks` shows them.
pub static TASKS: &[&Kind] = &[
    &complex::KIND,
    &loop_task::KIND,
    &while_task::KIND,
    &conditional::KIND,
    &break_continue::BREAK,
    &break_continue::CONTINUE,
    &definition::KIND,
    &formula::KIND,
    &log::KIND,
    &sleep::KIND,
    &save::KIND,
    &save_file::KIND,
    &save_hdf5::KIND,
    &save_array::KIND,
    &smart_save::KIND,
    &load_array::KIND,
    &array_extrema::KIND,
    &array_find_value::KIND,
    &set_dc::VOLTAGE,
    &set_dc::CURRENT,
    &get_dc::KIND,
    &switch::DC_FUNCTION,
    &switch::DC_OUTPUT,
    &meas::DC_VOLTAGE,
    &lock_in::KIND,
    &rf::FREQUENCY,
    &rf::POWER,
    &rf::PHASE,
    &switch::RF_OUTPUT,
    &switch::PULSE_MODULATION,
    &meas::LABEQ_DC_VOLTAGE,
    &meas::LABEQ_DC_CURRENT,
    &meas::LABEQ_AC_VOLTAGE,
    &meas::LABEQ_AC_CURRENT,
    &meas::LABEQ_TWO_WIRES,
    &meas::LABEQ_FOUR_WIRES,
    &meas::LABEQ_MEAN,
    &meas::LABEQ_MEAN_EARLIER,
    &labeq::SOURCE_VOLTAGE,
    &labeq::SOURCE_CURRENT,
    &labeq::VOLTAGE_COMPLIANCE,
    &labeq::CURRENT_COMPLIANCE,
    &labeq::RANGE,
    &labeq::YOKO_RANGE,
    &labeq::YOKO_COMPLIANCE,
    &labeq_ramp::KIND,
    &labeq_ramp::EARLIER,
    &set_parameter::KIND,
    &read_parameters::KIND,
    &sweep_parameter::KIND,
    &instrument_command::KIND,
    &wait_until_stable::KIND,
    &call_method::KIND,
    &mag_field::APPLY,
    &mag_field::APPLY_AND_DROP,
    &mag_field::MEASURE,
    &pna::KIND,
    &pna_sweep::KIND,
    &pna_traces::PNA,
    &pna_traces::ZNB,
    &psa::GET_TRACE,
    &psa::SET_PARAM,
    &run_awg::KIND,
    &python_task::KIND,
];

/// Every interface: what completes a kind of task that has several ways to do its work.
pub static INTERFACES: &[&InterfaceKind] = &[
    &linspace::KIND,
    &geomspace::KIND,
    &iterable::KIND,
    &load_array::CSV,
    &load_array::H5PY,
    &set_dc::MULTI_CHANNEL,
    &rf_channel::FREQUENCY_ANAPICO,
    &rf_channel::POWER_ANAPICO,
    &rf_channel::OUTPUT_ANAPICO,
    &rf_channel::FREQUENCY_SYNTH_HD,
    &rf_channel::POWER_SYNTH_HD,
    &rf_channel::OUTPUT_SYNTH_HD,
    &rf_channel::PNA_FREQUENCY,
    &rf_channel::PNA_POWER,
    &meas::TWO_WIRES_OF_2400,
    &meas::FOUR_WIRES_OF_2400,
];

/// Units of entries: the kind of task, the entry, its unit. Those that a field of the task decides are not here.
const UNITS: &[(&str, &str, &str)] = &[
    ("exopy.SleepTask", "time", "s"),
    ("exopy_hqc_legacy.SetDCVoltageTask", "voltage", "V"),
    ("exopy_hqc_legacy.SetDCCurrentTask", "current", "A"),
    ("exopy_hqc_legacy.GetDCVoltageTask", "voltage", "V"),
    ("exopy_hqc_legacy.MeasDCVoltageTask", "voltage", "V"),
    ("exopy_hqc_legacy.LockInMeasureTask", "x", "V"),
    ("exopy_hqc_legacy.LockInMeasureTask", "y", "V"),
    ("exopy_hqc_legacy.LockInMeasureTask", "amplitude", "V"),
    ("exopy_hqc_legacy.LockInMeasureTask", "phase", "deg"),
    ("exopy_hqc_legacy.SetRFPowerTask", "power", "dBm"),
    ("labeq_exopy.MeasDCVoltageTask", "voltageDC", "V"),
    ("labeq_exopy.MeasDCCurrentTask", "currentDC", "A"),
    ("labeq_exopy.MeasACVoltageTask", "voltageAC", "V"),
    ("labeq_exopy.MeasACCurrentTask", "currentAC", "A"),
    ("labeq_exopy.MeasTwoResistanceTask", "two_resistance", "Ohm"),
    ("labeq_exopy.MeasFourResistanceTask", "four_resistance", "Ohm"),
    ("labeq_exopy.SourceDCVoltageTask", "source_voltage_dc", "V"),
    ("labeq_exopy.SourceDCCurrentTask", "source_current_dc", "A"),
    ("labeq_exopy.SetVoltageComplianceTask", "comp_v", "V"),
    ("labeq_exopy.SetCurrentComplianceTask", "comp_c", "A"),
    ("measurand.WaitUntilStableTask", "elapsed", "s"),
];

/// Packages whose files we know and whose tasks, but those above, are not performed by this version.
const PACKAGES_NOT_BUILT: [&str; 7] = [
    "exopy_hqc_legacy",
    "exopy_pulses",
    "exopy_qm",
    "exopy_qcircuits",
    "labeq_exopy",
    "exopy_i3py",
    "ecpy_hqc_legacy",
];

/// Packages that began as copies of `exopy_hqc_legacy` and kept its tasks.
const COPIES: [&str; 2] = ["labeq_exopy", "exopy_qcircuits"];

/// A kind of task.
#[derive(Debug)]
pub struct Kind {
    /// `exopy.LoopTask`
    pub id: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    pub fields: &'static [Field],
    /// Entries with what they hold; `…` stands for names that the user chooses.
    pub entries: &'static [(&'static str, &'static str)],
    pub shape: Shape,
    /// The pools that it waits for when the file does not say: all of them where the list is empty.
    pub waits: Option<&'static [&'static str]>,
    /// The pool that it runs in when the file does not say.
    pub pool: Option<&'static str>,
    pub resume: Resume,
    pub(crate) build: fn(&mut Fields<'_>) -> Box<dyn Task>,
}

/// What a resumed run does with a task that was under way when the run broke, or that belongs to a point which is not on
/// record. What is on record is never done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// It is performed again, from its beginning; a file that it writes was cut back to what is on record.
    Redo,
    /// It did its work before the run.
    Skip,
    /// What it set is set again before the first new point, as long as it is in force: nobody knows what became of the
    /// instrument in the meantime.
    Restore,
}

/// What can stand below a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Leaf,
    /// No children; embedded in a loop it takes the loop's value.
    Setter,
    Children,
    /// Children, an interface, and a task that gets the loop's value.
    Loop,
}

/// A field of a task as the file has it.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub default: &'static str,
    pub doc: &'static str,
}

/// A kind of interface.
#[derive(Debug)]
pub struct InterfaceKind {
    /// `exopy.LinspaceLoopInterface`
    pub id: &'static str,
    /// The task that it completes.
    pub of: &'static str,
    pub summary: &'static str,
    pub fields: &'static [Field],
}

impl Kind {
    pub(crate) fn has_children(&self) -> bool {
        matches!(self.shape, Shape::Children | Shape::Loop)
    }

    pub(crate) fn embeds(&self) -> bool {
        self.shape == Shape::Loop
    }

    /// Whether it performs its children again and again.
    pub fn is_loop(&self) -> bool {
        self.has_values() || self.id == while_task::KIND.id
    }

    /// Whether an entry is an array that grows by a row with each point: then its rows go on record one by one.
    pub(crate) fn writes_by_row(&self, entry: &str) -> bool {
        self.id == save::KIND.id && entry == "array"
    }

    /// The unit of an entry, where the kind of task knows it.
    pub fn unit(&self, entry: &str) -> Option<&'static str> {
        let elapsed = || (self.is_loop() && entry == "elapsed_time").then_some("s");
        let known = UNITS.iter().find(|(id, name, _)| *id == self.id && *name == entry);
        known.map(|(_, _, unit)| *unit).or_else(elapsed)
    }

    /// Whether a condition says if its children are performed.
    pub(crate) fn has_condition(&self) -> bool {
        [while_task::KIND.id, conditional::KIND.id].contains(&self.id)
    }

    /// Whether it goes through values.
    pub(crate) fn has_values(&self) -> bool {
        self.embeds()
    }

    pub(crate) fn is_root_like(&self) -> bool {
        self.id == complex::KIND.id
    }
}

/// What a task read from its file, and how it is checked and made ready.
pub(crate) trait Task: fmt::Debug + Send + Sync {
    /// Nothing for a task that is not known here.
    fn kind(&self) -> Option<&'static Kind>;

    /// Short names and values before anything ran; `embeds` says whether a task is embedded in this one.
    fn entries(&self, embeds: bool) -> Vec<(String, Value)>;

    /// This task's own check; its children are checked after it.
    fn check(&self, check: &mut Check<'_>);

    /// Whether it makes sense to check what is below: not in a loop that has no values.
    fn checks_children(&self) -> bool {
        true
    }

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work>;

    /// How often the children are performed, with the entries as the check left them; nothing when nobody knows.
    fn rounds(&self, check: &mut Check<'_>) -> Option<f64> {
        let _ = check;
        Some(1.0)
    }

    /// Seconds that the task itself takes at least.
    fn seconds(&self, check: &mut Check<'_>) -> f64 {
        let _ = check;
        0.0
    }
}

/// The kind with this id; the ids of Exopy's earlier name are understood.
pub fn kind(id: &str) -> Option<&'static Kind> {
    if id.starts_with(python_task::PREFIX) {
        return Some(&python_task::KIND);
    }
    let id = canonical(id);
    let exact = |id: &str| TASKS.iter().copied().find(|kind| kind.id == id);
    exact(&id).or_else(|| exact(&copied(&id)?))
}

/// The interface kind with this id; of a joined id (`task:interface`) the last part counts.
pub fn interface_kind(id: &str) -> Option<&'static InterfaceKind> {
    let id = canonical(id.rsplit(':').next().unwrap_or(id));
    let exact = |id: &str| INTERFACES.iter().copied().find(|kind| kind.id == id);
    exact(&id).or_else(|| exact(&copied(&id)?))
}

/// What a package kept under its own name, in `exopy_hqc_legacy`.
fn copied(id: &str) -> Option<String> {
    let (package, name) = id.split_once('.')?;
    COPIES.contains(&package).then(|| format!("exopy_hqc_legacy.{name}"))
}

pub(crate) fn root(fields: &mut Fields<'_>) -> Box<dyn Task> {
    complex::build_root(fields)
}

/// The package of a task that we know to exist and do not perform.
pub(crate) fn package_not_built(id: &str) -> Option<&str> {
    let package = id.split('.').next().unwrap_or(id);
    PACKAGES_NOT_BUILT.contains(&package).then_some(package)
}

fn canonical(id: &str) -> String {
    for (earlier, today) in [("ecpy.", "exopy."), ("ecpy_", "exopy_")] {
        if let Some(rest) = id.strip_prefix(earlier) {
            return format!("{today}{rest}");
        }
    }
    id.to_owned()
}

/// A task that is not known here: it keeps its place, and nothing can be said about it.
#[derive(Debug)]
pub(crate) struct Foreign;

impl Task for Foreign {
    fn kind(&self) -> Option<&'static Kind> {
        None
    }

    fn entries(&self, _embeds: bool) -> Vec<(String, Value)> {
        Vec::new()
    }

    fn check(&self, _check: &mut Check<'_>) {}

    fn prepare(&self, prepare: &mut Prepare<'_>) -> Box<dyn Work> {
        Box::new(Unperformable(prepare.id().to_owned()))
    }
}

struct Unperformable(String);

impl Work for Unperformable {
    fn perform(&self, at: &crate::program::At<'_>) -> Result<(), crate::program::Exit> {
        Err(at.fail(format!("no task `{}` is known here", self.0)))
    }
}
