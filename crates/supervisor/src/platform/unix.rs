//! Processes, their groups and private folders, as Linux and macOS have them.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::{
            fs::{DirBuilderExt, MetadataExt, PermissionsExt},
            process::CommandExt,
        },
    },
    path::Path,
    process::Command,
};

use protocol::Token;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, getuid, kill_process_group, waitid};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::process::End;

/// Makes a command the leader of a process group, so that it ends with all that it started, and no key of the terminal
/// reaches it.
pub(crate) fn in_own_group(command: &mut Command) {
    command.process_group(0);
}

pub(crate) fn terminate_group(pid: u32) {
    signal_group(pid, Signal::TERM);
}

pub(crate) fn kill_group(pid: u32) {
    signal_group(pid, Signal::KILL);
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        // A group that is gone already is what was wanted.
        kill_process_group(pid, signal).ok();
    }
}

/// Waits for the end of a child process and leaves it a zombie, so that its id and its group stay its own.
pub(crate) fn wait(pid: u32) -> io::Result<End> {
    let pid = to_pid(pid).ok_or(io::ErrorKind::InvalidInput)?;
    loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(Some(status)) => return Ok(end(&status)),
            Ok(None) | Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a child process has ended, without waiting.
pub(crate) fn has_ended(pid: u32) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match to_pid(pid).map(|pid| waitid(WaitId::Pid(pid), options)) {
        Some(Ok(status)) => status.is_some(),
        // It is not our child any more, so it was waited for.
        Some(Err(_)) | None => true,
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn end(status: &WaitIdStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Unknown,
    }
}

/// Which of two streams has something to read, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readable {
    First,
    Second,
}

/// Waits for one of two streams; the second comes first when both are readable.
pub(crate) fn wait_for_either(first: &impl AsFd, second: &impl AsFd) -> Readable {
    loop {
        let mut streams = [PollFd::new(first, PollFlags::IN), PollFd::new(second, PollFlags::IN)];
        match poll(&mut streams, None) {
            Ok(_) if !streams[1].revents().is_empty() => return Readable::Second,
            Ok(_) if !streams[0].revents().is_empty() => return Readable::First,
            Ok(_) | Err(Errno::INTR) => (),
            // Reading blocks as well as waiting does; only a sign would come late.
            Err(_) => return Readable::First,
        }
    }
}

/// Whether a stream has something to read, or has ended, now.
pub(crate) fn is_readable(stream: &impl AsFd) -> bool {
    let mut streams = [PollFd::new(stream, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut streams, Some(&now)).is_ok_and(|ready| ready > 0)
}

/// `SIGSEGV` for its number.
pub(crate) fn signal_name(number: i32) -> Option<&'static str> {
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    names
        .into_iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map(|(_, name)| name)
}

/// A secret that nobody guesses.
pub(crate) fn token() -> io::Result<Token> {
    let mut token = Token::default();
    File::open("/dev/urandom")?.read_exact(&mut token)?;
    Ok(token)
}

/// The id of the user, as folders that are shared by all users are told apart by.
pub(crate) fn user() -> u32 {
    getuid().as_raw()
}

/// Makes sure that a folder is there and that nobody else can enter it.
///
/// # Errors
/// It cannot be made, is no folder, or is another user's.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) | Ok(()) => (),
    }
    // Of the name itself: a link that another user left here is refused as no folder.
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no folder"));
    }
    if found.uid() != user() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}
