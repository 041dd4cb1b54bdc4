//! VISA resource names: what laboratories write in files and on labels to say where an instrument is.
//!
//! A name is parsed once, into a type whose variants are the ways of reaching an instrument; its `Display` is the canonical
//! form, the same for all spellings. Letters of either case are read, boards may be left out, IPv6 addresses stand in
//! brackets (`TCPIP::[fe80::1]::5025::SOCKET`). One form is ours: `inst0,1024` gives the port of a VXI-11 server, as
//! `hislip0,4880` does for HiSLIP in the VISA standard, for servers without a portmapper.
//!
//! Deliberately absent: VXI, PXI and USB RAW resources, which no instrument of this project has; and any judgement of
//! whether a link to the resource can be opened, which is [`crate::link`]'s.

use std::{error::Error, fmt, str::FromStr};

/// Where an instrument, or an adapter that leads to instruments, is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `TCPIP0::host::5025::SOCKET`: a plain TCP connection.
    Socket { board: u16, host: String, port: u16 },
    /// `TCPIP0::host::inst0::INSTR`: VXI-11. Without a port, the portmapper of the host is asked.
    Vxi11 {
        board: u16,
        host: String,
        device: String,
        port: Option<u16>,
    },
    /// `TCPIP0::host::hislip0::INSTR`: HiSLIP, on port 4880 unless the name says otherwise (`hislip0,4881`).
    Hislip {
        board: u16,
        host: String,
        device: String,
        port: u16,
    },
    /// `ASRL1::INSTR`, `ASRL/dev/ttyUSB0::INSTR`: a serial line.
    Serial { line: SerialLine },
    /// `USB0::0x0957::0x1755::MY123::0::INSTR`: a USBTMC instrument.
    Usb {
        board: u16,
        vendor: u16,
        product: u16,
        serial: String,
        interface: u8,
    },
    /// `GPIB0::4::INSTR`, `GPIB0::4::0::INSTR`: an instrument on a GPIB bus. The second number, 0 to 30, is kept as written.
    Gpib {
        board: u16,
        primary: u8,
        secondary: Option<u8>,
    },
    /// `PRLGX-TCPIP0::host::1234::INTFC`: a Prologix adapter on the network, which makes the bus `GPIB0`.
    PrologixTcp { board: u16, host: String, port: u16 },
    /// `PRLGX-ASRL0::/dev/ttyUSB0::INTFC`: a Prologix adapter on a serial line, which makes the bus `GPIB0`.
    PrologixSerial { board: u16, line: SerialLine },
}

/// A serial line by its number, counted from 1, or by what the system calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SerialLine {
    Number(u16),
    Named(String),
}

/// The port that HiSLIP servers listen on.
pub const HISLIP_PORT: u16 = 4880;

/// The port that Prologix adapters listen on.
pub const PROLOGIX_PORT: u16 = 1234;

/// Why a text is no resource name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceError {
    text: String,
    reason: String,
    example: &'static str,
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, reason, example } = self;
        write!(f, "`{text}` is no resource name: {reason}, as in `{example}`")
    }
}

impl Error for ResourceError {}

impl SerialLine {
    /// What the system calls the line: `ASRL1` is `/dev/ttyS0`, or `COM1` on Windows.
    pub fn path(&self) -> String {
        match self {
            SerialLine::Named(path) => path.clone(),
            SerialLine::Number(number) if cfg!(windows) => format!("COM{number}"),
            SerialLine::Number(number) => format!("/dev/ttyS{}", number.saturating_sub(1)),
        }
    }
}

impl fmt::Display for SerialLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SerialLine::Number(number) => write!(f, "{number}"),
            SerialLine::Named(path) => f.write_str(path),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Socket { board, host, port } => write!(f, "TCPIP{board}::{}::{port}::SOCKET", Host(host)),
            Resource::Vxi11 {
                board,
                host,
                device,
                port,
            } => {
                write!(f, "TCPIP{board}::{}::{device}", Host(host))?;
                port.map_or(Ok(()), |port| write!(f, ",{port}"))?;
                f.write_str("::INSTR")
            }
            Resource::Hislip {
                board,
                host,
                device,
                port: HISLIP_PORT,
            } => write!(f, "TCPIP{board}::{}::{device}::INSTR", Host(host)),
            Resource::Hislip {
                board,
                host,
                device,
                port,
            } => write!(f, "TCPIP{board}::{}::{device},{port}::INSTR", Host(host)),
            Resource::Serial { line } => write!(f, "ASRL{line}::INSTR"),
            Resource::Usb {
                board,
                vendor,
                product,
                serial,
                interface,
            } => write!(
                f,
                "USB{board}::0x{vendor:04X}::0x{product:04X}::{serial}::{interface}::INSTR"
            ),
            Resource::Gpib {
                board,
                primary,
                secondary,
            } => {
                write!(f, "GPIB{board}::{primary}")?;
                secondary.map_or(Ok(()), |secondary| write!(f, "::{secondary}"))?;
                f.write_str("::INSTR")
            }
            Resource::PrologixTcp { board, host, port } => {
                write!(f, "PRLGX-TCPIP{board}::{}::{port}::INTFC", Host(host))
            }
            Resource::PrologixSerial { board, line } => write!(f, "PRLGX-ASRL{board}::{line}::INTFC"),
        }
    }
}

