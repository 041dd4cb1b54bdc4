//! Calls into a VISA library that somebody installed, and the one place of this crate with `unsafe`.
//!
//! The functions are those of the specification VPP-4.3.2, by which all makers' libraries are the same to their callers. A
//! library is loaded when it is first wanted and stays: unloading one that has threads of its own ends in a crash.
//!
//! Deliberately absent: deciding anything. Which library, when, and what an answer means is [`super::visa`]'s.

#![expect(
    unsafe_code,
    reason = "a library that is found at run time can be called in no other way"
)]

use std::{
    ffi::{CStr, CString, OsStr, c_char},
    mem::ManuallyDrop,
};

use libloading::Library;

/// A session, or the manager of sessions.
pub(super) type Handle = u32;

/// Below 0: it failed.
pub(super) type Status = i32;

/// The functions of a library.
pub(super) struct Visa {
    open_manager: unsafe extern "system" fn(*mut Handle) -> Status,
    open: unsafe extern "system" fn(Handle, *const c_char, u32, u32, *mut Handle) -> Status,
    close: unsafe extern "system" fn(Handle) -> Status,
    set_attribute: unsafe extern "system" fn(Handle, u32, usize) -> Status,
    describe: unsafe extern "system" fn(Handle, Status, *mut c_char) -> Status,
    write: unsafe extern "system" fn(Handle, *const u8, u32, *mut u32) -> Status,
    read: unsafe extern "system" fn(Handle, *mut u8, u32, *mut u32) -> Status,
    clear: unsafe extern "system" fn(Handle) -> Status,
    read_status: unsafe extern "system" fn(Handle, *mut u16) -> Status,
    trigger: unsafe extern "system" fn(Handle, u16) -> Status,
    lock: unsafe extern "system" fn(Handle, u32, u32, *const c_char, *mut c_char) -> Status,
    unlock: unsafe extern "system" fn(Handle) -> Status,
    enable_event: unsafe extern "system" fn(Handle, u32, u16, u32) -> Status,
    wait_on_event: unsafe extern "system" fn(Handle, u32, u32, *mut u32, *mut u32) -> Status,
    /// Holds the code that the functions are.
    _library: ManuallyDrop<Library>,
}

impl Visa {
    /// Loads a library.
    ///
    /// # Errors
    /// It is not there, or is no VISA library: in the words of the system.
    pub(super) fn load(name: &OsStr) -> Result<Self, libloading::Error> {
        // SAFETY: what a library does when it is loaded is up to whoever installed it. Names and types of the functions are
        // those of the specification, and the pointers are not used after the library, which is never unloaded.
        unsafe {
            let library = ManuallyDrop::new(Library::new(name)?);
            Ok(Self {
                open_manager: *library.get(b"viOpenDefaultRM\0")?,
                open: *library.get(b"viOpen\0")?,
                close: *library.get(b"viClose\0")?,
                set_attribute: *library.get(b"viSetAttribute\0")?,
                describe: *library.get(b"viStatusDesc\0")?,
                write: *library.get(b"viWrite\0")?,
                read: *library.get(b"viRead\0")?,
                clear: *library.get(b"viClear\0")?,
                read_status: *library.get(b"viReadSTB\0")?,
                trigger: *library.get(b"viAssertTrigger\0")?,
                lock: *library.get(b"viLock\0")?,
                unlock: *library.get(b"viUnlock\0")?,
                enable_event: *library.get(b"viEnableEvent\0")?,
                wait_on_event: *library.get(b"viWaitOnEvent\0")?,
                _library: library,
            })
        }
    }

    pub(super) fn open_manager(&self) -> (Status, Handle) {
        let mut handle = 0;
        // SAFETY: the place for the handle lives as long as the call.
        let status = unsafe { (self.open_manager)(&raw mut handle) };
        (status, handle)
    }

    pub(super) fn open(&self, manager: Handle, resource: &CString, timeout_ms: u32) -> (Status, Handle) {
        const NO_LOCK: u32 = 0;
        let mut handle = 0;
        // SAFETY: the name ends with NUL; it and the place for the handle live as long as the call.
        let status = unsafe { (self.open)(manager, resource.as_ptr(), NO_LOCK, timeout_ms, &raw mut handle) };
        (status, handle)
    }

