//! What HQCMeas called things, and what they are called today.

/// Where the classes of today's core are.
const CORE: &[&str] = &[
    "ComplexTask",
    "WhileTask",
    "ConditionalTask",
    "BreakTask",
    "ContinueTask",
    "LoopTask",
    "LogTask",
    "DefinitionTask",
    "FormulaTask",
    "SleepTask",
    "IterableLoopInterface",
    "LinspaceLoopInterface",
];

const HQC_LEGACY: &[&str] = &[
    "ArrayExtremaTask",
    "ArrayFindValueTask",
    "LoadArrayTask",
    "SaveTask",
    "SaveFileTask",
    "SaveFileHDF5Task",
    "SaveArrayTask",
    "ApplyMagFieldTask",
    "MeasMagFieldTask",
    "GetDCVoltageTask",
    "MeasDCVoltageTask",
    "SetDCVoltageTask",
    "SetDCCurrentTask",
    "SetDCFunctionTask",
    "SetDCOutputTask",
    "LockInMeasureTask",
    "OscilloGetTraceTask",
    "SetRFFrequencyTask",
    "SetRFPowerTask",
    "SetRFOnOffTask",
    "SetPulseModulationTask",
    "PNASinglePointMeasureTask",
    "PNASweepTask",
    "PNAGetTraces",
    "PSAGetTrace",
    "PSASetParam",
    "DemodSPTask",
    "RunAWGTask",
    "SetAWGParametersTask",
    "TuneIQMixerTask",
    "CSVLoadInterface",
    "MultiChannelVoltageSourceInterface",
    "PNASetRFFrequencyInterface",
    "PNASetRFPowerInterface",
    "TektroAWGParasInterface",
];

/// Classes of the QCircuits forks of HQCMeas, which went into a package of their own.
const QCIRCUITS: &[&str] = &[
    "DemodAlazarTask",
    "VNAAlazarTask",
    "FFTAlazarTask",
    "TransferPulseLoopTask",
    "TransferAWGFileTask",
    "GetAWGConfigTask",
    "SetRFENAPowerTask",
    "ENASweepTask",
    "GaussianShape",
    "ArbitraryShape",
];

const PULSES: &[&str] = &[
    "TransferPulseSequenceTask",
    "Pulse",
    "BaseSequence",
    "ConditionalSequence",
    "RootSequence",
    "TemplateSequence",
    "SquareShape",
    "SlopeShape",
    "Modulation",
];

/// Classes that have another name today.
const RENAMED: &[(&str, &str)] = &[
    // Both wrote a formatted `message`; to the standard output the one, to the log the other.
    ("PrintTask", "exopy.LogTask"),
    ("RootTask", "exopy.ComplexTask"),
    ("SimpleLoopTask", "exopy.LoopTask"),
    ("Sequence", "exopy_pulses.BaseSequence"),
    ("AWGContext", "exopy_hqc_legacy.AWG5014Context"),
    ("TaborContext", "exopy_qcircuits.TaborAWGContext"),
];

/// What was renamed and no longer exists under any name we know: where it most likely would be.
const GUESSED: &[(&str, &str)] = &[
    ("PhaseAlazarTask", "exopy_qcircuits.PhaseAlazarTask"),
    ("TracesAlazarTask", "exopy_qcircuits.TracesAlazarTask"),
    ("RepeatSequence", "exopy_qcircuits.RepeatSequence"),
];

/// Drivers were known by a model, now by their class.
const DRIVERS: &[(&str, &str)] = &[
    ("AgilentE8257D", "AgilentPSG"),
    ("SR7265-LI", "LockInSR7265"),
    ("SR7270-LI", "LockInSR7270"),
    ("SR830-LI", "LockInSR830"),
    ("ADQ14", "SPADQ14"),
    ("Alazar935x", "Alazar935x"),
    ("AWG5014B", "AWG"),
    ("Agilent34410A", "Agilent34410A"),
    ("AgilentPNA", "AgilentPNA"),
    ("AgilentPSA", "AgilentPSA"),
    ("AnritsuMG3694", "AnritsuMG3694"),
    ("CS4", "CS4"),
    ("IPS12010", "IPS12010"),
    ("Keithley2000", "Keithley2000"),
    ("RohdeSchwarzSMB100A", "RohdeSchwarzSMB100A"),
    ("TinyBilt", "TinyBilt"),
    ("Yokogawa7651", "Yokogawa7651"),
    ("YokogawaGS200", "YokogawaGS200"),
];

/// Entries that have another name today: the task that writes them, the old and the new name.
const ENTRIES: &[(&str, &str, &str)] = &[
    ("ApplyMagFieldTask", "Bfield", "field"),
    ("MeasMagFieldTask", "Bfield", "field"),
    ("DemodSPTask", "ChA_I", "Ch1_I"),
    ("DemodSPTask", "ChA_Q", "Ch1_Q"),
    ("DemodSPTask", "ChB_I", "Ch2_I"),
    ("DemodSPTask", "ChB_Q", "Ch2_Q"),
    ("DemodSPTask", "ChA_trace", "Ch1_trace"),
    ("DemodSPTask", "ChB_trace", "Ch2_trace"),
];

/// Fields that have another name today.
const FIELDS: &[(&str, &str, &str)] = &[
    ("ApplyMagFieldTask", "target_field", "field"),
    ("SaveFileHDF5Task", "callsEstimation", "calls_estimation"),
];

/// Today's id of a class, and whether it is known or guessed.
pub(super) enum Id {
    Known(String),
    Guessed(String),
}

/// Today's id of a class; of one that nobody knows, in `package`.
pub(super) fn id(class: &str, package: &str) -> Id {
    let packages = [
        ("exopy", CORE),
        ("exopy_hqc_legacy", HQC_LEGACY),
        ("exopy_qcircuits", QCIRCUITS),
        ("exopy_pulses", PULSES),
    ];
    let renamed = RENAMED
        .iter()
        .find(|(old, _)| *old == class)
        .map(|(_, id)| (*id).to_owned());
    let known = packages
        .iter()
        .find(|(_, classes)| classes.contains(&class))
        .map(|(name, _)| format!("{name}.{class}"));
    match renamed.or(known) {
        Some(id) => Id::Known(id),
        None => match GUESSED.iter().find(|(old, _)| *old == class) {
            Some((_, id)) => Id::Guessed((*id).to_owned()),
            None => Id::Guessed(format!("{package}.{class}")),
        },
    }
}

/// Today's class of a driver.
pub(super) fn driver(model: &str) -> Id {
    match DRIVERS.iter().find(|(old, _)| *old == model) {
        Some((_, class)) => Id::Known(format!("exopy_hqc_legacy.Legacy.{class}")),
        None => Id::Guessed(format!("exopy_hqc_legacy.Legacy.{model}")),
    }
}

/// The entries of a class that were renamed, as old and new.
pub(super) fn renamed_entries(class: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    ENTRIES
        .iter()
        .filter(move |(of, ..)| *of == class)
        .map(|&(_, old, new)| (old, new))
}

/// The fields of a class that were renamed, as old and new.
pub(super) fn renamed_fields(class: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FIELDS
        .iter()
        .filter(move |(of, ..)| *of == class)
        .map(|&(_, old, new)| (old, new))
}
