//! What is specific to the operating system: a window of a file mapped into memory. The only `unsafe` of this crate.
//!
//! The memory is the page cache itself: what is stored there survives the death of this process, however it dies. The
//! space was reserved before, so that a full disk is an error of [`reserve`] and no signal later.

#![allow(unsafe_code, reason = "the map of a file; see `Window::open`")]

use std::{fs::File, io};

use memmap2::{Advice, MmapMut, MmapOptions};
use rustix::fs::{FallocateFlags, fallocate};

/// Bytes whose pages are fetched at a time.
const WARM: usize = 128 * 1024;

/// Part of a file in memory.
pub(crate) struct Window {
    map: MmapMut,
    /// Where it begins in the file.
    start: u64,
    /// Bytes of it whose pages are there.
    warm: usize,
}

impl Window {
    /// Maps `len` bytes from `start`, which must be a multiple of the page size and reserved.
    pub(crate) fn open(file: &File, start: u64, len: usize) -> io::Result<Self> {
        // SAFETY: the file belongs to this process: it made it, or it holds its lock, and nobody else of ours shortens a
        // file whose lock is held. Whoever does so all the same ends this process by a signal, not its safety.
        let map = unsafe { MmapOptions::new().offset(start).len(len).map_mut(file)? };
        Ok(Self { map, start, warm: 0 })
    }

    /// The first byte behind it, in the file.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.map.len() as u64
    }

    /// The first byte, in the file, whose page is not there yet.
    #[inline]
    pub(crate) fn warm_end(&self) -> u64 {
        self.start + self.warm as u64
    }

    /// Fetches the next pages: a fault for each of them would cost twice as much. Few at a time, so that they are still in
    /// the processor's cache when they are written. Where this is unknown they come one by one.
    #[cold]
    pub(crate) fn warm_up(&mut self) {
        let next = WARM.min(self.map.len() - self.warm);
        self.map.advise_range(Advice::PopulateWrite, self.warm, next).ok();
        self.warm += next;
    }

    /// Stores bytes at `at` in the file; they must fit into the window.
    #[inline]
    pub(crate) fn store(&mut self, at: u64, bytes: &[u8]) {
        let from = (at - self.start) as usize;
        self.map[from..from + bytes.len()].copy_from_slice(bytes);
    }
}

/// Reserves disk space, so that `len` bytes from `start` can be stored without another error; new bytes are zero.
///
/// # Errors
/// The disk is full, or a limit is reached.
pub(crate) fn reserve(file: &File, start: u64, len: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), start, len) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => {
            write_zeros(file, start, len)
        }
        Err(error) => Err(error.into()),
    }
}

/// The same on file systems that cannot reserve: zeros behind what is there.
fn write_zeros(file: &File, start: u64, len: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];
    let end = start + len;
    let mut at = start.max(file.metadata()?.len());
    while at < end {
        let piece = PIECE.len().min((end - at) as usize);
        file.write_all_at(&PIECE[..piece], at)?;
        at += piece as u64;
    }
    Ok(())
}
