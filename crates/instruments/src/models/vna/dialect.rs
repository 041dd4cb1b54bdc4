//! What network analysers say in different words: a table of commands for each make.
//!
//! `{c}` is the channel, `{w}` the window, `{t}` the trace, `{name}` and `{parameter}` those of a measure. Where Exopy sent
//! what the instrument does not take, the words are those of the maker: a measure of Rohde & Schwarz has one name (no colons)
//! when it is made, selected and deleted, and the name stands in quotes; each of several measures has a trace of its own.

/// The commands of one make.
pub(super) struct Dialect {
    /// The channels that exist.
    pub(super) channels: Catalogue,
    /// Ends sweeping without end on a channel.
    pub(super) hold: &'static str,
    /// What a channel answers when it was held; empty where nothing is asked.
    pub(super) is_held: &'static str,
    /// A trigger begins a sweep of its channel alone. `{c}` is the first channel.
    pub(super) scope: Word<'static>,
    /// The trigger sources for sweeps without end, and for sweeps that are asked for.
    pub(super) sources: [&'static str; 2],
    /// Sweeps without end.
    pub(super) sweep_on: Word<'static>,
    /// The measures of a channel: name, parameter, name, parameter.
    pub(super) measures: &'static str,
    /// What `measures` says when there is none.
    pub(super) no_measures: &'static str,
    /// Between the parts of a measure's name.
    pub(super) joint: char,
    pub(super) create: &'static str,
    pub(super) delete: &'static str,
    /// The format of a measure that is read as complex numbers.
    pub(super) raw_format: &'static str,
    /// The windows that exist.
    pub(super) windows: Catalogue,
    /// The traces of a window.
    pub(super) traces: Catalogue,
    pub(super) feed: &'static str,
    /// Says that a trace is fed.
    pub(super) fed: &'static str,
    /// Data as numbers of 4 bytes.
    pub(super) binary: &'static str,
    /// One more sweep for the average.
    pub(super) average: &'static str,
    pub(super) done: Done,
}

/// A question whose answer lists numbers.
#[derive(Clone, Copy)]
pub(super) struct Catalogue {
    pub(super) question: &'static str,
    pub(super) lists: Lists,
}

#[derive(Clone, Copy)]
pub(super) enum Lists {
    /// `"1,2"`
    Numbers,
    /// `'1,Trc1,2,Trc2'`
    NumbersAndNames,
}

/// A command with a word behind it that the instrument may answer shortened.
#[derive(Clone, Copy)]
pub(super) struct Word<'w> {
    pub(super) set: &'static str,
    pub(super) get: &'static str,
    pub(super) word: &'w str,
}

/// How the end of a sweep is asked.
#[derive(Clone, Copy)]
pub(super) enum Done {
    /// Bit 0 of the answer.
    EventStatus(&'static str),
    /// 1; the answer may wait for the end.
    Completed(&'static str),
}

pub(super) static KEYSIGHT: Dialect = Dialect {
    channels: Catalogue {
        question: "SYSTem:CHANnels:CATalog?",
        lists: Lists::Numbers,
    },
    hold: "SENSe{c}:SWEep:MODE HOLD",
    is_held: "SENSe{c}:SWEep:MODE?",
    scope: Word {
        set: "TRIGger:SEQuence:SCOPe {}",
        get: "TRIGger:SEQuence:SCOPe?",
        word: "CURRent",
    },
    sources: ["IMMediate", "MANual"],
    sweep_on: Word {
        set: "SENSe{c}:SWEep:MODE {}",
        get: "SENSe{c}:SWEep:MODE?",
        word: "CONTinuous",
    },
    measures: "CALCulate{c}:PARameter:CATalog:EXTended?",
    no_measures: "NO CATALOG",
    joint: ':',
    create: "CALCulate{c}:PARameter:DEFine:EXTended '{name}','{parameter}'",
    delete: "CALCulate{c}:PARameter:DELete '{name}'",
    raw_format: "MLIN",
    windows: Catalogue {
        question: "SYSTem:WINDows:CATalog?",
        lists: Lists::Numbers,
    },
    traces: Catalogue {
        question: "DISPlay:WINDow{w}:CATalog?",
        lists: Lists::Numbers,
    },
    feed: "DISPlay:WINDow{w}:TRACe{t}:FEED '{name}'",
    fed: "DISPlay:WINDow{w}:CATalog?",
    binary: "REAL,+32",
    average: "sense{c}:sweep:mode gro",
    done: Done::EventStatus("*ESR?"),
};

pub(super) static ZNB20: Dialect = Dialect {
    channels: Catalogue {
        question: "CONFigure:CHANnel:CATalog?",
        lists: Lists::NumbersAndNames,
    },
    hold: "INITiate{c}:CONTinuous OFF",
    is_held: "",
    scope: Word {
        set: "INITiate{c}:SCOPe {}",
        get: "INITiate{c}:SCOPe?",
        word: "SINGle",
    },
    // Otherwise it waits for a trigger that INITiate is not.
    sources: ["IMM", "IMM"],
    sweep_on: Word {
        set: "INITiate{c}:CONTinuous {}",
        get: "",
        word: "ON",
    },
    measures: "CALCulate{c}:PARameter:CATalog:SENDed?",
    no_measures: "",
    joint: '_',
    create: "CALCulate{c}:PARameter:SDEFine '{name}','{parameter}'",
    delete: "CALCulate{c}:PARameter:DELete '{name}'",
    raw_format: "POL",
    windows: Catalogue {
        question: "DISPlay:CATalog?",
        lists: Lists::NumbersAndNames,
    },
    traces: Catalogue {
        question: "DISPlay:WINDow{w}:TRACe:CATalog?",
        lists: Lists::NumbersAndNames,
    },
    feed: "DISPlay:WINDow{w}:TRACe{t}:EFEed '{name}'",
    fed: "DISPlay:WINDow{w}:TRACe{t}:CATalog?",
    binary: "REAL,32",
    average: "INITiate{c}:IMMediate",
    done: Done::Completed("*OPC?"),
};

/// As the ZNB, with another question for its measures.
pub(super) static ZVA24: Dialect = Dialect {
    measures: "CALCulate{c}:PARameter:CATalog?",
    ..ZNB20
};