    pub(super) fn close(&self, handle: Handle) -> Status {
        // SAFETY: a number that is no handle is refused by the library.
        unsafe { (self.close)(handle) }
    }

    pub(super) fn set_attribute(&self, handle: Handle, attribute: u32, value: usize) -> Status {
        // SAFETY: only attributes whose values are numbers are set here; they are passed as what an address takes.
        unsafe { (self.set_attribute)(handle, attribute, value) }
    }

    /// What a status means, in the words of the library; nothing where it has none.
    pub(super) fn describe(&self, handle: Handle, status: Status) -> String {
        let mut words = [0; 1024];
        // SAFETY: the specification asks for room for 256 characters; the last of these stays NUL.
        let told = unsafe { (self.describe)(handle, status, words.as_mut_ptr()) };
        if told < 0 {
            return String::new();
        }
        let bytes = words.map(|sign| sign.to_ne_bytes()[0]);
        let text = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
        text.to_string_lossy().into_owned()
    }

    /// How many bytes were taken.
    pub(super) fn write(&self, handle: Handle, bytes: &[u8]) -> (Status, usize) {
        let mut count = 0;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // SAFETY: no more is read than the slice has.
        let status = unsafe { (self.write)(handle, bytes.as_ptr(), length, &raw mut count) };
        (status, count as usize)
    }

    /// How many bytes were put into `room`.
    pub(super) fn read(&self, handle: Handle, room: &mut [u8]) -> (Status, usize) {
        let mut count = 0;
        let length = u32::try_from(room.len()).unwrap_or(u32::MAX);
        // SAFETY: no more is written than the slice has.
        let status = unsafe { (self.read)(handle, room.as_mut_ptr(), length, &raw mut count) };
        (status, (count as usize).min(room.len()))
    }

    pub(super) fn clear(&self, handle: Handle) -> Status {
        // SAFETY: see `close`.
        unsafe { (self.clear)(handle) }
    }

    pub(super) fn status_byte(&self, handle: Handle) -> (Status, u8) {
        let mut byte = 0;
        // SAFETY: the place for the status byte lives as long as the call.
        let status = unsafe { (self.read_status)(handle, &raw mut byte) };
        (status, byte.to_le_bytes()[0])
    }

    pub(super) fn trigger(&self, handle: Handle) -> Status {
        const DEFAULT_PROTOCOL: u16 = 0;
        // SAFETY: see `close`.
        unsafe { (self.trigger)(handle, DEFAULT_PROTOCOL) }
    }

    /// Excludes all others.
    pub(super) fn lock(&self, handle: Handle, timeout_ms: u32) -> Status {
        const EXCLUSIVE: u32 = 1;
        // SAFETY: an exclusive lock has no key, neither asked for nor given.
        unsafe { (self.lock)(handle, EXCLUSIVE, timeout_ms, std::ptr::null(), std::ptr::null_mut()) }
    }

    pub(super) fn unlock(&self, handle: Handle) -> Status {
        // SAFETY: see `close`.
        unsafe { (self.unlock)(handle) }
    }

    /// Has events queued.
    pub(super) fn enable_event(&self, handle: Handle, event: u32) -> Status {
        const QUEUE: u16 = 1;
        const NO_FILTER: u32 = 0;
        // SAFETY: no handler is installed, so the library calls nothing of ours.
        unsafe { (self.enable_event)(handle, event, QUEUE, NO_FILTER) }
    }

    /// Waits for a queued event and lets go of it.
    pub(super) fn wait_on_event(&self, handle: Handle, event: u32, timeout_ms: u32) -> Status {
        let (mut kind, mut context) = (0, 0);
        // SAFETY: both places live as long as the call; the context is closed, as the specification asks.
        unsafe {
            let status = (self.wait_on_event)(handle, event, timeout_ms, &raw mut kind, &raw mut context);
            if status >= 0 && context != 0 {
                (self.close)(context);
            }
            status
        }
    }
}