/// A host as it is written in a name.
struct Host<'a>(&'a str);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.contains(':') {
            true => write!(f, "[{}]", self.0),
            false => f.write_str(self.0),
        }
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Resource, ResourceError> {
        let text = text.trim();
        let parts = split(text);
        let (first, rest) = parts.split_first().expect("a split has at least one part");
        let kind = Kind::of(first);
        let refuse = |reason: String| ResourceError {
            text: text.to_owned(),
            reason,
            example: kind.map_or(Kind::Tcpip, |(kind, _)| kind).example(),
        };
        let Some((kind, board)) = kind else {
            let known = "it should begin with TCPIP, ASRL, USB, GPIB, PRLGX-TCPIP or PRLGX-ASRL";
            return Err(refuse(known.to_owned()));
        };
        let (class, fields) = match rest.split_last() {
            Some((last, fields)) if is_class(last) => (last.to_ascii_uppercase(), fields),
            Some(_) | None => (kind.default_class().to_owned(), rest),
        };
        if let Some(empty) = fields.iter().position(|field| field.trim().is_empty()) {
            return Err(refuse(format!("part {} of it is empty", empty + 2)));
        }
        kind.resource(board, &class, fields).map_err(refuse)
    }
}

/// The first word of a name.
#[derive(Clone, Copy)]
enum Kind {
    PrologixTcp,
    PrologixSerial,
    Tcpip,
    Serial,
    Usb,
    Gpib,
}

impl Kind {
    const ALL: [(&'static str, Kind); 6] = [
        ("PRLGX-TCPIP", Kind::PrologixTcp),
        ("PRLGX-ASRL", Kind::PrologixSerial),
        ("TCPIP", Kind::Tcpip),
        ("ASRL", Kind::Serial),
        ("USB", Kind::Usb),
        ("GPIB", Kind::Gpib),
    ];

    /// The kind that a name's first part says, and what follows it: the board.
    fn of(first: &str) -> Option<(Kind, &str)> {
        Self::ALL.iter().find_map(|(word, kind)| {
            let (head, board) = first.split_at_checked(word.len())?;
            head.eq_ignore_ascii_case(word).then_some((*kind, board))
        })
    }

    fn example(self) -> &'static str {
        match self {
            Kind::PrologixTcp => "PRLGX-TCPIP0::192.168.0.20::1234::INTFC",
            Kind::PrologixSerial => "PRLGX-ASRL0::/dev/ttyUSB0::INTFC",
            Kind::Tcpip => "TCPIP0::192.168.0.10::5025::SOCKET",
            Kind::Serial => "ASRL/dev/ttyUSB0::INSTR",
            Kind::Usb => "USB0::0x0957::0x1755::MY1234::INSTR",
            Kind::Gpib => "GPIB0::4::INSTR",
        }
    }

    fn default_class(self) -> &'static str {
        match self {
            Kind::PrologixTcp | Kind::PrologixSerial => "INTFC",
            Kind::Tcpip | Kind::Serial | Kind::Usb | Kind::Gpib => "INSTR",
        }
    }

    fn resource(self, board: &str, class: &str, fields: &[&str]) -> Result<Resource, String> {
        match self {
            Kind::Serial => serial(board, class, fields),
            Kind::Tcpip => tcpip(board_number(board)?, class, fields),
            Kind::Usb => usb(board_number(board)?, class, fields),
            Kind::Gpib => gpib(board_number(board)?, class, fields),
            Kind::PrologixTcp | Kind::PrologixSerial => self.prologix(board_number(board)?, class, fields),
        }
    }

    fn prologix(self, board: u16, class: &str, fields: &[&str]) -> Result<Resource, String> {
        only(class, &["INTFC"])?;
        match (self, fields) {
            (Kind::PrologixSerial, [line]) => Ok(Resource::PrologixSerial {
                board,
                line: serial_line(line)?,
            }),
            (Kind::PrologixSerial, _) => Err("it needs the serial line of the adapter, and nothing else".to_owned()),
            (_, [host]) => Ok(Resource::PrologixTcp {
                board,
                host: host_of(host)?,
                port: PROLOGIX_PORT,
            }),
            (_, [host, port]) => Ok(Resource::PrologixTcp {
                board,
                host: host_of(host)?,
                port: port_of(port)?,
            }),
            (_, _) => Err("it needs the host and the port of the adapter".to_owned()),
        }
    }
}

