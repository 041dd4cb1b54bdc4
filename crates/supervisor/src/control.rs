//! A running `measurand run` listens to other terminals: what runs where, and pause, resume, stop, kill.
//!
//! Each run has a socket in the user's private folder, named after its process, so a list of runs is a list of a
//! folder. One JSON object a line is asked and one is answered. A socket that nobody listens to belonged to a process
//! that died, and is taken away by whoever finds it.

use std::{
    fmt, fs,
    fs::Permissions,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};

use crate::{
    engine::Facts,
    event::EngineState,
    operator::Operator,
    runtime_dir::{RuntimeDirError, runtime_dir},
    verb::Verb,
};

/// A run of some process of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningRun {
    /// The process that supervises it.
    pub pid: u32,
    pub name: String,
    pub id: String,
    pub file: String,
    pub state: EngineState,
    pub started: SystemTime,
}

/// Why a run could not be told something.
#[derive(Debug)]
pub enum ControlError {
    /// There is no place for sockets.
    NoFolder(String),
    NothingRuns,
    NoSuchRun {
        wanted: String,
        running: Vec<RunningRun>,
    },
    /// It is not said which, or what is said fits several.
    Ambiguous(Vec<RunningRun>),
    /// The run will not, with its words.
    Refused(String),
    /// It was there, but does not answer.
    NoAnswer(io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::NoFolder(why) => f.write_str(why),
            ControlError::NothingRuns => write!(f, "nothing runs"),
            ControlError::NoSuchRun { wanted, running } => {
                write!(f, "no run is called `{wanted}`; these run: {}", names(running))
            }
            ControlError::Ambiguous(running) => {
                write!(f, "several run, say which by its process id: {}", names(running))
            }
            ControlError::Refused(why) => f.write_str(why),
            ControlError::NoAnswer(_) => write!(f, "the run does not answer; it may have ended just now"),
        }
    }
}

impl std::error::Error for ControlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ControlError::NoAnswer(error) => Some(error),
            ControlError::NoFolder(_)
            | ControlError::NothingRuns
            | ControlError::NoSuchRun { .. }
            | ControlError::Ambiguous(_)
            | ControlError::Refused(_) => None,
        }
    }
}

fn names(running: &[RunningRun]) -> String {
    let name = |run: &RunningRun| format!("{} (`{}_{}`)", run.pid, run.name, run.id);
    running.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// All runs of this user, oldest first.
///
/// # Errors
/// The folder of their sockets cannot be read.
pub fn list() -> Result<Vec<RunningRun>, ControlError> {
    Ok(list_in(&folder()?)?.into_iter().map(|(run, _)| run).collect())
}

/// Asks a run, named by process id, name, id, `name_id` or file; by nothing when only one runs. Says what was asked of
/// which.
///
/// # Errors
/// There is no such run, it is not clear which, or it refuses.
pub fn send(run: Option<&str>, verb: Verb) -> Result<String, ControlError> {
    send_in(&folder()?, run, verb)
}

fn folder() -> Result<PathBuf, ControlError> {
    runtime_dir().map_err(no_folder)
}

fn no_folder(error: RuntimeDirError) -> ControlError {
    ControlError::NoFolder(error.to_string())
}

fn send_in(folder: &Path, wanted: Option<&str>, verb: Verb) -> Result<String, ControlError> {
    let mut running = list_in(folder)?;
    if running.is_empty() {
        return Err(ControlError::NothingRuns);
    }
    let runs = |running: Vec<(RunningRun, PathBuf)>| running.into_iter().map(|(run, _)| run).collect();
    if let Some(wanted) = wanted {
        let (fitting, others): (Vec<_>, Vec<_>) = running.into_iter().partition(|(run, _)| run.is_called(wanted));
        if fitting.is_empty() {
            return Err(ControlError::NoSuchRun {
                wanted: wanted.to_owned(),
                running: runs(others),
            });
        }
        running = fitting;
    }
    let (run, socket) = match running.pop() {
        Some(only) if running.is_empty() => only,
        Some(last) => {
            running.push(last);
            return Err(ControlError::Ambiguous(runs(running)));
        }
        None => return Err(ControlError::NothingRuns),
    };
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let user = user.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    let by = format!("`measurand {}` of {user}, process {}", verb.name(), process::id());
    let answer = ask(&socket, &json!({ "verb": verb.name(), "by": by })).map_err(ControlError::NoAnswer)?;
    match answer["refused"].as_str() {
        Some(why) => Err(ControlError::Refused(why.to_owned())),
        None => Ok(format!(
            "asked `{}_{}` (process {}) to {}",
            run.name,
            run.id,
            run.pid,
            verb.name()
        )),
    }
}

impl RunningRun {
    fn is_called(&self, wanted: &str) -> bool {
        let is_file = || {
            let whole = |path: &str| fs::canonicalize(path).ok();
            self.file == wanted || whole(wanted).is_some_and(|path| whole(&self.file) == Some(path))
        };
        self.pid.to_string() == wanted
            || self.name == wanted
            || self.id == wanted
            || format!("{}_{}", self.name, self.id) == wanted
            || is_file()
    }

    fn to_json(&self) -> Json {
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        json!({
            "pid": self.pid,
            "name": self.name,
            "id": self.id,
            "file": self.file,
            "state": self.state.name(),
            "started_us": u64::try_from(started.as_micros()).unwrap_or(u64::MAX),
        })
    }

    fn from_json(json: &Json) -> Option<RunningRun> {
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        Some(RunningRun {
            pid: u32::try_from(json["pid"].as_u64()?).ok()?,
            name: text("name")?,
            id: text("id")?,
            file: text("file")?,
            state: EngineState::ALL
                .into_iter()
                .find(|state| Some(state.name()) == json["state"].as_str())?,
            started: UNIX_EPOCH.checked_add(Duration::from_micros(json["started_us"].as_u64()?))?,
        })
    }
}

/// How long the other side may take; a request is answered by the loop of a run that may be busy.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long a client may take to say what it wants: nobody else is served meanwhile.
const CLIENT_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of a line; a longer one is not ours.
const LINE: u64 = 64 * 1024;

fn list_in(folder: &Path) -> Result<Vec<(RunningRun, PathBuf)>, ControlError> {
    let unreadable =
        |error| ControlError::NoFolder(format!("the folder `{}` cannot be read: {error}", folder.display()));
    let mut running = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(PREFIX));
        if !is_ours {
            continue;
        }
        match ask(&path, &json!({ "verb": "list" })) {
            Ok(answer) => running.extend(RunningRun::from_json(&answer).map(|run| (run, path))),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // Somebody else may have found it as well.
                fs::remove_file(&path).ok();
            }
            // It ends just now, or is too busy to say anything.
            Err(_) => (),
        }
    }
    running.sort_by_key(|(run, _)| run.started);
    Ok(running)
}

