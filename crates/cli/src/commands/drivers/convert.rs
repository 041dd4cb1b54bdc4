//! `measurand drivers convert`: a class of PyMeasure or QCoDeS as a driver file.
//!
//! The interpreter that has the library makes the class, with a tape in place of an instrument, and says what it declares.
//! Nothing is sent to any instrument. The file goes to standard output; what is not in it, and why, stands at its end.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use ::instruments::driver::convert::{Class, SCRIPT};

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::counted,
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `pymeasure.instruments.keithley.Keithley2400`, `qcodes.instrument_drivers.yokogawa.YokogawaGS200`, or a class of your
    /// own that is made of theirs
    #[arg(value_name = "CLASS")]
    class: String,

    /// The Python that has the library
    #[arg(long, value_name = "INTERPRETER", default_value = "python3")]
    python: PathBuf,

    /// What the instrument answers while the class is made, if it wants to know: `*OPT?=0`
    #[arg(long = "answer", value_name = "QUERY=ANSWER")]
    answers: Vec<String>,
}

pub(crate) fn convert(args: &Args) -> Result<Exit, Complaint> {
    let told = told(args)?;
    let class = Class::parse(&told).map_err(|error| {
        Complaint::new(format!(
            "what `{}` says of the class is not understood: {error}",
            args.python.display()
        ))
    })?;
    let (file, count) = class.driver_file();
    Stream::Output.write(&file);
    let all = counted(class.size(), "declaration");
    Stream::Error.write(&format!("{}: {count} of {all} converted\n", harmless(&args.class)));
    Ok(if count > 0 { Exit::Completed } else { Exit::Refused })
}

/// What the script prints.
fn told(args: &Args) -> Result<String, Complaint> {
    let failed = |error: std::io::Error| {
        Complaint::new(format!("`{}` cannot be started: {error}", args.python.display()))
            .hint("`--python` names the interpreter that has the library")
    };
    // The script comes through standard input, so that there is no file to leave behind.
    let mut child = Command::new(&args.python)
        .arg("-")
        .arg(&args.class)
        .args(&args.answers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // An interpreter that ends before it has read all says why by itself.
        input.write_all(SCRIPT.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or("nothing").to_owned();
    let complaint = Complaint::new(format!(
        "`{}` cannot be converted: {}",
        harmless(&args.class),
        harmless(&last)
    ));
    Err(if last.contains("ModuleNotFoundError") {
        complaint.hint("`--python` names the interpreter that has the library")
    } else {
        complaint
    })
}
