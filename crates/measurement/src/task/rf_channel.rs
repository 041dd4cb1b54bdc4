//! Which of its channels a task of RF sources means: the interfaces of generators with several outputs, and of network
//! analysers.
//!
//! They are passed to the driver as the place of a command. The value of a loop is used with all of them, and in the
//! task's unit: Exopy drops it for generators, and takes it for hertz where an analyser is set.

use expr::Value;

use super::{Field, Fields, InterfaceKind};

pub(crate) static FREQUENCY_ANAPICO: InterfaceKind = anapico("exopy_hqc_legacy.SetRFFrequencyTask");
pub(crate) static POWER_ANAPICO: InterfaceKind = anapico("exopy_hqc_legacy.SetRFPowerTask");
pub(crate) static OUTPUT_ANAPICO: InterfaceKind = anapico("exopy_hqc_legacy.SetRFOnOffTask");
pub(crate) static FREQUENCY_SYNTH_HD: InterfaceKind = synth_hd("exopy_hqc_legacy.SetRFFrequencyTask");
pub(crate) static POWER_SYNTH_HD: InterfaceKind = synth_hd("exopy_hqc_legacy.SetRFPowerTask");
pub(crate) static OUTPUT_SYNTH_HD: InterfaceKind = synth_hd("exopy_hqc_legacy.SetRFOnOffTask");

pub(crate) static PNA_FREQUENCY: InterfaceKind = InterfaceKind {
    id: "exopy_hqc_legacy.PNASetRFFrequencyInterface",
    of: "exopy_hqc_legacy.SetRFFrequencyTask",
    summary: "Sets the centre frequency of a channel of a network analyser; the entry is in hertz.",
    fields: &[channel_from("1")],
};

pub(crate) static PNA_POWER: InterfaceKind = InterfaceKind {
    id: "exopy_hqc_legacy.PNASetRFPowerInterface",
    of: "exopy_hqc_legacy.SetRFPowerTask",
    summary: "Sets the power of a port of a network analyser.",
    fields: &[
        channel_from("1"),
        Field {
            name: "port",
            default: "1",
            doc: "whose power is set",
        },
    ],
};

const fn anapico(of: &'static str) -> InterfaceKind {
    InterfaceKind {
        id: "exopy_hqc_legacy.AnapicoSetChannelInterface",
        of,
        summary: "Selects a channel of an AnaPico generator before.",
        fields: const { &[channel_from("1")] },
    }
}

const fn synth_hd(of: &'static str) -> InterfaceKind {
    InterfaceKind {
        id: "exopy_hqc_legacy.SynthHDsetChannelInterface",
        of,
        summary: "Selects a channel of a SynthHD generator before.",
        fields: const { &[channel_from("0")] },
    }
}

const fn channel_from(default: &'static str) -> Field {
    Field {
        name: "channel",
        default,
        doc: "number of the channel",
    }
}

/// A channel as an interface says it.
#[derive(Clone, Debug)]
pub(crate) enum Channel {
    /// Of a generator.
    Output(Value),
    /// Of a network analyser, with the port where the interface has one.
    Analyser { channel: Value, port: Option<Value> },
}

impl Channel {
    pub(crate) fn anapico(fields: &mut Fields<'_>) -> Self {
        Self::Output(fields.value("channel").unwrap_or(Value::Int(1)))
    }

    pub(crate) fn synth_hd(fields: &mut Fields<'_>) -> Self {
        Self::Output(fields.value("channel").unwrap_or(Value::Int(0)))
    }

    pub(crate) fn pna_frequency(fields: &mut Fields<'_>) -> Self {
        Self::Analyser {
            channel: fields.value("channel").unwrap_or(Value::Int(1)),
            port: None,
        }
    }

    pub(crate) fn pna_power(fields: &mut Fields<'_>) -> Self {
        Self::Analyser {
            channel: fields.value("channel").unwrap_or(Value::Int(1)),
            port: Some(fields.value("port").unwrap_or(Value::Int(1))),
        }
    }

    /// Where a driver is to do what it is asked.
    pub(crate) fn place(&self) -> Vec<(&'static str, Value)> {
        match self {
            Channel::Output(channel) => vec![("channel", channel.clone())],
            Channel::Analyser { channel, port } => {
                let channel = ("channel", channel.clone());
                let port = port.iter().map(|port| ("port", port.clone()));
                std::iter::once(channel).chain(port).collect()
            }
        }
    }
}
