//! The pipes of a USB device, by `nusb`: found by its numbers, taken from the kernel's own driver, given back at the end.

use std::{io, time::Duration};

use nusb::{
    DeviceInfo, Endpoint, ErrorKind, Interface, MaybeFuture,
    descriptors::TransferType,
    transfer::{
        Buffer, Bulk, BulkOrInterrupt, ControlIn, ControlType, Direction, EndpointDirection, In, Interrupt, Out,
        Recipient, TransferError,
    },
};

use super::{
    super::{Deadline, Fault},
    Device, Pipes, Target,
};
use crate::Interrupter;

/// How often the wish to interrupt is looked for.
const SLICE: Duration = Duration::from_millis(20);

/// How long a transfer that is given up may take to say so.
const FAREWELL: Duration = Duration::from_millis(200);

/// USB's numbers of the class: application specific, test and measurement.
const CLASS: (u8, u8) = (0xfe, 0x03);

pub(crate) struct UsbPipes {
    interface: Interface,
    output: Endpoint<Bulk, Out>,
    input: Endpoint<Bulk, In>,
    interrupts: Option<Endpoint<Interrupt, In>>,
    interrupter: Interrupter,
}

impl UsbPipes {
    pub(crate) fn open(device: &Device, interrupter: &Interrupter) -> Result<Self, Fault> {
        let found = find(device)?;
        let number = interface_number(&found, device)?;
        let opened = found.open().wait().map_err(|error| connect(device, &error))?;
        // On Linux the kernel has a driver for these, which must let go.
        let interface = opened
            .detach_and_claim_interface(number)
            .wait()
            .map_err(|error| connect(device, &error))?;
        let address = |kind: TransferType, direction: Direction| {
            let descriptor = interface.descriptor()?;
            let mut endpoints = descriptor.endpoints();
            let found = endpoints.find(|point| point.transfer_type() == kind && point.direction() == direction);
            found.map(|point| point.address())
        };
        let needed = |kind, direction| {
            let missing = || Fault::Protocol("it has no pair of bulk endpoints".to_owned());
            address(kind, direction).ok_or_else(missing)
        };
        let (output, input) = (
            needed(TransferType::Bulk, Direction::Out)?,
            needed(TransferType::Bulk, Direction::In)?,
        );
        let interrupts = address(TransferType::Interrupt, Direction::In);
        let failed = |error: nusb::Error| connect(device, &error);
        Ok(Self {
            output: interface.endpoint(output).map_err(failed)?,
            input: interface.endpoint(input).map_err(failed)?,
            interrupts: interrupts
                .map(|address| interface.endpoint(address))
                .transpose()
                .map_err(failed)?,
            interface,
            interrupter: interrupter.clone(),
        })
    }
}

fn find(device: &Device) -> Result<DeviceInfo, Fault> {
    let connected = nusb::list_devices().wait().map_err(|error| connect(device, &error))?;
    let mut same: Vec<DeviceInfo> = connected
        .filter(|info| info.vendor_id() == device.vendor && info.product_id() == device.product)
        .collect();
    let has_serial = |info: &DeviceInfo| info.serial_number() == Some(device.serial.as_str());
    if let Some(at) = same.iter().position(has_serial) {
        return Ok(same.swap_remove(at));
    }
    let serials: Vec<&str> = same.iter().filter_map(DeviceInfo::serial_number).collect();
    let words = match &serials[..] {
        [] => "no such USB device is connected".to_owned(),
        others => format!(
            "no USB device with the serial number `{}` is connected; there is `{}`",
            device.serial,
            others.join("`, `")
        ),
    };
    Err(Fault::Connect(io::Error::new(io::ErrorKind::NotFound, words)))
}

fn interface_number(info: &DeviceInfo, device: &Device) -> Result<u8, Fault> {
    let of_class: Vec<u8> = info
        .interfaces()
        .filter(|interface| (interface.class(), interface.subclass()) == CLASS)
        .map(nusb::InterfaceInfo::interface_number)
        .collect();
    if of_class.contains(&device.interface) {
        return Ok(device.interface);
    }
    // Names leave the number out where there is one; then it is 0, which need not be that one.
    let first = of_class.first().copied();
    first.ok_or_else(|| Fault::Protocol("it is no test and measurement device (USBTMC)".to_owned()))
}

