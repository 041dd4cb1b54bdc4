//! `measurand instruments`: what is connected, and talking to it by hand. For the bench, before any measurement is written.
//!
//! Each command is tried once: whoever sits in front of the instrument wants to see that it fails. Deliberately absent:
//! what commands mean; drivers know that.

use std::{
    fs,
    io::{self, BufRead, Write as _},
    path::PathBuf,
    time::Duration,
};

use ::instruments::{
    Boards, Interrupter, LinkSettings, Resource, SerialSettings, Session, SessionError,
    device::{Connection, Profile},
    discover, serial_lines,
};
use runner::Laboratory;

use crate::{
    complaint::Complaint,
    exit::Exit,
    laboratory::{Reach, config_folder},
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show serial lines, and with --network who speaks VXI-11
    List(ListArgs),
    /// Send commands, and print the answers of those that are questions
    Query(QueryArgs),
    /// Ask instruments who they are (*IDN?)
    Idn(IdnArgs),
    /// Show the profiles of instruments that measurements can select
    Profiles(ProfilesArgs),
    /// Write the profile of an instrument: its name, where it is, and what drives it
    Add(AddArgs),
    /// Send what is typed, line by line, and print the answers of questions
    Console(ConsoleArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Ask everybody on the local network
    #[arg(long)]
    network: bool,
    /// How long to wait for answers from the network
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    patience: Duration,
}

#[derive(Debug, clap::Args)]
struct QueryArgs {
    /// Where the instrument is, as in TCPIP::192.168.0.10::5025::SOCKET
    #[arg(value_name = "RESOURCE")]
    resource: Resource,
    /// What to send; a question has `?` at the end of its first word
    #[arg(value_name = "COMMAND", required = true)]
    commands: Vec<String>,
    #[command(flatten)]
    link: LinkArgs,
}

#[derive(Debug, clap::Args)]
struct IdnArgs {
    /// Where the instruments are, as in TCPIP::192.168.0.10::INSTR
    #[arg(value_name = "RESOURCE", required = true)]
    resources: Vec<Resource>,
    #[command(flatten)]
    link: LinkArgs,
}

#[derive(Debug, clap::Args)]
struct ConsoleArgs {
    /// Where the instrument is, as in TCPIP::192.168.0.10::hislip0::INSTR
    #[arg(value_name = "RESOURCE")]
    resource: Resource,
    #[command(flatten)]
    link: LinkArgs,
}

#[derive(Debug, clap::Args)]
struct ProfilesArgs {
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// What measurements call it
    #[arg(value_name = "NAME")]
    name: String,
    /// Where it is, as in TCPIP::192.168.0.10::INSTR
    #[arg(value_name = "RESOURCE")]
    resource: Resource,
    /// A model of `measurand drivers`, or python:module.Class; by default measurements say it
    #[arg(long, value_name = "DRIVER", default_value = "")]
    driver: String,
    /// The folder to write to [default: `profiles` in the folder of the configuration]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// How to talk.
#[derive(Debug, clap::Args)]
struct LinkArgs {
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    timeout: Duration,
    /// What ends an answer, with \n, \r and \xHH [default: \n]
    #[arg(long, value_name = "TEXT", value_parser = termination)]
    read_termination: Option<Termination>,
    /// What ends a command, with \n, \r and \xHH [default: \n; nothing on VXI-11 and HiSLIP]
    #[arg(long, value_name = "TEXT", value_parser = termination)]
    write_termination: Option<Termination>,
    /// The speed of a serial line
    #[arg(long, value_name = "BAUD", default_value_t = SerialSettings::default().baud)]
    baud: u32,
    /// The Prologix adapter that makes a GPIB bus, as in PRLGX-TCPIP0::192.168.0.20::1234::INTFC (repeatable)
    #[arg(long, value_name = "ADAPTER", value_parser = adapter)]
    via: Vec<Resource>,
    /// Expect an answer to every command, for instruments whose questions have no `?`
    #[arg(long)]
    always_read: bool,
}

/// Bytes that end a message.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Termination(Vec<u8>);

pub(crate) fn instruments(args: &Args) -> Result<Exit, Complaint> {
    match &args.verb {
        Verb::List(args) => list(args),
        Verb::Query(args) => Ok(query(args)),
        Verb::Idn(args) => Ok(idn(args)),
        Verb::Profiles(args) => profiles(args),
        Verb::Add(args) => add(args),
        Verb::Console(args) => Ok(console(args)),
    }
}

fn list(args: &ListArgs) -> Result<Exit, Complaint> {
    let lines = serial_lines().map_err(|error| Complaint::new("cannot list serial lines").because(&error))?;
    let mut found = false;
    for (line, known) in lines {
        let name = Resource::Serial { line }.to_string();
        say(&format!("{name}  {known}"));
        found = true;
    }
    if args.network {
        let hosts = discover(&[], args.patience);
        let hosts = hosts.map_err(|error| Complaint::new("cannot ask the network").because(&error))?;
        for host in hosts {
            say(&format!("TCPIP0::{host}::inst0::INSTR"));
            found = true;
        }
    }
    if !found {
        Stream::Error.write("nothing was found\n");
    }
    Ok(Exit::Completed)
}

fn profiles(args: &ProfilesArgs) -> Result<Exit, Complaint> {
    let setup = args.reach.laboratory()?;
    let laboratory = Laboratory::open(&setup);
    let lines: Vec<[String; 3]> = laboratory
        .profiles()
        .map(|profile| {
            let connections = profile.connections.iter();
            let addresses: Vec<String> = connections
                .map(|connection| runner::address(profile, &connection.kind).unwrap_or_else(|problem| problem))
                .collect();
            let driver = if profile.driver.is_empty() {
                &profile.model
            } else {
                &profile.driver
            };
            [profile.name.clone(), driver.clone(), addresses.join(", ")]
        })
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    for [name, driver, address] in &lines {
        say(&format!("{name:first$}  {driver:second$}  {address}"));
    }
    for problem in laboratory.problems() {
        Stream::Error.write(&format!("warning: {}\n", harmless(problem)));
    }
    if lines.is_empty() {
        let folders = setup.profiles.join("`, `");
        let places = if folders.is_empty() {
            "no folder of profiles is given".to_owned()
        } else {
            format!("no profiles in `{folders}`")
        };
        Stream::Error.write(&format!("{places}: `measurand instruments add` writes one\n"));
    }
    Ok(Exit::Completed)
}

fn add(args: &AddArgs) -> Result<Exit, Complaint> {
    if args.name.contains(['/', '\\']) || args.name.is_empty() {
        return Err(Complaint::new(format!("`{}` cannot name a file", harmless(&args.name))));
    }
    let folder = match (&args.folder, config_folder()) {
        (Some(folder), _) => folder.clone(),
        (None, Some(config)) => config.join("profiles"),
        (None, None) => {
            return Err(Complaint::new("there is no folder for the configuration").hint("name one by `--folder`"));
        }
    };
    let path = folder.join(format!("{}.instr.ini", args.name));
    let connection = Connection {
        kind: "VisaRaw".to_owned(),
        fields: [("resource_name".to_owned(), args.resource.to_string())].into(),
    };
    let profile = Profile {
        name: args.name.clone(),
        driver: args.driver.clone(),
        connections: vec![connection],
        ..Profile::default()
    };
    let written = fs::create_dir_all(&folder).and_then(|()| {
        let mut file = fs::File::create_new(&path)?;
        file.write_all(runner::profile_text(&profile).as_bytes())
    });
    written.map_err(|error| Complaint::of_file("write", &path, &error))?;
    say(&path.display().to_string());
    Ok(Exit::Completed)
}

fn query(args: &QueryArgs) -> Exit {
    let done = args.link.open(&args.resource).and_then(|mut session| {
        for command in &args.commands {
            args.link.send(&mut session, command)?;
        }
        Ok(())
    });
    exit(done)
}

fn idn(args: &IdnArgs) -> Exit {
    let mut worst = Exit::Completed;
    for resource in &args.resources {
        let identity = args.link.open(resource).and_then(|mut session| session.query("*IDN?"));
        worst = worst.max(exit(identity.map(|identity| say(&format!("{resource}  {identity}")))));
    }
    worst
}

fn console(args: &ConsoleArgs) -> Exit {
    let mut session = match args.link.open(&args.resource) {
        Ok(session) => session,
        Err(error) => return exit(Err(error)),
    };
    let prompt = || {
        if Stream::Output.is_terminal() {
            Stream::Output.write("> ");
        }
    };
    prompt();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.trim() {
            "" => {}
            "exit" | "quit" => break,
            command => {
                // One command that fails ends no conversation.
                exit(args.link.send(&mut session, command));
            }
        }
        prompt();
    }
    Exit::Completed
}

impl LinkArgs {
    fn open(&self, resource: &Resource) -> Result<Session, SessionError> {
        let boards = Boards::default();
        for adapter in &self.via {
            let declared = boards.declare(adapter.clone());
            declared.expect("the command line takes only adapters");
        }
        let settings = LinkSettings {
            boards,
            timeout: self.timeout,
            open_timeout: self.timeout,
            read_termination: self.read_termination.clone().map(|ending| ending.0),
            write_termination: self.write_termination.clone().map(|ending| ending.0),
            serial: SerialSettings {
                baud: self.baud,
                ..SerialSettings::default()
            },
            ..LinkSettings::default()
        };
        let mut session = Session::open("instrument", resource.clone(), settings, Interrupter::default())?;
        session.set_tries(1);
        Ok(session)
    }

    /// Sends a command, and prints the answer if it is a question.
    fn send(&self, session: &mut Session, command: &str) -> Result<(), SessionError> {
        match self.always_read || is_question(command) {
            true => say(&session.query(command)?),
            false => session.write(command)?,
        }
        Ok(())
    }
}

/// Whether any part of a message asks: `MEAS:VOLT? 10,0.1` and `*CLS;*IDN?` do, `DISP:TEXT "why?"` does not.
fn is_question(message: &str) -> bool {
    let header = |part: &str| part.split_whitespace().next().is_some_and(|word| word.ends_with('?'));
    message.split(';').any(header)
}

fn say(text: &str) {
    Stream::Output.write(&format!("{}\n", harmless(text.trim_end())));
}

fn exit(done: Result<(), SessionError>) -> Exit {
    match done {
        Ok(()) => Exit::Completed,
        Err(error) => {
            let complaint = Complaint::new(error.to_string());
            complaint.because(error.cause.as_ref()).print();
            Exit::Failed
        }
    }
}

fn adapter(text: &str) -> Result<Resource, String> {
    match text.parse::<Resource>() {
        Ok(adapter @ (Resource::PrologixTcp { .. } | Resource::PrologixSerial { .. })) => Ok(adapter),
        Ok(other) => Err(format!(
            "`{other}` is no adapter: one is like `PRLGX-TCPIP0::192.168.0.20::1234::INTFC`"
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "it should be a number of seconds above 0, as in `2.5`".to_owned())
}

fn termination(text: &str) -> Result<Termination, String> {
    let wrong = || "`\\` should be followed by n, r, t, 0, \\ or x with two hexadecimal digits".to_owned();
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (escape, after) = rest.split_first().ok_or_else(wrong)?;
        rest = after;
        bytes.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let (digits, after) = rest.split_at_checked(2).ok_or_else(wrong)?;
                rest = after;
                let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
                u8::from_str_radix(digits, 16).map_err(|_| wrong())?
            }
            _ => return Err(wrong()),
        });
    }
    Ok(Termination(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_commands() {
        for question in ["*IDN?", "MEAS:VOLT? 10,0.1", "*CLS;*IDN?", " X? "] {
            assert!(is_question(question), "{question}");
        }
        for command in ["", "*CLS", "DISP:TEXT \"why?\"", "VOLT 1;OUTP ON"] {
            assert!(!is_question(command), "{command}");
        }
    }

    #[test]
    fn terminations_are_written_with_escapes() {
        assert_eq!(termination("\\r\\n"), Ok(Termination(b"\r\n".to_vec())));
        assert_eq!(termination(";\\x03\\\\"), Ok(Termination(b";\x03\\".to_vec())));
        assert_eq!(termination(""), Ok(Termination(Vec::new())));
        for wrong in ["\\", "\\x1", "\\xzz", "\\q", "\\xé"] {
            assert!(termination(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_adapters_make_buses() {
        assert!(adapter("PRLGX-TCPIP::10.0.0.1::INTFC").is_ok());
        assert!(adapter("GPIB0::4::INSTR").is_err() && adapter("x").is_err());
    }

    #[test]
    fn times_are_seconds_above_nothing() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["0", "-1", "nan", "inf", "x", "1e300"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
