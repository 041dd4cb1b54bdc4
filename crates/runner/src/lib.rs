//! THE CHILD: a process that waits for measurements on its socket, performs one after the other, and says what happens.
//!
//! ```text
//!            stdin: the listening socket ──► accept ──► Hello ──► Ready ◄──────────────┐
//!  commands thread: Perform ─► main thread: text → tree → check → log file → program   │
//!                   Pause, Resume, Stop ─► Control        performed by a thread ──► Finished
//!                   end of stream ─► stop as if asked to, and end                      │
//!                   Shutdown ──────────────────────────────────────────────────► Closing
//! ```
//!
//! Standard output and error belong to whatever prints: they are pipes that the parent reads. A panic ends the process:
//! the parent says so, and nobody waits for a thread that is no more.

mod control;
mod data_files;
mod disk;
mod going_on;
mod instrument_value;
mod laboratory;
mod live_bench;
mod log_file;
mod outbox;
mod perform;
mod place;
mod platform;
mod python_tasks;
mod rack;
mod recorder;
mod spy;
mod store;

use std::{
    env,
    fmt::Write as _,
    fs::File,
    io,
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use protocol::{Command, Event, FrameError, FrameReader, Token, VERSION};

use crate::{
    control::{Control, StoppedBy},
    live_bench::lock,
    outbox::Outbox,
};
pub use crate::{
    disk::{Disk, Site},
    laboratory::{Found, Laboratory, address, profile_text, read_profile},
    python_tasks::PythonTasks,
};

/// The variable that holds the token of the parent, as 32 hexadecimal digits.
pub const TOKEN_VARIABLE: &str = "MEASURAND_TOKEN";

/// How long a task may take to let go after the parent is gone.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(10);

/// What the main thread is asked for.
enum Order {
    Perform(Box<protocol::Request>, Arc<Control>),
    MakeSafe(Box<protocol::Request>, Vec<String>),
    Close,
}

/// The control of the measurement that is performed now.
type Current = Arc<Mutex<Option<Arc<Control>>>>;

/// Serves the parent that started this process, to the end.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("measurand: {panic}");
        std::process::abort();
    }));
    platform::die_of_crashes();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("measurand: the process that performs measurements cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), StartError> {
    let token = token()?;
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned().map_err(StartError::Socket)?);
    let null = File::open("/dev/null").map_err(StartError::Socket)?;
    rustix::stdio::dup2_stdin(null).map_err(|error| StartError::Socket(error.into()))?;
    let (stream, _) = listener.accept().map_err(StartError::Socket)?;
    drop(listener);

    let mut commands = FrameReader::new(stream.try_clone().map_err(StartError::Socket)?);
    let hello = commands.read::<Command>().map_err(StartError::Hello)?;
    let refused = match hello {
        None => return Ok(()),
        Some(Command::Hello { token: theirs, .. }) if theirs != token => Some("the token is not mine".to_owned()),
        Some(Command::Hello { version, .. }) if version != VERSION => Some(format!(
            "the parent speaks version {version} of the protocol, this process {VERSION}"
        )),
        Some(Command::Hello { .. }) => None,
        Some(_) => Some("the first word should be Hello".to_owned()),
    };
    let (outbox, writer) = Outbox::open(stream).map_err(StartError::Socket)?;
    let welcome = refused.is_none();
    outbox.say(Event::Hello {
        version: VERSION,
        pid: std::process::id(),
        refused,
    });
    if welcome {
        work(commands, &outbox)?;
    }
    outbox.say(Event::Closing);
    outbox.close();
    // The writer cannot panic without ending the process.
    writer.join().ok();
    Ok(())
}

fn work(commands: FrameReader<UnixStream>, outbox: &Arc<Outbox>) -> Result<(), StartError> {
    let current = Current::default();
    end_on_terminate(outbox.clone())?;
    let (orders, inbox) = mpsc::channel();
    let listening = (current.clone(), outbox.clone());
    thread::Builder::new()
        .name("commands".to_owned())
        .spawn(move || listen(commands, &listening.0, &listening.1, &orders))
        .map_err(StartError::Socket)?;
    outbox.say(Event::Ready);
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Perform(request, control) => {
                perform::perform(&request, &control, outbox);
                lock(&current).take();
                outbox.say(Event::Ready);
            }
            Order::MakeSafe(request, instruments) => {
                outbox.say(Event::MadeSafe(perform::make_safe(&request, &instruments)));
            }
            Order::Close => break,
        }
    }
    Ok(())
}

