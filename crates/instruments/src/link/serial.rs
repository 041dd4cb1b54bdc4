//! A serial line: `serialport`'s, waited for in slices so that an interrupt ends a call.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use serialport::{ClearBuffer, SerialPort, SerialPortType};
pub use serialport::{DataBits, FlowControl, Parity, StopBits};

use super::{Deadline, Fault, Wire};
use crate::{Interrupter, SerialLine};

/// How often the wish to interrupt is looked for: soon for a person, rarely for a processor.
const SLICE: Duration = Duration::from_millis(20);

/// Speed and framing of a serial line; 9600 8N1 without flow control unless said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialSettings {
    pub baud: u32,
    pub data_bits: DataBits,
    pub parity: Parity,
    pub stop_bits: StopBits,
    pub flow_control: FlowControl,
}

impl Default for SerialSettings {
    fn default() -> Self {
        Self {
            baud: 9600,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
            flow_control: FlowControl::None,
        }
    }
}

/// The serial lines of this computer, and what is known of each: USB adapters say who made them.
///
/// # Errors
/// The system does not tell.
pub fn serial_lines() -> io::Result<Vec<(SerialLine, String)>> {
    let ports = serialport::available_ports().map_err(io::Error::from)?;
    let known = |kind| match kind {
        SerialPortType::UsbPort(usb) => {
            let names = [usb.manufacturer, usb.product, usb.serial_number].into_iter().flatten();
            let names = names.collect::<Vec<_>>().join(" ");
            format!("USB {:04x}:{:04x} {names}", usb.vid, usb.pid)
                .trim_end()
                .to_owned()
        }
        SerialPortType::BluetoothPort => "Bluetooth".to_owned(),
        SerialPortType::PciPort => "PCI".to_owned(),
        SerialPortType::Unknown => String::new(),
    };
    let mut lines: Vec<_> = ports
        .into_iter()
        .map(|port| (SerialLine::Named(port.port_name), known(port.port_type)))
        .collect();
    lines.sort_by_cached_key(|(line, _)| line.path());
    Ok(lines)
}

pub(crate) struct SerialWire {
    port: Box<dyn SerialPort>,
    interrupter: Interrupter,
    chunk: Vec<u8>,
}

impl SerialWire {
    pub(crate) fn open(line: &SerialLine, settings: &SerialSettings, interrupter: &Interrupter) -> Result<Self, Fault> {
        let port = serialport::new(line.path(), settings.baud)
            .data_bits(settings.data_bits)
            .parity(settings.parity)
            .stop_bits(settings.stop_bits)
            .flow_control(settings.flow_control)
            .timeout(SLICE)
            .open()
            .map_err(|error| Fault::Connect(error.into()))?;
        Ok(Self {
            port,
            interrupter: interrupter.clone(),
            chunk: vec![0; 4096],
        })
    }

    /// Waits no longer than a slice, and not at all when interrupted.
    fn prepare(&mut self, deadline: Deadline) -> Result<(), Fault> {
        if self.interrupter.is_interrupted() {
            return Err(Fault::Interrupted);
        }
        let slice = deadline.left()?.min(SLICE);
        self.port.set_timeout(slice).map_err(|error| Fault::Io(error.into()))
    }
}

/// A slice that passed is no failure.
fn passed(error: io::Error) -> Result<(), Fault> {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => Err(Fault::Closed),
        _ => Err(Fault::Io(error)),
    }
}

impl Wire for SerialWire {
    fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Fault> {
        while !bytes.is_empty() {
            self.prepare(deadline)?;
            match self.port.write(bytes) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(error) => passed(error)?,
            }
        }
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        let room = (into.capacity() - into.len()).min(self.chunk.len());
        loop {
            self.prepare(deadline)?;
            match self.port.read(&mut self.chunk[..room]) {
                Ok(0) => return Err(Fault::Closed),
                Ok(count) => {
                    into.extend_from_slice(&self.chunk[..count]);
                    return Ok(());
                }
                Err(error) => passed(error)?,
            }
        }
    }

    fn discard(&mut self) -> Result<(), Fault> {
        self.port
            .clear(ClearBuffer::Input)
            .map_err(|error| Fault::Io(error.into()))
    }
}
