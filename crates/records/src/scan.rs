//! Reading a record frame by frame, also while it is written.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

use rustix::fs::{FlockOperation, flock};

use crate::{
    error::RecordError,
    frame::{self, HEAD, Kind, MAGIC},
    layout::Layout,
    schema::{FORMAT, Schema},
};

/// Bytes asked for at a time.
const PIECE: usize = 1024 * 1024;

/// A frame of a record.
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) argument: u32,
    pub(crate) payload: &'a [u8],
    /// Of a row, the layout of its table here.
    pub(crate) layout: Option<&'a Rc<Layout>>,
    /// Where the next frame begins.
    pub(crate) end: u64,
}

/// Goes through the frames of a record.
pub(crate) struct Scanner {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// What of the buffer was used.
    used: usize,
    /// Where the unused part of the buffer begins in the file.
    offset: u64,
    layouts: Vec<Option<Rc<Layout>>>,
    pub(crate) schema: Rc<Schema>,
}

impl Scanner {
    /// Opens a record and reads its beginning.
    pub(crate) fn open(path: &Path) -> Result<Scanner, RecordError> {
        let file = File::open(path).map_err(|error| RecordError::Io {
            what: "open",
            path: path.to_owned(),
            error,
        })?;
        let mut scanner = Scanner {
            path: path.to_owned(),
            file,
            buffer: Vec::new(),
            used: 0,
            offset: 0,
            layouts: Vec::new(),
            schema: Rc::default(),
        };
        scanner.begin()?;
        Ok(scanner)
    }

    fn begin(&mut self) -> Result<(), RecordError> {
        if !self.fill(MAGIC.len())? {
            let is_empty = self.buffer.is_empty();
            return Err(if is_empty {
                RecordError::NoBeginning(self.path.clone())
            } else {
                RecordError::NotARecord(self.path.clone())
            });
        }
        let magic = &self.buffer[..MAGIC.len()];
        if magic.iter().all(|byte| *byte == 0) {
            return Err(RecordError::NoBeginning(self.path.clone()));
        }
        if *magic != MAGIC {
            return Err(RecordError::NotARecord(self.path.clone()));
        }
        self.used = MAGIC.len();
        self.offset = MAGIC.len() as u64;
        let path = self.path.clone();
        let schema = match self.next()? {
            Some(frame) if frame.kind == Kind::Schema => {
                let format = serde_json::from_slice::<OnlyFormat>(frame.payload).map(|schema| schema.format);
                match format {
                    Ok(FORMAT) => serde_json::from_slice::<Schema>(frame.payload),
                    Ok(format) => return Err(RecordError::OtherFormat { path, format }),
                    Err(error) => Err(error),
                }
            }
            Some(_) | None => return Err(RecordError::NoBeginning(path)),
        };
        let schema = schema.map_err(|error| RecordError::Senseless {
            path: self.path.clone(),
            offset: MAGIC.len() as u64,
            what: error.to_string(),
        })?;
        self.layouts = vec![None; schema.tables.len()];
        self.schema = Rc::new(schema);
        Ok(())
    }

    /// The next frame; nothing where the record ends.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, RecordError> {
        if !self.fill(HEAD)? {
            return Ok(None);
        }
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
        let head = word(&self.buffer[self.used..self.used + 4]);
        let check = word(&self.buffer[self.used + 4..self.used + HEAD]);
        let argument = head >> 8;
        let Some(kind) = Kind::of(head as u8) else {
            return Ok(None);
        };
        let (prefix, length) = if kind.has_known_length() {
            let layout = self.layouts.get(argument as usize).and_then(Option::as_ref);
            match layout {
                Some(layout) => (0, layout.size()),
                None => return Ok(None),
            }
        } else {
            if !self.fill(HEAD + 4)? {
                return Ok(None);
            }
            (4, word(&self.buffer[self.used + HEAD..self.used + HEAD + 4]) as usize)
        };
        let size = HEAD + prefix + length;
        if !self.fill(size)? {
            return Ok(None);
        }
        let payload = self.used + HEAD + prefix..self.used + size;
        if frame::check(head, self.offset, &self.buffer[payload.clone()]) != check {
            return Ok(None);
        }
        if kind == Kind::Layout {
            let layout = postcard::from_bytes::<Layout>(&self.buffer[payload.clone()]);
            match (layout, self.layouts.get_mut(argument as usize)) {
                (Ok(layout), Some(known)) => *known = Some(Rc::new(layout)),
                (Err(_), _) | (_, None) => return Err(self.senseless("a layout")),
            }
        }
        self.used += size;
        self.offset += size as u64;
        Ok(Some(Frame {
            kind,
            argument,
            payload: &self.buffer[payload],
            layout: self.layouts.get(argument as usize).and_then(Option::as_ref),
            end: self.offset,
        }))
    }

    /// After the last frame: how many bytes there are that are neither frames nor zeros.
    pub(crate) fn torn(mut self) -> Result<u64, RecordError> {
        let mut last = 0;
        let mut at = 0_u64;
        loop {
            let rest = &self.buffer[self.used..];
            if let Some(position) = rest.iter().rposition(|byte| *byte != 0) {
                last = at + position as u64 + 1;
            }
            at += rest.len() as u64;
            self.used = self.buffer.len();
            if !self.fill(1)? {
                return Ok(last);
            }
        }
    }

    pub(crate) fn senseless(&self, what: &str) -> RecordError {
        RecordError::Senseless {
            path: self.path.clone(),
            offset: self.offset,
            what: what.to_owned(),
        }
    }

    /// Whether another process is writing the record now.
    pub(crate) fn is_being_written(&self) -> bool {
        let free = flock(&self.file, FlockOperation::NonBlockingLockShared);
        if free.is_ok() {
            flock(&self.file, FlockOperation::Unlock).ok();
        }
        matches!(free, Err(rustix::io::Errno::WOULDBLOCK))
    }

    /// Whether `size` bytes are in the buffer now.
    fn fill(&mut self, size: usize) -> Result<bool, RecordError> {
        while self.buffer.len() - self.used < size {
            self.buffer.drain(..self.used);
            self.used = 0;
            let had = self.buffer.len();
            // A length that cannot be is found by the end of the file, not by memory.
            self.buffer.resize(had + PIECE, 0);
            let read = match self.file.read(&mut self.buffer[had..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                read => read
                    .map(|read| (read, read == 0))
                    .map(|(read, is_end)| if is_end { usize::MAX } else { read }),
            };
            let read = read.map_err(|error| RecordError::Io {
                what: "read",
                path: self.path.clone(),
                error,
            })?;
            if read == usize::MAX {
                self.buffer.truncate(had);
                return Ok(false);
            }
            self.buffer.truncate(had + read);
        }
        Ok(true)
    }
}

#[derive(serde::Deserialize)]
struct OnlyFormat {
    format: u32,
}