fn ask(socket: &Path, question: &Json) -> io::Result<Json> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    (&stream).write_all(format!("{question}\n").as_bytes())?;
    read_line(&stream)
}

fn read_line(stream: &UnixStream) -> io::Result<Json> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

const PREFIX: &str = "run-";

/// Listens for other terminals as long as it lives.
#[derive(Debug)]
pub struct ControlServer {
    socket: PathBuf,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ControlServer {
    /// Announces a run; its state is the operator's engine's.
    ///
    /// # Errors
    /// There is no place for the socket.
    pub fn start(operator: Operator, facts: &Facts) -> Result<ControlServer, ControlError> {
        Self::start_in(&folder()?, operator, facts)
    }

    fn start_in(folder: &Path, operator: Operator, facts: &Facts) -> Result<ControlServer, ControlError> {
        // Several runs of one process, one after the other or not, do not meet.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let socket = folder.join(format!("{PREFIX}{}-{number}", process::id()));
        let failed = |error: io::Error| {
            ControlError::NoFolder(format!("the socket `{}` cannot be used: {error}", socket.display()))
        };
        // What a dead process of the same id left.
        fs::remove_file(&socket).ok();
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600)).map_err(failed)?;
        let run = RunningRun {
            pid: process::id(),
            name: facts.name.clone(),
            id: facts.id.clone(),
            file: fs::canonicalize(&facts.file)
                .map_or_else(|_| facts.file.clone(), |path| path.to_string_lossy().into_owned()),
            state: operator.state(),
            started: SystemTime::now(),
        };
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::Builder::new()
            .name("control".into())
            .spawn(move || serve(&listener, &operator, &run, &over))
            .map_err(failed)?;
        Ok(ControlServer {
            socket,
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // Wakes the thread, which waits for a connection; if it cannot be woken it is left to the end of the process.
        let woken = UnixStream::connect(&self.socket).is_ok();
        fs::remove_file(&self.socket).ok();
        if let (true, Some(thread)) = (woken, self.thread.take()) {
            // A panic there took nothing along.
            thread.join().ok();
        }
    }
}

fn serve(listener: &UnixListener, operator: &Operator, run: &RunningRun, is_over: &AtomicBool) {
    for stream in listener.incoming() {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        // A client that is gone or talks nonsense is its own problem.
        if let Ok(stream) = stream {
            answer(&stream, operator, run).ok();
        }
    }
}

fn answer(mut stream: &UnixStream, operator: &Operator, run: &RunningRun) -> io::Result<()> {
    stream.set_read_timeout(Some(CLIENT_PATIENCE))?;
    stream.set_write_timeout(Some(CLIENT_PATIENCE))?;
    let question = read_line(stream)?;
    let verbs = [Verb::Pause, Verb::Resume, Verb::Stop, Verb::Kill];
    let answer = match question["verb"].as_str() {
        Some("list") => RunningRun {
            state: operator.state(),
            ..run.clone()
        }
        .to_json(),
        asked => match verbs.into_iter().find(|verb| Some(verb.name()) == asked) {
            Some(verb) => match operator
                .named(question["by"].as_str().unwrap_or("another program"))
                .ask(verb)
            {
                Ok(()) => json!({}),
                Err(refusal) => json!({ "refused": refusal.to_string() }),
            },
            None => json!({ "refused": "the request is not known here" }),
        },
    };
    stream.write_all(format!("{answer}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;
    use crate::{
        inbox::{Inbox, Message},
        operator::StateCell,
        verb::Refusal,
    };

    fn facts(name: &str) -> Facts {
        Facts {
            name: name.into(),
            id: "001".into(),
            file: format!("{name}.meas.ini"),
            default_path: "/data".into(),
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("measurand-control-{name}-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn a_run_is_listed_asked_and_gone() {
        let folder = folder("list");
        let inbox = Inbox::new();
        let state = StateCell::new();
        state.set(EngineState::Paused);
        inbox.accept_requests();
        let operator = Operator::new(inbox.sender(), state);
        let server = ControlServer::start_in(&folder, operator.clone(), &facts("Rabi")).expect("a server");
        let other = ControlServer::start_in(&folder, operator, &facts("T1")).expect("another");

        let running = list_in(&folder).expect("a folder");
        let names: Vec<_> = running.iter().map(|(run, _)| (run.name.as_str(), run.state)).collect();
        assert_eq!(names, [("Rabi", EngineState::Paused), ("T1", EngineState::Paused)]);

        let loop_of_run = thread::spawn(move || {
            let mut verbs = Vec::new();
            while let Some(Message::Asked(request)) = inbox.receive(None) {
                let verb = request.verb;
                verbs.push(verb);
                request.answer(match verb {
                    Verb::Stop => Err(Refusal::Impossible {
                        verb,
                        why: "it has ended",
                    }),
                    Verb::Pause | Verb::Resume | Verb::Kill => Ok(()),
                });
                if verb == Verb::Kill {
                    break;
                }
            }
            verbs
        });
        let said = |wanted, verb| match send_in(&folder, wanted, verb) {
            Ok(said) => said,
            Err(error) => format!("error: {error}"),
        };
        let pid = process::id();
        assert_eq!(
            said(Some("Rabi"), Verb::Resume),
            format!("asked `Rabi_001` (process {pid}) to resume")
        );
        assert_eq!(said(Some("T1_001"), Verb::Stop), "error: cannot stop: it has ended");
        assert_eq!(
            said(Some("Rabi.meas.ini"), Verb::Kill),
            format!("asked `Rabi_001` (process {pid}) to kill")
        );
        let both = format!("{pid} (`Rabi_001`), {pid} (`T1_001`)");
        assert_eq!(
            said(None, Verb::Stop),
            format!("error: several run, say which by its process id: {both}")
        );
        assert_eq!(
            said(Some("T2"), Verb::Stop),
            format!("error: no run is called `T2`; these run: {both}")
        );
        assert_eq!(
            loop_of_run.join().expect("no panic"),
            [Verb::Resume, Verb::Stop, Verb::Kill]
        );

        drop((server, other));
        assert_eq!(said(None, Verb::Stop), "error: nothing runs");
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 0);
        fs::remove_dir(&folder).expect("empty");
    }

    #[test]
    fn the_socket_of_a_dead_process_is_taken_away() {
        let folder = folder("stale");
        // Its listener is closed, its name stays: as after a death.
        drop(UnixListener::bind(folder.join("run-999999-1")).expect("a socket"));
        assert_eq!(list_in(&folder).expect("a folder"), []);
        assert_eq!(fs::read_dir(&folder).expect("there").count(), 0);
        fs::remove_dir(&folder).expect("empty");
    }

    #[test]
    fn a_client_that_says_nothing_sensible_hurts_nobody() {
        let folder = folder("nonsense");
        let operator = Operator::new(Inbox::new().sender(), StateCell::new());
        let server = ControlServer::start_in(&folder, operator, &facts("Rabi")).expect("a server");
        for nonsense in ["\n", "{\n", "[1]\n", "\u{0}\n"] {
            let mut stream = UnixStream::connect(&server.socket).expect("it listens");
            stream.write_all(nonsense.as_bytes()).expect("room");
        }
        assert_eq!(list_in(&folder).expect("a folder").len(), 1);
        let refused = send_in(&folder, None, Verb::Stop)
            .expect_err("nothing is performed")
            .to_string();
        assert_eq!(refused, "no measurement is performed");
        drop(server);
        fs::remove_dir(&folder).expect("empty");
    }
}
