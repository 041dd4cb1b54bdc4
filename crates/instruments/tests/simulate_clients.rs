//! Clients that people have already talk to simulated instruments: pyvisa-py over TCP and HiSLIP, python-vxi11 over VXI-11.
//!
//! The interpreter is `MEASURAND_PYTHON`; without it or without a client the tests say `skipped: …`. pyvisa-py asks port 111
//! where VXI-11 is, whatever the address says, so that it is not tried there.

use std::{process::Command, sync::Arc};

use instruments::{
    driver::library,
    simulate::{Laboratory, Protocol, Simulated, Transcript},
};

/// Sets the level, reads it and a block; what it prints is compared.
const PYVISA: &str = r#"
import sys
import pyvisa
rm = pyvisa.ResourceManager("@py")
source, analyser = (rm.open_resource(name) for name in sys.argv[1:])
for it in (source, analyser):
    it.timeout = 20000
    it.read_termination = it.write_termination = "\n"
source.write(":SOUR:LEV 0.25")
print(source.query(":SOUR:LEV?"))
print(source.query("*IDN?"))
analyser.write("FORM:DATA REAL,+64")
analyser.write("FORM:BORD SWAP")
data = analyser.query_binary_values("CALC1:DATA? SDATA", datatype="d", is_big_endian=False)
print(len(data), analyser.query("*OPC?"))
"#;

/// The same as far as there is an address for it: this client takes a port by its inner class only.
const VXI11: &str = r#"
import sys
import vxi11
source = vxi11.Instrument("127.0.0.1", "inst0")
source.client = vxi11.vxi11.CoreClient("127.0.0.1", int(sys.argv[1].split(",")[1].split(":")[0]))
source.write(":SOUR:LEV 0.25")
print(source.ask(":SOUR:LEV?"))
print(source.ask("*IDN?"))
source.lock()
source.unlock()
source.clear()
print(source.read_stb(), source.ask("*OPC?"))
source.close()
"#;

fn check(protocol: Protocol, module: &str, code: &str, expected: &str) {
    let Some(interpreter) = std::env::var_os("MEASURAND_PYTHON") else {
        println!("skipped: no `MEASURAND_PYTHON`");
        return;
    };
    let of = |name: &str, driver: &str| Simulated {
        protocol,
        ..Simulated::new(name, Arc::new(library::find(driver).expect("it comes with this crate")))
    };
    let instruments = [of("source", "yokogawa.gs200"), of("analyser", "keysight.pna")];
    let laboratory = Laboratory::start(&instruments, &Transcript::none()).expect("loopback");
    let addresses = laboratory.addresses().map(|(_, address)| address);
    let output = Command::new(interpreter).args(["-c", code]).args(addresses).output();
    let output = output.expect("an interpreter");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ModuleNotFoundError") || said.contains("No module named") || said.contains("No package named") {
        println!("skipped: no `{module}`");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn pyvisa_talks_to_a_socket() {
    let expected = "+2.5000E-01\nYOKOGAWA,GS200,0,simulated\n402 1\n";
    check(Protocol::Socket, "pyvisa_py", PYVISA, expected);
}

#[test]
fn pyvisa_talks_to_hislip() {
    let expected = "+2.5000E-01\nYOKOGAWA,GS200,0,simulated\n402 1\n";
    check(Protocol::Hislip, "pyvisa_py", PYVISA, expected);
}

#[test]
fn python_vxi11_talks_to_vxi11() {
    check(
        Protocol::Vxi11,
        "vxi11",
        VXI11,
        "+2.5000E-01\nYOKOGAWA,GS200,0,simulated\n0 1\n",
    );
}