fn tcpip(board: u16, class: &str, fields: &[&str]) -> Result<Resource, String> {
    only(class, &["SOCKET", "INSTR"])?;
    if class == "SOCKET" {
        return match fields {
            [host, port] => Ok(Resource::Socket {
                board,
                host: host_of(host)?,
                port: port_of(port)?,
            }),
            _ => Err("a SOCKET needs a host and a port".to_owned()),
        };
    }
    let (host, device) = match fields {
        [host] => (host_of(host)?, "inst0"),
        [host, device] => (host_of(host)?, *device),
        [] => return Err("it needs a host".to_owned()),
        _ => return Err("there is too much between the host and INSTR".to_owned()),
    };
    let (name, suffix) = match device.split_once(',') {
        Some((name, port)) => (name, Some(port)),
        None => (device, None),
    };
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("hislip") {
        return Ok(Resource::Hislip {
            board,
            host,
            device: lower,
            port: suffix.map_or(Ok(HISLIP_PORT), port_of)?,
        });
    }
    // Gateways name their devices `gpib0,4`, so that only `inst…` can carry a port.
    let port = match suffix {
        Some(port) if lower.starts_with("inst") => Some(port_of(port)?),
        Some(_) | None => None,
    };
    let device = if port.is_some() { name } else { device };
    if !device.contains(',') && device.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("`{device}` is a port, so that it should end with SOCKET"));
    }
    Ok(Resource::Vxi11 {
        board,
        host,
        device: device.to_owned(),
        port,
    })
}

fn serial(board: &str, class: &str, fields: &[&str]) -> Result<Resource, String> {
    only(class, &["INSTR"])?;
    match fields {
        [] => Ok(Resource::Serial {
            line: serial_line(board)?,
        }),
        _ => Err(format!("`{}` stands between the line and INSTR", fields.join("::"))),
    }
}

fn serial_line(text: &str) -> Result<SerialLine, String> {
    match text.parse() {
        Ok(0) => Err("serial lines are counted from 1".to_owned()),
        Ok(number) => Ok(SerialLine::Number(number)),
        Err(_) if text.is_empty() => Err("it needs the number or the path of a serial line".to_owned()),
        Err(_) => Ok(SerialLine::Named(text.to_owned())),
    }
}

fn usb(board: u16, class: &str, fields: &[&str]) -> Result<Resource, String> {
    only(class, &["INSTR"])?;
    let (vendor, product, serial, interface) = match fields {
        [vendor, product, serial] => (vendor, product, serial, "0"),
        [vendor, product, serial, interface] => (vendor, product, serial, *interface),
        _ => return Err("it needs a vendor, a product and a serial number".to_owned()),
    };
    Ok(Resource::Usb {
        board,
        vendor: usb_id("vendor", vendor)?,
        product: usb_id("product", product)?,
        serial: (*serial).to_owned(),
        interface: interface
            .parse()
            .map_err(|_| format!("the interface `{interface}` is no number from 0 to 255"))?,
    })
}

fn usb_id(what: &str, text: &str) -> Result<u16, String> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    hexadecimal
        .map_or_else(|| text.parse(), |digits| u16::from_str_radix(digits, 16))
        .map_err(|_| format!("the {what} `{text}` is no number from 0x0000 to 0xFFFF"))
}

fn gpib(board: u16, class: &str, fields: &[&str]) -> Result<Resource, String> {
    only(class, &["INSTR"])?;
    let address = |what: &str, text: &str| {
        let number = text.parse().ok().filter(|number| *number <= 30);
        number.ok_or_else(|| format!("the {what} address `{text}` is no number from 0 to 30"))
    };
    match fields {
        [primary] => Ok(Resource::Gpib {
            board,
            primary: address("primary", primary)?,
            secondary: None,
        }),
        [primary, secondary] => Ok(Resource::Gpib {
            board,
            primary: address("primary", primary)?,
            secondary: Some(address("secondary", secondary)?),
        }),
        _ => Err("it needs a primary and perhaps a secondary address".to_owned()),
    }
}

fn only(class: &str, allowed: &[&str]) -> Result<(), String> {
    match allowed.contains(&class) {
        true => Ok(()),
        false => Err(format!("it ends with {class} instead of {}", allowed.join(" or "))),
    }
}

fn is_class(text: &str) -> bool {
    ["INSTR", "SOCKET", "INTFC", "RAW", "MEMACC", "BACKPLANE", "SERVANT"]
        .iter()
        .any(|class| text.eq_ignore_ascii_case(class))
}