fn connect(device: &Device, error: &nusb::Error) -> Fault {
    let kind = match error.kind() {
        ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
        ErrorKind::Disconnected | ErrorKind::NotFound => io::ErrorKind::NotFound,
        ErrorKind::Busy => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    };
    let hint = match kind {
        io::ErrorKind::PermissionDenied => format!(
            "; on Linux a rule in /etc/udev/rules.d lets users open it: `SUBSYSTEM==\"usb\", ATTRS{{idVendor}}==\"{:04x}\", \
             MODE=\"0666\"`",
            device.vendor
        ),
        io::ErrorKind::ResourceBusy => "; another program has it".to_owned(),
        _ => String::new(),
    };
    Fault::Connect(io::Error::new(kind, format!("{error}{hint}")))
}

/// Waits for the transfer under way, and gives it up at the deadline or when interrupted.
fn complete<K: BulkOrInterrupt, D: EndpointDirection>(
    endpoint: &mut Endpoint<K, D>,
    deadline: Deadline,
    interrupter: &Interrupter,
) -> Result<Buffer, Fault> {
    loop {
        let left = match interrupter.is_interrupted() {
            true => Err(Fault::Interrupted),
            false => deadline.left(),
        };
        let slice = match left {
            Ok(left) => left.min(SLICE),
            Err(fault) => {
                endpoint.cancel_all();
                while endpoint.pending() > 0 && endpoint.wait_next_complete(FAREWELL).is_some() {}
                return Err(fault);
            }
        };
        if let Some(done) = endpoint.wait_next_complete(slice) {
            return done.into_result().map_err(failed);
        }
    }
}

fn failed(error: TransferError) -> Fault {
    match error {
        TransferError::Disconnected => Fault::Closed,
        TransferError::Stall => Fault::Refused("the instrument does not take the transfer".to_owned()),
        other => Fault::Io(other.into()),
    }
}

impl Pipes for UsbPipes {
    fn send(&mut self, bytes: Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        self.output.submit(bytes.into());
        complete(&mut self.output, deadline, &self.interrupter).map(drop)
    }

    fn receive(&mut self, most: usize, into: &mut Vec<u8>, deadline: Deadline) -> Result<(), Fault> {
        let packet = self.input.max_packet_size().max(1);
        self.input.submit(Buffer::new(most.next_multiple_of(packet)));
        let buffer = complete(&mut self.input, deadline, &self.interrupter)?;
        into.extend_from_slice(&buffer);
        Ok(())
    }

    fn control(
        &mut self,
        request: u8,
        target: Target,
        value: u16,
        length: u16,
        deadline: Deadline,
    ) -> Result<Vec<u8>, Fault> {
        let (recipient, index) = match target {
            Target::Interface => (Recipient::Interface, u16::from(self.interface.interface_number())),
            Target::Output => (Recipient::Endpoint, u16::from(self.output.endpoint_address())),
            Target::Input => (Recipient::Endpoint, u16::from(self.input.endpoint_address())),
        };
        let data = ControlIn {
            control_type: ControlType::Class,
            recipient,
            request,
            value,
            index,
            length,
        };
        self.interface.control_in(data, deadline.left()?).wait().map_err(failed)
    }

    fn notification(&mut self, deadline: Deadline) -> Option<Result<Vec<u8>, Fault>> {
        let endpoint = self.interrupts.as_mut()?;
        let packet = endpoint.max_packet_size().max(2);
        endpoint.submit(Buffer::new(packet));
        let done = complete(endpoint, deadline, &self.interrupter);
        Some(done.map(|buffer| buffer.to_vec()))
    }

    fn clear_halt(&mut self) -> Result<(), Fault> {
        let words = |error: nusb::Error| Fault::Io(io::Error::other(error.to_string()));
        self.output.clear_halt().wait().map_err(words)
    }
}
