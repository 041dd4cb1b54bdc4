//! Profiles as Exopy and HQCMeas wrote them, and what a measurement finds by them.

use std::fs;

use measurement::Selected;

use super::{Laboratory, address, profile_text, read_profile};

/// The address that a profile of this text gives to a connection.
fn address_of(text: &str, connection: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Yoko.instr.ini");
    fs::write(&path, text).expect("written");
    address(&read_profile(&path).expect("it can be read"), connection)
}

const EXOPY: &str = "id = Yoko
model_id = Yokogawa.GS200
[connections]
    [[VisaGPIB]]
        interface_type = GPIB
        resource_class = INSTR
        board = 0
        primary_address = 9
        secondary_address = 0
    [[VisaTCPIP]]
        interface_type = TCPIP
        resource_class = SOCKET
        board = 0
        host_address = 192.168.0.10
        port = 5025
    [[VisaUSB]]
        manufacturer_id = 0xB21
        model_code = 0x39
        serial_number = 91M
[settings]
    [[my magnet]]
        id = MagnetConversionSetting
        magnet_conversion = 0.05
";

#[test]
fn connections_are_resource_names() {
    assert_eq!(address_of(EXOPY, "VisaGPIB").as_deref(), Ok("GPIB0::9::INSTR"));
    assert_eq!(
        address_of(EXOPY, "VisaTCPIP").as_deref(),
        Ok("TCPIP0::192.168.0.10::5025::SOCKET")
    );
    assert_eq!(
        address_of(EXOPY, "VisaUSB").as_deref(),
        Ok("USB0::0xB21::0x39::91M::0::INSTR")
    );
    let missing = address_of(EXOPY, "VisaRS232").expect_err("there is none");
    assert_eq!(
        missing,
        "the profile `Yoko` has no connection `VisaRS232`; it has `VisaGPIB`, `VisaTCPIP`, `VisaUSB`"
    );
    let old = "driver = SR7265-LI\nconnection_type = GPIB\naddress = 2\nadditionnal_mode = \"\"\n";
    assert_eq!(address_of(old, "").as_deref(), Ok("GPIB0::2::INSTR"));
    let old = "connection_type = TCPIP\ndriver_type = Visa\naddress = 129.2.92.251\nadditionnal_mode = inst0\n";
    assert_eq!(address_of(old, "").as_deref(), Ok("TCPIP0::129.2.92.251::inst0::INSTR"));
    assert_eq!(
        address_of("address = ASRL3::INSTR\n", "VisaGPIB").as_deref(),
        Ok("ASRL3::INSTR")
    );
}

#[test]
fn a_profile_that_is_written_is_read_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("Yoko.instr.ini");
    fs::write(&path, EXOPY).expect("written");
    let profile = read_profile(&path).expect("it can be read");
    fs::write(&path, profile_text(&profile)).expect("written");
    assert_eq!(read_profile(&path), Ok(profile));
}

#[test]
fn an_address_of_the_command_line_comes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Yoko.instr.ini"), EXOPY).expect("written");
    let setup = protocol::Laboratory {
        profiles: vec![folder.path().display().to_string()],
        addresses: vec![("Yoko".to_owned(), "TCPIP::10.0.0.1::5025::SOCKET".to_owned())],
        ..protocol::Laboratory::default()
    };
    let laboratory = Laboratory::open(&setup);
    let selected = Selected {
        profile: "Yoko".to_owned(),
        driver: "exopy_hqc_legacy.Legacy.YokogawaGS200".to_owned(),
        connection: "VisaGPIB".to_owned(),
        settings: "my magnet".to_owned(),
    };
    let found = laboratory.find(&selected).expect("it is there");
    let resource = found.resource.expect("an address").to_string();
    assert_eq!(resource, "TCPIP0::10.0.0.1::5025::SOCKET");
    assert!(
        found
            .settings
            .contains(&("magnet_conversion".to_owned(), "0.05".to_owned())),
        "{:?}",
        found.settings
    );
    let unknown = Selected {
        profile: "Vg9".to_owned(),
        ..selected
    };
    let problem = laboratory.find(&unknown).expect_err("there is no such profile");
    assert!(problem.contains("`--address Vg9=…`"), "{problem}");
}