/// Obeys the parent until its stream ends.
fn listen(mut commands: FrameReader<UnixStream>, current: &Current, outbox: &Outbox, orders: &mpsc::Sender<Order>) {
    let refuse = |command: &str, why: &str| {
        outbox.say(Event::Refused {
            command: command.to_owned(),
            why: why.to_owned(),
        });
    };
    loop {
        let command = commands.read::<Command>();
        let mut now = lock(current);
        match (command, now.as_ref()) {
            (Ok(Some(Command::Perform(request))), None) => {
                let control = Arc::new(Control::new(request.speed));
                *now = Some(control.clone());
                // The main thread is gone only when the process ends.
                orders.send(Order::Perform(request, control)).ok();
            }
            (Ok(Some(Command::Perform(_))), Some(_)) => refuse("Perform", "another measurement is being performed"),
            (Ok(Some(Command::MakeSafe(request, instruments))), None) => {
                orders.send(Order::MakeSafe(request, instruments)).ok(); // As above.
            }
            (Ok(Some(Command::MakeSafe(..))), Some(_)) => refuse("MakeSafe", "a measurement is being performed"),
            (Ok(Some(Command::AskedBy(by))), Some(control)) => control.name_asker(by),
            (Ok(Some(Command::Pause)), Some(control)) => control.pause(),
            (Ok(Some(Command::Resume)), Some(control)) => control.resume(),
            (Ok(Some(Command::Stop)), Some(control)) => control.stop(StoppedBy::Operator),
            // The run ended while the word was on its way.
            (Ok(Some(Command::AskedBy(_) | Command::Pause | Command::Resume | Command::Stop)), None) => (),
            (Ok(Some(Command::Hello { .. })), _) => refuse("Hello", "it was said already"),
            (Ok(Some(Command::Shutdown)), running) => {
                if let Some(control) = running {
                    control.stop(StoppedBy::Operator);
                }
                orders.send(Order::Close).ok();
            }
            (Ok(None) | Err(_), running) => {
                // The parent is gone: nobody is left to ask, so stop as if asked to.
                if let Some(control) = running {
                    control.name_asker("the end of the program that was watching".to_owned());
                    control.stop(StoppedBy::Orphaned);
                }
                let running = running.cloned();
                orders.send(Order::Close).ok();
                drop(now);
                thread::sleep(ORPHAN_PATIENCE);
                if let Some(control) = running {
                    control.take_last_resort();
                }
                eprintln!("measurand: a task did not let go after the end of the parent");
                std::process::exit(1);
            }
        }
    }
}

/// The second rung of the ladder: what was said is written, then the process ends whatever its tasks do.
fn end_on_terminate(outbox: Arc<Outbox>) -> Result<(), StartError> {
    let mut signals =
        signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]).map_err(StartError::Socket)?;
    let body = move || {
        if signals.forever().next().is_some() {
            outbox.say(Event::Closing);
            outbox.flush();
            std::process::exit(128 + signal_hook::consts::SIGTERM);
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(body)
        .map(drop)
        .map_err(StartError::Socket)
}

fn token() -> Result<Token, StartError> {
    let text = env::var(TOKEN_VARIABLE).map_err(|_| StartError::Token)?;
    let mut token = Token::default();
    if text.len() != 2 * token.len() {
        return Err(StartError::Token);
    }
    for (byte, digits) in token.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| StartError::Token)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| StartError::Token)?;
    }
    Ok(token)
}

/// Why the child cannot serve.
#[derive(Debug)]
enum StartError {
    Token,
    Socket(io::Error),
    Hello(FrameError),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Token => write!(
                f,
                "it is started by `measurand`, not by hand ({TOKEN_VARIABLE} is not set)"
            ),
            StartError::Socket(error) => write!(f, "its standard input is no listening socket ({error})"),
            StartError::Hello(error) => {
                let mut text = error.to_string();
                if let Some(cause) = std::error::Error::source(error) {
                    write!(text, ": {cause}")?;
                }
                f.write_str(&text)
            }
        }
    }
}
