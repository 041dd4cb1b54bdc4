//! What is particular to Unix in the performing process, and the one place of this crate with `unsafe`.

#![expect(
    unsafe_code,
    reason = "the standard library offers no other way to give a signal its default action back"
)]

/// Gives the signals of a crash their default action: the end of the process.
///
/// Rust's own handler of them, which is there to tell a stack overflow, takes a signal that somebody *sent* for an
/// accident it can return from, and the process would live on. The parent names the signal anyway.
pub(crate) fn die_of_crashes() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: setting a default action runs no code of ours, and no other thread is there yet.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}
