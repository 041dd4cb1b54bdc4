//! A file that is written row by row while a measurement runs, and is whole at every instant.
//!
//! Anybody may open it while it is written, and it is what it should be after this process is killed: a row whose
//! [`Live::append`] returned is in it. What a row changes is written in an order in which each step leaves a valid
//! file: the numbers; the entry of a chunk that is new; then the lengths of the datasets and last the attribute
//! `count_calls`, both in one write.
//!
//! A reader refuses a file that is shorter than it says, and looks at its length first: so the file always is a step
//! longer than it says, and says so long before it needs the space ([`steps`]). The space ahead has no blocks on the
//! disk, and goes when the file is finished.

use std::{
    error, fmt,
    fs::{File, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{Cells, Layout, aside::Aside, finish, message::END_OF_FILE, plan::Plan, tree::Growth};

/// An open file.
#[derive(Debug)]
pub struct Live {
    file: File,
    path: PathBuf,
    layout: Layout,
    plan: Plan,
    /// The part of the head that is written with every row.
    window: Range<usize>,
    rows: u64,
    /// What the file says about its end.
    end: u64,
    state: State,
    /// The numbers of a row as they are written, kept for the next one.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// A row was written in part: what follows would not be where it should.
    Broken,
}

/// Why a row was not added.
#[derive(Debug)]
pub enum Error {
    /// There are so many datasets, constants excepted, and so many values were given.
    Values { datasets: usize, given: usize },
    /// A value has another number of elements than the row of its dataset.
    Elements {
        dataset: String,
        expected: u64,
        given: usize,
    },
    /// A dataset of fixed shape is full.
    Full { dataset: String, rows: u64 },
    /// It cannot be written; the rows before it are in the file.
    Io(PathBuf, io::Error),
    /// A row before this one could not be written.
    Broken(PathBuf),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Values { datasets, given } => write!(f, "the file has {datasets} datasets, the row {given} values"),
            Error::Elements {
                dataset,
                expected,
                given,
            } => {
                write!(f, "a row of `{dataset}` has {expected} elements, the value has {given}")
            }
            Error::Full { dataset, rows } => write!(f, "`{dataset}` has room for {rows} rows"),
            Error::Io(path, _) => write!(f, "cannot write to `{}`", path.display()),
            Error::Broken(path) => write!(f, "an earlier row of `{}` could not be written", path.display()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io(_, error) => Some(error),
            Error::Values { .. } | Error::Elements { .. } | Error::Full { .. } | Error::Broken(_) => None,
        }
    }
}

impl Live {
    /// Makes a file, which appears whole and without rows.
    ///
    /// # Errors
    /// There is something at `path`; it cannot be written; the layout is impossible: a path twice, a shape too large.
    pub fn create(path: &Path, layout: &Layout) -> io::Result<Self> {
        let plan = Plan::new(layout)?;
        let (end, len) = steps(plan.space.end);
        let aside = Aside::create(path)?;
        let mut live = Self {
            file: aside.file()?,
            path: path.to_owned(),
            layout: layout.clone(),
            window: plan.window(),
            plan,
            rows: 0,
            end,
            state: State::Good,
            bytes: Vec::new(),
        };
        live.plan.head.bytes[END_OF_FILE..END_OF_FILE + 8].copy_from_slice(&end.to_le_bytes());
        live.file.set_len(len)?;
        live.file.write_all_at(&live.plan.head.bytes, 0)?;
        for (address, bytes) in &live.plan.constants {
            live.file.write_all_at(bytes, *address)?;
        }
        live.write_edges()?;
        live.file.sync_all()?;
        aside.appear()?;
        Ok(live)
    }

    /// Opens a file that a dead process left, cuts it back to `rows` rows and goes on. What is made of it from here on
    /// has the same bytes as if nothing had happened.
    ///
    /// # Errors
    /// It cannot be read or written; it is not a file of this layout, or is finished and has another form now; it has
    /// fewer rows than `rows`.
    pub fn reopen(path: &Path, layout: &Layout, rows: u64) -> io::Result<Self> {
        let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("`{}` {why}", path.display()));
        let mut plan = Plan::new(layout)?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut head = vec![0; plan.head.bytes.len()];
        file.read_exact_at(&mut head, 0)
            .map_err(|_| wrong("is no file of this measurement".to_owned()))?;
        if masked(&plan, &head) != masked(&plan, &plan.head.bytes) {
            return Err(wrong("is not the file that was being written".to_owned()));
        }
        let there = u64::from_le_bytes(head[plan.count()..plan.count() + 8].try_into().expect("eight bytes"));
        if there < rows {
            return Err(wrong(format!("has {there} rows, where {rows} were written")));
        }
        plan.advance(rows);
        if file.metadata()?.len() < plan.space.end {
            return Err(wrong(format!("is cut short: it says that it has {there} rows")));
        }

        // First the file says that it has less, then that it ends earlier, then it does.
        let end = plan.space.end;
        plan.head.bytes[END_OF_FILE..END_OF_FILE + 8].copy_from_slice(&end.to_le_bytes());
        let window = plan.window();
        file.write_all_at(&plan.head.bytes[window.clone()], window.start as u64)?;
        file.write_all_at(&plan.head.bytes, 0)?;
        let (stated, len) = steps(end);
        let mut live = Self {
            file,
            path: path.to_owned(),
            layout: layout.clone(),
            plan,
            window,
            rows,
            end: stated,
            state: State::Good,
            bytes: Vec::new(),
        };
        live.write_edges()?;
        live.clear_tails()?;
        live.file.set_len(end)?;
        live.file.set_len(len)?;
        live.state_end(stated)?;
        Ok(live)
    }

    /// Adds a row: a value for each dataset, constants excepted, in their order. It is with the operating system when
    /// this returns.
    ///
    /// # Errors
    /// A value does not fit, or there is no room for another row: nothing was written. The disk is full or broken: the
    /// row is not there, those before it are.
    pub fn append(&mut self, row: &[Cells<'_>]) -> Result<(), Error> {
        self.check(row)?;
        // Whatever interrupts the row leaves this behind.
        self.state = State::Broken;
        self.write_row(row)
            .map_err(|error| Error::Io(self.path.clone(), error))?;
        self.state = State::Good;
        Ok(())
    }

    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Waits until the rows so far are on the disk, where they survive a loss of power.
    ///
    /// # Errors
    /// The disk says so.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Ends the file: the space ahead is given back. If the layout wants it compressed or squeezed, it is written once
    /// more beside itself and takes its own place; until then the file is as it was.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        if finish::changes_form(&self.layout, self.rows) {
            return finish::rewrite(&self.file, &self.path, &self.layout, &self.plan, self.rows);
        }
        self.state_end(self.plan.space.end)?;
        self.file.set_len(self.plan.space.end)?;
        self.file.sync_all()
    }

    fn check(&self, row: &[Cells<'_>]) -> Result<(), Error> {
        if self.state == State::Broken {
            return Err(Error::Broken(self.path.clone()));
        }
        if row.len() != self.plan.series.len() {
            return Err(Error::Values {
                datasets: self.plan.series.len(),
                given: row.len(),
            });
        }
        for (series, cells) in self.plan.series.iter().zip(row) {
            let dataset = || self.layout.datasets[series.number].path.clone();
            if cells.len() as u64 != series.cell {
                return Err(Error::Elements {
                    dataset: dataset(),
                    expected: series.cell,
                    given: cells.len(),
                });
            }
            if let Some(rows) = series.room.filter(|room| self.rows >= *room) {
                return Err(Error::Full {
                    dataset: dataset(),
                    rows,
                });
            }
        }
        Ok(())
    }

    fn write_row(&mut self, row: &[Cells<'_>]) -> io::Result<()> {
        for (number, cells) in row.iter().enumerate() {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.clear();
            self.plan.series[number].element.put(*cells, &mut bytes);
            self.write_cells(number, &bytes)?;
            self.bytes = bytes;
        }
        self.rows += 1;
        self.plan.set_rows(self.rows);
        self.file
            .write_all_at(&self.plan.head.bytes[self.window.clone()], self.window.start as u64)
    }

    /// Writes the numbers of one dataset, into new chunks where the old ones are full.
    fn write_cells(&mut self, number: usize, mut bytes: &[u8]) -> io::Result<()> {
        let series = &self.plan.series[number];
        let size = series.element.size() as u64;
        let mut element = self.rows * series.cell;
        while !bytes.is_empty() {
            let series = &self.plan.series[number];
            let place = series.grid.place(element);
            let piece = place.room.min(bytes.len() as u64 / size);
            let (now, later) = bytes.split_at((piece * size) as usize);
            let offset = place.before * size;
            match series.tree.chunks().get(place.chunk as usize) {
                Some(chunk) => self.file.write_all_at(now, chunk.address + offset)?,
                None => {
                    let (address, growth) = self.plan.open_chunk(number);
                    self.make_room()?;
                    self.file.write_all_at(now, address + offset)?;
                    self.write_growth(number, growth)?;
                }
            }
            bytes = later;
            element += piece;
        }
        Ok(())
    }

    fn write_growth(&mut self, number: usize, growth: Growth) -> io::Result<()> {
        for (address, bytes) in &growth.writes {
            self.file.write_all_at(bytes, *address)?;
        }
        if let Some(root) = growth.root {
            let at = self.plan.head.marks[self.plan.series[number].number].address;
            self.plan.head.bytes[at..at + 8].copy_from_slice(&root.to_le_bytes());
            self.file.write_all_at(&root.to_le_bytes(), at as u64)?;
        }
        Ok(())
    }

    /// Moves the end of the file if space was given out that is near it.
    fn make_room(&mut self) -> io::Result<()> {
        let (end, len) = steps(self.plan.space.end);
        if end == self.end {
            return Ok(());
        }
        self.file.set_len(len)?;
        self.state_end(end)
    }

    fn state_end(&mut self, end: u64) -> io::Result<()> {
        self.end = end;
        self.plan.head.bytes[END_OF_FILE..END_OF_FILE + 8].copy_from_slice(&end.to_le_bytes());
        self.file.write_all_at(&end.to_le_bytes(), END_OF_FILE as u64)
    }

    /// Writes the nodes that differ from those of a longer file.
    fn write_edges(&self) -> io::Result<()> {
        for series in &self.plan.series {
            for (address, bytes) in series.tree.edge(&series.grid) {
                self.file.write_all_at(&bytes, address)?;
            }
        }
        Ok(())
    }

    /// Makes zero what is behind the rows in chunks that are not full.
    fn clear_tails(&self) -> io::Result<()> {
        for series in &self.plan.series {
            let Some(last) = series.tree.chunks().last() else {
                continue;
            };
            let size = series.element.size() as u64;
            let number = series.tree.chunks().len() as u64 - 1;
            let used = (self.rows * series.cell - series.grid.first(number)) * size;
            let zeros = vec![0; series.grid.bytes().saturating_sub(used) as usize];
            self.file.write_all_at(&zeros, last.address + used)?;
        }
        Ok(())
    }
}

/// The head without what changes while rows are added.
fn masked(plan: &Plan, head: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    let growing = plan.series.iter().filter(|series| series.room.is_none());
    let dims = growing.map(|series| plan.head.marks[series.number].dims);
    let roots = plan.series.iter().map(|series| plan.head.marks[series.number].address);
    for at in dims.chain(roots).chain([END_OF_FILE, plan.count()]) {
        head[at..at + 8].fill(0);
    }
    head
}

/// For a file of which `used` bytes are given out: the end that it states, and its length, which is the next end.
///
/// A reader that is not told to follow the file (SWMR) cannot read behind the end that it found when it opened it. What
/// is left before the end is what can be written while it reads.
fn steps(used: u64) -> (u64, u64) {
    const MIB: u64 = 1024 * 1024;
    let next = |end: u64| end + (end / 4).next_multiple_of(4 * MIB).max(4 * MIB);
    let wanted = used + (used / 8).max(2 * MIB);
    let mut end = 4 * MIB;
    while end < wanted {
        end = next(end);
    }
    (end, next(end))
}
