//! `measurand instruments` against an instrument on loopback: what it prints and returns.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread,
};

/// An instrument whose output voltage can be set and asked for.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        let mut volts = "0".to_owned();
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
            for line in lines.map_while(Result::ok) {
                match line.split_once(' ') {
                    Some(("VOLT", value)) => volts = value.to_owned(),
                    _ if line == "VOLT?" => writeln!(stream, "{volts}").expect("a client"),
                    _ if line == "*IDN?" => writeln!(stream, "MAKER,\u{1b}[31mMODEL,1,2\r").expect("a client"),
                    _ => {}
                }
            }
        }
    });
    format!("TCPIP0::127.0.0.1::{port}::SOCKET")
}

fn instruments(words: &[&str], typed: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_measurand"))
        .arg("instruments")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(typed.as_bytes()).ok(); // It may have ended without reading.
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn check(words: &[&str], typed: &str, status: i32, out: &str, err: &str) {
    let output = instruments(words, typed);
    assert_eq!(String::from_utf8_lossy(&output.stdout), out, "{words:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), err, "{words:?}");
    assert_eq!(output.status.code(), Some(status), "{words:?}");
}

#[test]
fn commands_are_sent_and_questions_answered() {
    let resource = serve();
    check(
        &["query", &resource, "VOLT 1.5", "VOLT?", "VOLT 2", "VOLT?"],
        "",
        0,
        "1.5\n2\n",
        "",
    );
    check(
        &["console", &resource],
        "VOLT 3\n\n VOLT? \nquit\nVOLT?\n",
        0,
        "3\n",
        "",
    );
}

#[test]
fn every_instrument_is_asked_who_it_is() {
    let resource = serve();
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = gone.local_addr().expect("its address").port();
    drop(gone);
    let nobody = format!("tcpip::127.0.0.1::{port}::socket");
    let found = format!("{resource}  MAKER,\u{fffd}[31mMODEL,1,2\n");
    let error = format!(
        "error: `instrument` at `TCPIP0::127.0.0.1::{port}::SOCKET` could not be opened in 3 tries: no connection: \
         Connection refused (os error 111)\n"
    );
    check(&["idn", &nobody, &resource], "", 1, &found, &error);
}

#[test]
fn silence_is_told_with_what_was_asked() {
    let resource = serve();
    let error =
        format!("error: `instrument` at `{resource}` failed at `CURR?`: timed out after 50ms; nothing was received\n");
    check(
        &["query", "--timeout", "0.05", &resource, "CURR?", "VOLT?"],
        "",
        1,
        "",
        &error,
    );
}

#[test]
fn what_is_no_resource_is_refused_with_an_example() {
    let output = instruments(&["idn", "TCPIP::host::x::SOCKET"], "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("the port `x` is no number from 1 to 65535, as in"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(2));
}
