//! Processes of Python: started when somebody needs one, shared by all who name the same environment.
//!
//! ```text
//! starting ─► Running ─┬─ it ends by itself ─► Ended
//!                      └─ nobody has it any more, or it is killed ─► Ended
//! ```
//!
//! A thread waits for the end of each, another takes what it prints. The process has a process group of its own: what its
//! code has started goes with it, and the terminal's Ctrl-C is for the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    mem::MaybeUninit,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};

use super::log::{Log, Printed};

/// Sent over standard input, so that nothing is written to disk and no list of processes shows pages of code.
const SOURCES: [&str; 4] = [
    include_str!("../../python/measurand_values.py"),
    include_str!("../../python/measurand_objects.py"),
    include_str!("../../python/measurand_host.py"),
    include_str!("../../python/measurand.py"),
];

/// Reads the sources: each a length and a text. The last is that of the module for tasks, which few need.
const BOOTSTRAP: &str = "
import os, sys
if sys.version_info < (3, 8):
    sys.exit('this is Python %d.%d, and 3.8 or newer is needed' % sys.version_info[:2])
def take(size):
    content = b''
    while len(content) < size:
        more = os.read(0, size - len(content))
        more or os._exit(0)
        content += more
    return content
def source():
    return take(int.from_bytes(take(4), 'big'))
for name in ('measurand_values', 'measurand_objects', 'measurand_host'):
    sys.modules[name] = module = type(sys)(name)
    exec(compile(source(), '<' + name + '>', 'exec'), module.__dict__)
module.main(source())
";

/// How long a process may take to clean up behind itself before it is killed.
const GRACE: Duration = Duration::from_millis(500);
/// The end of a socket comes a moment before the end of its process.
const UNTIL_STATUS: Duration = Duration::from_millis(300);
/// Its last words are there at its end, unless a child of it keeps the pipe open.
const UNTIL_LAST_WORDS: Duration = Duration::from_millis(2);

/// More lines than these do not help to see what happened.
const MOST_LAST_WORDS: usize = 6;

/// The processes of Python of this program: one for the instruments of each environment, one for its tasks, and one for each
/// instrument that wants its own. They end when nobody has this any more, nor anything that was opened by it.
#[derive(Clone)]
pub struct Hosts {
    shared: Arc<Shared>,
}

struct Shared {
    log: Log,
    next_key: AtomicU64,
    running: Mutex<BTreeMap<Place, Running>>,
}

/// What lives in a process. Instruments may hang, and their calls are interrupted when a run stops: tasks, which may have to
/// bring things to an end then, are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nature {
    Instrument,
    Task,
}

/// Who share a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) interpreter: PathBuf,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) nature: Nature,
    /// The key of the one object in it.
    pub(crate) alone: Option<u64>,
}

/// A process that was started.
enum Running {
    /// Kept when nobody uses it: loading libraries again takes seconds.
    Shared(Arc<Host>),
    /// Ends with its object.
    Alone(Weak<Host>),
}

impl Running {
    /// The process, unless it has ended.
    fn host(&self) -> Option<Arc<Host>> {
        let host = match self {
            Self::Shared(host) => Some(host.clone()),
            Self::Alone(host) => host.upgrade(),
        };
        host.filter(|host| !host.has_ended())
    }
}