fn board_number(text: &str) -> Result<u16, String> {
    match text {
        "" => Ok(0),
        _ => text
            .parse()
            .map_err(|_| format!("the board `{text}` is no number from 0 to 65535")),
    }
}

fn port_of(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| format!("the port `{text}` is no number from 1 to 65535"))
}

fn host_of(text: &str) -> Result<String, String> {
    let host = match text.strip_prefix('[') {
        Some(inside) => inside
            .strip_suffix(']')
            .ok_or_else(|| format!("the host `{text}` lacks its closing bracket"))?,
        None => text,
    };
    match host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err(format!("`{text}` is no host")),
        false => Ok(host.to_owned()),
    }
}

/// The parts between `::`, except those within brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at, mut inside) = (0, 0, false);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'[' => inside = true,
            b']' => inside = false,
            b':' if !inside && bytes.get(at + 1) == Some(&b':') => {
                parts.push(&text[start..at]);
                start = at + 2;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, canonical: &str) {
        let resource: Resource = written.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(resource.to_string(), canonical);
        assert_eq!(
            canonical.parse(),
            Ok(resource),
            "the canonical form is read as the same"
        );
    }

    #[test]
    fn every_spelling_has_one_canonical_form() {
        check("tcpip::localhost::5025::socket", "TCPIP0::localhost::5025::SOCKET");
        check("TCPIP2::[::1]::5025::SOCKET", "TCPIP2::[::1]::5025::SOCKET");
        check("TCPIP::10.0.0.1::INSTR", "TCPIP0::10.0.0.1::inst0::INSTR");
        check("TCPIP::10.0.0.1", "TCPIP0::10.0.0.1::inst0::INSTR");
        check("TCPIP::10.0.0.1::gpib0,4::INSTR", "TCPIP0::10.0.0.1::gpib0,4::INSTR");
        check(
            "TCPIP::10.0.0.1::inst0,1024::INSTR",
            "TCPIP0::10.0.0.1::inst0,1024::INSTR",
        );
        check("TCPIP::pna::HiSLIP0::INSTR", "TCPIP0::pna::hislip0::INSTR");
        check("TCPIP::pna::hislip0,4880", "TCPIP0::pna::hislip0::INSTR");
        check(
            "TCPIP::[fe80::1%eth0]::hislip0,99::INSTR",
            "TCPIP0::[fe80::1%eth0]::hislip0,99::INSTR",
        );
        check("ASRL3", "ASRL3::INSTR");
        check("asrl/dev/ttyUSB0::instr", "ASRL/dev/ttyUSB0::INSTR");
        check("ASRLCOM7::INSTR", "ASRLCOM7::INSTR");
        check("USB::2391::0x1755::MY1::INSTR", "USB0::0x0957::0x1755::MY1::0::INSTR");
        check("GPIB::4", "GPIB0::4::INSTR");
        check("GPIB0::4::0::INSTR", "GPIB0::4::0::INSTR");
        check("prlgx-tcpip1::10.0.0.2::INTFC", "PRLGX-TCPIP1::10.0.0.2::1234::INTFC");
        check("PRLGX-ASRL::/dev/ttyUSB0::INTFC", "PRLGX-ASRL0::/dev/ttyUSB0::INTFC");
    }

    #[test]
    fn a_serial_number_is_what_the_system_calls_it() {
        let expected = if cfg!(windows) { "COM2" } else { "/dev/ttyS1" };
        assert_eq!(SerialLine::Number(2).path(), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_an_example() {
        let complaint = |text: &str| text.parse::<Resource>().expect_err("it is no name").to_string();
        assert_eq!(
            complaint("TCPIP::host::x::SOCKET"),
            "`TCPIP::host::x::SOCKET` is no resource name: the port `x` is no number from 1 to 65535, as in \
             `TCPIP0::192.168.0.10::5025::SOCKET`"
        );
        for (text, part) in [
            ("", "should begin with"),
            ("VXI0::1::INSTR", "should begin with"),
            ("TCPIP::host::5025", "so that it should end with SOCKET"),
            ("TCPIP::::5025::SOCKET", "part 2 of it is empty"),
            ("TCPIP::[::1::5025::SOCKET", "lacks its closing bracket"),
            ("TCPIP::a b::INSTR", "no host"),
            ("TCPIPx::host::INSTR", "the board `x`"),
            ("GPIB0::31::INSTR", "primary address `31`"),
            ("GPIB0::4::SOCKET", "ends with SOCKET instead of INSTR"),
            ("ASRL::INSTR", "number or the path"),
            ("ASRL0::INSTR", "counted from 1"),
            ("USB0::1::2::INSTR", "a vendor, a product and a serial number"),
            ("USB0::0xfffff::2::s::INSTR", "the vendor `0xfffff`"),
            ("TCPIP::é::0::SOCKET", "the port `0`"),
        ] {
            let said = complaint(text);
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