impl Hosts {
    /// None runs yet. `log` takes what Python prints, line by line, from another thread.
    pub fn new(log: Log) -> Self {
        let shared = Shared {
            log,
            next_key: AtomicU64::new(1),
            running: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A number that no other object has.
    pub(crate) fn new_key(&self) -> u64 {
        self.shared.next_key.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn log(&self) -> &Log {
        &self.shared.log
    }

    /// The process for this place, started if it is not there.
    pub(crate) fn at(&self, place: &Place) -> io::Result<Arc<Host>> {
        // A map that a panicking thread left is whole: each change is one insertion.
        let mut running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = running.get(place).and_then(Running::host) {
            return Ok(host);
        }
        let host = Arc::new(Host::start(place, &self.shared.log)?);
        let kept = match place.alone {
            None => Running::Shared(host.clone()),
            Some(_) => Running::Alone(Arc::downgrade(&host)),
        };
        running.insert(place.clone(), kept);
        Ok(host)
    }
}

/// One process.
pub(crate) struct Host {
    control: UnixStream,
    life: Arc<Life>,
}

/// What the process is, known also to the threads that wait for it.
struct Life {
    state: Mutex<State>,
    changed: Condvar,
    printed: Printed,
    /// Who has a lane.
    names: Mutex<BTreeSet<String>>,
}

enum State {
    Running {
        child: Child,
        /// Why it was killed, if it was.
        killed: Option<String>,
    },
    Ended(String),
}

impl Host {
    fn start(place: &Place, log: &Log) -> io::Result<Self> {
        let (mut control, theirs) = UnixStream::pair()?;
        let (pipe, printing) = io::pipe()?;
        let child = Command::new(&place.interpreter)
            .args(["-X", "utf8", "-c", BOOTSTRAP])
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::from(printing.try_clone()?))
            .stderr(Stdio::from(printing))
            .process_group(0)
            .spawn()?;
        let life = Arc::new(Life {
            state: Mutex::new(State::Running { child, killed: None }),
            changed: Condvar::new(),
            printed: Printed::default(),
            names: Mutex::default(),
        });
        let host = Self {
            control: control.try_clone()?,
            life: Arc::clone(&life),
        };
        let waiting = Arc::clone(&life);
        thread::Builder::new()
            .name("python end".into())
            .spawn(move || waiting.wait())?;
        let log = Arc::clone(log);
        thread::Builder::new().name("python log".into()).spawn(move || {
            life.printed.take_all(pipe, &log, &|| life.names());
        })?;
        let sent = SOURCES.iter().try_for_each(|source| {
            let size = u32::try_from(source.len()).expect("our files are short");
            control.write_all(&size.to_be_bytes())?;
            control.write_all(source.as_bytes())
        });
        // A process that does not take them is no Python, or none of ours: whoever uses it learns how it ended.
        sent.ok();
        Ok(host)
    }

    /// A socket with a thread of the process behind it, for the object of this name.
    pub(crate) fn lane(&self, name: &str) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut extra = SendAncillaryBuffer::new(&mut space);
        let descriptors = [theirs.as_fd()];
        extra.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(
            &self.control,
            &[io::IoSlice::new(b"+")],
            &mut extra,
            SendFlags::NOSIGNAL,
        )?;
        self.life.locked_names().insert(name.to_owned());
        Ok(ours)
    }

    /// Ends it at once, for this reason.
    pub(crate) fn kill(&self, why: &str) {
        let mut state = self.life.state();
        if let State::Running { child, killed } = &mut *state {
            killed.get_or_insert_with(|| why.to_owned());
            kill_group(child);
        }
    }

    /// Whether it is of no use any more.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(*self.life.state(), State::Running { killed: None, .. })
    }

    /// Why it has ended, if it has, or does within a moment.
    pub(crate) fn end(&self) -> Option<String> {
        let state = self.life.state();
        let waited = self.life.changed.wait_timeout_while(state, UNTIL_STATUS, |state| {
            matches!(state, State::Running { .. }) // Its socket has ended: it does so too.
        });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let State::Ended(how) = &*state else {
            return None;
        };
        let mut words = how.clone();
        drop(state);
        let last = self.life.printed.last_words(UNTIL_LAST_WORDS);
        let last: Vec<&str> = last
            .iter()
            .map(|line| line.trim())
            .filter(|line| is_of_interest(line))
            .collect();
        if !last.is_empty() {
            words.push_str("; its last words: ");
            words.push_str(&last[last.len().saturating_sub(MOST_LAST_WORDS)..].join(" / "));
        }
        Some(words)
    }

    /// The object of this name has no lane any more.
    pub(crate) fn leave(&self, name: &str) {
        self.life.locked_names().remove(name);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.control.shutdown(Shutdown::Both).ok(); // It may be gone already.
        let state = self.life.state();
        let waited = self.life.changed.wait_timeout_while(state, GRACE, |state| {
            matches!(state, State::Running { .. }) //
        });
        drop(waited);
        self.kill("it did not end by itself");
    }
}

impl Life {
    /// Waits for the end, which it tells whoever waits for it.
    fn wait(&self) {
        let pid = match &*self.state() {
            State::Running { child, .. } => Pid::from_child(child),
            State::Ended(_) => return,
        };
        // The process is left as it is until nobody can send a signal to its number any more.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
        let mut state = self.state();
        if let State::Running { child, killed } = &mut *state {
            kill_group(child);
            let how = match (killed.take(), child.wait()) {
                (Some(why), _) => format!("it was ended, because {why}"),
                (None, Ok(status)) => ending(status),
                (None, Err(error)) => format!("how it ended is not known: {error}"),
            };
            *state = State::Ended(how);
        }
        self.changed.notify_all();
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.locked_names().iter().cloned().collect();
        if names.is_empty() {
            "Python".to_owned()
        } else {
            names.join(", ")
        }
    }

    // What a panicking thread left in these is whole: each change is one assignment or insertion.

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_names(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Our own functions, which call those of users, are of no interest to them.
fn is_of_interest(line: &str) -> bool {
    !line.contains("\"<measurand") && !line.contains("\"<string>\"")
}

/// Ends a process that was not waited for yet, and all that it has started.
fn kill_group(child: &Child) {
    // Those that are gone need no ending.
    kill_process_group(Pid::from_child(child), Signal::KILL).ok();
}

fn ending(status: ExitStatus) -> String {
    let Some(signal) = status.signal() else {
        return format!("it ended with status {}", status.code().unwrap_or_default());
    };
    let name = match signal {
        2 => " (SIGINT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV, a fault in compiled code)",
        15 => " (SIGTERM)",
        _ => "",
    };
    format!("it was ended by signal {signal}{name}")
}
